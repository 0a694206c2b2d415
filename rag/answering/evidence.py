"""Evidence: the few sentences of what was found that bear on the question.

Reading the prompt is most of what an answer costs on a CPU, so the language model is given
sentences, not chunks. Each is scored by the ranker, which reads it in its passage together with the
question, by cosine, by how much of the question's words it holds (weighted by rarity), by the score
of its chunk, and by whether its article is of the time that the question speaks of. A sentence
around which a premise of the question does not hold comes behind all others.
"""

from __future__ import annotations

import contextlib
import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from rag.answering.gathering import Gathered, Window
from rag.answering.premises import STRICT, Premise
from rag.answering.premises_held import missing
from rag.answering.question import Kind, Question
from rag.article import Article
from rag.embedding import Vectors
from rag.ranking import Ranker
from rag.ranking.passages import cut
from rag.retrieval import Hit, Retrieved
from rag.text.analysed import Analysed
from rag.text.analysis import Analyzer
from rag.text.asides import is_aside, is_caption
from rag.text.days import DatedPhrase, names_a_day, resolve, spelled
from rag.text.instructions import speaks_to_a_machine
from rag.text.language import Language
from rag.text.paragraphs import Paragraphs, Quotation, Span, unwrapped
from rag.text.periods import Period, told_periods
from rag.text.same import repeats
from rag.text.sentences import sentences_of

# Without a ranker.
COSINE_WEIGHT = 1.0
COVERAGE_WEIGHT = 1.0
CHUNK_WEIGHT = 2.0
# With one: log-odds, fitted (docs/decisions.md).
RANKED_WEIGHTS = {"logit": 0.45, "cosine": 1.5, "coverage": 1.5, "chunk": 3.0}
WINDOW_WEIGHT, IMPLIED_WINDOW_WEIGHT = 1.5, 1.25
"""For standing in the window that the question names; in the last month where it names none."""
YEAR_WEIGHT = 0.6
"""For being of the year before the question, where it names no time and some article is recent."""
POSITION_WEIGHT, LENGTH_WEIGHT = 0.4, 0.4
"""Taken away for standing at the very end of its article; given for 40 words or more."""
NAME_WEIGHT = 1.0
"""Taken away for each name or amount of the question that does not stand near."""
STRICT_WEIGHT = 8.0
DAY_WEIGHT = 1.0
"""For naming a day where a day is asked for, or the day that the question names."""
HEADING_WEIGHT = 0.5
"""For standing below a heading that asks nearly the same."""
_HEADING_COSINE = 0.65
_BELOW_HEADING = 2  # sentences
CAPTION_WEIGHT = 0.5
"""Taken away from what stands below a picture: it tells what is seen."""
N_CHECKED = 160
"""Sentences, the best ones, whose premises are looked at; the others are no evidence."""
_YEAR = datetime.timedelta(365)
_MIN_WORDS = 4
_LONG_WORDS = 40
_QUESTION_END = re.compile(r"\?[\"'”’)\]]*$")
_ABOVE = 15  # paragraphs in which a heading that is a day stands
_DAY_WORDS, _WEEKDAY_LETTERS = 5, 12
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

    @property
    def told_stretches(self) -> list[tuple[datetime.date, datetime.date]]:
        """The days and stretches of days that it tells, each by its first and last day."""
        published = self.article.published or datetime.date.max
        named = told_periods(self.text, published, self.analyzer.language)
        periods = [self._of_its_year(period) for period in named if period.strength == "event"]
        return [*periods, *((phrase.first, phrase.last) for phrase in self.days)]

    def _of_its_year(self, period: Period) -> tuple[datetime.date, datetime.date]:
        """A day without its year, of the year that the article names with the same day."""
        if period.first == period.last and not re.search(r"\d{4}", period.text):
            named = re.findall(rf"\b{re.escape(period.text)},?\s+(\d{{4}})\b", self.article.text)
            if len(set(named)) == 1:
                with contextlib.suppress(ValueError):  # 29 February
                    day = period.first.replace(year=int(named[0]))
                    return day, day
        return period.first, period.last

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


def rank_sentences(gathered: Gathered, question: Question, ranker: Ranker | None) -> list[Evidence]:
    """Every sentence of what was found that states something to readers, once, best first.

    Args:
        gathered: What was found.
        question: The question.
        ranker: Reads question and sentences together; None leaves that out.
    """
    logits = _logits(gathered.found, question.text, ranker)
    analyzer = gathered.terms.question.analyzer
    ranked: dict[tuple[str, int, int], Evidence] = {}
    paragraphs: dict[str, Paragraphs] = {}
    for item, own in zip(gathered.found, logits, strict=True):
        if item.hit.superseded_by:  # the newest version says so no longer
            continue
        text = item.article.text
        if item.hit.article_id not in paragraphs:
            paragraphs[item.hit.article_id] = Paragraphs(text)
        spans = item.chunk.sentences.tolist()
        in_window = gathered.in_window(item.article.published)
        looks_back = gathered.looks_back(item.article.published)
        asked_above = _asked_above(text, spans, item.sentence_cosines)
        for row, (start, end) in enumerate(spans):
            if start in item.boilerplate or not _states(text[start:end], analyzer.language):
                continue
            sentence = _sentence(item, row, paragraphs[item.hit.article_id], analyzer)
            tells = in_window or (looks_back and _tells_of(gathered.window, sentence))
            sentence = replace(
                sentence, logit=own[row], in_window=tells, answers_heading=row in asked_above
            )
            # Chunks overlap by a sentence: the better hit came first.
            ranked.setdefault((item.hit.article_id, start, end), sentence)
    scored = [
        replace(sentence, score=_score(sentence, question, gathered, ranker is not None))
        for sentence in ranked.values()
    ]
    scored.sort(key=_best_first)
    checked = [_with_premises(sentence, question) for sentence in scored[:N_CHECKED]]
    return sorted(checked, key=_best_first)


def _asked_above(text: str, spans: Sequence[Sequence[int]], cosines: Vectors) -> set[int]:
    """The rows of sentences that follow a heading which asks what the question asks."""
    return {
        below
        for row, (start, end) in enumerate(spans)
        if cosines[row] >= _HEADING_COSINE
        and _QUESTION_END.search(text[start:end])
        and (start == 0 or text[start - 1] == "\n")
        and (end >= len(text) or text[end] == "\n")
        for below in range(row + 1, min(row + 1 + _BELOW_HEADING, len(spans)))
    }


def left_out(found: Sequence[Retrieved], analyzer: Analyzer) -> list[Evidence]:
    """The sentences that speak to a machine, in order: they are no evidence, and it is told.

    Args:
        found: What was found, as far as it is shown.
        analyzer: Of the index.
    """
    kept: dict[tuple[str, int], Evidence] = {}
    for item in found:
        text = item.article.text
        for row, (start, end) in enumerate(item.chunk.sentences.tolist()):
            if speaks_to_a_machine(text[start:end], analyzer.language):
                kept[item.hit.article_id, start] = _sentence(item, row, Paragraphs(text), analyzer)
    return list(kept.values())


def _sentence(item: Retrieved, row: int, paragraphs: Paragraphs, analyzer: Analyzer) -> Evidence:
    """A sentence of a hit, not yet scored."""
    start, end = item.chunk.sentences[row].tolist()
    return Evidence(
        item.article,
        paragraphs,
        analyzer,
        item.hit,
        start,
        end,
        cosine=float(item.sentence_cosines[row]),
        coverage=float(item.sentence_words[row]),
        score=0.0,
        vector=item.chunk.sentence_vectors[row],
    )


def _best_first(sentence: Evidence) -> tuple[float, int]:
    return -sentence.score, sentence.start


def _states(sentence: str, language: Language) -> bool:
    """Whether a sentence states something: no question, no heading of a word, no order."""
    return (
        len(sentence.split()) >= _MIN_WORDS
        and not _QUESTION_END.search(sentence)
        and not speaks_to_a_machine(sentence, language)
        and not is_aside(sentence, language)
    )


def _logits(found: Sequence[Retrieved], question: str, ranker: Ranker | None) -> list[list[float]]:
    """What the ranker says of each sentence of each hit."""
    made = [[0.0] * len(item.chunk.sentences) for item in found]
    if ranker is None:
        return made
    passages, places = [], []
    for number, item in enumerate(found):
        article = item.article
        spans = item.chunk.sentences.tolist()
        for passage, rows in cut(article.title, article.published, article.text, spans):
            passages.append(passage)
            places.append((number, rows))
    for (number, rows), values in zip(places, ranker.logits(question, passages), strict=True):
        for row, value in zip(rows, values.tolist(), strict=True):
            made[number][row] = value
    return made


def _score(sentence: Evidence, question: Question, gathered: Gathered, has_ranker: bool) -> float:
    if has_ranker:
        w = RANKED_WEIGHTS
        score = w["logit"] * sentence.logit + w["cosine"] * sentence.cosine
        score += w["coverage"] * sentence.coverage + w["chunk"] * sentence.hit.score
    else:
        score = COSINE_WEIGHT * sentence.cosine + COVERAGE_WEIGHT * sentence.coverage
        score += CHUNK_WEIGHT * sentence.hit.score
    window = gathered.window
    if window and sentence.in_window:
        score += WINDOW_WEIGHT if window.words else IMPLIED_WINDOW_WEIGHT
    elif window and not window.words and _within_a_year(sentence, question):
        score += YEAR_WEIGHT
    score -= POSITION_WEIGHT * sentence.start / max(len(sentence.article.text), 1)
    score += LENGTH_WEIGHT * min(len(sentence.text.split()), _LONG_WORDS) / _LONG_WORDS
    if question.kind is Kind.WHEN and names_a_day(sentence.text, question.language):
        score += DAY_WEIGHT
    if sentence.answers_heading:
        score += HEADING_WEIGHT
    if sentence.is_caption:
        score -= CAPTION_WEIGHT
    if question.days and not question.days.isdisjoint(sentence.told_days):
        score += DAY_WEIGHT
    return score


def _tells_of(window: Window | None, sentence: Evidence) -> bool:
    """Whether a sentence names days of a window: "on Saturday", "last month"."""
    return window is not None and window.holds(sentence.told_stretches)


def _within_a_year(sentence: Evidence, question: Question) -> bool:
    published = sentence.article.published
    return published is not None and published + _YEAR >= question.asked_on


def _with_premises(sentence: Evidence, question: Question) -> Evidence:
    lacking = missing(
        question.premises,
        sentence.article,
        sentence.start,
        sentence.end,
        question.language,
        before_tells=question.kind is not Kind.WHEN,
    )
    return replace(sentence, lacking=tuple(lacking), score=sentence.score - _taken(lacking))


def _taken(lacking: Sequence[Premise]) -> float:
    """What premises that do not hold take away from a score."""
    n_strict = sum(premise.kind in STRICT for premise in lacking)
    return STRICT_WEIGHT * n_strict + NAME_WEIGHT * (len(lacking) - n_strict)


def nearest(ranked: Sequence[Evidence], n: int) -> list[Evidence]:
    """The n sentences that bear most on the question, also where its premises do not hold.

    Those are shown where there is no answer: what was found says what is wrong with the question.
    """
    bearing = sorted(ranked, key=lambda one: -(one.score + _taken(one.lacking)))
    return select(bearing, n)


def select(ranked: Sequence[Evidence], n: int) -> list[Evidence]:
    """The n best sentences that say different things, best first.

    A sentence that repeats a better one (a reprint, a caption) is passed over.
    """
    chosen: list[Evidence] = []
    for sentence in ranked:
        if len(chosen) == n:
            break
        if not any(same_statement(sentence, other) for other in chosen):
            chosen.append(sentence)
    return chosen


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
    leans = item.analyzer.language.pattern("evidence.leans").match(item.text)
    if not leans and item.quotation is None and not item.is_quotation:
        return None
    around = item.paragraphs.around(item.start)
    before = [span for span in sentences_of(item.paragraphs, around) if span.end <= item.start]
    if not before and any_paragraph and around.start:
        earlier = item.paragraphs.around(around.start - 1)
        before = [span for span in sentences_of(item.paragraphs, earlier)]
    return before[-1] if before else None


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
