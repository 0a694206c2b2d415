"""Broad answers: lists, summaries, timelines, comparisons and what was new, made of items.

Each item is a sentence of an article, verbatim, with its own citation; the language model is not
asked. Sentences are chosen for what they say of the question, for how many articles say the same
(what matters is told again and again: Erkan and Radev, "LexRank", JAIR 2004), and for what they add
to those chosen before (Carbonell and Goldstein, "The Use of MMR", SIGIR 1998).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set

import numpy as np
from numpy.typing import NDArray

from rag.answering.evidence import Evidence, same_statement
from rag.answering.items import Item, day_of, differ_in_time, in_order, publishers
from rag.answering.question import Kind, Question
from rag.text.analysed import Analysed

BROAD = (Kind.LIST, Kind.SUMMARY, Kind.TIMELINE, Kind.COMPARE, Kind.DATED)
"""Kinds that are answered by items."""

_OF_A_SUBJECT = (Kind.SUMMARY, Kind.TIMELINE, Kind.DATED)
MIN_COSINE, MIN_COVERAGE = 0.5, 0.5
"""Of the best sentence with the question: below both, the articles say nothing of it."""
FREE_NAMES = 2
"""Names and amounts of the question that may lack around an item."""
MAX_WORDS = 260
"""Words of all items together, unless the first alone has more."""
ARTICLE_WORDS = 120
"""The same for one article."""
LEAD_WEIGHT = 1.5
"""For standing at the beginning of the one article that is summarised, falling to its end: news
tells first what matters most."""
AGE_WEIGHT = 0.3
"""Taken away of a summary for each year that an article is older than the newest, three at most."""
_OLDEST_YEARS = 3
MAX_ITEMS = 14
N_CONSIDERED = 160
"""Sentences, the best ones, of which items are made."""
SUPPORT_WEIGHT = 0.25
"""For each doubling of the number of articles that say the same."""
FACT_WEIGHT = 0.3
"""For each new figure, name or day that a sentence brings, three at most."""
REPEAT_WEIGHT = 1.0
"""Taken away for being like an item chosen before."""
LENGTH_WEIGHT = 0.012
"""Taken away for each word above `_FREE_WORDS`: room is short."""
_FREE_WORDS = 22
Array = NDArray[np.float32]
SAME_SHARE = 0.65
"""Share of the words of the shorter of two sentences from which they say the same."""
_MIN_TERMS = 4
_SAME_SENSE = 0.72  # cosine that two sentences of one sense have at least
_SAME_FACT = 0.62  # cosine from which two sentences are about the same
_WEAKEST = 0.45  # share of the best sentence's score below which nothing is an item
_MAX_SENTENCE_WORDS = 60


def choose_items(question: Question, ranked: Sequence[Evidence]) -> list[Item]:
    """The items of a broad answer, in the order in which they are to be read.

    Args:
        question: The question; its kind decides choice and order.
        ranked: Sentences that may support an answer, best first.
    """
    pool = [s for s in ranked if _may_be_item(s)][:N_CONSIDERED]
    if not pool or not (question.of_article or _bears(question, pool)):
        return []
    vectors = np.stack([sentence.vector for sentence in pool])
    alike = vectors @ vectors.T
    support = _support(pool, alike)
    best = max(sentence.score for sentence in pool)
    worst = min(sentence.score for sentence in pool)
    value = np.array(
        [
            3 * (sentence.score - worst) / max(best - worst, 1e-6)
            + SUPPORT_WEIGHT * np.log2(1 + n)
            - LENGTH_WEIGHT * max(0, len(sentence.text.split()) - _FREE_WORDS)
            + question.of_article * LEAD_WEIGHT * (1 - sentence.start / len(sentence.article.text))
            - AGE_WEIGHT * min(age, _OLDEST_YEARS)
            for sentence, n, age in zip(pool, support, _ages(question, pool), strict=True)
        ]
    )
    chosen = _chosen(question, pool, value, alike)
    items = [Item(pool[at], *day_of(pool[at]), _others(at, pool, alike, chosen)) for at in chosen]
    return in_order(question, items)


def _may_be_item(sentence: Evidence) -> bool:
    """Whether it is a sentence of its own: no lead-in to a list, no caption, none too long."""
    is_short = len(sentence.text.split()) <= _MAX_SENTENCE_WORDS
    return is_short and not sentence.text.endswith(":") and not sentence.is_caption


def _bears(question: Question, pool: Sequence[Evidence]) -> bool:
    """Whether some sentence has to do with the question, by its sense or by its words.

    Of a subject it is enough that its names stand around one: "a timeline on Healey".
    """
    has_subject = question.kind in _OF_A_SUBJECT and any(
        premise.kind == "name" for premise in question.premises
    )
    return any(
        s.cosine >= MIN_COSINE or s.coverage >= MIN_COVERAGE or (has_subject and not s.lacking)
        for s in pool
    )


def _support(pool: Sequence[Evidence], alike: Array) -> list[int]:
    """How many other stories say much the same."""
    stories = [sentence.story for sentence in pool]
    return [
        len({stories[other] for other in np.flatnonzero(row >= _SAME_FACT)} - {stories[at]})
        for at, row in enumerate(alike)
    ]


def _ages(question: Question, pool: Sequence[Evidence]) -> list[float]:
    """Years by which each is older than the newest, where a summary names no time; else 0."""
    days = [sentence.article.published for sentence in pool]
    newest = max((day for day in days if day), default=None)
    if question.kind is not Kind.SUMMARY or question.periods or newest is None:
        return [0.0] * len(pool)
    return [(newest - day).days / 365 if day else 0.0 for day in days]


def _chosen(question: Question, pool: Sequence[Evidence], value: Array, alike: Array) -> list[int]:
    """Places in the pool, the best first.

    Of a comparison of publishers what several say comes first, then what each says, as much of the
    one as of the other.
    """
    most_words = ARTICLE_WORDS if question.of_article else MAX_WORDS
    if not question.sides:
        return _greedy(question, pool, value, alike, range(len(pool)), most_words, ())
    chosen: list[int] = []
    for side in question.sides:
        own = [at for at, sentence in enumerate(pool) if sentence.article.source == side]
        of_each = most_words // len(question.sides)
        chosen += _greedy(question, pool, value, alike, own, of_each, chosen)
    told_by = {at: publishers([pool[at], *_others(at, pool, alike, chosen)]) for at in chosen}
    shared = {at for at, by in told_by.items() if len(by) > 1}
    return sorted(chosen, key=lambda at: at not in shared)


def _greedy(
    question: Question,
    pool: Sequence[Evidence],
    value: Array,
    alike: Array,
    among: Sequence[int],
    most_words: int,
    before: Sequence[int],
) -> list[int]:
    """Those of `among` that are chosen after the ones chosen before."""
    chosen: list[int] = []
    facts = set(_facts(Analysed(question.text, pool[0].analyzer)))
    n_words = 0
    left = list(among)
    own = [_facts(sentence.read) for sentence in pool]
    key = _grouping(question)
    seen: dict[object, int] = {}

    def gain(at: int) -> float:
        repeat = max((float(alike[at, other]) for other in (*before, *chosen)), default=0.0)
        new = min(len(own[at] - facts), 3)
        crowd = seen.get(key(pool[at]), 0)
        return float(value[at]) - REPEAT_WEIGHT * repeat**2 + FACT_WEIGHT * new - 0.4 * crowd

    while left and len(chosen) < MAX_ITEMS:
        at = max(left, key=gain)
        left.remove(at)
        words = len(pool[at].text.split())
        if chosen and n_words + words > most_words:
            if n_words > most_words - 20:
                break
            continue
        if any(_repeats(pool[at], pool[other], alike[at, other]) for other in (*before, *chosen)):
            continue
        if chosen and value[at] < _WEAKEST * value[chosen[0]] and not question.of_article:
            break
        chosen.append(at)
        n_words += words
        facts.update(own[at])
        seen[key(pool[at])] = seen.get(key(pool[at]), 0) + 1
    return chosen


def _grouping(question: Question) -> Callable[[Evidence], object]:
    """By what items are spread: days for a timeline, else articles."""
    if question.kind is Kind.TIMELINE:
        return lambda sentence: day_of(sentence)[0]
    if question.kind is Kind.COMPARE:
        return lambda sentence: sentence.article.source or sentence.article.article_id
    return lambda sentence: sentence.article.article_id


def _facts(text: Analysed) -> Set[object]:
    """Figures and names that a text states."""
    return text.values | text.names


def _others(
    at: int,
    pool: Sequence[Evidence],
    alike: Array,
    chosen: Sequence[int],
) -> tuple[Evidence, ...]:
    """Up to two sentences of other stories that say much the same."""
    found: dict[str, Evidence] = {}
    for other in np.argsort(-alike[at]).tolist():
        sentence = pool[other]
        if alike[at, other] < _SAME_SENSE or len(found) == 2:
            break
        if (
            other not in chosen
            and sentence.story != pool[at].story
            and _says_the_same(pool[at], sentence)
        ):
            found.setdefault(sentence.story, sentence)
    return tuple(found.values())


def _repeats(one: Evidence, other: Evidence, cosine: float) -> bool:
    """Whether a sentence tells nothing that another has not told, in the same or in other words."""
    return same_statement(one, other) or (
        cosine >= _SAME_SENSE
        and one.read.values <= other.read.values
        and _says_the_same(one, other)
    )


def _says_the_same(one: Evidence, other: Evidence) -> bool:
    """Whether the shorter sentence has most of its words in the other, of the same time.

    Vectors only tell that both speak of one event: "81 people have died" is near to "Here is the
    death toll of the flood".
    """
    if differ_in_time([one.article.published, other.article.published]):
        return False
    terms = set(one.read.content_terms), set(other.read.content_terms)
    shorter, longer = sorted(terms, key=len)
    return len(shorter) >= _MIN_TERMS and len(shorter & longer) >= SAME_SHARE * len(shorter)
