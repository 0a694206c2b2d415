"""Yes or no: a verdict of the language model stands only where a source sentence bears it out.

"Yes" needs a source that states what the question asks: nearly all of its words (all but names in
the sentence itself or its heading), its names and figures, not negated, not as a plan or a claim.
"No" needs one that denies it. Where the question asks for any, what names one bears out "yes".
Where no source does, the verdict is left out, and what the model wrote behind it is checked like
any other sentence.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import NamedTuple

from rag.answering.attribution import Attribution, Status
from rag.answering.attribution.faithful import denies, exact, grounded, speaker_dropped
from rag.answering.evidence import Evidence
from rag.answering.premise_words import premise_words, same_name
from rag.text.analysed import Analysed
from rag.text.language import Language
from rag.text.names import plain, tokens

DECIDING_SHARE = 0.8
"""Share of the question's words that the deciding sentence holds, with what stands around it."""
NAMING_SHARE = 0.5
"""Share of the question's words that must stand in a sentence that names one of "any"."""


class Verdict(NamedTuple):
    """What a sentence of the model says to a question of yes or no.

    Attributes:
        is_yes: Whether it says yes.
        word: The verdict itself, as a sentence.
        rest: What it says behind that, as a sentence; may be empty.
    """

    is_yes: bool
    word: str
    rest: str

    def contradicts_itself(self, question: Analysed) -> bool:
        """Whether it says yes, and then that it is not so."""
        return self.is_yes and Analysed(self.rest, question.analyzer).is_negated

    def only_repeats(self, question: Analysed) -> bool:
        """Whether what follows the verdict says no more than the question with it."""
        rest = Analysed(self.rest, question.analyzer)
        return (
            question.terms.issuperset(rest.content_terms)
            and rest.claimed_values <= question.values
            and (not rest.content_terms or rest.is_negated is not self.is_yes)
        )


def read_verdict(sentence: str, language: Language) -> Verdict | None:
    """The verdict that a sentence begins with; None where it begins with none."""
    for is_yes, name in ((True, "questions.yes"), (False, "questions.no")):
        if match := language.pattern(name).match(sentence):
            rest = sentence[match.end() :]
            word = match.group().strip(" ,;:–—.!")
            return Verdict(is_yes, f"{word}.", rest[:1].upper() + rest[1:])
    return None


def decides(
    verdict: Verdict, question: Analysed, evidence: Sequence[Evidence]
) -> Attribution | None:
    """The source sentence that bears a verdict out; None where there is none.

    Args:
        verdict: What the model says.
        question: The question.
        evidence: Source sentences, best first.
    """
    # "Did he not go?": yes and no may mean the same.
    if question.is_negated or verdict.contradicts_itself(question):
        return None
    terms = question.content_terms
    names = {term for name in question.names for term in question.analyzer.terms(name)}
    predicate = [term for term in terms if term not in names]
    unreal = question.language.pattern("questions.unreal")
    asks_state = question.language.pattern("questions.state").search(question.text)
    asks_unreal = unreal.search(question.text[:1].lower() + question.text[1:])
    for source in evidence:
        if grounded(terms, [source]) < DECIDING_SHARE or not exact(question, question, [source]):
            continue
        # Who it is may stand before; what is asked of them stands here.
        if not source.headed.terms.issuperset(predicate):
            continue
        if _done_by_another(question, source, predicate):
            continue
        if asks_state and not _in_that_form(question, names, source):
            continue
        # Where the heading has to help, it must not ask or guess either.
        by_itself = source.read.terms.issuperset(predicate)
        read = source.read if by_itself else source.headed
        if not asks_unreal and (
            unreal.search(read.text) or not _told_as_done(read, question, predicate)
        ):
            continue
        # What the question asks after stands in the source, not only in the question.
        if not question.claimed_values <= source.headed.values:
            continue
        says_so = not read.is_negated if verdict.is_yes else denies(question, [source])
        if says_so and not speaker_dropped(question, question, [source], terms):
            return Attribution(Status.SUPPORTED, (source,), 1.0)
    return None


def _in_that_form(question: Analysed, names: Set[str], source: Evidence) -> bool:
    """Whether the words for a state stand there as they are asked: "open", not "opened"."""
    asked = [
        word
        for word in question.words
        if (terms := question.analyzer.content_terms(word)) and not set(terms) <= names
    ]
    held = source.headed.words
    return all(not held.isdisjoint((word, f"{word}s", word.rstrip("s"))) for word in asked)


def _done_by_another(question: Analysed, source: Evidence, predicate: Sequence[str]) -> bool:
    """Whether it stands there with another's name, and without one that the question has.

    "ABC suspended the show after CBS cancelled another" does not say that ABC cancelled it.
    """
    asked = set(predicate)
    clause = max(source.read.clauses, key=lambda part: len(asked & part.terms))
    lacking = any(
        not same_name(name, source.read.words, question.language) for name in question.names
    )
    rules = premise_words(question.language)
    return lacking and bool(clause.names - question.words - rules.free)


def names_one(verdict: Verdict, question: Analysed) -> bool:
    """Whether what follows "yes" names somebody or a number of what the question asks for any of.

    "Yes, Clay Higgins voted against it." That the sources say so is checked elsewhere.
    """
    rest = Analysed(verdict.rest, question.analyzer)
    if not verdict.is_yes or rest.is_negated or question.is_negated:
        return False
    if not question.language.pattern("questions.any").search(question.text):
        return False
    asked = set(question.content_terms)
    new = {plain(word) for word in tokens(rest.text) if word[0].isupper()} - question.words
    return bool(new or rest.claimed_values - question.values) and (
        len(asked & rest.terms) >= NAMING_SHARE * len(asked)
    )


def _told_as_done(text: Analysed, question: Analysed, predicate: Sequence[str]) -> bool:
    """Whether what is asked is told as done: not only as "to fire", not only as "the rulings".

    Nor as "nominations" where "nominated" is asked.
    """
    language, terms = text.language, text.analyzer.terms
    not_done, noun = map(language.pattern, ("questions.not_done", "questions.noun"))
    asked_as_noun = set(terms(" ".join(noun.findall(question.text))))
    told = not_done.sub(" ", text.text)
    done, without_nouns = set(terms(told)), set(terms(noun.sub(" ", told)))
    return all(
        term in (done if term in asked_as_noun else without_nouns)
        for term in predicate
        if term in text.terms
    )
