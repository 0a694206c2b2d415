"""What happens when somebody asks: each method is the function of one event in blocks.

Conversations, questions, and what is taken away from an answer.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from rag import Filter, RagError
from rag.page import dossier, talks, turn
from rag.page.conditions import Again, Asking, changed
from rag.page.conversation import Conversation, Stops
from rag.page.engines import Engines
from rag.page.keeping import Keeping, leaves
from rag.page.kept import Kept
from rag.page.markup import UNFORESEEN, message

_log = logging.getLogger(__name__)


class Talking:
    """The functions of the events of asking.

    Args:
        engines: Whom to ask.
        kept: Where conversations and remarks are kept.
        picture: The timeline, of an index, days chosen and a conversation.
    """

    def __init__(self, engines: Engines, kept: Kept, picture: Callable[..., str]) -> None:
        self._engines = engines
        self._picture = picture
        self._stops = Stops()
        self._keeping = Keeping(kept, engines.settings.conversation_days)
        self._crashed: set[str] = set()

    # Conversations

    def arrive(
        self, told: dict[str, str] | None, index: str, request: gr.Request
    ) -> tuple[Any, ...]:
        """What the address opens: the conversation, what is shown of it, and the index chosen.

        The chooser has every index that is ready now, also those made since the page was.
        """
        arrival = talks.Arrival.model_validate(told or {})
        talk, shown = self._keeping.opened(arrival.conversation, request)
        wanted = talk.turns[-1].index if talk.turns else arrival.index
        ready = self._engines.names()
        chosen = wanted if wanted in ready else index
        choices = list(dict.fromkeys([*ready, chosen]))
        return *shown, talk, gr.update(choices=choices, value=chosen)

    def change_talk(
        self, talk: Conversation | None, request: gr.Request, event: gr.EventData
    ) -> tuple[Any, ...]:
        """Another conversation, a new one, or the list after one was named or deleted."""
        change = talks.Change.model_validate(event._data)
        talk = talk or Conversation()
        left = self._stops.leave(str(request.session_hash)) if leaves(change, talk) else None
        try:
            opened, shown = self._keeping.changed(change, talk, request)
        except RagError as error:
            _log.warning("%s", error)
            return (
                gr.skip(),
                gr.skip(),
                message("error", error.message, mend=error.mend),
                talk,
                gr.skip(),
            )
        if left is not None:
            left.instead = shown[1]
        past, current, listed = (gr.skip() if part is None else part for part in shown)
        chosen = opened.turns[-1].index if opened is not talk and opened.turns else ""
        index = gr.update(value=chosen) if chosen in self._engines.names() else gr.skip()
        return past, current, listed, opened, index

    # Asking

    def ask(
        self,
        question: str,
        index: str,
        since: str | None,
        until: str | None,
        sources: list[str],
        undated: bool,
        talk: Conversation | None,
        request: gr.Request,
    ) -> Iterator[tuple[Any, ...]]:
        """Conversation so far, the turn as it grows, the timeline, an empty question, and state."""
        talk = talk or Conversation()
        if not question.strip():
            yield gr.skip(), gr.skip(), gr.skip(), gr.skip(), talk, gr.skip()
            return
        narrowed = functools.partial(
            Filter.make,
            since=since or None,
            until=until or None,
            source=sources or (),
            undated=undated,
        )
        picture = functools.partial(self._picture, index, since, until)
        yield from self._asking(talk, index, question, narrowed, picture, request)

    def ask_again(
        self, talk: Conversation | None, request: gr.Request, event: gr.EventData
    ) -> Iterator[tuple[Any, ...]]:
        """The same for a question asked before, otherwise than it was; and the days chosen."""
        again = Again.model_validate_json(event.again)
        before = {one.number: one for one in talk.turns}.get(again.turn) if talk else None
        if talk is None or before is None:
            return
        how = changed(before.how, before.question, before.answer, again)
        since, until = (str(day) if day else None for day in (how.filter.since, how.filter.until))
        picture = functools.partial(self._picture, before.index, since, until)
        narrower: tuple[Any, ...] = (since, until, list(how.filter.source))
        for shown in self._asking(
            talk, before.index, before.question, lambda: how.filter, picture, request, how
        ):
            yield *shown, *narrower
            narrower = (gr.skip(),) * 3

    def _asking(
        self,
        talk: Conversation,
        index: str,
        question: str,
        narrowed: Callable[[], Filter],
        picture: Callable[[Conversation], str],
        request: gr.Request,
        how: Asking | None = None,
    ) -> Iterator[tuple[Any, ...]]:
        cancelled = self._stops.begin(str(request.session_hash))
        talk, listed = self._keeping.begun(talk, index, question, request)
        past = turn.conversation(talk.turns)
        emptied: Any = ""
        drawn: Any = gr.skip()
        try:
            for now in talk.ask(self._engines, index, question, narrowed, cancelled, how):
                if now.phase is turn.Phase.READING:
                    drawn = picture(talk)
                if cancelled.left:  # another conversation is on the page
                    continue
                yield past, turn.show(now), drawn, emptied, talk, listed
                past = emptied = drawn = listed = gr.skip()
            if cancelled.instead is not None:  # what was on its way may have come after that
                yield gr.skip(), cancelled.instead, *(gr.skip(),) * 4
        except Exception:
            self._crashed.add(str(request.session_hash))
            raise

    def stop(self, request: gr.Request) -> None:
        """Stop the visitor's answer."""
        self._stops.stop(str(request.session_hash))

    def failed_to_answer(self, request: gr.Request) -> Any:
        """The same for an answer. Nothing if the question was refused because too many wait.

        Gradio says that by itself, and what stands there is the answer before.
        """
        if str(request.session_hash) not in self._crashed:
            return gr.skip()
        self._crashed.discard(str(request.session_hash))
        return UNFORESEEN

    # Taking away

    def make_dossier(self, talk: Conversation | None, event: gr.EventData) -> dict[str, str] | None:
        """A file for the browser to save: its name, type and text."""
        chosen = [
            dossier.Part(one.answer, one.articles, one.index_seal)
            for one in (talk.turns if talk else ())
            if one.answer is not None and (event.whole or one.number == event.turn)
        ]
        return dossier.file(event.kind, chosen) if chosen else None
