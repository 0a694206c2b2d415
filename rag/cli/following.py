"""`rag follow`: questions that are kept, and news about them."""

from __future__ import annotations

import re
import sys
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli.options import (
    Index,
    Json,
    Question,
    Since,
    Source,
    Undated,
    Until,
    Where,
    filter_from,
    settings_with,
)
from rag.cli.output import line, paragraph, print_json, print_json_lines, show_error
from rag.cli.parts import Parts, parts_of
from rag.errors import RagError

if TYPE_CHECKING:
    from rag.following.followed import News
    from rag.settings import Settings

app = typer.Typer(
    help="Keep questions, and hear of new stories that bear on them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SPAN = re.compile(r"([1-9]\d{0,5})([smhd])")

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the question.")]
About = Annotated[
    str | None, typer.Argument(metavar="[NAME]", help="Name of a question; all without it.")
]


def _span(text: str) -> int:
    """Seconds of a span of time such as 10m."""
    found = _SPAN.fullmatch(text)
    if found is None:
        raise typer.BadParameter(f"{text!r} is not a span of time such as 30s, 10m, 2h or 1d")
    return int(found[1]) * _SECONDS[found[2]]


@app.command()
def add(
    ctx: typer.Context,
    question: Question,
    index: Index = "seeds",
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="What to call it; made of its words without."),
    ] = None,
    since: Since = None,
    until: Until = None,
    source: Source = None,
    undated: Undated = False,
    where: Where = None,
    min_score: Annotated[
        float | None,
        typer.Option(
            "--min-score",
            min=0,
            max=1,
            metavar="SCORE",
            help="Least score of a passage; 0.45 without it.",
        ),
    ] = None,
    versions: Annotated[
        bool,
        typer.Option("--versions", help="Also tell changed articles and new versions of stories."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Keep a question or words for an index.

    What the index holds now is no news. What is built into it from now on is searched, at the end
    of each build, and new stories are told: by `rag follow news`, in the Atom feeds in the
    folder `following` of the index, and by `rag serve`. Reprints and changed articles are no news.
    """
    from rag.following.follow import follow
    from rag.following.followed import MIN_SCORE

    kept = follow(
        question,
        index,
        name=name,
        filter=filter_from(since, until, source, undated, where),
        min_score=MIN_SCORE if min_score is None else min_score,
        versions=versions,
        settings=settings_with(),
        open_embedder=parts_of(ctx).embedder,
    )
    if as_json:
        print_json(kept)
    else:
        paragraph(f"{kept.name}: followed in index {line(index)}")


@app.command("list")
def list_(index: Index = "seeds", as_json: Json = False) -> None:
    """List the questions that are followed."""
    from rag.following.follow import followed

    kept = followed(index, settings=settings_with())
    if as_json:
        print_json(kept)
        return
    for one in kept:
        narrowed = f", {line(str(one.filter))}" if str(one.filter) else ""
        versions = ", new versions too" if one.versions else ""
        paragraph(f"{one.name}: {line(one.question)} (from {one.min_score:g}{narrowed}{versions})")


@app.command()
def remove(name: Name, index: Index = "seeds") -> None:
    """Forget a question, and the news about it."""
    from rag.following.follow import unfollow

    unfollow(name, index, settings=settings_with())
    paragraph(f"{line(name)}: no longer followed in index {line(index)}")


@app.command()
def run(
    ctx: typer.Context,
    index: Index = "seeds",
    every: Annotated[
        int | None,
        typer.Option(
            "--every", parser=_span, metavar="TIME", help="Again and again: 30s, 10m, 2h, 1d."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Look for news in what the index has by now, and tell it.

    Builds do this themselves; it is for indexes that another machine or an older version builds.
    With --every it ends with Ctrl-C.
    """
    repeat(parts_of(ctx), index, settings_with(), every, threading.Event(), as_json=as_json)


def repeat(
    parts: Parts,
    index: str,
    settings: Settings,
    every: int | None,
    stop: threading.Event,
    *,
    as_json: bool = False,
) -> None:
    """Look for news once, or every so many seconds until `stop` is set."""
    from rag.following.follow import look_for_news

    while True:
        try:
            found = look_for_news(index, settings=settings, open_embedder=parts.embedder)
        except RagError as error:
            if every is None:
                raise
            show_error(error)  # the next time it may be mended
        else:
            if as_json and every is not None:
                print_json_lines(found)
            else:
                _show(found, as_json)
            sys.stdout.flush()
        if every is None or stop.wait(every):
            return


@app.command()
def news(
    name: About = None,
    index: Index = "seeds",
    after: Annotated[
        int, typer.Option("--after", min=0, metavar="N", help="Only what has a higher number.")
    ] = 0,
    limit: Annotated[
        int, typer.Option("--limit", min=1, metavar="N", help="At most so many.")
    ] = 100,
    as_json: Json = False,
) -> None:
    """Show the news that was found, in order."""
    from rag.following.follow import news as found

    told = found(index, followed=name, after=after, limit=limit, settings=settings_with())
    _show(told, as_json)


@app.command()
def feed(name: About = None, index: Index = "seeds") -> None:
    """Write the newest of it as an Atom feed to stdout."""
    from rag.following.follow import feed as made

    sys.stdout.write(made(index, followed=name, settings=settings_with()))


def _show(news: list[News], as_json: bool) -> None:
    if as_json:
        print_json(news)
        return
    for one in news:
        day = f", {one.published}" if one.published else ""
        source = f", {line(one.source)}" if one.source else ""
        version = ", a new version" if one.kind == "new version" else ""
        paragraph(
            f"{one.number} {one.followed}: {line(one.title or one.article_id)}"
            f" ({line(one.article_id)}{source}{day}{version})"
        )
        paragraph(f"“{line(one.quote)}”", indent=2)
