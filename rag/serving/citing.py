"""Where in an answer's text each sentence and each mark of a citation stands.

Offsets count characters (Unicode code points), `[start, end)`, as everywhere in this package.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict

from rag.answering.answer import Answer, AnswerItem, AnswerStatus, Citation, Disagreement
from rag.answering.attribution import Status


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark `[n]` in an answer's text.

    Attributes:
        number: Of the citation.
        start, end: Span in the answer's text.
    """

    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Placed:
    """A sentence of an answer, and where it stands in the text.

    Attributes:
        text: Without marks: answer text[start:end].
        status: As in the answer.
        start, end: Its span.
        marks: Those behind it.
        before: What stands between the sentence before, marks included, and this one.
    """

    text: str
    status: Status
    start: int
    end: int
    marks: tuple[Mark, ...]
    before: str

    @property
    def whole_end(self) -> int:
        """Where its last mark ends."""
        return self.marks[-1].end if self.marks else self.end


def placed(answer: Answer) -> list[Placed]:
    """The sentences of an answer, in order."""
    found: list[Placed] = []
    at = 0
    for sentence in answer.sentences:
        start = answer.text.index(sentence.text, at)
        end = start + len(sentence.text)
        marks = []
        behind = end
        for number in sentence.citations:
            mark = answer.text.index(f"[{number}]", behind)
            behind = mark + len(f"[{number}]")
            marks.append(Mark(number, mark, behind))
        before = answer.text[at:start]
        found.append(Placed(sentence.text, sentence.status, start, end, tuple(marks), before))
        at = behind
    return found


class CheckedSentence(BaseModel):
    """A sentence of the answer.

    Attributes:
        text: Without marks of citations: answer text[start:end].
        start, end: Its span in the answer's text.
        status: `quoted` or `supported`.
        citations: Numbers of the citations that support it.
    """

    model_config = ConfigDict(frozen=True)

    text: str
    start: int
    end: int
    status: Status
    citations: tuple[int, ...]


class Checked(BaseModel):
    """What the forms of others have no place for: how far an answer was checked, and by what.

    Attributes:
        status, confidence, note, searched, index, version: As in `rag.Answer`.
        items, disagreements: As there.
        sentences: With their place in the text.
        citations: Exact spans of articles: quote == article text[start:end].
        closest: Where the articles do not say: what comes nearest.
    """

    model_config = ConfigDict(frozen=True)

    status: AnswerStatus
    confidence: float | None
    note: str | None
    searched: str
    index: str
    version: int
    sentences: tuple[CheckedSentence, ...]
    citations: tuple[Citation, ...]
    items: tuple[AnswerItem, ...]
    disagreements: tuple[Disagreement, ...]
    closest: tuple[Citation, ...]


def checked(answer: Answer) -> Checked:
    """An answer, as the field `rag` of other interfaces' answers has it."""
    same = ("status", "confidence", "note", "searched", "index", "version", "citations", "items")
    return Checked(
        **{name: getattr(answer, name) for name in (*same, "disagreements", "closest")},
        sentences=tuple(
            CheckedSentence(
                text=one.text,
                start=one.start,
                end=one.end,
                status=one.status,
                citations=tuple(mark.number for mark in one.marks),
            )
            for one in placed(answer)
        ),
    )


Address = Callable[[Citation], str]


def addresses(base: str, index: str) -> Address:
    """Where a citation can be looked up: the original, or else the article at this server.

    Args:
        base: Address of this server.
        index: Name of the index.
    """

    def address(citation: Citation) -> str:
        if citation.url:
            return citation.url
        article = quote(citation.article_id, safe="/")
        span = f"start={citation.start}&end={citation.end}"
        return f"{base.rstrip('/')}/indexes/{quote(index)}/articles/{article}?{span}"

    return address


def citations_of(answer: Answer, sentence: Placed, address: Address) -> Iterator[dict[str, Any]]:
    """The marks of a sentence, as OpenAI's citations."""
    cited = {citation.number: citation for citation in answer.citations}
    for mark in sentence.marks:
        citation = cited[mark.number]
        yield {
            "start_index": mark.start,
            "end_index": mark.end,
            "title": citation.title or citation.article_id,
            "url": address(citation),
        }


def pieces(answer: Answer) -> Iterator[tuple[str, Placed | None]]:
    """The text of an answer in pieces, each with the sentence that it ends with.

    Joined they are the text.
    """
    at = 0
    for sentence in placed(answer):
        yield answer.text[at : sentence.whole_end], sentence
        at = sentence.whole_end
    if at < len(answer.text):
        yield answer.text[at:], None
