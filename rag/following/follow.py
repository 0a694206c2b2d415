"""What users call: keep a question, forget it, look for news, read it.

Each takes an index by its name and the settings; None takes them from `rag.toml` and the
environment.
"""

from __future__ import annotations

import datetime
import logging
import os
from collections.abc import Callable
from pathlib import Path

from rag.building.report import BuildReport
from rag.embedding import Embedder, EmbedderIdentity
from rag.errors import IndexMissingError, NotFoundError, RagError
from rag.following.feed import N_ENTRIES, atom
from rag.following.followed import MIN_SCORE, Followed, News, check_name, name_of, with_free_name
from rag.following.news import fresh, news_for
from rag.following.store import Store, following_path
from rag.index.layout import IndexFolder, Step, no_step, not_written
from rag.index.manifest import read_manifest
from rag.index.opened import OpenIndex
from rag.opening import embedder_of
from rag.retrieval import Filter, check_question
from rag.settings import Settings

_log = logging.getLogger(__name__)
Open = Callable[[EmbedderIdentity, Settings], Embedder]


def follow(
    question: str,
    index: str = "seeds",
    *,
    name: str | None = None,
    filter: Filter | None = None,
    min_score: float = MIN_SCORE,
    versions: bool = False,
    settings: Settings | None = None,
    open_embedder: Open = embedder_of,
) -> Followed:
    """Keep a question. What the index holds now is no news.

    Args:
        question, name, filter, min_score, versions: See `rag.Followed`; without a name it is made
            of the question's words,
            and numbered where another question has that name already.
        index: Name of the index; it need not be built yet.
        settings: Where it lies.
        open_embedder: Like `rag.opening.embedder_of`.

    Raises:
        QuestionError: an empty question, no name, or days in the wrong order.
        ExistsError: another question has that name.
        IndexMissingError: there is no such index.
        RagError: news for the questions before it cannot be looked for, or nothing be written.
    """
    check_question(question)
    kept = Followed(
        name=name_of(question) if name is None else check_name(name),
        question=question,
        filter=(filter or Filter()).checked(),
        min_score=min_score,
        versions=versions,
        kept=_now(),
    )
    settings = settings or Settings()
    folder = IndexFolder(settings.index_dir, index)
    with Store.turn(folder) as store:
        _round(folder, store, settings, open_embedder, no_step)
        if name is None:
            kept = with_free_name(kept, store.followed())
        store.keep(kept)
        _write_feeds(folder, store)
    return kept


def unfollow(name: str, index: str = "seeds", *, settings: Settings | None = None) -> None:
    """Forget a question, and what was told about it.

    Raises:
        NotFoundError: there is none of that name.
        IndexMissingError: there is no such index.
    """
    folder = _folder(index, settings)
    with Store.turn(folder) as store:
        store.forget(name)
        _feed_path(folder, name).unlink(missing_ok=True)
        _write_feeds(folder, store)


def followed(index: str = "seeds", *, settings: Settings | None = None) -> list[Followed]:
    """The questions that are followed in an index, by name.

    Raises:
        IndexMissingError: there is no such index.
    """
    folder = _folder(index, settings)
    if not Store.exists(folder):
        folder.config()
        return []
    with Store.reading(folder) as store:
        return store.followed()


def news(
    index: str = "seeds",
    *,
    followed: str | None = None,
    after: int = 0,
    limit: int = 100,
    newest: bool = False,
    settings: Settings | None = None,
) -> list[News]:
    """What was told about new stories, in order. Looks for nothing: see `look_for_news`.

    Args:
        index: Name of the index.
        followed: Name of a question; None gives all.
        after: Only what has a higher number than this; of use to whoever comes again.
        limit: At most so many, at least 1.
        newest: The last ones, the newest first; then without `after`.
        settings: Where it lies.

    Raises:
        NotFoundError: no such question is followed.
        IndexMissingError: there is no such index.
    """
    folder = _folder(index, settings)
    if not Store.exists(folder):
        folder.config()
        questions: list[Followed] = []
    else:
        with Store.reading(folder) as store:
            questions = store.followed()
            if followed is None or any(one.name == followed for one in questions):
                if newest:
                    return store.newest(followed, limit=limit)
                return store.news(followed, after=after, limit=limit)
    if followed is not None:
        raise NotFoundError(
            f"no question called {followed!r} is followed in index {index!r}",
            mend=f"rag follow list --index {index}",
        )
    return []


def feed(
    index: str = "seeds",
    *,
    followed: str | None = None,
    at: str | None = None,
    settings: Settings | None = None,
) -> str:
    """The newest of it as an Atom feed. Arguments and errors: see `news`, and `feed.atom`."""
    found = news(index, followed=followed, limit=N_ENTRIES, newest=True, settings=settings)
    return atom(found, index=index, name=followed, at=at)


def look_for_news(
    index: str = "seeds",
    *,
    settings: Settings | None = None,
    open_embedder: Open = embedder_of,
    on_step: Step = no_step,
) -> list[News]:
    """Look for new stories in what an index did not have when it was looked at last.

    Written down and into the feeds before it returns. A build does this at its end.

    Args:
        index: Name of the index.
        settings: Where it lies.
        open_embedder: Like `rag.opening.embedder_of`; called only if there is something new.
        on_step: Called with the name of each step once it is done.

    Returns:
        What is new now, best first for each question.

    Raises:
        IndexMissingError: there is no such index.
        RagError: it does not open, or nothing can be written. Then it is looked for the next time.
    """
    settings = settings or Settings()
    folder = IndexFolder(settings.index_dir, index)
    if not Store.exists(folder):
        folder.config()
        return []
    with Store.turn(folder) as store:
        found = _round(folder, store, settings, open_embedder, on_step)
        if found or store.state("fed") != str(store.last_number()):
            _write_feeds(folder, store)
            on_step("feeds written")
        return found


def after_build(
    report: BuildReport, settings: Settings, open_embedder: Open = embedder_of
) -> BuildReport:
    """Look for news in what was built; the report with their numbers. No error stops a build."""
    if not Store.exists(IndexFolder(settings.index_dir, report.index)):
        return report
    try:
        found = look_for_news(report.index, settings=settings, open_embedder=open_embedder)
    except RagError as error:
        _log.warning("no news could be looked for in index %r: %s", report.index, error.message)
        told = f"no news could be looked for: {error.message}"
        return report.model_copy(update={"note": "; ".join(filter(None, (report.note, told)))})
    names = [one.followed for one in found]
    return report.model_copy(update={"news": {name: names.count(name) for name in sorted(names)}})


def _round(
    folder: IndexFolder, store: Store, settings: Settings, open_embedder: Open, on_step: Step
) -> list[News]:
    try:
        looked = _looked(folder)
    except IndexMissingError:  # nothing was built yet
        return []
    if store.state("looked") == looked:
        return []
    with OpenIndex(folder, n_threads=settings.threads) as index:
        new = fresh(index, store.seen())
        questions = store.followed() if new.contents else []
        found: list[News] = []
        if questions:
            embedder = open_embedder(index.manifest.embedder, settings)
            now = _now()
            for question in questions:
                found += news_for(question, index, embedder, new, now)
        on_step("looked")
        looked = _named(index.version, str(index.manifest.created))
    told = store.record(found, new.keys, looked, on_step)
    on_step("recorded")
    return told


def _looked(folder: IndexFolder) -> str:
    """What tells the live version from any other, even one that had its number."""
    number = folder.live()
    return _named(number, str(read_manifest(folder.version_path(number)).created))


def _named(version: int, created: str) -> str:
    return f"{version} {created}"


def _write_feeds(folder: IndexFolder, store: Store) -> None:
    """A feed of each question, and one of all; readers see the old file or the new one."""
    for name in (None, *(question.name for question in store.followed())):
        path = _feed_path(folder, name)
        written = atom(store.newest(name, limit=N_ENTRIES), index=folder.name, name=name)
        try:
            path.parent.mkdir(exist_ok=True)
            fresh = path.with_name(f".{path.name}.new")
            with fresh.open("w", encoding="utf-8") as file:
                file.write(written)
                file.flush()
                os.fsync(file.fileno())
            os.replace(fresh, path)
        except OSError as error:
            raise not_written(path, error.strerror or str(error)) from error
    store.note("fed", str(store.last_number()))


def _feed_path(folder: IndexFolder, name: str | None) -> Path:
    path = following_path(folder)
    return path / "feeds" / f"{name}.atom" if name else path / "feed.atom"


def _folder(index: str, settings: Settings | None) -> IndexFolder:
    return IndexFolder((settings or Settings()).index_dir, index)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0)
