"""Lists that an article has itself: bullets, numbered headings, short lines behind a colon.

"Which models are recalled?" is answered by the list that says so, whole and in its order, and not
by sentences around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rag.answering.attribution import strip_marks
from rag.answering.evidence import Evidence
from rag.answering.premises import STRICT
from rag.answering.premises_held import missing
from rag.answering.question import Question
from rag.retrieval import QuestionTerms
from rag.text.asides import is_aside
from rag.text.instructions import speaks_to_a_machine
from rag.text.paragraphs import Paragraphs, Span
from rag.text.sentences import sentences_of, split

MIN_COVERAGE = 0.75
"""Share of the question's words, by rarity, that title, introduction and lines hold at least."""
MAX_LINES, MAX_LINE_WORDS = 40, 60
_N_CHECKED = 8
"""Lists whose premises are looked at, those with most of the question's words first."""
_N_ARTICLES = 8
"""Articles that are looked through, those of the best sentences first."""
_MIN_BULLETS, _MIN_NUMBERED, _MIN_BEHIND_COLON = 2, 3, 2
_LINE_WORDS = 15
"""Words of a line that is no sentence, at most."""
_APART = 6
"""Paragraphs that stand below a numbered heading before the next one, at most."""
_MIN_INTRODUCTION = 4  # words
_BEFORE = 3
"""Paragraphs before a list in which its introduction stands."""
_N_LEADS = 2
"""Of these, so many say what it lists."""
_BULLET = re.compile(r"[◾◼▪•●►▶·*–—-][^\S\n]+(?=\S)")
_NUMBER = re.compile(r"(\d{1,2})[.)][^\S\n]+(?=\S)")
_SENTENCE = re.compile(r"[.!?:;][\"'”’)\]]*$")


@dataclass(frozen=True, slots=True)
class Listed:
    """A list in a text.

    Attributes:
        introduction: The paragraphs just before it.
        lines: Its lines, without bullets.
    """

    introduction: tuple[Span, ...]
    lines: tuple[Span, ...]


def list_that_answers(
    question: Question, terms: QuestionTerms, ranked: Sequence[Evidence]
) -> list[Evidence]:
    """The lines of the list that a question asks for, the sentence that introduces it first.

    Args:
        question: The question.
        terms: Its words.
        ranked: Sentences that may support an answer, best first.

    Returns:
        In the order of the article, without those that speak to a machine; empty where no list
        found has the words of the question.
    """
    asking = question.language.words("premises.asking")
    orders = {term for word in asking for term in terms.question.analyzer.terms(word)}
    weights = {term: weight for term, weight in terms.weights.items() if term not in orders}
    total = sum(weights.values())
    plural = question.language.pattern("questions.plural").match(question.text)
    things = set(terms.question.analyzer.content_terms(plural["things"])) if plural else set()
    candidates: list[tuple[float, Evidence, Listed]] = []
    for source in _of_each_article(ranked):
        for found in lists_in(source.paragraphs):
            own = _held(source, [*found.introduction, *found.lines])
            share = sum(w for term, w in weights.items() if term in own) / (total or 1)
            of_these = things <= _held(source, _leads(source, found), title=False)
            if share >= MIN_COVERAGE and of_these:
                candidates.append((share, source, found))
    candidates.sort(key=lambda one: -one[0])
    for _, source, found in candidates[:_N_CHECKED]:
        if _premises_hold(question, source, found):
            lines = [line for line in found.lines if _may_be_line(source, line)][:MAX_LINES]
            spans = [*_told_first(source, found), *lines] if lines else []
            return [replace(source, start=span.start, end=span.end) for span in spans]
    return []


def _may_be_line(source: Evidence, line: Span) -> bool:
    """Whether a line says something to readers, and in few words."""
    text = source.paragraphs.plain[line.start : line.end]
    number = _NUMBER.match(text)
    bare = text[number.end() :] if number else text
    return (
        len(text.split()) <= MAX_LINE_WORDS
        and re.search(r"\w", strip_marks(bare, of_source=True)) is not None
        and _is_for_readers(source, text)
        and _is_for_readers(source, bare)
    )


def _is_for_readers(source: Evidence, text: str) -> bool:
    """Whether no sentence of a text speaks to a machine, or of the page."""
    language = source.analyzer.language
    parts = [text, *(text[span.start : span.end] for span in split(text))]
    return not any(
        speaks_to_a_machine(part, language) or is_aside(part, language) for part in parts
    )


def lists_in(paragraphs: Paragraphs) -> Iterator[Listed]:
    """The lists of a text, in order."""
    spans, text = paragraphs.spans, paragraphs.plain
    at = 0
    while at < len(spans):
        lines, after = _bullets(text, spans, at)
        if len(lines) < _MIN_BULLETS:
            lines, after = _numbered(text, spans, at)
            if len(lines) < _MIN_NUMBERED:
                lines, after = _behind_colon(text, spans, at)
        if lines:
            yield Listed(tuple(spans[max(0, at - _BEFORE) : at]), tuple(lines))
            at = after
        else:
            at += 1


def _bullets(text: str, spans: Sequence[Span], at: int) -> tuple[list[Span], int]:
    lines = []
    while at < len(spans) and (bullet := _BULLET.match(text, *spans[at])):
        lines.append(Span(bullet.end(), spans[at].end))
        at += 1
    return lines, at


def _numbered(text: str, spans: Sequence[Span], at: int) -> tuple[list[Span], int]:
    """Headings that count up or down, with what stands below each left out."""
    lines: list[Span] = []
    numbers: list[int] = []
    after = at
    for place in range(at, len(spans)):
        span = spans[place]
        number = _NUMBER.match(text, *span)
        is_line = number and len(text[span.start : span.end].split()) <= _LINE_WORDS
        if not is_line and (place == at or place - after > _APART):
            break
        if number and is_line:
            value = int(number[1])
            if numbers and not _goes_on(numbers, value):
                break
            numbers.append(value)
            lines.append(span)
            after = place + 1
    return lines, after


def _goes_on(numbers: Sequence[int], value: int) -> bool:
    """Whether a number is the next one, up or down."""
    step = value - numbers[-1]
    return abs(step) == 1 and (len(numbers) == 1 or step == numbers[1] - numbers[0])


def _behind_colon(text: str, spans: Sequence[Span], at: int) -> tuple[list[Span], int]:
    """Short lines that are no sentences, behind a paragraph that ends with a colon.

    One paragraph may stand between: an offer of the page.
    """
    before = spans[max(0, at - 2) : at]
    if not any(text[span.start : span.end].endswith(":") for span in before):
        return [], at
    lines = []
    while at < len(spans) and _is_line(text[spans[at].start : spans[at].end]):
        lines.append(spans[at])
        at += 1
    return (lines, at) if len(lines) >= _MIN_BEHIND_COLON else ([], at)


def _is_line(line: str) -> bool:
    return len(line.split()) <= _LINE_WORDS and not _SENTENCE.search(line)


def _of_each_article(ranked: Sequence[Evidence]) -> list[Evidence]:
    """The best sentence of each article, of the first ones."""
    best: dict[str, Evidence] = {}
    for source in ranked:
        best.setdefault(source.article.article_id, source)
        if len(best) == _N_ARTICLES:
            break
    return list(best.values())


def _held(source: Evidence, spans: Sequence[Span], *, title: bool = True) -> set[str]:
    text = source.paragraphs.plain
    parts = [source.article.title if title else "", *(text[s.start : s.end] for s in spans)]
    return set(source.analyzer.terms("\n".join(parts)))


def _leads(source: Evidence, found: Listed) -> list[Span]:
    """The paragraphs that say what is listed: the last ones before it, but for calls to readers."""
    text = source.paragraphs.plain
    said = [s for s in found.introduction if not text[s.start : s.end].endswith("!")]
    return said[-_N_LEADS:]


def _premises_hold(question: Question, source: Evidence, found: Listed) -> bool:
    """Whether what the question takes for granted stands at the list, but for one name."""
    first, last = found.lines[0], found.lines[-1]
    start = found.introduction[0].start if found.introduction else first.start
    article, language = source.article, source.analyzer.language
    lacking = missing(question.premises, article, start, last.end, language)
    return len(lacking) <= 1 and not any(premise.kind in STRICT for premise in lacking)


def _told_first(source: Evidence, found: Listed) -> list[Span]:
    """The sentence that introduces a list; none where there are only headings."""
    text = source.paragraphs.plain
    for paragraph in reversed(found.introduction):
        *_, span = sentences_of(source.paragraphs, paragraph)
        line = text[span.start : span.end]
        if (
            _MIN_INTRODUCTION <= len(line.split()) <= MAX_LINE_WORDS
            and _SENTENCE.search(line)
            and not line.endswith(("?", "!"))
            and _is_for_readers(source, text[paragraph.start : paragraph.end])
        ):
            return [span]
    return []
