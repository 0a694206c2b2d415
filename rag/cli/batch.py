"""`rag batch`: a file of questions in, JSON lines out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag.cli.options import (
    Index,
    K,
    Model,
    Since,
    Source,
    Undated,
    Until,
    Where,
    filter_from,
    settings_with,
)
from rag.cli.output import log, tell_where_it_goes
from rag.cli.parts import parts_of
from rag.cli.progress import LogLines
from rag.errors import QuestionError

if TYPE_CHECKING:
    from rag.answering.answer import Answer
    from rag.engine import Rag
    from rag.retrieval import Filter, Hit

_BATCH_QUESTIONS = 64
_LINE_EVERY = 100


def batch(
    ctx: typer.Context,
    questions: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help='A question per line, or JSON lines with "question"; - for standard input.',
        ),
    ],
    index: Index = "seeds",
    search_only: Annotated[
        bool, typer.Option("--search", help="Only search: write hits, ask no language model.")
    ] = False,
    k: K = None,
    since: Since = None,
    until: Until = None,
    source: Source = None,
    undated: Undated = False,
    where: Where = None,
    model: Model = None,
) -> None:
    """Ask many questions at once.

    Writes a JSON object per question on stdout, in their order, as soon as it is ready: the
    question, its "id" if it has one, and the "answer" or the "hits".
    """
    rows = _read(questions)
    chosen = filter_from(since, until, source, undated, where)
    settings = settings_with(k=k, model=model)
    if not search_only:
        tell_where_it_goes(settings)
    console = log()
    doing = "opening the index"
    with (
        console.status(doing) as status,
        LogLines(console, doing) as lines,
        parts_of(ctx).open(index, settings=settings) as rag,
    ):
        for done, (row, result) in enumerate(_results(rag, rows, search_only, chosen), 1):
            _write(row, result)
            told = f"{done:,} of {len(rows):,} questions"
            status.update(told)
            lines.tell(told, now=done % _LINE_EVERY == 0 or done == len(rows))


def _results(
    rag: Rag, rows: Sequence[dict[str, str]], search_only: bool, chosen: Filter
) -> Iterator[tuple[dict[str, str], list[Hit] | Answer]]:
    """Each question with its hits or its answer, as it is ready."""
    for at in range(0, len(rows), _BATCH_QUESTIONS):
        part = rows[at : at + _BATCH_QUESTIONS]
        asked = [row["question"] for row in part]
        if search_only:
            yield from zip(part, rag.search_many(asked, filter=chosen), strict=True)
        else:
            yield from zip(part, rag.ask_many(asked, filter=chosen), strict=True)


def _write(row: dict[str, str], result: list[Hit] | Answer) -> None:
    made: dict[str, Any]
    if isinstance(result, list):
        made = {"hits": [hit.model_dump(mode="json") for hit in result]}
    else:
        made = {"answer": result.model_dump(mode="json")}
    sys.stdout.write(json.dumps(row | made) + "\n")  # ASCII: nothing that a terminal obeys
    sys.stdout.flush()


def _read(name: str) -> list[dict[str, str]]:
    """The questions, each with its id if it has one."""
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise QuestionError(f"{name} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise QuestionError(f"{name} is not UTF-8: byte {error.start}") from error
    lines = enumerate(text.split("\n"), 1)
    rows = [_row(line.strip(), f"{name}:{number}") for number, line in lines if line.strip()]
    if not rows:
        raise QuestionError(f"{name} has no question")
    return rows


def _row(line: str, place: str) -> dict[str, str]:
    if not line.startswith("{"):
        return {"question": line}
    try:
        fields = json.loads(line)
    except ValueError as error:
        raise QuestionError(f"{place}: not JSON: {error}") from error
    question = fields.get("question")
    if not isinstance(question, str) or not question.strip():
        raise QuestionError(f"{place}: `question` is empty or no string")
    row = {"question": question}
    return row | {"id": str(fields["id"])} if "id" in fields else row
