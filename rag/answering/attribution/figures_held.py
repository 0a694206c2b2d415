"""Whether the figures of a sentence are those of its sources: of the same thing and person."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from rag.answering.evidence import Evidence
from rag.answering.figures import groups_in, is_date, unit_of
from rag.answering.premise_words import premise_words
from rag.text.analysed import Analysed
from rag.text.names import named_at
from rag.text.numbers import Number

Value = tuple[float, bool]
"""A figure, and whether it is a share."""
DAY_SHARE = 0.75
"""Share of the words of a question for a day that its source must hold, without the title."""


def counts_asked(sentence: Analysed, question: Analysed, sources: Sequence[Evidence]) -> bool:
    """Whether its figures count what is asked for, where a source has several.

    Of "482 delays and 141 cancellations" the first is not how many were cancelled.
    """
    language = question.language
    asks = language.pattern("disagreement.asks_figure").search(question.text)
    if not asks:
        return True
    beside = question.text[asks.end() :]
    asked = {*question.analyzer.content_terms(beside), *groups_in(beside, language)}
    for source in sources:
        ours: list[bool] = []
        others: list[bool] = []
        for number in source.read.numbers:
            if number.key in question.values or is_date(source.read, number):
                continue
            told = ours if number.key in sentence.values else others
            told.append(not asked.isdisjoint(unit_of(source.read, number)))
        if ours and others and any(others) and not any(ours):
            return False
    return True


def changes_held(sentence: Analysed, question: Analysed, sources: Sequence[Evidence]) -> bool:
    """Whether one source has both figures of each change, and not the other way round.

    Of a toll of 129 in one report and of 104 in an older one nobody said that it fell.
    """
    return all(
        any(
            {before, after} <= source.headed.values and (after, before) not in _changes(source.read)
            for source in sources
        )
        for before, after in _changes(sentence)
        if not {before, after} <= question.values
    )


def _changes(text: Analysed) -> set[tuple[Value, Value]]:
    """Figures that a text joins as "from … to …", or "to … from …": before and after."""
    risen, reached = map(text.language.pattern, ("attribution.from", "attribution.to"))
    found: set[tuple[Value, Value]] = set()
    for one, two in pairwise(text.numbers):
        lead, joint = text.text[: one.start], text.text[one.end : two.start]
        if risen.search(lead) and reached.fullmatch(joint):
            found.add((one.key, two.key))
        if reached.search(lead) and risen.fullmatch(joint):
            found.add((two.key, one.key))
    return found


def figures_stand_with_names(
    sentence: Analysed, question: Analysed, sources: Sequence[Evidence]
) -> bool:
    """Whether each new figure of a sentence stands with one of its new names in a source.

    One that has the name and another that has the figure support no sentence on both; nor, where a
    day is asked for, one that has the day and not what happened, with whom, in it or just before
    it.
    """
    values = sentence.claimed_values - question.values
    new = sentence.names - question.words - premise_words(sentence.language).free
    if not values:
        return True
    if question.language.pattern("disagreement.asks_day").search(question.text):
        asked = set(question.content_terms)
        return any(
            values <= source.headed.values
            and new <= source.headed.words | source.before.words
            and len(asked & (source.read.terms | source.before.terms)) >= DAY_SHARE * len(asked)
            for source in sources
        )
    if not new:
        return len(sources) > 1 or not _nearer_another(sentence, question, sources[0])
    if len(sources) == 1:
        return bool(new & sources[0].read.words) or not _of_another(sentence, question, sources[0])
    return all(
        any(value in source.headed.values and new & source.headed.words for source in sources)
        for value in values
    )


def _of_another(sentence: Analysed, question: Analysed, source: Evidence) -> bool:
    """Whether a figure stands with a name that the sentence has not: that of another.

    "Lady Gaga, who leads with 12" does not say so of her of whom the heading speaks.
    """
    values = sentence.claimed_values - question.values
    before: frozenset[str] = frozenset()
    for clause in source.read.clauses:
        others = (before | clause.names) - question.words - sentence.words
        if values & clause.values and others:
            return True
        before = clause.names
    return False


def _nearer_another(sentence: Analysed, question: Analysed, source: Evidence) -> bool:
    """Whether a figure stands beside another's name, and the name asked for beside another figure.

    "A 100% tariff in India and a nearly 300% tariff in Canada" gives India no 300%.
    """
    named = named_at(source.text)
    if not named:
        return False
    nearest = {
        number.key: min((_apart(at, number), name) for at, name in named)[1]
        for number in source.read.numbers
    }
    known = question.words | sentence.words | premise_words(question.language).free
    claimed = sentence.claimed_values - question.values
    theirs = {name for key, name in nearest.items() if key not in claimed}
    return not theirs.isdisjoint(question.words) and any(
        name not in known for key, name in nearest.items() if key in claimed
    )


def _apart(at: int, number: Number) -> int:
    """Characters between a figure and a word."""
    return at - number.end if at >= number.end else number.start - at
