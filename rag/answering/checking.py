"""Checking: what the language model wrote, sentence by sentence, against the sources.

A sentence that the sources support stays, with citations to exact spans. One that they support in
part is replaced by the source sentences themselves; one that they do not support is withheld.
Where other sources contradict an answer, it says so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.answering.answer import AnswerItem, AnswerSentence, Citation, Claim, Disagreement
from rag.answering.attribution import (
    Attribution,
    Status,
    attribute,
    keep_verbatim,
    strip_marks,
)
from rag.answering.broad import Item
from rag.answering.disagreement import Conflict, find_conflicts
from rag.answering.evidence import Evidence, same_statement
from rag.answering.question import Kind
from rag.answering.verdict import decides, read_verdict
from rag.errors import RagError
from rag.retrieval import QuestionTerms
from rag.text.days import names_a_day, spelled, tell_days
from rag.text.language import Language
from rag.text.sentences import sentences_of, split

MAX_EXTRACTED = 2
"""Verbatim sentences shown when the model wrote nothing that the sources support."""
_SECOND_SHARE = 0.9  # a second one must bear on the question nearly as much
_WIDEN_CHARACTERS = 400
MAX_REASONS = 4
"""Sentences of an answer to why or how."""
_REASONS_AMONG = 20  # the best ones, of all articles
_DATED_AMONG = 10  # a sentence further down speaks of something else
_SENTENCE_END = re.compile(r"[.!?…。！？؟][\"'”’»)\]]*$")

Kept = list[tuple[str, Attribution]]


@dataclass(frozen=True, slots=True)
class Checked:
    """What is left of a completion.

    Attributes:
        kept: The sentences to show, each with what supports it.
        withheld: Sentences of the model that are not shown.
        n_written: How many of those kept the model wrote.
        declined: Whether all that it wrote is that the passages do not say.
    """

    kept: Kept
    withheld: tuple[AnswerSentence, ...]
    n_written: int
    declined: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    """The part of an answer that its sentences make up; see `rag.answering.answer.Answer`."""

    text: str
    sentences: tuple[AnswerSentence, ...]
    citations: tuple[Citation, ...]
    disagreements: tuple[Disagreement, ...]


def check(
    completion: str,
    terms: QuestionTerms,
    evidence: Sequence[Evidence],
    *,
    kind: Kind = Kind.FACT,
    cut: bool = False,
) -> Checked:
    """Hold each sentence that a model wrote against the evidence.

    Args:
        completion: What it wrote. Marks of citations in it mean nothing, and are removed.
        terms: The question's.
        evidence: Source sentences, best first.
        kind: Of the question; a verdict is looked for where it wants yes or no.
        cut: Whether the model was stopped; then an unfinished last sentence does not count.
    """
    text = strip_marks(" ".join(completion.split()))
    spans = split(text)
    if cut and spans and not _SENTENCE_END.search(text):
        spans = spans[:-1]
    kept: Kept = []
    withheld: list[AnswerSentence] = []
    n_written = 0
    question = terms.question
    not_stated = question.language.pattern("prompt.not_stated")
    n_declined = 0
    for written in dict.fromkeys(text[span.start : span.end] for span in spans):
        sentence = _of_the_news(written, question.language)
        found: Attribution | None = None
        if kind is Kind.YESNO and (verdict := read_verdict(sentence, question.language)):
            found = decides(verdict, question, evidence)
            sentence = sentence if found else verdict.rest
        found = found or attribute(sentence, question, evidence)
        if found.status in (Status.QUOTED, Status.SUPPORTED):
            sources = [source.text for source in (*found.sources, *found.further)]
            kept.append((keep_verbatim(sentence, sources), found))
            n_written += 1
            continue
        if not_stated.search(written):
            n_declined += 1
            continue
        withheld.append(AnswerSentence(text=written, status=found.status, citations=()))
        if found.status is Status.PARTLY:
            kept += [verbatim(source) for source in found.sources]
    declined = n_declined > 0 and not kept and not withheld
    return Checked(_once(kept), tuple(withheld), n_written, declined)


def _of_the_news(sentence: str, language: Language) -> str:
    """A sentence without what it says of the passages: "According to the passage, …"."""
    match = language.pattern("prompt.of_passages").match(sentence)
    if not match or match.end() == len(sentence):
        return sentence
    rest = sentence[match.end() :]
    return rest[:1].upper() + rest[1:]


def extract(evidence: Sequence[Evidence]) -> Kept:
    """The best sentences of the sources, verbatim."""
    return [
        verbatim(source)
        for source in evidence[:MAX_EXTRACTED]
        if source.score >= _SECOND_SHARE * evidence[0].score
    ]


def with_best(kept: Kept, best: Evidence) -> Kept:
    """With the sentence that fits the question best, if the answer does not rest on it.

    Then the model may have taken another one for it: both are shown.
    """
    cited = [source for _, found in kept for source in (*found.sources, *found.further)]
    if any(same_statement(source, best) for source in cited):
        return kept
    return _once([*kept, verbatim(best)])


def with_day(kept: Kept, evidence: Sequence[Evidence]) -> Kept:
    """With a sentence that says when, if the answer to a question of time says no day.

    Where no sentence does, the answer tells of which day its article is.

    Args:
        kept: Sentences of the answer.
        evidence: Those that may support it, best first, at least one.
    """
    language = evidence[0].analyzer.language
    if any(names_a_day(text, language) for text, _ in kept):
        return kept
    among = evidence[:_DATED_AMONG]
    dated = next((item for item in among if names_a_day(item.text, language)), None)
    if dated is not None:
        return _once([*kept, verbatim(dated)])
    text, found = kept[0]
    published = found.sources[0].article.published
    told = f"{text} [reported on {spelled(published)}]" if published else text
    return [(told, found), *kept[1:]]


def with_more(kept: Kept, ranked: Sequence[Evidence]) -> Kept:
    """With what else the same article says of it, in its order: a reason is more than a sentence.

    Args:
        kept: Sentences of the answer, at least one.
        ranked: Sentences that may support it, best first.
    """
    cited = [source for _, found in kept for source in (*found.sources, *found.further)]
    among = [s for s in ranked[:_REASONS_AMONG] if s.article is cited[0].article]
    more = [s for s in among if not any(same_statement(s, other) for other in cited)]
    chosen = more[: max(0, MAX_REASONS - len(kept))]
    return _once([*kept, *(verbatim(s) for s in sorted(chosen, key=lambda s: s.start))])


def verbatim(source: Evidence) -> tuple[str, Attribution]:
    """A source sentence as a sentence of the answer, whole if it is part of a quotation."""
    widened = _whole_quotation(source)
    return strip_marks(widened.text), Attribution(Status.QUOTED, (widened,), 1.0)


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
    kept = [*_newer(conflicts, kept), *kept]
    sentences = [
        AnswerSentence(
            text=_with_days(text, (*found.sources, *found.further)),
            status=found.status,
            citations=tuple(sorted(cite(source) for source in (*found.sources, *found.further))),
        )
        for text, found in kept
    ]
    disagreements = []
    for conflict in conflicts:
        sentence, disagreement = _differ(conflict, [cite(s.source) for s in conflict.statements])
        sentences.append(sentence)
        disagreements.append(disagreement)
    marked = [f"{s.text} {''.join(f'[{number}]' for number in s.citations)}" for s in sentences]
    return Body(
        text=" ".join(marked),
        sentences=tuple(sentences),
        citations=tuple(citations.values()),
        disagreements=tuple(disagreements),
    )


def compose_items(kind: Kind, items: Sequence[Item]) -> tuple[Body, tuple[AnswerItem, ...]]:
    """A broad answer: its text, and its items; each is verbatim and cites its source.

    Args:
        kind: A timeline's and a report's items begin with their day.
        items: In their order, at least one.
    """
    citations: list[Citation] = []
    sentences: list[AnswerSentence] = []
    made: list[AnswerItem] = []
    for item in items:
        sources = [item.source, *item.said_by]
        numbers = tuple(range(len(citations) + 1, len(citations) + len(sources) + 1))
        citations += [_citation(n, source) for n, source in zip(numbers, sources, strict=True)]
        told, found = verbatim(item.source)
        text = _with_days(told, [item.source])
        if kind in (Kind.TIMELINE, Kind.DATED) and item.day:
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
    text = "\n".join(
        f"- {s.text} {''.join(f'[{number}]' for number in s.citations)}" for s in sentences
    )
    return Body(text, tuple(sentences), tuple(citations), ()), tuple(made)


def _with_days(text: str, sources: Sequence[Evidence]) -> str:
    """A sentence of the answer with the days that relative ones mean in its sources."""
    phrases = [phrase for source in sources for phrase in source.days]
    return tell_days(text, phrases, sources[0].analyzer.language)


def cited_beside(evidence: Sequence[Evidence]) -> tuple[Citation, ...]:
    """Sentences that are cited beside the answer: those that come nearest, or were left out."""
    return tuple(_citation(n, sentence) for n, sentence in enumerate(evidence, start=1))


def _differ(conflict: Conflict, numbers: Sequence[int]) -> tuple[AnswerSentence, Disagreement]:
    said = []
    for statement in conflict.statements:
        article = statement.source.article
        who = article.source or article.title or article.article_id
        day = f", {statement.day}," if statement.day else ""
        text = statement.text.rstrip(".")
        said.append(f"“{text}”{day} ({who}, {article.published or 'no date'})")
    sentence = AnswerSentence(
        text=f"The sources differ: {'; '.join(said)}.",
        status=Status.SUPPORTED,
        citations=tuple(numbers),
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
    return sentence, Disagreement(kind=conflict.kind, claims=claims)


def _newer(conflicts: Sequence[Conflict], kept: Kept) -> Kept:
    """What newer articles say against the sentences of an answer, verbatim."""
    cited = {s.article.article_id for _, found in kept for s in (*found.sources, *found.further)}
    newest = [conflict.statements[0].source for conflict in conflicts]
    days = [source.article.published for _, found in kept for source in found.sources]
    last = max((day for day in days if day), default=None)
    return _once(
        [
            verbatim(source)
            for source in newest
            if source.article.article_id not in cited
            and source.article.published
            and last
            and source.article.published > last
        ]
    )


def _once(kept: Kept) -> Kept:
    """Without sentences that come again: a source sentence may replace two of the model's."""
    return list({text: (text, found) for text, found in reversed(kept)}.values())[::-1]


def _whole_quotation(source: Evidence) -> Evidence:
    """A sentence from the middle of a quotation with what opens and what closes it.

    Alone it would stand there as a statement of fact, by nobody.
    """
    quotation = source.quotation
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
