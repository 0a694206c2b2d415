"""The conversations of a browser: a new one, those kept, and what they are called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from rag.page.kept import About
from rag.page.markup import day, message, number, text

GONE = "This conversation is not kept for this browser. It may have been deleted, or be another's."


class Arrival(BaseModel):
    """What the browser tells when the page opens.

    Attributes:
        index: The index chosen there last; empty for none.
        conversation, answer: Of the address; empty for none.
    """

    model_config = ConfigDict(frozen=True)

    index: str = ""
    conversation: str = ""
    answer: str = ""


class Change(BaseModel):
    """What is to become of a conversation.

    Attributes:
        action: Open it, call it `name`, delete it or all of them, or begin a new one.
        key: Which one; empty for a new one and for all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: Literal["open", "rename", "delete", "delete_all", "new"]
    key: str = ""
    name: str = ""


def show(kept: Sequence[About], opened: str = "", problem: str = "", *, days: int = 0) -> str:
    """A button for a new conversation, and the list of those kept.

    Args:
        kept: In the order to show them in.
        opened: Key of the one on the page.
        problem: Why nothing is kept, if so.
        days: How long they are kept after their last question; 0: until they are deleted.
    """
    told = message("error", problem) if problem else ""
    long = f"for {number(days, 'day')} after the last question" if days else "until you delete them"
    items = "".join(_item(about, opened) for about in kept)
    listed = (
        '<details class="menu kept"><summary>Conversations <span class="n">'
        f"{len(kept)}</span></summary><div><p>Kept on this machine, for this browser only,"
        f" {long}.</p>"
        f'<ol>{items}</ol><button type="button" data-talk="delete_all">Delete all conversations of'
        " this browser</button></div></details>"
        if kept
        else ""
    )
    begun = '<button type="button" class="new" data-talk="new">New conversation</button>'
    return f'<nav class="talks" aria-label="Conversations">{begun}{listed}{told}</nav>'


def _item(about: About, opened: str) -> str:
    name, key = text(about.name), text(about.key)
    current = ' aria-current="true"' if about.key == opened else ""
    return (
        f'<li><button type="button" class="name" data-talk="open" data-key="{key}"{current}>{name}'
        f'<span class="byline">{text(about.index)} · {day(about.changed.date())}</span></button>'
        f'<button type="button" data-talk="rename" data-key="{key}" data-name="{name}"'
        f' aria-label="Rename “{name}”">Rename</button>'
        f'<button type="button" data-talk="delete" data-key="{key}" data-name="{name}"'
        f' aria-label="Delete “{name}”">Delete</button></li>'
    )
