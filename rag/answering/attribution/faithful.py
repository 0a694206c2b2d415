"""Whether a sentence says what its sources say: figures, names, no, perhaps, who said it."""

from __future__ import annotations

from collections.abc import Sequence

from rag.answering.attribution.speech import drops_speaker
from rag.answering.evidence import Evidence
from rag.answering.premises import same_name
from rag.text.analysed import Analysed
from rag.text.names import plain, tokens


def grounded(all_terms: Sequence[str], sources: Sequence[Evidence]) -> float:
    """Share of a sentence's words that its sources hold, with what stands just before them.

    An answer repeats the question, so most of its words need no support. But a source that has
    only the one new word, perhaps in its title, says nothing of the rest.
    """
    held = {term for source in sources for term in source.headed.terms | source.before.terms}
    return sum(term in held for term in all_terms) / len(all_terms) if all_terms else 0.0


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
    values = question.values.union(*(text.values for text in read))
    held = (question.words & before).union(*(text.words for text in read))
    # What the question calls by another form of a name, a source may too: "Israeli" for "Israel".
    known = question.names | first
    language = sentence.language
    return (
        sentence.claimed_values <= values
        and all(
            name in held or (name in known and same_name(name, held, language)) for name in named
        )
        and (not sentence.is_negated or denies(sentence, sources))
    )


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


def figures_stand_with_names(
    sentence: Analysed, question: Analysed, sources: Sequence[Evidence]
) -> bool:
    """Whether each new figure of a sentence stands with one of its new names in a source.

    One that has the name and another that has the figure support no sentence on both.
    """
    values = sentence.claimed_values - question.values
    new = sentence.names - question.words
    if not new or len(sources) < 2:
        return True
    return all(
        any(value in source.headed.values and new & source.headed.words for source in sources)
        for value in values
    )


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

    A question that supposes something itself is answered by suppositions, and what somebody is
    said to say ("the mayor said it costs") stays theirs. The clause counts that holds most of what
    is new.
    """
    supposed, keeps = map(sentence.language.pattern, ("attribution.supposed", "speech.keeps"))
    if any(p.search(text.text) for p in (supposed, keeps) for text in (sentence, question)):
        return False
    new = set(wanted)
    for source in sources:
        best = max(source.read.clauses, key=lambda part: len(new & part.terms))
        if supposed.search(best.text):
            return True
    return False


def speaker_dropped(
    sentence: Analysed, question: Analysed, sources: Sequence[Evidence], wanted: Sequence[str]
) -> bool:
    """Whether it tells as a fact what a source only reports somebody to have said."""
    return any(
        drops_speaker(
            sentence,
            question,
            source.read,
            wanted,
            inside_quotation=source.quotation is not None,
        )
        for source in sources
    )
