"""What happens to followed questions: each method is the function of one event in `more_tabs`."""

from __future__ import annotations

import logging
from typing import Any

import gradio as gr

from rag import Filter, RagError, follow, followed, news, unfollow
from rag.errors import ExistsError
from rag.page import following
from rag.page.conversation import Conversation
from rag.page.engines import Engines
from rag.page.markup import message, text

_log = logging.getLogger(__name__)
_FOLLOWED = "Followed. New stories are told under “Following”."


class FollowingEvents:
    """The functions of the events.

    Args:
        engines: Where indexes are opened.
        feed: Whether this server has the news as an Atom feed.
    """

    def __init__(self, engines: Engines, *, feed: bool) -> None:
        self._engines = engines
        self._settings = engines.settings
        self._feed = feed

    def show(self, index: str) -> tuple[str, str]:
        """What is followed in an index, and the new stories."""
        try:
            kept = followed(index, settings=self._settings)
            told = news(index, limit=following.N_STORIES, newest=True, settings=self._settings)
        except RagError as error:
            return _told(error), ""
        return following.show(index, kept, feed=self._feed), following.stories(index, told)

    def add(self, index: str, words: str) -> tuple[str, Any]:
        """Follow what was typed: what became of it, and the box, emptied if it is followed."""
        try:
            self._follow(index, words, Filter())
        except ExistsError:
            return message("empty", f"“{words.strip()}” is followed already."), gr.skip()
        except RagError as error:
            _log.warning("following failed: %s", error)
            return _told(error), gr.skip()
        return f'<p class="build-note" role="status">“{text(words.strip())}” is followed.</p>', ""

    def follow_turn(self, talk: Conversation | None, event: gr.EventData) -> dict[str, Any]:
        """Follow the question of an answer, narrowed as it was; what to tell, and of which turn."""
        turns = {one.number: one for one in talk.turns} if talk else {}
        chosen = turns.get(event.follow)
        if chosen is None or chosen.answer is None:
            return {"follow": event.follow, "told": "There is no answer here any more."}
        try:
            self._follow(chosen.index, chosen.answer.searched, chosen.how.filter)
        except ExistsError:
            return {"follow": event.follow, "told": "It is followed already."}
        except RagError as error:
            _log.warning("following failed: %s", error)
            return {"follow": event.follow, "told": error.message}
        return {"follow": event.follow, "told": _FOLLOWED}

    def stop(self, index: str, event: gr.EventData) -> str:
        """Forget a question, and what was told about it; what became of it."""
        try:
            unfollow(str(event.name), index, settings=self._settings)
        except RagError as error:
            _log.warning("forgetting a question failed: %s", error)
            return _told(error)
        return '<p class="build-note" role="status">It is not followed any more.</p>'

    def _follow(self, index: str, words: str, narrowed: Filter) -> None:
        rag = self._engines.get(index)
        follow(
            " ".join(words.split()),
            index,
            filter=narrowed,
            settings=self._settings,
            open_embedder=lambda *_: rag.embedder,
        )


def _told(error: RagError) -> str:
    return message("error", error.message, mend=error.mend)
