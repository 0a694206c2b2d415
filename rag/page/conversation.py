"""A question put to an engine: one `Turn` after the other, until it is answered or is not."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

from rag import (
    AnswerReady,
    BusyError,
    CancelledError,
    Chat,
    EvidenceFound,
    Filter,
    RagError,
    TextWritten,
)
from rag.page.engines import Engines
from rag.page.turn import Phase, Turn

MAX_QUESTION = 2000
_log = logging.getLogger(__name__)


class Conversation:
    """What one visitor asked so far. A follow-up leans on the questions to the same index.

    Attributes:
        turns: Oldest first; the last one may be running.
    """

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self._chats: dict[str, Chat] = {}

    def ask(
        self,
        engines: Engines,
        index: str,
        question: str,
        narrowed: Callable[[], Filter],
        cancelled: threading.Event,
    ) -> Iterator[Turn]:
        """The turn as it grows. Errors of `rag` become a turn that says so, and are logged.

        Args:
            engines: Where indexes are opened.
            index: Name of the one asked.
            question: As asked.
            narrowed: Makes the filter of what was typed, or raises what is wrong with that.
            cancelled: Stops the answer.
        """
        first = Turn(number=len(self.turns) + 1, question=question.strip(), index=index)
        self.turns.append(first)
        for turn in self._grow(first, engines, narrowed, cancelled):
            self.turns[-1] = turn
            yield turn

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
            turn = replace(turn, phase=Phase.SEARCHING)
            yield turn
            chat = self._chats.setdefault(turn.index, rag.chat())
            now = rag.index
            seen = {now.version: now}  # held open: another may be published meanwhile
            for event in chat.stream(turn.question, filter=narrowed(), cancelled=cancelled):
                turn = _after(event, turn)
                if isinstance(event, EvidenceFound):
                    now = rag.index
                    seen[now.version] = now
                elif isinstance(event, AnswerReady) and event.answer.version in seen:
                    asked = seen[event.answer.version]
                    cited = dict.fromkeys(c.article_id for c in event.answer.citations)
                    found = map(asked.catalog.article, cited)
                    turn = replace(
                        turn,
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


def _after(event: EvidenceFound | TextWritten | AnswerReady, turn: Turn) -> Turn:
    if isinstance(event, EvidenceFound):
        return replace(turn, phase=Phase.READING, hits=event.hits)
    if isinstance(event, TextWritten):
        return replace(turn, phase=Phase.WRITING, draft=turn.draft + event.text)
    return replace(turn, phase=Phase.DONE, answer=event.answer)


class Stops:
    """The answers being written, by visitor, so that each can stop their own."""

    def __init__(self) -> None:
        self._running: dict[str, threading.Event] = {}

    def begin(self, visitor: str) -> threading.Event:
        """A fresh event for an answer; one still running for this visitor is stopped."""
        self.stop(visitor)
        self._running[visitor] = threading.Event()
        return self._running[visitor]

    def stop(self, visitor: str) -> None:
        """Stop what is being written for a visitor, if anything is."""
        if event := self._running.pop(visitor, None):
            event.set()
