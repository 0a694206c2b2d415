"""What happens on the page: each method is the function of one event in blocks."""

from __future__ import annotations

import dataclasses
import datetime
import logging
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr
from pydantic import ValidationError

from rag import (
    BuildReport,
    RagError,
    add_files,
    check,
    list_files,
    list_indexes,
    remove_files,
)
from rag.page import article, building, library, timeline
from rag.page.conversation import Conversation
from rag.page.engines import Engines, Readiness
from rag.page.kept import Kept
from rag.page.markup import message, text
from rag.page.talking import FAILED, Talking

MAX_FILES = 100
_log = logging.getLogger(__name__)
_SAME_STOCK = (gr.skip(),) * 5
_READINESS = {
    Readiness.OPENING: "Opening the index …",
    Readiness.LOADING: "Loading the language model …",
    Readiness.READY: "Ready",
}


class Handlers:
    """The functions of the events.

    Args:
        engines: Whom to ask.
        build: Like `rag.build`.

    Attributes:
        talking: Those of asking and of conversations.
    """

    def __init__(self, engines: Engines, build: Callable[..., BuildReport]) -> None:
        self._engines = engines
        self._build = build
        self.talking = Talking(engines, Kept(engines.settings.page_dir), self.picture)

    # Opening an index

    def open_index(self, index: str) -> Iterator[tuple[Any, ...]]:
        """Readiness, timeline, sources and first words, as they become known."""
        self._engines.warm_up(index)
        shown = False
        greeting: Any = _hello(index, [])  # at once: the rest needs the index
        while True:
            state, error = self._engines.readiness(index)
            rest: tuple[Any, ...] = (gr.skip(), gr.skip(), greeting)
            greeting = gr.skip()
            if state in (Readiness.LOADING, Readiness.READY) and not shown:
                found = self._engines.overview(index)
                sources = gr.update(choices=found.sources, value=[])
                picture = timeline.show(timeline.buckets(found.days), found.n_undated)
                rest = (picture, sources, _hello(index, found.examples))
                shown = True
            yield _ready(state, error, self._engines.settings.sends_to), *rest
            if state in (Readiness.READY, Readiness.FAILED):
                return
            self._engines.wait(index, 0.3)

    def failed(self) -> str:
        """What is shown when something happened that nobody foresaw; Gradio logs it."""
        return FAILED

    # Reading

    def open_place(self, event: gr.EventData) -> str:
        """The article at the passage that was chosen."""
        try:
            place = article.Place.model_validate_json(event.place)
            return article.cited(self._engines.get(place.index).article(place.article_id), place)
        except ValidationError:
            return message("error", "This link does not say what it leads to.")
        except RagError as error:
            return _told(error)

    # Narrowing

    def picture(
        self, index: str, since: str | None, until: str | None, talk: Conversation | None
    ) -> str:
        """The timeline, with the passages found last and the days chosen."""
        found = self._engines.overview(index)
        last = talk.turns[-1] if talk and talk.turns else None
        days = [h.published for h in last.hits if h.published] if last else []
        bars = timeline.buckets(found.days, days)
        return timeline.show(bars, found.n_undated, _day(since), _day(until))

    def choose_days(
        self, index: str, talk: Conversation | None, event: gr.EventData
    ) -> tuple[str, str, str]:
        """First and last day of the stretch chosen, and the timeline with it."""
        return event.since, event.until, self.picture(index, event.since, event.until, talk)

    def all_days(self, index: str, talk: Conversation | None) -> tuple[None, None, str]:
        """No first and no last day, and the timeline without."""
        return None, None, self.picture(index, None, None, talk)

    # The library

    def show_library(self, index: str, view: library.View | None) -> tuple[Any, ...]:
        """Health, files handed over, what was skipped, the table, and which part of it that is."""
        view = view or library.View()
        try:
            rag = self._engines.get(index)
            found = self._engines.overview(index)
            skipped = library.skipped(rag.index.catalog.skipped())
            kept = library.uploads(list_files(index, settings=self._engines.settings))
        except RagError as error:
            return _told(error), "", "", "", view
        infos = list_indexes(self._engines.settings.index_dir)
        info = next((info for info in infos if info.name == index), None)
        return library.health(info), kept, skipped, library.table(found, view), view

    def search_articles(self, index: str, query: str, view: library.View | None) -> tuple[Any, Any]:
        """The table of the articles that hold these words."""
        return self._table(index, dataclasses.replace(view or library.View(), query=query, page=0))

    def order_articles(
        self, index: str, view: library.View | None, event: gr.EventData
    ) -> tuple[Any, Any]:
        """The table sorted otherwise, or another page of it."""
        view = view or library.View()
        chosen = event._data or {}
        if (column := chosen.get("sort")) in library.COLUMNS:
            down = not view.descending if column == view.sort else column == "published"
            view = dataclasses.replace(view, sort=column, descending=down, page=0)
        elif isinstance(page := chosen.get("page"), int):
            view = dataclasses.replace(view, page=page)
        return self._table(index, view)

    def open_article(self, index: str, event: gr.EventData) -> str:
        """An article with what cleaning removed."""
        try:
            rag = self._engines.get(index)
            found = rag.article(event.article_id)
            if found is None:
                return message("empty", "The index no longer holds this article.")
            return article.whole(found, rag.removed(found.article_id))
        except RagError as error:
            return _told(error)

    def check(self, index: str) -> Iterator[str]:
        """What is wrong with the index, if anything."""
        yield '<p class="phase" role="status">Checking every file, row and id …</p>'
        try:
            yield library.checked(check(index, settings=self._engines.settings))
        except RagError as error:
            yield _told(error)

    def add(
        self, files: list[str] | None, replace: bool, index: str, view: library.View | None
    ) -> Iterator[tuple[Any, ...]]:
        """Keep the files as a source of the index, say under which names, then build it."""
        if not files:
            return
        try:
            if len(files) > MAX_FILES:
                raise RagError(f"{len(files)} files: at most {MAX_FILES} at a time, please")
            kept = add_files(index, files, replace=replace, settings=self._engines.settings)
        except RagError as error:
            _log.warning("upload failed: %s", error)
            yield _told(error), *_SAME_STOCK
            return
        yield from self._rebuilding(index, view, told=library.added(kept))

    def remove(
        self, index: str, view: library.View | None, event: gr.EventData
    ) -> Iterator[tuple[Any, ...]]:
        """Delete a file that was handed over, then build the index without it."""
        try:
            (path,) = remove_files(index, [str(event.name)], settings=self._engines.settings)
        except RagError as error:
            _log.warning("removing an upload failed: %s", error)
            yield _told(error), *_SAME_STOCK
            return
        yield from self._rebuilding(index, view, told=library.removed(path.name))

    def rebuild(self, index: str, view: library.View | None) -> Iterator[tuple[Any, ...]]:
        """Bring the index up to date; those who ask go on with the version they have.

        How far it is, and at the end what `show_library` shows.
        """
        yield from self._rebuilding(index, view)

    def let_go(self, index: str, view: library.View | None) -> Iterator[tuple[Any, ...]]:
        """The same, though most articles go: somebody read which, and chose so."""
        yield from self._rebuilding(index, view, allow_removal=True)

    def _rebuilding(
        self, index: str, view: library.View | None, told: str = "", allow_removal: bool = False
    ) -> Iterator[tuple[Any, ...]]:
        settings = self._engines.settings
        for step in building.build(self._build, index, settings, allow_removal=allow_removal):
            yield told + step, *_SAME_STOCK
        yield gr.skip(), *self.show_library(index, view)

    def _table(self, index: str, view: library.View) -> tuple[Any, Any]:
        try:
            return library.table(self._engines.overview(index), view), view
        except RagError as error:
            return _told(error), view


def example(event: gr.EventData) -> str:
    """The question of an example that was chosen."""
    return str(event.question)


def _told(error: RagError) -> str:
    return message("error", error.message, mend=error.mend)


def _ready(state: Readiness, error: RagError | None, sends_to: str | None = None) -> str:
    """What is being opened, or that all is; and what leaves the machine, where anything does."""
    if error is not None:
        return _told(error)
    sent = (
        f'<p class="sent">Questions and sentences of articles are sent to {text(sends_to)}: the'
        " language model runs there.</p>"
        if sends_to
        else ""
    )
    return f'<p class="ready {state}" role="status">{_READINESS[state]}</p>{sent}'


def _hello(index: str, examples: list[str]) -> str:
    buttons = "".join(
        f'<li><button type="button" data-question="{text(question)}">{text(question)}</button></li>'
        for question in examples
    )
    tried = f"<p>For example:</p><ul>{buttons}</ul>" if examples else ""
    return (
        f"<h1>Ask the articles of “{text(index)}”</h1>"
        "<p>Each sentence of an answer shows where it stands. What the articles do not say is not"
        f" made up.</p>{tried}"
    )


def _day(value: str | None) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat((value or "")[:10])
    except ValueError:
        return None
