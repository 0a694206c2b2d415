"""The conversations of whoever is at the page: opened by their address, begun, named, deleted."""

from __future__ import annotations

import datetime
import functools
import logging
import math
import time
from typing import Any, Protocol

from rag import RagError
from rag.page import talks, turn
from rag.page.conversation import Conversation
from rag.page.kept import Kept
from rag.page.markup import message
from rag.page.owner import owner
from rag.page.turn import Turn

_log = logging.getLogger(__name__)
_HOUR = 3600


class Asked(Protocol):
    """A request, as Gradio hands it on."""

    @property
    def request(self) -> Any:
        """The request itself, with its cookies; None for none."""
        ...

    @property
    def username(self) -> str | None:
        """Who came in with a password."""
        ...


class Keeping:
    """Conversations between the page and what is kept.

    Args:
        kept: Where they are kept.
        days: How long, after the last question; 0 keeps them until they are deleted.
    """

    def __init__(self, kept: Kept, days: int = 0) -> None:
        self.kept = kept
        self._days = days
        self._expired_at = -math.inf

    def opened(self, key: str, request: Asked) -> tuple[Conversation, tuple[str, str, str]]:
        """A conversation by its key; a new one where there is none of this browser's.

        Returns:
            It, and as HTML its past turns, its last one, and the list of all.
        """
        self._expire()
        whose = owner_of(request)
        if not key:
            return Conversation(), ("", "", self._list(whose))
        turns = self.kept.read(whose, key) if whose else None
        if whose is None or turns is None:
            return Conversation(), ("", message("empty", talks.GONE), self._list(whose))
        talk = Conversation(key, turns, functools.partial(self._keep, whose, key))
        past, current = turn.conversation(turns[:-1]), turn.conversation(turns[-1:])
        return talk, (past, current, self._list(whose, key))

    def begun(
        self, talk: Conversation, index: str, question: str, request: Asked
    ) -> tuple[Conversation, str]:
        """A conversation in which something is about to be asked, kept from now on; and the list.

        Where nothing can be kept the list says so, and the question is asked all the same.
        """
        whose = owner_of(request)
        if whose is None or talk.turns:  # what is not kept from its beginning never is
            return talk, self._list(whose, talk.key)
        try:
            key = self.kept.begin(whose, index, question)
        except RagError as error:
            _log.warning("%s", error)
            return talk, talks.show((), problem=error.message)
        return (
            Conversation(key, (), functools.partial(self._keep, whose, key)),
            self._list(whose, key),
        )

    def changed(
        self, change: talks.Change, talk: Conversation, request: Asked
    ) -> tuple[Conversation, tuple[str | None, str | None, str]]:
        """What is on the page after something became of a conversation.

        Returns:
            See `opened`; None for turns that stay as they are.
        """
        whose = owner_of(request)
        if leaves(change, talk):
            if whose and change.action in ("delete", "delete_all"):
                self.kept.delete(whose, change.key or None)
            return self.opened(change.key if change.action == "open" else "", request)
        if whose and change.action == "rename":
            self.kept.call(whose, change.key, change.name)
        elif whose and change.action == "delete" and change.key:
            self.kept.delete(whose, change.key)
        return talk, (None, None, self._list(whose, talk.key))

    def _list(self, whose: str | None, key: str = "") -> str:
        return talks.show(self.kept.listed(whose) if whose else (), key, days=self._days)

    def _expire(self) -> None:
        """Delete conversations whose time is over, of every browser, at most once an hour."""
        if not self._days or time.monotonic() - self._expired_at < _HOUR:
            return
        self._expired_at = time.monotonic()
        try:
            self.kept.expire(datetime.timedelta(days=self._days))
        except RagError as error:
            _log.warning("%s", error)

    def _keep(self, whose: str, key: str, one: Turn) -> None:
        try:
            self.kept.add(whose, key, one)
        except RagError as error:  # the answer is worth more than its copy
            _log.warning("%s", error)


def leaves(change: talks.Change, talk: Conversation) -> bool:
    """Whether another conversation than this one is on the page after a change."""
    if change.action == "delete":
        return change.key == talk.key
    return change.action in ("open", "new", "delete_all")


def owner_of(request: Asked) -> str | None:
    """Under which name what a visitor keeps is filed; None where nothing of theirs is kept."""
    cookies = getattr(request.request, "cookies", {})
    return owner(cookies, request.username)
