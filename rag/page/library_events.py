"""What happens in the library: each method is the function of one event in `library_tab`."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from rag import (
    BuildReport,
    Rag,
    RagError,
    add_files,
    add_sources,
    check,
    format_of_path,
    leave_out,
    list_files,
    list_indexes,
    remove_files,
    take_back,
)
from rag.page import article, library, stock
from rag.page.building import Builds
from rag.page.engines import Engines
from rag.page.markup import message
from rag.page.overview import Overview, Row
from rag.page.words import Marker

MAX_FILES = 100
_UPLOADS = "uploads"
_log = logging.getLogger(__name__)


class LibraryEvents:
    """The functions of the events.

    Args:
        engines: Where indexes are opened.
        build: Like `rag.build`.
    """

    def __init__(self, engines: Engines, build: Callable[..., BuildReport]) -> None:
        self._engines = engines
        self._settings = engines.settings
        self._builds = Builds(build, engines.settings)

    # Looking

    def show(self, index: str, view: library.View | None) -> tuple[str | int, ...]:
        """Health, formats, files handed over, what was skipped, groups, and a number of this look.

        Another number each time, in nanoseconds: it makes the page ask for `rows` too.
        """
        try:
            rag, found = self._engines.get(index), self._engines.overview(index)
            left = rag.index.catalog.skipped()
            n_left = Counter(format_of_path(one.path) or "other" for one in left)
            kept = stock.uploads(list_files(index, settings=self._settings))
            kept += stock.taken_out(rag.index.manifest.config.without)
        except RagError as error:
            return _told(error), "", "", "", "", time.time_ns()
        infos = list_indexes(self._settings.index_dir)
        info = next((info for info in infos if info.name == index), None)
        chosen = view.chosen if view else frozenset[tuple[str, str]]()
        return (
            stock.health(info), library.formats(found, n_left), kept, stock.skipped(left),
            library.groups(found, chosen), time.time_ns(),
        )  # fmt: skip

    def rows(self, index: str, query: str, view: library.View | None) -> tuple[Any, Any]:
        """The table, and which part of it that is: of the articles that hold these words."""
        view = view or library.View()
        if query != view.query:
            view = dataclasses.replace(view, query=query, page=0)
        return self._shown(index, view)

    def order(self, index: str, view: library.View | None, event: gr.EventData) -> tuple[Any, Any]:
        """The table sorted otherwise, or another page of it."""
        view = view or library.View()
        chosen = event._data or {}
        if (column := chosen.get("sort")) in library.COLUMNS:
            down = not view.descending if column == view.sort else column == "published"
            view = dataclasses.replace(view, sort=column, descending=down, page=0)
        elif isinstance(page := chosen.get("page"), int):
            view = dataclasses.replace(view, page=page)
        return self._shown(index, view)

    def narrow(
        self, index: str, view: library.View | None, event: gr.EventData
    ) -> tuple[Any, Any, Any]:
        """The table narrowed to a value of a group, or no longer: groups, table, and its view."""
        view = view or library.View()
        chosen = event._data or {}
        one = (str(chosen.get("name")), str(chosen.get("value")))
        narrowed = view.chosen ^ {one} if chosen.get("name") else frozenset[tuple[str, str]]()
        view = dataclasses.replace(view, chosen=narrowed, page=0)
        try:
            groups = library.groups(self._engines.overview(index), view.chosen)
        except RagError as error:
            return gr.skip(), _told(error), view
        return groups, *self._shown(index, view)

    def open(self, index: str, view: library.View | None, event: gr.EventData) -> str:
        """An article with what cleaning removed, and what else tells its story."""
        try:
            rag, found = self._engines.get(index), self._engines.overview(index)
            one = rag.article(event.article_id)
            if one is None:
                return message("empty", "The index no longer holds this article.")
            others = [
                found.by_id[other]
                for other in found.stories.get(one.article_id, ())
                if other != one.article_id and other in found.by_id
            ]
            marker = _marker(rag, view.query if view else "")
            removed = rag.removed(one.article_id)
            lines = [line.text for line in rag.boilerplate(one.article_id)]
            return article.whole(one, removed, others, marker.marked(one.text), lines)
        except RagError as error:
            return _told(error)

    def check(self, index: str) -> Iterator[str]:
        """What is wrong with the index, if anything."""
        yield '<p class="phase" role="status">Checking every file, row and id …</p>'
        try:
            yield stock.checked(check(index, settings=self._settings))
        except RagError as error:
            yield _told(error)

    # Changing

    def take(self, files: list[str] | None, replace: bool, index: str) -> tuple[Any, Any, Any]:
        """Keep files as a source of the index: under which names, the box empty, their paths."""
        try:
            words, paths = self._taken(files or [], replace, index)
        except RagError as error:
            _log.warning("upload failed: %s", error)
            return _told(error), None, None
        return words, None, (words, paths)

    def build_taken(self, taken: tuple[str, list[str]] | None, index: str) -> Iterator[str]:
        """Take in what `take` kept, if it did."""
        if taken:
            words, paths = taken
            yield from self._rebuilding(index, told=words, files=paths)

    def create(self, name: str, files: list[str] | None) -> Iterator[tuple[Any, ...]]:
        """Make an index of these files: how far it is, the chooser with it, an empty form."""
        name, same = name.strip(), (gr.skip(),) * 3
        try:
            if not files:
                raise RagError("an index begins with articles: choose some files")
            if name in self._engines.names():
                raise RagError(f"there is an index {name!r} already: choose it, and add them there")
            add_sources(name, [], settings=self._settings)
            words, paths = self._taken(files, False, name)
        except RagError as error:
            _log.warning("making an index failed: %s", error)
            yield _told(error), *same
            return
        step = ""
        for step in self._builds.build(name, files=paths):
            yield words + step, *same
        ready = self._engines.names()
        if name in ready:
            yield words + step, gr.update(choices=ready, value=name), "", None
        else:
            yield words + step, gr.skip(), gr.skip(), None

    def remove_file(self, index: str, event: gr.EventData) -> Iterator[str]:
        """Delete a file that was handed over, or put back an article that was taken out; build."""
        chosen = event._data or {}
        try:
            if name := chosen.get("name"):
                remove_files(index, [str(name)], settings=self._settings)
                words = f"“{name}” is removed."
            else:
                one = str(chosen.get("take_back"))
                take_back(index, [one], settings=self._settings)
                words = f"“{one}” is put back."
        except RagError as error:
            _log.warning("removing or putting back failed: %s", error)
            yield _told(error)
            return
        yield from self._rebuilding(index, told=stock.told(words))

    def take_out(self, index: str, event: gr.EventData) -> Iterator[str]:
        """Take an article out: with its file where that was handed over and holds nothing else."""
        try:
            overview = self._engines.overview(index)
            row = overview.by_id.get(str(event.article_id))
            if row is None:
                raise RagError("the index no longer holds this article")
            if file := _file_of_its_own(row, overview):
                remove_files(index, [file], settings=self._settings)
                words = f"“{file}” is removed."
            else:
                leave_out(index, [row.article_id], settings=self._settings)
                words = f"“{row.title}” is taken out. Its file stays as it is."
        except RagError as error:
            _log.warning("taking an article out failed: %s", error)
            yield _told(error)
            return
        yield from self._rebuilding(index, told=stock.told(words))

    def rebuild(self, index: str) -> Iterator[str]:
        """Bring the index up to date; those who ask go on with the version they have."""
        yield from self._rebuilding(index)

    def let_go(self, index: str) -> Iterator[str]:
        """The same, though most articles go: somebody read which, and chose so."""
        yield from self._rebuilding(index, allow_removal=True)

    def _taken(self, files: list[str], replace: bool, index: str) -> tuple[str, list[str]]:
        """What became of files that were handed over, and their paths in the index."""
        if len(files) > MAX_FILES:
            raise RagError(f"{len(files)} files: at most {MAX_FILES} at a time, please")
        kept = add_files(index, files, replace=replace, move=True, settings=self._settings)
        return stock.added(kept), [f"{_UPLOADS}/{upload.path.name}" for upload in kept]

    def _rebuilding(
        self,
        index: str,
        *,
        told: str = "",
        allow_removal: bool = False,
        files: list[str] | None = None,
    ) -> Iterator[str]:
        for step in self._builds.build(index, allow_removal=allow_removal, files=files or ()):
            yield told + step

    def _shown(self, index: str, view: library.View) -> tuple[Any, Any]:
        try:
            rag, found = self._engines.get(index), self._engines.overview(index)
            known = frozenset(one for one in view.chosen if one[0] in found.groups)
            view = dataclasses.replace(view, chosen=known)
            return self._table(rag, found, view), view
        except RagError as error:
            return _told(error), view

    def _table(self, rag: Rag, found: Overview, view: library.View) -> str:
        if not view.query.strip():
            return library.table(found, view)
        mentions = rag.index.mentions(view.query)
        marker = _marker(rag, view.query)

        def passage(article_id: str) -> str:
            one = rag.article(article_id) if article_id in mentions else None
            return marker.passage(one.text, *mentions[article_id]) if one else ""

        return library.table(found, view, mentions, passage, marker.marked)


def _marker(rag: Rag, words: str) -> Marker:
    analyzer = rag.index.analyzer
    return Marker(
        words, analyzer.content_terms if analyzer.content_terms(words) else analyzer.terms
    )


def _file_of_its_own(row: Row, overview: Overview) -> str | None:
    """Name of the file that was handed over and holds an article and no other; None otherwise."""
    parts = Path(row.path or "").parts[:2]
    if len(parts) < 2 or parts[0] != _UPLOADS:
        return None
    alike = (other for other in overview.rows if Path(other.path or "").parts[:2] == parts)
    return parts[1] if all(other is row for other in alike) else None


def _told(error: RagError) -> str:
    return message("error", error.message, mend=error.mend)
