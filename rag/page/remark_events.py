"""What happens to remarks on answers: each method is the function of one event."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import gradio as gr

from rag import RagError
from rag.page import remarks
from rag.page.conversation import Conversation
from rag.page.keeping import owner_of
from rag.page.kept import Kept
from rag.page.markup import message
from rag.page.remark import Remark, remark_on

_log = logging.getLogger(__name__)


class RemarkEvents:
    """The functions of the events.

    Who came in with a password sees what their own browser kept, and not where the file lies;
    where everybody may come in, everybody at this machine sees all of it.

    Args:
        kept: Where remarks are kept.
    """

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def note(
        self, talk: Conversation | None, request: gr.Request, event: gr.EventData
    ) -> dict[str, Any]:
        """Keep that somebody calls an answer wrong; what to tell them, and of which turn."""
        turns = {one.number: one for one in talk.turns} if talk else {}
        chosen = turns.get(event.turn)
        if chosen is None or chosen.answer is None:
            return {"turn": event.turn, "told": "There is no answer here any more."}
        said = remark_on(chosen.answer, str(event.remark), str(event.right))
        place = {"conversation": chosen.conversation or None, "turn": chosen.key}
        try:
            self._kept.note(said.model_copy(update={**place, "by": owner_of(request)}))
        except RagError as error:
            _log.warning("%s", error)
            return {"turn": event.turn, "told": error.message}
        return {"turn": event.turn, "told": "Kept. Thank you."}

    def show(self, index: str, request: gr.Request) -> str:
        """The remarks on answers from an index."""
        whose = owner_of(request)
        try:
            found = [one for one in self._seen(request) if one.index == index]
        except RagError as error:
            return message("error", error.message, mend=error.mend)

        def address(one: Remark) -> str:
            known = whose and one.conversation and self._kept.has(whose, one.conversation)
            return f"?conversation={one.conversation}&answer={one.turn}" if known else ""

        return remarks.show(index, found, address, self._file(request))

    def forget(self, index: str, request: gr.Request, event: gr.EventData) -> str:
        """Delete a remark; the others."""
        if any(one.id == event.id for one in self._seen(request)):
            try:
                self._kept.forget(str(event.id))
            except RagError as error:
                _log.warning("%s", error)
                return message("error", error.message, mend=error.mend)
        return self.show(index, request)

    def _seen(self, request: gr.Request) -> list[Remark]:
        whose = owner_of(request)
        mine = request.username is not None
        return [one for one in self._kept.remarks() if not mine or one.by == whose]

    def _file(self, request: gr.Request) -> Path | None:
        return self._kept.remarks_file.absolute() if request.username is None else None
