"""What a pronoun, or "the bill", means: the parts of the question before that it may stand for."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.chat.clause import Clause
from rag.chat.phrases import LOCATIVE, Phrase, phrases
from rag.chat.words import BE, PARTICIPLE, is_content, is_name, words_of

# What news speaks of again as "the …" once it has been named.
_GENERAL_NOUNS = frozenset(
    """
    bill law act measure deal agreement ceasefire truce treaty pact contract offer plan plans
    project proposal proposals attack attacks strike strikes raid storm hurricane typhoon fire
    wildfire blaze earthquake quake flood floods crash accident disaster outbreak epidemic virus
    disease case trial lawsuit suit ruling decision verdict sentence vote election referendum
    campaign match game final race tournament film movie book novel album song show series prize
    award company firm bank airline chain party government minister team club player actor singer
    author country city town state island man woman couple boy girl children victim victims
    suspect suspects killer shooter gunman attackers survivors protest protests march riot riots
    cuts tariffs talks summit meeting visit trip report study survey scandal investigation inquiry
    building bridge plane ship train boat car vehicle product drug vaccine weapon money funding
    merger takeover sale purchase price ban rule rules order speech statement letter message
    announcement event incident ceremony festival conference shutdown crisis war conflict
    """.split()  # noqa: SIM905
)
_DEFINITE = re.compile(
    r"\b(?:the|this|that|these|those)\s+(?P<noun>[a-z][\w’'-]*)(?P<after>[^?!.]*)", re.UNICODE
)
_ENDS_NOUN = re.compile(
    r"\s*(?:$|[,;]|(?:in|at|to|from|near|into|on|with|for|by|about|against|over|after|before|during"
    r"|and|or|is|are|was|were|has|have|had|will|would|can|could|do|does|did|be|been|not|so|also)\b"
    rf"|(?:{PARTICIPLE.pattern})\b)"
)
_OF_NAME = re.compile(r"\s+(?:of|in|at|between|for|on|against|with)\s+(?:the\s+)?[^\W\d_a-z]")
_DOES = frozenset("did does do will would can could should may might must".split())  # noqa: SIM905
PLURAL = re.compile(r"[a-z]{2,}[^s\W]s|people|children|men|women|police", re.IGNORECASE)
_TOO_LATE = re.compile(r"\b(?:of|in|at|to|from|by|for|on|with|between)\b", re.IGNORECASE)


def refers_to_all(question: str, context: Clause) -> bool:
    """Whether "the bill", "that deal" speaks of what the question before was about."""
    clause = Clause.read(question)
    about = {_stem(word) for word in context.topic}
    names = [word for word in clause.words if is_name(word) and _stem(word) not in about]
    for match in _DEFINITE.finditer(question):
        noun = match["noun"].lower()
        known = _stem(noun) in about
        if _OF_NAME.match(match["after"]):
            continue
        if not (known or (noun in _GENERAL_NOUNS and not names)):
            continue
        if _ENDS_NOUN.match(match["after"]) or (
            clause.auxiliary in _DOES and (known or _one_verb(match["after"]))
        ):
            return True
    return False


def _one_verb(after: str) -> bool:
    """Whether only the verb is left: "the hurricane season begin" is not about a hurricane."""
    words = words_of(after)
    return len(words) < 2 or not is_content(words[1])


def person_meant(context: Clause, told: Sequence[str]) -> str | None:
    """Whom "he" or "she" means.

    Args:
        context: The question before.
        told: Names of persons that the answer to it gave.
    """
    known = {word.lower() for word in context.words}
    new = [name for name in told if not {w.lower() for w in words_of(name)} & known]
    if context.asks_for in ("who", "whom") and new and not _identifies(context):
        return new[0]
    found = [phrase for phrase in context.phrases if phrase.is_person]
    in_subject = [phrase for phrase in found if phrase.end <= len(context.subject)]
    for some in (in_subject, found):
        named = [phrase for phrase in some if phrase.named]
        if named or some:
            return _owner((named or some)[0], context.words)
    return _the_one(context) or (new[0] if new else None)


def group_meant(context: Clause) -> str | None:
    """Whom "they" means."""
    subject = list(context.subject)
    if "and" in subject or _is_plural(subject):
        return " ".join(subject)
    asked = _is_plural(context.asked_noun) or not context.subject
    if asked and (one := _the_one(context, many=True)):
        return one
    people = [phrase for phrase in context.phrases if phrase.is_person]
    return " and ".join(_owner(phrase, context.words) for phrase in people) or None


def thing_meant(context: Clause, question: str, pronoun: re.Match[str]) -> tuple[str | None, bool]:
    """What "it" means in a question, and whether what happened to it belongs to it."""
    ahead = words_of(question[: pronoun.start()])
    clause = Clause.read(question)
    is_subject = bool(ahead) and ahead[-1].lower() == clause.auxiliary
    subject = list(context.subject)
    told = (
        context.asks_for == "what"
        and context.auxiliary in _DOES
        and bool(context.predicate)
        and context.predicate[0].lower() not in ("do", "happen", "mean")
    )
    if told and (not is_subject or _is_plural(subject)):
        return all_of_it(context), False  # "What did thieves steal?" "When was it stolen?"
    if subject and not _is_plural(subject):
        passive = clause.auxiliary in BE and _is_passive(question[pronoun.end() :])
        if (passive or not is_subject) and _is_bare_name(subject):
            other = _thing(context.predicate)
            return other or " ".join(subject), other is None
        return " ".join(subject), False
    if context.asked_noun and not context.auxiliary and not _is_plural(context.asked_noun):
        return _the_one(context), False
    return _thing(context.predicate) or (" ".join(subject) or None), False


def _the_one(context: Clause, *, many: bool = False) -> str | None:
    """The one that was asked for: "the company that bought Skype"."""
    if context.subject or not context.predicate:
        return None
    done = " ".join(context.predicate)
    does = (
        done if context.auxiliary in BE else f"{{}} {' '.join([context.auxiliary, done]).strip()}"
    )
    if context.asked_noun:
        return f"the {' '.join(context.asked_noun)} {does.format('that')}"
    one = "those" if many else "the one"
    return f"{one} {does.format('who')}" if context.asks_for in ("who", "whom") else None


def place_meant(context: Clause) -> str | None:
    """Where "there" is: "in Israel"."""
    for phrase in context.phrases:
        if phrase.preposition in LOCATIVE and phrase.named and not phrase.is_year:
            at = phrase.preposition if phrase.preposition in ("at", "near", "on") else "in"
            return f"{at} {_with_of(phrase, context.words)}"
    return None


def all_of_it(context: Clause) -> str | None:
    """All that the question before was about, as a noun: "what thieves did steal from …"."""
    if not context.words:
        return None
    if context.asks_for == "what" and context.auxiliary in _DOES:
        said = [*context.subject, context.auxiliary, *context.predicate]
        return f"what {' '.join(said)}"
    return " ".join(context.subject) or None


def _identifies(context: Clause) -> bool:
    """Whether it asks who somebody is: "Who is Philipp Navratil?"."""
    return context.auxiliary in BE and any(is_name(word) for word in context.subject[:1])


def _is_bare_name(words: Sequence[str]) -> bool:
    """A name of two words and nothing else: perhaps a person's."""
    return len(words) > 1 and all(is_name(word) for word in words)


def _is_passive(after: str) -> bool:
    """Whether the verb behind it is a participle: "was it stolen"."""
    words = words_of(after)
    first = words[0].lower() if words else ""
    return not first.endswith("ing") and PARTICIPLE.fullmatch(first) is not None


def _thing(words: Sequence[str]) -> str | None:
    """The first thing that is named, or that has an article."""
    for phrase in phrases(words):
        if not phrase.is_year and (phrase.determiner or phrase.named):
            return _with_of(phrase, words)
    return None


def _owner(phrase: Phrase, words: Sequence[str]) -> str:
    """A person's phrase with the "of Nepal" behind it, without a possessive ending."""
    whole = _with_of(phrase, words)
    return re.sub(r"[’']s$", "", whole)


def _with_of(phrase: Phrase, words: Sequence[str]) -> str:
    following = words[phrase.end] if phrase.end < len(words) else ""
    if following.lower() != "of":
        return phrase.text
    after = next((other for other in phrases(words) if other.start == phrase.end + 1), None)
    return f"{phrase.text} of {after.text}" if after else phrase.text


def _is_plural(words: Sequence[str]) -> bool:
    """Whether the head of a noun phrase is plural: "the parents of Coco Gauff"."""
    head = re.split(_TOO_LATE, " ".join(words), maxsplit=1)[0].split()
    return bool(head) and not is_name(head[-1]) and PLURAL.fullmatch(head[-1]) is not None


def _stem(word: str) -> str:
    low = word.lower()
    return low.removesuffix("s") if len(low) > 3 else low
