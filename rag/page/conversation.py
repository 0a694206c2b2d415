"""A question put to an engine: one `Turn` after the other, until it is answered or is not."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from rag import (
    Answer,
    AnswerReady,
    Article,
    BusyError,
    CancelledError,
    Chat,
    Citation,
    EvidenceFound,
    Filter,
    Hit,
    Rag,
    RagError,
    TextWritten,
)
from rag.page.conditions import Asking
from rag.page.engines import Engines
from rag.page.markup import headline
from rag.page.turn import Phase, Turn

MAX_QUESTION = 2000
Found = TypeVar("Found", Hit, Citation)
_log = logging.getLogger(__name__)


class Conversation:
    """What one visitor asked so far. A follow-up leans on the questions to the same index.

    Args:
        key: What its address calls it; empty where it is not kept.
        turns: Those asked before, oldest first.
        keep: Told each turn when it begins and when it ends.

    Attributes:
        key: As given.
        turns: Oldest first; the last one may be running.
    """

    def __init__(
        self,
        key: str = "",
        turns: Sequence[Turn] = (),
        keep: Callable[[Turn], object] = lambda turn: None,
    ) -> None:
        self.key = key
        self.turns = list(turns)
        self._keep = keep
        self._chats: dict[str, Chat] = {}

    def ask(
        self,
        engines: Engines,
        index: str,
        question: str,
        narrowed: Callable[[], Filter],
        cancelled: threading.Event,
        how: Asking | None = None,
    ) -> Iterator[Turn]:
        """The turn as it grows. Errors of `rag` become a turn that says so, and are logged.

        Args:
            engines: Where indexes are opened.
            index: Name of the one asked.
            question: As asked.
            narrowed: Makes the filter of what was typed, or raises what is wrong with that.
            cancelled: Stops the answer.
            how: How it is asked beside its words; its filter is that of `narrowed`.
        """
        first = Turn(
            number=len(self.turns) + 1,
            question=question.strip(),
            index=index,
            how=how or Asking(),
            conversation=self.key,
        )
        self.turns.append(first)
        self._keep(first)
        try:
            for turn in self._grow(first, engines, narrowed, cancelled):
                self.turns[-1] = turn
                yield turn
        finally:  # also where it was left alone while it was written
            self._keep(self.turns[-1])

    def _grow(
        self,
        turn: Turn,
        engines: Engines,
        narrowed: Callable[[], Filter],
        cancelled: threading.Event,
    ) -> Iterator[Turn]:
        yield turn
        try:
            if len(turn.question) > MAX_QUESTION:
                raise RagError(f"the question is longer than {MAX_QUESTION:,} characters")
            rag = engines.get(turn.index)
            how = replace(turn.how, filter=narrowed())
            turn = replace(turn, phase=Phase.SEARCHING, how=how)
            yield turn
            now = rag.index
            seen = {now.version: now}  # held open: another may be published meanwhile
            options = {"filter": how.filter, "kind": how.kind, "any_time": how.any_time}
            chat = self._chat(rag, turn)
            for event in chat.stream(how.text or turn.question, cancelled=cancelled, **options):
                turn = _after(event, turn)
                if isinstance(event, EvidenceFound):
                    now = rag.index
                    seen[now.version] = now
                    turn = replace(turn, hits=_titled(turn.hits, now.catalog.article))
                elif isinstance(event, AnswerReady) and event.answer.version in seen:
                    asked = seen[event.answer.version]
                    cited = dict.fromkeys(c.article_id for c in event.answer.citations)
                    found = map(asked.catalog.article, cited)
                    turn = replace(
                        turn,
                        answer=_answer_titled(event.answer, turn, asked.catalog.article),
                        articles=tuple(article for article in found if article is not None),
                        index_seal=asked.manifest.seal,
                    )
                yield turn
        except CancelledError:
            yield replace(turn, phase=Phase.STOPPED)
        except BusyError as error:
            _log.warning("%s", error)
            yield replace(turn, phase=Phase.BUSY)
        except RagError as error:
            _log.warning("question failed: %s", error)
            yield replace(turn, phase=Phase.FAILED, problem=error.message, mend=error.mend)

    def _chat(self, rag: Rag, turn: Turn) -> Chat:
        """What the question may lean on: the last answer of its index; nothing if asked again."""
        if turn.how.text is not None:  # it stands alone
            self._chats[turn.index] = rag.chat()
        elif turn.index not in self._chats:
            self._chats[turn.index] = rag.chat()
            before = [one.answer for one in self.turns if one.index == turn.index and one.answer]
            if before:  # it was reopened
                told = [sentence.text for sentence in before[-1].sentences]
                self._chats[turn.index].recall(before[-1].searched, told)
        return self._chats[turn.index]


def _after(event: EvidenceFound | TextWritten | AnswerReady, turn: Turn) -> Turn:
    if isinstance(event, EvidenceFound):
        return replace(turn, phase=Phase.READING, hits=event.hits)
    if isinstance(event, TextWritten):
        return replace(turn, phase=Phase.WRITING, draft=turn.draft + event.text)
    return replace(turn, phase=Phase.DONE, answer=event.answer)


def _titled(found: Sequence[Found], article: Callable[[str], Article | None]) -> tuple[Found, ...]:
    """The same, with the first words of the article where it has no title."""
    return tuple(
        one
        if one.title or (whole := article(one.article_id)) is None
        else one.model_copy(update={"title": headline(whole)})
        for one in found
    )


def _answer_titled(answer: Answer, turn: Turn, article: Callable[[str], Article | None]) -> Answer:
    """The answer to the question as typed, with something to call each article by."""
    return answer.model_copy(
        update={
            "question": turn.question,
            "hits": _titled(answer.hits, article),
            "citations": _titled(answer.citations, article),
            "closest": _titled(answer.closest, article),
            "left_out": _titled(answer.left_out, article),
        }
    )


class Stop(threading.Event):
    """Stops an answer.

    Attributes:
        left: Whether whoever asked looks at another conversation now.
        instead: What stands there in place of the answer then; None until that is known.
    """

    left = False
    instead: str | None = None


class Stops:
    """The answers being written, by visitor, so that each can stop their own."""

    def __init__(self) -> None:
        self._running: dict[str, Stop] = {}

    def begin(self, visitor: str) -> Stop:
        """A fresh event for an answer; one still running for this visitor is stopped."""
        self.stop(visitor)
        self._running[visitor] = Stop()
        return self._running[visitor]

    def stop(self, visitor: str) -> None:
        """Stop what is being written for a visitor, if anything is."""
        if event := self._running.pop(visitor, None):
            event.set()

    def leave(self, visitor: str) -> Stop | None:
        """Stop it, and show no more of it; None where nothing is being written."""
        if event := self._running.get(visitor):
            event.left = True
        self.stop(visitor)
        return event
