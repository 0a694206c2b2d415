"""“This is wrong”: an answer that somebody objects to, so that `rag eval` can ask it again."""

from __future__ import annotations

import datetime
import secrets

from pydantic import BaseModel, ConfigDict

from rag import Answer
from rag.page.markup import text

MAX_REMARK = 2000


class Remark(BaseModel):
    """A line of the file of remarks; the form `remarks` of `rag.evaluation`.

    Attributes:
        id: Of the line.
        question: As it was searched: a follow-up stands alone.
        asked_on: The day on which it was asked.
        said: The answer that is called wrong, with its marks.
        status: How that came about.
        remark: What is wrong with it, in the reader's words.
        right: Words that a right answer holds; None where the reader did not say.
        articles: Ids of what it cited.
        index, version, model: What answered.
        conversation, turn: Of its address; None where that was not kept.
        by: Whose browser said so, as conversations are filed.
        noted_at: When this was written (UTC).
    """

    model_config = ConfigDict(frozen=True)

    id: str
    question: str
    asked_on: datetime.date | None = None
    said: str
    status: str
    remark: str
    right: str | None = None
    articles: tuple[str, ...]
    index: str
    version: int
    model: str | None = None
    conversation: str | None = None
    turn: str | None = None
    by: str | None = None
    noted_at: datetime.datetime


def remark_on(answer: Answer, words: str, right: str) -> Remark:
    """What somebody says of an answer, ready to be kept."""
    return Remark(
        id=secrets.token_hex(6),
        question=answer.searched,
        asked_on=answer.asked_on,
        said=answer.text,
        status=answer.status,
        remark=words.strip()[:MAX_REMARK],
        right=right.strip()[:MAX_REMARK] or None,
        articles=tuple(dict.fromkeys(citation.article_id for citation in answer.citations)),
        index=answer.index,
        version=answer.version,
        model=answer.model,
        noted_at=datetime.datetime.now(datetime.UTC),
    )


def form(turn: int) -> str:
    """A button, and behind it the form that page.js sends."""
    fields = "".join(
        f'<label>{text(label)}<textarea name="{name}" rows="2" maxlength="{MAX_REMARK}"></textarea>'
        "</label>"
        for name, label in (
            ("remark", "What is wrong?"),
            ("right", "Words that a right answer holds, if you know them"),
        )
    )
    return (
        '<details class="menu wrong"><summary>This is wrong</summary>'
        f'<form data-turn="{turn}"><p>Question, answer and what you write are kept on this machine,'
        " where whoever runs this page can read them.</p>"
        f'{fields}<button type="submit">Keep</button></form></details>'
    )
