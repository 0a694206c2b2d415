"""`rag ask`, `rag timeline`, `rag summarize` and `rag search`."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli.options import (
    Index,
    Json,
    K,
    Model,
    Query,
    Question,
    Since,
    Source,
    Undated,
    Until,
    Where,
    day,
    filter_from,
    settings_with,
)
from rag.cli.output import line, log, print_json, show_answer, show_hits, tell_where_it_goes
from rag.cli.parts import parts_of
from rag.cli.saving import Save, check_ending, keep

if TYPE_CHECKING:
    from rich.status import Status

    from rag.answering.answer import Answer
    from rag.answering.events import Event
    from rag.retrieval import Filter

NO_ANSWER = 3


def ask(
    ctx: typer.Context,
    question: Question,
    index: Index = "seeds",
    k: K = None,
    since: Since = None,
    until: Until = None,
    source: Source = None,
    undated: Undated = False,
    where: Where = None,
    model: Model = None,
    asked_on: Annotated[
        datetime.date | None,
        typer.Option(
            parser=day, metavar="DAY", help="The day it is asked, for “this week”; today without."
        ),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help="fact, when, yesno, why, list, summary, timeline, compare or dated;"
            " recognised without it.",
        ),
    ] = None,
    any_time: Annotated[
        bool,
        typer.Option("--any-time", help="Do not search the time of the question first."),
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 3 if the articles do not answer.")
    ] = False,
    save_to: Save = None,
    as_json: Json = False,
) -> None:
    """Answer a question from the articles of an index, with citations."""
    _check(question)
    check_ending(save_to)
    chosen = filter_from(since, until, source, undated, where)
    settings = settings_with(k=k, model=model)
    tell_where_it_goes(settings)
    with (
        log().status("opening the index") as status,
        parts_of(ctx).open(index, settings=settings) as rag,
    ):
        status.update("searching")
        answer = _watch(
            rag.stream(question, filter=chosen, asked_on=asked_on, kind=kind, any_time=any_time),
            status,
        )
        keep(answer, rag, save_to)
    if as_json:
        print_json(answer)
    else:
        show_answer(answer)
    if strict and answer.status == "no_answer":
        raise typer.Exit(NO_ANSWER)


def timeline(
    ctx: typer.Context,
    subject: Query,
    index: Index = "seeds",
    since: Since = None,
    until: Until = None,
    save_to: Save = None,
    as_json: Json = False,
) -> None:
    """What happened to a subject, by the day it happened."""
    chosen = filter_from(since, until, None, False, None)
    _items(ctx, subject, index, chosen, "timeline", save_to, as_json)


def summarize(
    ctx: typer.Context,
    subject: Query,
    index: Index = "seeds",
    since: Since = None,
    until: Until = None,
    save_to: Save = None,
    as_json: Json = False,
) -> None:
    """What the articles say of a subject, or one article by its id, in a few sentences."""
    chosen = filter_from(since, until, None, False, None)
    _items(ctx, subject, index, chosen, "summary", save_to, as_json)


def _items(
    ctx: typer.Context,
    subject: str,
    index: str,
    chosen: Filter,
    kind: str,
    save_to: Path | None,
    as_json: bool,
) -> None:
    _check(subject)
    check_ending(save_to)
    with log().status("searching"), parts_of(ctx).open(index, settings=settings_with()) as rag:
        answer = rag.ask(subject, filter=chosen, kind=kind)
        keep(answer, rag, save_to)
    if as_json:
        print_json(answer)
    else:
        show_answer(answer)


def search(
    ctx: typer.Context,
    query: Query,
    index: Index = "seeds",
    k: K = None,
    since: Since = None,
    until: Until = None,
    source: Source = None,
    undated: Undated = False,
    where: Where = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show what the score of each hit is made of.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Find the passages that bear on a question or on words."""
    _check(query)
    chosen = filter_from(since, until, source, undated, where)
    settings = settings_with(k=k)
    with log().status("searching"), parts_of(ctx).open(index, settings=settings) as rag:
        hits = rag.search(query, filter=chosen)
    if as_json:
        print_json(hits)
    else:
        show_hits(hits, explain=explain)


def _check(question: str) -> None:
    """Refuse an empty question before the seconds it takes to open models."""
    from rag.retrieval import check_question

    check_question(question)


def _watch(events: Iterable[Event], status: Status) -> Answer:
    """Follow an answer as it comes about: on a terminal the text grows, until it is checked."""
    from rich.text import Text

    from rag.answering.events import AnswerReady, EvidenceFound

    draft = ""
    for event in events:
        if isinstance(event, AnswerReady):
            return event.answer
        if isinstance(event, EvidenceFound):
            status.update(f"reading {len(event.hits)} passages")
        else:
            draft += event.text
            status.update(Text(line(draft), style="dim"))
    raise AssertionError("the events end with the answer")
