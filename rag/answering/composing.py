"""Composing: the answer's text, sentences, items and citations, of what was checked.

Where sources differ, the newest speaks first and the answer ends by telling what each says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.answering.answer import AnswerItem, AnswerSentence, Citation, Claim, Disagreement
from rag.answering.attribution import Attribution, Status, strip_marks
from rag.answering.disagreement import Conflict, find_conflicts
from rag.answering.evidence import Evidence, contrast_behind, span_before
from rag.answering.figures import with_bounds
from rag.answering.items import Item, begin_with_day, may_differ, publishers
from rag.answering.question import Question
from rag.errors import RagError
from rag.retrieval import QuestionTerms
from rag.text.analysed import Analysed
from rag.text.days import spelled, tell_days
from rag.text.sentences import sentences_of

DIFFER, EARLIER, ON_DAYS = (
    "The sources differ",
    "Reported earlier",
    "Reported on different days",
)
"""How a sentence begins that tells what sources say; of a rising toll, what they said before."""
_WIDEN_CHARACTERS = 400
_MAX_POINTS = 3  # on which it is told how sources differ, below the items of a broad answer

Kept = list[tuple[str, Attribution]]
"""Sentences to show, each with what supports it."""


@dataclass(frozen=True, slots=True)
class Body:
    """The part of an answer that its sentences make up; see `rag.answering.answer.Answer`."""

    text: str
    sentences: tuple[AnswerSentence, ...]
    citations: tuple[Citation, ...]
    disagreements: tuple[Disagreement, ...]


def verbatim(source: Evidence) -> tuple[str, Attribution]:
    """A source sentence as a sentence of the answer, whole if it is part of a quotation."""
    widened = _whole_quotation(source)
    return strip_marks(widened.text, of_source=True), Attribution(Status.QUOTED, (widened,), 1.0)


def standing(source: Evidence) -> tuple[str, Attribution]:
    """The same, with the sentence before it where it leans on that: "Many stayed open".

    And with the one behind it that begins with "however": it may say the opposite.
    """
    before, behind = span_before(source, any_paragraph=True), contrast_behind(source)
    start = before.start if before else source.start
    if behind and behind.end - start <= _WIDEN_CHARACTERS:
        return verbatim(replace(source, start=start, end=behind.end))
    if before is None or source.end - start > _WIDEN_CHARACTERS:
        return verbatim(source)
    return verbatim(replace(source, start=start))


def compose(terms: QuestionTerms, kept: Kept, evidence: Sequence[Evidence]) -> Body:
    """The answer's text, sentences and citations.

    Where sources differ, the newest speaks first and the answer ends by telling what each says.

    Args:
        terms: The question's.
        kept: Sentences with what supports them, at least one.
        evidence: Every sentence of the hits, best first.
    """
    citations: dict[tuple[str, int, int], Citation] = {}

    def cite(source: Evidence) -> int:
        key = (source.article.article_id, source.start, source.end)
        if key not in citations:
            citations[key] = _citation(len(citations) + 1, source)
        return citations[key].number

    conflicts = find_conflicts(terms.question, kept, evidence)
    kept = [*_newer(conflicts, kept), *_not_outdated(conflicts, kept)]
    sentences = [
        AnswerSentence(
            text=_with_days(_with_bounds(text, found), (*found.sources, *found.further)),
            status=found.status,
            citations=tuple(sorted(cite(source) for source in (*found.sources, *found.further))),
        )
        for text, found in kept
    ]
    disagreements = []
    for conflict in conflicts:
        numbers = [cite(statement.source) for statement in conflict.statements]
        sentence, disagreement = _differ(conflict, numbers, newest_told=True)
        sentences.append(sentence)
        disagreements.append(disagreement)
    return Body(
        text=" ".join(map(_marked, sentences)),
        sentences=tuple(sentences),
        citations=tuple(citations.values()),
        disagreements=tuple(disagreements),
    )


def compose_items(
    question: Question, terms: QuestionTerms, items: Sequence[Item], evidence: Sequence[Evidence]
) -> tuple[Body, tuple[AnswerItem, ...]]:
    """A broad answer: its text, and its items; each is verbatim and cites its source.

    A summary and a comparison end by telling where the sources of their items differ.

    Args:
        question: The question.
        terms: Its words.
        items: In their order, at least one.
        evidence: Every sentence that may support an answer, best first.
    """
    citations: list[Citation] = []
    sentences: list[AnswerSentence] = []
    made: list[AnswerItem] = []
    begins_with_day = begin_with_day(question, items)

    def cite(sources: Sequence[Evidence]) -> tuple[int, ...]:
        numbers = tuple(range(len(citations) + 1, len(citations) + len(sources) + 1))
        citations.extend(_citation(n, source) for n, source in zip(numbers, sources, strict=True))
        return numbers

    for item in items:
        sources = [item.source, *item.said_by]
        numbers = cite(sources)
        told, found = verbatim(item.source)
        text = _with_days(told, [item.source])
        if begins_with_day and item.day:
            text = f"{spelled(item.day)}: {text}"
        sentences.append(AnswerSentence(text=text, status=found.status, citations=numbers))
        made.append(
            AnswerItem(
                text=text,
                day=item.day,
                day_from=("sentence" if item.day_named else "article") if item.day else None,
                status=found.status,
                citations=numbers,
                n_articles=len(sources),
            )
        )
    lines, heading = [], ""
    for item, sentence in zip(items, sentences, strict=True):
        said_by = " and ".join(publishers([item.source, *item.said_by])) if question.sides else ""
        if said_by != heading:
            heading = said_by
            lines.append(f"{heading}:")
        lines.append(f"- {_marked(sentence)}")
    disagreements = []
    for conflict in _points(items, terms, evidence) if may_differ(question) else ():
        numbers = cite([statement.source for statement in conflict.statements])
        sentence, disagreement = _differ(conflict, numbers, newest_told=False)
        lines.append(_marked(sentence))
        sentences.append(sentence)
        disagreements.append(disagreement)
    body = Body("\n".join(lines), tuple(sentences), tuple(citations), tuple(disagreements))
    return body, tuple(made)


def _points(
    items: Sequence[Item], terms: QuestionTerms, evidence: Sequence[Evidence]
) -> list[Conflict]:
    """On what the sources of the items differ with others, each point once, the first ones."""
    kept = [verbatim(item.source) for item in items]
    told: set[tuple[str, int]] = set()
    points: list[Conflict] = []
    for conflict in find_conflicts(terms.question, kept, evidence):
        said = {(s.source.article.article_id, s.source.start) for s in conflict.statements}
        if not said & told and len(points) < _MAX_POINTS:
            points.append(conflict)
        told |= said
    return points


def _marked(sentence: AnswerSentence) -> str:
    return f"{sentence.text} {''.join(f'[{number}]' for number in sentence.citations)}"


def _with_bounds(text: str, found: Attribution) -> str:
    return with_bounds(Analysed(text, found.sources[0].analyzer), found.sources)


def _with_days(text: str, sources: Sequence[Evidence]) -> str:
    """A sentence of the answer with the days that relative ones mean in its sources."""
    phrases = [phrase for source in sources for phrase in source.days]
    return tell_days(text, phrases, sources[0].analyzer.language)


def cited_beside(evidence: Sequence[Evidence]) -> tuple[Citation, ...]:
    """Sentences that are cited beside the answer: those that come nearest, or were left out."""
    return tuple(_citation(n, sentence) for n, sentence in enumerate(evidence, start=1))


def _differ(
    conflict: Conflict, numbers: Sequence[int], *, newest_told: bool
) -> tuple[AnswerSentence, Disagreement]:
    """What the sources of a conflict say, each; of a rising toll what was said before.

    Args:
        conflict: The conflict.
        numbers: Of the citations of its statements.
        newest_told: Whether the answer has told already what the newest says.
    """
    said = []
    told = conflict.statements[1:] if conflict.rises and newest_told else conflict.statements
    for statement in told:
        article = statement.source.article
        who = article.source or article.title or article.article_id
        day = f", {statement.day}," if statement.day else ""
        text = statement.text.rstrip(".")
        said.append(f"“{text}”{day} ({who}, {article.published or 'no date'})")
    lead = DIFFER
    if conflict.rises:
        lead = EARLIER if newest_told else ON_DAYS
    sentence = AnswerSentence(
        text=f"{lead}: {'; '.join(said)}.",
        status=Status.SUPPORTED,
        citations=tuple(numbers[-len(told) :]),
    )
    claims = tuple(
        Claim(
            text=statement.text,
            day=statement.day,
            citation=number,
            published=statement.source.article.published,
        )
        for statement, number in zip(conflict.statements, numbers, strict=True)
    )
    kind = "toll" if conflict.rises else conflict.kind
    return sentence, Disagreement(kind=kind, claims=claims)


def _newer(conflicts: Sequence[Conflict], kept: Kept) -> Kept:
    """What newer articles say against the sentences of an answer, verbatim."""
    cited = [s for _, found in kept for s in (*found.sources, *found.further)]
    days = [source.article.published for _, found in kept for source in found.sources]
    last = max((day for day in days if day), default=None)

    def is_newer(conflict: Conflict) -> bool:
        newest = conflict.statements[0].source
        if conflict.rises:  # the earlier ones are not shown
            return not any(s.article is newest.article and s.start == newest.start for s in cited)
        published = newest.article.published
        is_cited = any(s.article.article_id == newest.article.article_id for s in cited)
        return bool(published and last and published > last) and not is_cited

    return once([verbatim(one.statements[0].source) for one in conflicts if is_newer(one)])


def _not_outdated(conflicts: Sequence[Conflict], kept: Kept) -> Kept:
    """Sentences of an answer without those that rest on an earlier toll only."""
    earlier = {
        (statement.source.article.article_id, statement.source.start)
        for conflict in conflicts
        if conflict.rises
        for statement in conflict.statements[1:]
    }
    return [
        (text, found)
        for text, found in kept
        if not {(s.article.article_id, s.start) for s in found.sources} <= earlier
    ]


def once(kept: Kept) -> Kept:
    """Without sentences that come again: a source sentence may replace two of the model's.

    One that another brings along stands with that.
    """
    texts = [text for text, _ in kept]
    return [
        (text, found)
        for at, (text, found) in enumerate(kept)
        if text not in texts[:at]
        and not any(text in other and text != other for other in texts if found.is_quoted)
    ]


def _whole_quotation(source: Evidence) -> Evidence:
    """A sentence that begins or ends inside a quotation with what opens and what closes it.

    Alone it would stand there as a statement of fact, by nobody, or cut short.
    """
    quotation = source.quotation or source.paragraphs.quotation(source.end)
    if quotation is None:
        return source
    spans = [
        span
        for paragraph in source.paragraphs.spans
        if paragraph.start < quotation.end and quotation.start < paragraph.end
        for span in sentences_of(source.paragraphs, paragraph)
        if span.start < quotation.end and quotation.start < span.end
    ]
    start = min((span.start for span in spans), default=source.start)
    end = max((span.end for span in spans), default=source.end)
    end = max(end, source.end) if quotation.closed else source.end
    if end - start > _WIDEN_CHARACTERS:
        return source
    return replace(source, start=start, end=end)


def _citation(number: int, source: Evidence) -> Citation:
    article = source.article
    quote = article.text[source.start : source.end]
    if not quote or len(quote) != source.end - source.start:
        raise RagError(
            f"span {source.start}:{source.end} is not in article {article.article_id!r}",
            mend="rag check",
        )
    return Citation(
        number=number,
        article_id=article.article_id,
        title=article.title,
        published=article.published,
        source=article.source,
        url=article.url,
        path=article.path,
        page=article.page_at(source.start),
        start=source.start,
        end=source.end,
        quote=quote,
        dates=source.days,
    )
