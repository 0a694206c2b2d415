"""Whether a sentence says what its sources say: figures, names, no, perhaps, who said it."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence, Set
from itertools import pairwise

from rag.answering.attribution.figures_held import changes_held, counts_asked
from rag.answering.attribution.speech import changes_speaker, drops_speaker
from rag.answering.evidence import Evidence
from rag.answering.premise_words import premise_words, same_name
from rag.answering.wanted import counted_values
from rag.text.analysed import Analysed
from rag.text.names import plain, tokens
from rag.text.periods import told_periods

_MIN_THEIRS = 2  # words of a sentence that only the clause on another has
MIN_TOLD = 5
"""Words of a clause that tells something by itself."""


def grounded(all_terms: Sequence[str], sources: Sequence[Evidence]) -> float:
    """Share of a sentence's words that its sources hold, with what stands just before them.

    An answer repeats the question, so most of its words need no support. But a source that has
    only the one new word, perhaps in its title, says nothing of the rest.
    """
    held = {term for source in sources for term in source.headed.terms | source.before.terms}
    return sum(term in held for term in all_terms) / len(all_terms) if all_terms else 0.0


def told(all_terms: Sequence[str], sources: Sequence[Evidence]) -> float:
    """Share of a sentence's words that stand in the source sentences themselves.

    A title that has the words of the question beside a sentence about something else says nothing.
    Days as the calendar has them count, and what stands before "he" or "it".
    """
    own = {term for source in sources for term in source.told.terms}
    return sum(term in own for term in all_terms) / len(all_terms) if all_terms else 0.0


def exact(sentence: Analysed, question: Analysed, sources: Sequence[Evidence]) -> bool:
    """Whether the sources hold its numbers and names, and say no where it does.

    A name of the question counts as supported in the text just before a source ("he" has its name
    there), but not out of thin air: "Lammy met David Lammy in London" does not pass on a caption
    from Kyiv.
    """
    read = [source.headed for source in sources]
    before = {word for source in sources for word in source.before.words}
    # The first word has a capital anyway; that it is a name, the question tells.
    first = {plain(word) for word in tokens(sentence.text)[:1]}
    named = sentence.names | (question.names & first)
    values = question.values.union(*(counted_values(text, question) for text in read))
    held = (question.words & before).union(*(text.words for text in read))
    held |= _first_names(sentence, question.words, held, sources)
    # What the question calls by another form of a name, a source may too: "Israeli" for "Israel".
    known = question.names | first
    language = sentence.language
    return (
        sentence.claimed_values <= values
        and all(
            name in held or (name in known and same_name(name, held, language)) for name in named
        )
        and _ranks_held(sentence, read)
        and outcome_held(sentence, question, sources)
        and _doer_held(sentence, question, sources)
        and _who_held(sentence, question, sources)
        and _days_held(sentence, question, sources)
        and changes_held(sentence, question, sources)
        and _reason_held(sentence, question, sources)
        and _pairs_held(sentence, sources)
        and _doing_held(question, sources)
        and counts_asked(sentence, question, sources)
        and (not sentence.is_negated or denies(sentence, sources))
    )


def _first_names(
    sentence: Analysed, asked: Set[str], held: Set[str], sources: Sequence[Evidence]
) -> frozenset[str]:
    """First names that the question has, of people whom the sources call by the last one alone.

    The article must have both together.
    """
    pairs = [
        (plain(first), plain(last), f"{first} {last}")
        for first, last in pairwise(tokens(sentence.text))
        if first[0].isupper() and last[0].isupper()
    ]
    return frozenset(
        first
        for first, last, both in pairs
        if first in asked and last in held and any(both in s.article.text for s in sources)
    )


def _doing_held(question: Analysed, sources: Sequence[Evidence]) -> bool:
    """Whether the sources have what is asked to be done: "runs", "want".

    A ministry that replaced the head does not run the agency, and what one wants, another does not.
    """
    language = question.language
    asked = language.pattern("questions.doing").search(question.text)
    if not asked or language.pattern("speech.keeps").search(question.text):
        return True
    verb = asked["does"] or asked["do"]
    wanted = set(question.analyzer.content_terms(verb))
    if not wanted or verb in language.words("questions.light_verbs"):
        return True
    events = premise_words(language).events.get(verb)
    return any(
        wanted <= source.headed.terms or (events and events.search(source.headed.text))
        for source in sources
    )


def _ranks_held(sentence: Analysed, read: Sequence[Analysed]) -> bool:
    """Whether the sources have each role and ordinal that a sentence states: "chairman", "fifth".

    The question may have them wrong, and a sentence that repeats them states them.
    """
    rules = premise_words(sentence.language)
    text = " ".join(source.text for source in read)
    ordinals = rules.ordinal.findall(sentence.text) if rules.ordinal else []
    forms = [
        *map(rules.role_forms, rules.roles_in(sentence.text)),
        *map(rules.ordinal_forms, ordinals),
    ]
    return all(form.search(text) for form in forms)


def outcome_held(sentence: Analysed, question: Analysed, sources: Sequence[Evidence]) -> bool:
    """Whether a source says how a case ended, where question or answer do.

    "Charged with fraud" does not say of what somebody was found guilty.
    """
    stated = f"{question.text}\n{sentence.text}"
    titles = (s.article.title for s in sources if "?" not in s.article.title)
    told = "\n".join([*(source.told.text for source in sources), *titles])
    return all(
        re.search(held, told, re.IGNORECASE)
        for asked, held in sentence.language.groups("attribution.outcomes")
        if re.search(asked, stated, re.IGNORECASE)
    )


def _doer_held(sentence: Analysed, question: Analysed, sources: Sequence[Evidence]) -> bool:
    """Whether what somebody's trainer did stays the trainer's: "His trainer had used a spray".

    One of the sources must tell it of somebody else, or name the trainer with it.
    """
    new = set(sentence.content_terms) - question.terms
    return any(not _done_by_theirs(sentence, new, source) for source in sources)


def _done_by_theirs(sentence: Analysed, new: set[str], source: Evidence) -> bool:
    """Whether most that is new in a sentence stands in a clause whose doer it leaves out."""
    terms = sentence.analyzer.terms
    return any(
        sentence.terms.isdisjoint(terms(match["doer"]))
        and 2 * len(new.intersection(terms(source.text[match.end() :]))) > len(new)
        for match in sentence.language.pattern("attribution.whose").finditer(source.text)
    )


def _who_held(sentence: Analysed, question: Analysed, sources: Sequence[Evidence]) -> bool:
    """Whether what a source tells of somebody in a clause of his own stays his.

    "Brian Peck, who served time for the abuse of a star" tells nothing of him whom the question
    names.
    """
    pattern, terms = sentence.language.pattern("attribution.who"), sentence.analyzer.content_terms
    new = set(sentence.content_terms) - question.terms
    theirs: set[str] = set()
    rest: set[str] = set()
    for source in sources:
        text = source.read.text
        rest |= set(terms(pattern.sub(" ", text))) | set(terms(source.article.title))
        for match in pattern.finditer(text):
            if plain(match["who"].split()[-1]) not in sentence.words:
                theirs |= set(terms(match["what"]))
    return len(new & theirs - rest) < _MIN_THEIRS


def _days_held(sentence: Analysed, question: Analysed, sources: Sequence[Evidence]) -> bool:
    """Whether the sources tell each day of the calendar that a sentence names, or just before it.

    The day on which an article appeared is not yet the day of what it tells.
    """
    published = sources[0].article.published or datetime.date.max

    def named(text: Analysed) -> set[datetime.date]:
        found = told_periods(text.text, published, text.language)
        return {p.first for p in found if p.first == p.last and p.strength == "event"}

    claimed = named(sentence)
    if not claimed:
        return True
    told = named(question).union(*(source.told_days for source in sources))
    return claimed <= told or claimed <= told.union(*(named(source.before) for source in sources))


def _reason_held(sentence: Analysed, question: Analysed, sources: Sequence[Evidence]) -> bool:
    """Whether a source gives a reason where the sentence does, for what has happened.

    That one thing came before another is none, nor is what a title tells beside another's reason.
    """
    language = sentence.language
    because, reason = map(language.pattern, ("attribution.because", "questions.reason"))
    if not because.search(sentence.text):
        return True
    events = premise_words(language).events
    asked = [events[word] for word in question.words if word in events]
    happened = {
        term
        for word in tokens(question.text)
        if word.islower() and word not in events
        for term in question.analyzer.content_terms(word)
    }
    return any(
        reason.search(source.read.text)
        and all(event.search(source.told.text) for event in asked)
        and 2 * len(happened & source.told.terms) >= len(happened)
        for source in sources
    )


def _pairs_held(sentence: Analysed, sources: Sequence[Evidence]) -> bool:
    """Whether a source pairs things one by one where the sentence does: "respectively"."""
    pairs = sentence.language.pattern("attribution.pairs")
    return not pairs.search(sentence.text) or any(pairs.search(s.read.text) for s in sources)


def denies(sentence: Analysed, sources: Sequence[Evidence]) -> bool:
    """Whether a source says no in the clause that holds most of what a sentence speaks of.

    "He visited Israel but did not meet Netanyahu" does not deny the visit. Headings do not count.
    """
    terms = set(sentence.content_terms)
    for source in sources:
        parts = [(len(terms & part.terms), part.is_negated) for part in source.read.clauses]
        most = max(count for count, _ in parts)
        if most and all(negated for count, negated in parts if count == most):
            return True
    return False


def turned_round(sentence: Analysed, sources: Sequence[Evidence], wanted: Sequence[str]) -> bool:
    """Whether a source says no to what the sentence states: "did not raise" made "raised"."""
    if sentence.is_negated:
        return False
    new = set(wanted)
    for source in sources:
        parts = [(len(new & part.terms), part) for part in source.read.clauses]
        most = max(count for count, _ in parts)
        if any(part.is_negated for count, part in parts if count == most):
            return True
    return False


def made_real(
    sentence: Analysed, question: Analysed, sources: Sequence[Evidence], wanted: Sequence[str]
) -> bool:
    """Whether it tells as a fact what a source supposes: "if the court rules" made "ruled".

    Nor is a fact what a source only says is to be said: an order, a request, a rule for answers.

    A question that supposes something itself is answered by suppositions, and what somebody is
    said to say ("the mayor said it costs") stays theirs. The clause counts that holds most of what
    is new.
    """
    directed = sentence.language.pattern("attribution.directed")
    if not directed.search(sentence.text) and any(directed.search(s.read.text) for s in sources):
        return True
    supposed, keeps = map(sentence.language.pattern, ("attribution.supposed", "speech.keeps"))
    if any(p.search(text.text) for p in (supposed, keeps) for text in (sentence, question)):
        return False
    new = set(wanted)
    for source in sources:
        best = max(source.read.clauses, key=lambda part: len(new & part.terms))
        # A day behind a comma says nothing by itself: then the sentence counts.
        told = best if len(best.content_terms) >= MIN_TOLD else source.read
        if supposed.search(told.text):
            return True
    return False


def speaker_dropped(
    sentence: Analysed, question: Analysed, sources: Sequence[Evidence], wanted: Sequence[str]
) -> bool:
    """Whether it tells as a fact what a source only reports, or as said by another."""
    return any(
        changes_speaker(sentence, source.read)
        or drops_speaker(
            sentence,
            question,
            source.read,
            wanted,
            inside_quotation=source.quotation is not None,
        )
        for source in sources
    )
