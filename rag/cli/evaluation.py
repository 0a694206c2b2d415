"""`rag eval`: how good an index answers questions whose answers are known."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli.options import Index, Json
from rag.cli.output import line, log, out, tell_where_it_goes
from rag.cli.parts import parts_of
from rag.cli.progress import question_progress

if TYPE_CHECKING:
    from rag.evaluation import Change, EvaluationReport

WORSE = 1


def evaluate(
    ctx: typer.Context,
    dataset: Annotated[
        Path,
        typer.Argument(
            exists=True,
            help="Folder with articles.jsonl and questions.jsonl, or in the format of BEIR; or one"
            " file of questions.",
        ),
    ],
    index: Index = "seeds",
    n_sample: Annotated[
        int | None,
        typer.Option("--sample", min=1, metavar="N", help="Only N questions, drawn by chance."),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the draw.")] = 0,
    kind: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND", help="Only questions of this kind or form; may be given again."
        ),
    ] = None,
    answers: Annotated[
        bool,
        typer.Option(
            "--answers",
            help="Ask the questions too, and measure the answers: seconds for each question.",
        ),
    ] = False,
    answer_log: Annotated[
        Path | None,
        typer.Option(
            "--log",
            dir_okay=False,
            metavar="FILE",
            help="JSON Lines file that keeps the answers as they come; those it holds are not asked"
            " for again.",
        ),
    ] = None,
    stored: Annotated[
        Path | None,
        typer.Option(
            "--compare",
            exists=True,
            dir_okay=False,
            help="Result stored before with --json; exits with 1 if a figure is worse now.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure how well an index finds, and answers, questions whose answers are known.

    The index must hold the dataset's articles; it may hold others too. A hit counts if it is of
    the right article and covers a whole answer. Intervals are of 95 %, drawn by article.
    """
    from rag import evaluation

    before = evaluation.read_report(stored) if stored else None
    console = log()
    with parts_of(ctx).open(index) as rag:
        if answers or answer_log is not None:
            tell_where_it_goes(rag.settings)
        questions = evaluation.read_dataset(dataset, rag.article)
        if kind:
            questions = evaluation.of_kinds(questions, kind)
        if n_sample is not None:
            questions = evaluation.sample(questions, n_sample, seed=seed)
        with question_progress(console) as progress:
            report = evaluation.evaluate(
                rag,
                questions,
                answers=answers or answer_log is not None,
                log=answer_log,
                progress=progress,
            )
    changes = evaluation.compare(report, before) if before else []
    if as_json:
        sys.stdout.write(report.model_dump_json(indent=2) + "\n")
    else:
        _show(report)
    if before:
        _show_changes(changes, on_stderr=as_json)
    if any(change.verdict == "worse" for change in changes):
        raise typer.Exit(WORSE)


def _show(report: EvaluationReport) -> None:
    from rich.table import Table

    console = out()
    for kind, figures in report.metrics.items():
        table = Table(title=f"{line(kind)}: {report.n_questions[kind]:,} questions", box=None)
        table.add_column("")
        table.add_column("mean", justify="right")
        table.add_column("95 %", justify="right")
        for name, value in figures.items():
            low, high = report.intervals[kind].get(name, (None, None))
            interval = f"{low:.3f} – {high:.3f}" if low is not None else ""
            table.add_row(name, f"{value:.3f}", interval)
        console.print(table)
    if report.n_lost:
        console.print(f"{report.n_lost} answers stand in what cleaning removes: missed.")
    for reason, n in report.left_out.items():
        console.print(f"Left out: {n:,}, because {line(reason)}.")
    log().print(
        f"{line(report.dataset)} on index {report.index} version {report.version},"
        f" {report.embedder}: {report.seconds['total']:.1f} s,"
        f" {1000 * report.seconds['search']:.0f} ms per question",
        style="dim",
    )


def _show_changes(changes: Sequence[Change], *, on_stderr: bool) -> None:
    from rich.table import Table

    table = Table(title="against the stored result", box=None)
    for heading in ("", "", "before", "now", "difference, 95 %", ""):
        table.add_column(heading, justify="right" if heading else "left")
    for change in changes:
        table.add_row(
            line(change.kind),
            change.metric,
            f"{change.before:.3f}",
            f"{change.now:.3f}",
            f"{change.low:+.3f} – {change.high:+.3f}",
            "" if change.verdict == "same" else change.verdict,
        )
    (log() if on_stderr else out()).print(table)
