"""A question that leans on the one before, made to stand alone: what is missing, and from where.

A piece ("And in Qatar?") takes the place of its like in the question before; a pronoun takes what
that question was about, and "the bill", or a question with hardly a word of its own, takes all of
it along. In doubt what the question before was about is carried over rather than lost: a word too
many costs a search little, a lost one all. Rules for English.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.chat.clause import Clause
from rag.chat.pieces import with_piece
from rag.chat.referents import (
    PLURAL,
    all_of_it,
    group_meant,
    person_meant,
    place_meant,
    refers_to_all,
    thing_meant,
)
from rag.chat.words import AUXILIARIES, BE, LIGHT, PREPOSITIONS, is_content, is_name, words_of
from rag.text.detect_language import other_language

_OPENING = re.compile(r"^\s*(?:(?:and|but|so|then|ok|okay|also|plus|well)\b[\s,]*)+", re.IGNORECASE)
_COURTESY = re.compile(r"^(?:thanks|thank you|hello|hi|yes|no|please)\W*$", re.IGNORECASE)
_SUBORDINATE = re.compile(
    r"\b(?:that|when|after|before|because|if|why|how|while|where|since|whether|who|which)\b", re.I
)
_PERSONS = re.compile(r"\b(?:he|she|him|his|hers?)\b", re.IGNORECASE)
_GROUP = re.compile(r"\b(?:they|them|theirs?)\b", re.IGNORECASE)
# "Is it true that", "How long does it take": it means nothing.
_THING = re.compile(
    r"\b(?:it|its)\b(?!\s+(?:(?:is|was)\s+)?(?:true|possible|likely|legal|safe|necessary|take"
    r"|takes)\b)",
    re.IGNORECASE,
)
_THIS = re.compile(r"\b(?:this|that)(?=\s*\??$|\s+happen)", re.IGNORECASE)
_SO = re.compile(r"\b(?:did|do|does|done) (?:so\b|(?:it|that|this)(?=\s*\??$))", re.IGNORECASE)
_DO_IT = re.compile(r"\b(?P<do>did|do|does|done) (?:it|that|this)(?=\s*\??$)", re.IGNORECASE)
_PLACE = re.compile(
    r"(?<!\bis )(?<!\bare )(?<!\bwas )(?<!\bwere )\bthere\b(?!\s+(?:is|are|was|were|be|been)\b)",
    re.IGNORECASE,
)
# "that deal": what is meant stands beside it now.
_POINTING = re.compile(r"\b(?:that|this|these|those)\s+(?=[a-z]+(?:\W|$))")
_POSSESSIVE = frozenset("his her its their theirs hers".split())  # noqa: SIM905
_WHERE = frozenset(("in", "at", "on"))
_OBJECT = frozenset("him them".split())  # noqa: SIM905
# Words that hardly say what a question is about.
_GENERAL = LIGHT | frozenset(
    "people person many much more most long old else anyone someone anybody exactly".split()  # noqa: SIM905
)
_MIN_OWN_WORDS = 2


def standalone(question: str, before: str | None, *, told: Sequence[str] = ()) -> str:
    """A question that can be searched by itself.

    Args:
        question: As asked.
        before: The standalone question before it; None for the first.
        told: Names of persons that the answer before gave, in order.

    Returns:
        The question itself where nothing in it leans on the one before.

    Example:
        >>> standalone("And what did he say about Gaza?", "What did Healey urge in Israel?")
        'What did Healey say about Gaza?'
    """
    if before is None:
        return question
    bare = _OPENING.sub("", question.strip(), count=1)
    if _COURTESY.match(bare) or other_language(question, "en"):
        return question
    context = Clause.read(before)
    if not words_of(bare) or not {word.lower() for word in context.topic} - LIGHT:
        return question
    opened = bare != question.strip()
    resolved = with_piece(bare, before, context, opened=opened) or _resolved(bare, context, told)
    return resolved[:1].upper() + resolved[1:] if resolved else question


def _resolved(bare: str, context: Clause, told: Sequence[str]) -> str | None:
    """With what its pronouns mean, and with the topic where that alone says too little."""
    clause = Clause.read(bare)
    put = _Putting(bare, context, told)
    whole = refers_to_all(bare, context) or bool(_SO.search(bare)) or put.with_all
    short = not put.replaced and _is_short(clause)
    if not (put.replaced or whole or short):
        return None
    if whole or short or not _is_enough(clause, put.replaced, context):
        # "Did Labour accept the plan?" has names of its own, and still speaks of that plan.
        return _with_rest(put.text, context, put.used, whole=whole)
    return put.text


class _Putting:
    """A question in which pronouns are being replaced by what they mean.

    Attributes:
        text: The question so far.
        replaced: The pronouns that were replaced, in small letters.
        used: The words that came in, in small letters.
        with_all: Whether "it" is what somebody did, and not a thing.
    """

    def __init__(self, bare: str, context: Clause, told: Sequence[str]) -> None:
        self.text = _DO_IT.sub(r"\g<do> so", bare)
        self.replaced: set[str] = set()
        self.used: set[str] = set()
        self.with_all = False
        self._put(_PERSONS, person_meant(context, told))
        self._put(_GROUP, group_meant(context))
        if thing := _THING.search(self.text):
            meant, with_all = thing_meant(context, self.text, thing)
            self._put(_THING, meant)
            self.with_all = with_all and thing.group().lower() in self.replaced
        self._put(_THIS, all_of_it(context))
        self._put(_PLACE, place_meant(context))

    def _put(self, pattern: re.Pattern[str], meant: str | None) -> None:
        def replacement(match: re.Match[str]) -> str:
            word = match.group().lower()
            if _is_bound(match, word):
                return match.group()
            self.replaced.add(word)
            self.used.update(word.lower() for word in words_of(meant or ""))
            if not (word in _POSSESSIVE and (word != "her" or _owns(match))):
                return meant or ""
            return f"{meant}'" if word == "their" and str(meant).endswith("s") else f"{meant}'s"

        if meant:
            self.text = pattern.sub(replacement, self.text)


def _is_bound(match: re.Match[str], word: str) -> bool:
    """Whether a pronoun means a name that stands before it in the same question."""
    if word in ("there", "this", "that"):
        return False
    ahead = match.string[: match.start()]
    said = words_of(ahead)
    may = word in ("their", "they") and bool(said) and said[-1].lower() not in AUXILIARIES
    if may and any(PLURAL.fullmatch(word) for word in said):
        return True  # "How many employees lost their jobs?"
    if not any(is_name(word) for word in said[1:]):
        return False
    # "Did Lammy meet him?": somebody else. "What did Labour say about it?"
    other = word in _OBJECT or (word == "it" and not match.string[match.end() :].strip(" ?"))
    return not other or _SUBORDINATE.search(ahead.partition(" ")[2]) is not None


def _owns(match: re.Match[str]) -> bool:
    """Whether "her" stands before what is hers."""
    following = words_of(match.string[match.end() :])
    return bool(following) and is_content(following[0])


def _is_short(clause: Clause) -> bool:
    """Whether it has hardly a word of its own: "Who was on board?", "How did markets react?"."""
    things = [phrase for phrase in clause.phrases if phrase.determiner in ("the", "a", "an")]
    defines = clause.auxiliary in BE and clause.asks_for in ("what", "who") and not clause.predicate
    n_own = len(_own_words(clause))
    said = {word.lower() for word in clause.predicate}
    if clause.auxiliary and clause.asks and said and said <= LIGHT:
        return True  # "What did Israel say?"
    return not _own_names(clause) and (
        n_own < _MIN_OWN_WORDS or (n_own == _MIN_OWN_WORDS and not things and not defines)
    )


def _own_names(clause: Clause) -> list[str]:
    return [word for word in (*clause.asked_noun, *clause.words) if is_name(word)]


def _own_words(clause: Clause) -> list[str]:
    return [word for word in clause.topic if word.lower() not in _GENERAL]


def _is_enough(clause: Clause, pronouns: set[str], context: Clause) -> bool:
    """Whether a question says enough once its pronouns are replaced."""
    about = {word.lower() for word in context.topic}
    new = [name for name in _own_names(clause) if name.lower() not in about]
    if new or any(phrase.determiner in ("the", "a", "an") for phrase in clause.phrases):
        return True
    # "How old is she?", "What is her book called?": about the person, whatever happened.
    return clause.auxiliary in BE and (
        bool(pronouns & _POSSESSIVE) or (not clause.predicate and clause.asks_for != "")
    )


def _with_rest(text: str, context: Clause, used: set[str], *, whole: bool) -> str:
    """With what the question before was about and the text does not say yet."""
    present = {word.lower() for word in words_of(text)} | {word.lower() for word in used}
    left = _unsaid(_predicate(context), present)
    if not _said(context.subject, present):
        left = [*context.subject, *left]
    elif not whole and left[:1] == [word for word in left if _is_new(word, present)]:
        left = []  # a verb alone: "begin"
    if not _said(context.asked_noun, present):
        left = [*context.asked_noun, *left]
    aside = "" if _said(words_of(context.aside), present) else context.aside
    body = _POINTING.sub("the ", text.rstrip(" ?.!"))
    if left and left[0].lower() in _WHERE and not aside:
        return f"{body} {' '.join(left)}?"
    rest = "; ".join(part for part in (" ".join(left), aside) if part)
    return f"{body} ({rest})?" if rest else text


def _predicate(context: Clause) -> list[str]:
    """The predicate without a verb that says little, or that leads nowhere: "linked to"."""
    words = list(context.predicate)
    while words and not is_content(words[-1]):
        words = words[:-2] if context.auxiliary in BE else words[:-1]
    while words and words[0].lower() in LIGHT:
        words = words[1:]
    return words


def _unsaid(words: Sequence[str], present: set[str]) -> list[str]:
    """Without the phrases that the text holds already, if they are at its beginning."""
    left = list(words)
    while left and left[0].lower() in PREPOSITIONS:
        end = next((n for n in range(1, len(left)) if left[n].lower() in PREPOSITIONS), len(left))
        if not _said(left[:end], present):
            break
        left = left[end:]
    return [] if _said(left, present) else left


def _is_new(word: str, present: set[str]) -> bool:
    return is_content(word) and word.lower() not in present


def _said(words: Sequence[str], present: set[str]) -> bool:
    return not any(_is_new(word, present) for word in words)
