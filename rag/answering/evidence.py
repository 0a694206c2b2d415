"""Evidence: one sentence of what was found, with its bearing on the question."""

from __future__ import annotations

import contextlib
import datetime
import re
from dataclasses import dataclass
from functools import cached_property

from rag.answering.premise_words import YEAR
from rag.answering.premises import STRICT, Premise
from rag.article import Article
from rag.embedding import Vectors
from rag.retrieval import Hit
from rag.text.analysed import Analysed
from rag.text.analysis import Analyzer
from rag.text.asides import is_aside, is_caption
from rag.text.days import DatedPhrase, resolve, spelled
from rag.text.instructions import speaks_to_a_machine
from rag.text.paragraphs import Paragraphs, Quotation, Span, unwrapped
from rag.text.periods import Period, told_periods
from rag.text.same import repeats
from rag.text.sentences import sentences_of, split

_NEXT_CHARACTERS = 400  # in which the next sentence ends
_ABOVE = 15  # paragraphs in which a heading that is a day stands
_DAY_WORDS, _WEEKDAY_LETTERS = 5, 12
_NEAR_DAYS = 60  # a day so near to its article is of that time
CONTEXT_CHARACTERS = 500
"""Before a sentence, in which the names of "he" and "it" stand."""


@dataclass(frozen=True)
class Evidence:
    """One sentence of a source, with its bearing on the question.

    Attributes:
        article: Its article.
        paragraphs: Of the article's text.
        analyzer: Makes terms of its language.
        hit: The best hit it stands in.
        start, end: Span in the article's text.
        cosine: With the question, [-1, 1].
        coverage: Share of the question's words that it and its title hold, by rarity, [0, 1].
        score: Higher is better.
        logit: What the ranker says; 0 without one.
        lacking: Premises of the question that do not hold around it.
        in_window: Whether its article is of the time that the question speaks of, or it names that.
        answers_heading: Whether it stands below a heading that asks nearly the same question.
        vector: Of the sentence, shape (dimension,), unit length.
    """

    article: Article
    paragraphs: Paragraphs
    analyzer: Analyzer
    hit: Hit
    start: int
    end: int
    cosine: float
    coverage: float
    score: float
    vector: Vectors
    logit: float = 0.0
    lacking: tuple[Premise, ...] = ()
    in_window: bool = False
    answers_heading: bool = False

    @property
    def story(self) -> str:
        """Its independent source: reprints and versions of one article are one."""
        return self.hit.story or self.hit.article_id

    @property
    def text(self) -> str:
        """The sentence, verbatim but on one line."""
        return self.read.text

    @cached_property
    def read(self) -> Analysed:
        """The sentence, read once."""
        return Analysed(unwrapped(self.article.text[self.start : self.end]), self.analyzer)

    @cached_property
    def headed(self) -> Analysed:
        """The sentence with what its article's heading adds: who, and when.

        The days that it tells are spelled out too: "on Wednesday", "Sept. 10".
        """
        heading = f"{self.article.title} {self.article.published or ''}"
        return Analysed(f"{heading} {self.text} {self._spelled_days}", self.analyzer)

    @cached_property
    def told(self) -> Analysed:
        """The sentence with its days spelled out, and the one that it leans on."""
        return Analysed(f"{sentence_before(self)} {self.text} {self._spelled_days}", self.analyzer)

    @property
    def _spelled_days(self) -> str:
        return " ".join(spelled(day) for day in self.told_days)

    @cached_property
    def before(self) -> Analysed:
        """What stands just before it, where "he" has its name."""
        start = max(0, self.start - CONTEXT_CHARACTERS)
        return Analysed(self.article.text[start : self.start], self.analyzer)

    @cached_property
    def days(self) -> tuple[DatedPhrase, ...]:
        """The relative days in it; none where its article has no day of its own."""
        published = self.article.published
        if published is None:
            return ()
        text, language = self.article.text, self.analyzer.language
        return tuple(resolve(text, self.start, self.end, published, language))

    @cached_property
    def told_days(self) -> tuple[datetime.date, ...]:
        """The single days that it tells, as the calendar has them; none where none is known."""
        return tuple(dict.fromkeys(first for first, last in self.told_stretches if first == last))

    @cached_property
    def told_stretches(self) -> list[tuple[datetime.date, datetime.date]]:
        """The days and stretches of days that it tells, each by its first and last day."""
        published = self.article.published or datetime.date.max
        named = told_periods(self.text, published, self.analyzer.language)
        periods = [
            self._of_its_year(period)
            for period in named
            if period.strength == "event" and (self.article.published or YEAR.search(period.text))
        ]
        return [*periods, *((phrase.first, phrase.last) for phrase in self.days)]

    def _of_its_year(self, period: Period) -> tuple[datetime.date, datetime.date]:
        """A day without its year, far from that of its article: of the year named with it there."""
        published = self.article.published
        days = (period.first, period.last)
        if period.first != period.last or YEAR.search(period.text) or published is None:
            return days
        if abs((period.first - published).days) <= _NEAR_DAYS:
            return days
        named = re.findall(
            rf"\b{re.escape(period.text)},?\s+((?:1[5-9]|20)\d\d)\b(?!\s+[a-z]+s\b)",
            self.article.text,
        )
        if len(set(named)) != 1:
            return days
        with contextlib.suppress(ValueError):  # 29 February
            day = period.first.replace(year=int(named[0]))
            return day, day
        return days

    @cached_property
    def day_above(self) -> datetime.date | None:
        """The day of the heading that it stands below, if that is a day: "Sunday, November 13"."""
        language, text = self.analyzer.language, self.paragraphs.plain
        published = self.article.published
        if published is None:
            return None
        above = [span for span in self.paragraphs.spans if span.end <= self.start]
        for span in reversed(above[-_ABOVE:]):
            line = text[span.start : span.end].strip(" :")
            if len(line.split()) > _DAY_WORDS:
                continue
            named = told_periods(line, published, language)
            rest = sum(p.end - p.start for p in named)
            if len(named) == 1 and rest >= len(line) - _WEEKDAY_LETTERS:
                first, last = self._of_its_year(named[0])
                return first if first == last else None
        return None

    @cached_property
    def quotation(self) -> Quotation | None:
        """The quotation that it begins inside of."""
        return self.paragraphs.quotation(self.start)

    @cached_property
    def is_caption(self) -> bool:
        """Whether it stands below a picture."""
        return is_caption(self.article.text, self.start, self.end)

    @property
    def is_quotation(self) -> bool:
        """Whether it is nothing but a quotation, or the beginning of one."""
        quotation = self.paragraphs.quotation(self.start + 1)
        return bool(quotation and quotation.start <= self.start and quotation.end >= self.end - 1)

    def holds(self, n_free: int = 0) -> bool:
        """Whether the premises hold around it that must hold there.

        Args:
            n_free: Names and amounts that may lack.
        """
        n_strict = sum(premise.kind in STRICT for premise in self.lacking)
        return not n_strict and len(self.lacking) <= n_free


def sentence_before(item: Evidence) -> str:
    """The sentence that one leans on; empty if it stands by itself, see `span_before`."""
    before = span_before(item)
    return unwrapped(item.article.text[before.start : before.end]) if before else ""


def span_before(item: Evidence, *, any_paragraph: bool = False) -> Span | None:
    """Where the sentence stands that one leans on: it begins with "he" or inside a quotation.

    One that is nothing but a quotation leans too: by itself it is nobody's.

    Args:
        item: The sentence.
        any_paragraph: Look into the paragraph before too: in news many have one sentence.

    Returns:
        The one before it; None if it stands by itself, or where its paragraph begins.
    """
    language = item.analyzer.language
    leans = language.pattern("evidence.leans").match(item.text) or (
        language.pattern("evidence.leans_within").match(item.text)
    )
    if not leans and item.quotation is None and not item.is_quotation:
        return None
    around = item.paragraphs.around(item.start)
    before = [span for span in sentences_of(item.paragraphs, around) if span.end <= item.start]
    if not before and any_paragraph and around.start:
        earlier = item.paragraphs.around(around.start - 1)
        before = [span for span in sentences_of(item.paragraphs, earlier)]
    return before[-1] if before and _is_for_readers(item, before[-1]) else None


def same_statement(one: Evidence, other: Evidence) -> bool:
    """Whether two sentences are the same but for a few words: a reprint, edited.

    Other figures make it another statement.
    """
    ours, theirs = one.read, other.read
    if ours.folded == theirs.folded:
        return True
    if ours.values != theirs.values:
        return False
    shorter, longer = sorted((ours.runs, theirs.runs), key=len)
    return repeats(longer, shorter)


def contrast_behind(item: Evidence) -> Span | None:
    """Where the next sentence stands, if it begins with "but" or "however"."""
    text, start = item.paragraphs.plain, item.end
    around = item.paragraphs.around(start)
    if not text[start : around.end].strip():  # the first sentence of the next paragraph
        around = next((one for one in item.paragraphs.spans if one.start >= start), around)
        start = around.start
    if around.end <= start or not item.analyzer.language.pattern("evidence.contrast").match(
        text, start, around.end
    ):
        return None
    end = min(around.end, start + _NEXT_CHARACTERS)
    first = next(iter(split(text[start:end])), None)
    if first is None or (start + first.end == end < around.end):  # longer than is looked at
        return None
    behind = Span(start + first.start, start + first.end)
    return behind if _is_for_readers(item, behind) else None


def _is_for_readers(item: Evidence, span: Span) -> bool:
    """Whether a sentence beside another one may stand with it: no order to a machine, no aside."""
    text, language = item.paragraphs.plain[span.start : span.end], item.analyzer.language
    return not (
        speaks_to_a_machine(text, language) or is_aside(text, language) or text.endswith("?")
    )
