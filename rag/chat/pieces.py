"""Questions that are only a piece of one: "And in Qatar?", "Since when?", "Best director?"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.chat.clause import Clause
from rag.chat.phrases import Phrase, phrases
from rag.chat.referents import refers_to_all
from rag.chat.words import (
    ASKING,
    AUXILIARIES,
    BE,
    PARTICIPLE,
    PREPOSITIONS,
    PRONOUNS,
    is_content,
    is_name,
    words_of,
)

_ABOUT = re.compile(r"^(?:what|how)\s+about\s+", re.IGNORECASE)
_MAX_WORDS = 6
_ARGUMENTS = frozenset("who whom what which".split())  # noqa: SIM905
_SIDES = ("in favour of", "in favor of", "in favour", "in favor", "against", "for")
_SIDE = re.compile(rf"\b(?:{'|'.join(_SIDES)})\b", re.IGNORECASE)
_YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d\b")
_YEAR_BEFORE = re.compile(
    r"(?:in )?(?:the (?:year before|previous year|year earlier)|a year (?:before|earlier))",
    re.IGNORECASE,
)
_YEAR_AFTER = re.compile(
    r"(?:in )?(?:the (?:year after|next year|following year|year later)|a year (?:after|later))",
    re.IGNORECASE,
)
_OWNS = re.compile(r"[’']s?$")
# Words that begin an order or stand for a whole answer; with them it is no piece.
_ORDERS = frozenset(
    """
    list tell give name describe summarize summarise explain show compare find please yes no thanks
    thank hello hi more continue
    """.split()  # noqa: SIM905
)
_TO_WHAT = frozenset("did does do has have had will can could would should".split())  # noqa: SIM905


def with_piece(bare: str, before: str, context: Clause, *, opened: bool) -> str | None:
    """The question before with a piece of it exchanged or added; None if it is no piece.

    Args:
        bare: The question without an "And" at its beginning.
        before: The standalone question before it.
        context: The same, taken apart.
        opened: Whether there was such an "And".
    """
    about = _ABOUT.match(bare)
    piece = words_of(bare[about.end() :] if about else bare)
    if not piece or len(piece) > _MAX_WORDS or piece[0].lower() in _ORDERS:
        return None
    before = before.rstrip(" ?.!")
    clause = Clause.read(" ".join(piece))
    if clause.asks:
        return _asked(piece, clause, before, context)
    if clause.auxiliary or {word.lower() for word in piece} & (AUXILIARIES | PRONOUNS):
        return None
    for pattern, years in ((_YEAR_BEFORE, -1), (_YEAR_AFTER, 1)):
        if pattern.fullmatch(" ".join(piece)):
            return _other_year(before, years)
    if piece[0].lower() in PREPOSITIONS:
        return _with_preposition(piece, before)
    if opened or about:
        return _with_noun(piece, before, sure=True)
    if all(is_name(word) for word in piece) or not refers_to_all(bare, context):
        return _with_noun(piece, before, sure=all(is_name(word) for word in piece))
    return None


def _asked(piece: Sequence[str], clause: Clause, before: str, context: Clause) -> str | None:
    """A piece that asks: "Why?", "How deep?", "Who in favour?", "When did France?"."""
    if clause.auxiliary:
        # What it did is in the question before.
        named = clause.words and all(
            is_name(word) or word.lower() in ("the", "of") for word in clause.words
        )
        if clause.auxiliary not in _TO_WHAT or not named or not (context.words):
            return None
        done = context.predicate or (context.words if not context.auxiliary else ())
        if not context.auxiliary or context.asked_noun:  # "Which countries have recognised …?"
            done = tuple(context.words)
        return f"{' '.join([*piece, *done])}?" if done else None
    rest = list(clause.predicate)
    side = _SIDE.search(" ".join(rest))
    if rest and side and side.group() == " ".join(rest):
        return _other_side(before, side.group())
    asks_with = clause.asks_for
    is_bare = not rest or (asks_with in ("what", "which") and clause.asks[0].lower() != asks_with)
    if asks_with == "how" and not rest and len(piece) > 1 and _same_asking(piece, context):
        words = words_of(before)
        return f"{' '.join([*piece, *words[len(piece) :]])}?"
    if not is_bare and not _counts(piece, clause):
        return _done_else(clause, before, context)
    return f"{_with_asking(piece, context, before)}?"


def _counts(piece: Sequence[str], clause: Clause) -> bool:
    """Whether one noun stands behind what it asks with: "How many women"."""
    noun = clause.predicate[:1]
    return (
        clause.asks_for == "how"
        and len(piece) == 3
        and bool(noun)
        and not PARTICIPLE.fullmatch(noun[0])
    )


def _done_else(clause: Clause, before: str, context: Clause) -> str | None:
    """A participle, "And how many injured?", in the place of "killed"."""
    ours, theirs = clause.predicate[:1], context.predicate[:1]
    if (
        clause.asks_for != "how"
        or len(clause.predicate) != 1
        or context.auxiliary not in BE
        or not theirs
        or not PARTICIPLE.fullmatch(ours[0])
        or not PARTICIPLE.fullmatch(theirs[0])
    ):
        return None
    words = words_of(before)
    return f"{' '.join(ours[0] if word == theirs[0] else word for word in words)}?"


def _same_asking(piece: Sequence[str], context: Clause) -> bool:
    return context.asks_for == "how" and len(context.asks) >= len(piece)


def _with_asking(piece: Sequence[str], context: Clause, before: str) -> str:
    """The question before with other words to ask with."""
    asking = " ".join(piece)
    adverbial = not context.asks or context.asks_for not in _ARGUMENTS
    if context.auxiliary and (adverbial or not context.asked_noun) and not _asks_subject(context):
        words = context.words
        counted = asking.lower().endswith(("how many", "how much"))
        n = _bare_plural(words) if counted else 0
        return " ".join([asking, *words[:n], context.auxiliary, *words[n:]])
    return f"{asking}, and {before[:1].lower() + before[1:]}"


def _asks_subject(context: Clause) -> bool:
    """Whether it asks who or what something is: there is nothing else to ask of it."""
    return context.asks_for in _ARGUMENTS and not (context.subject and context.predicate)


def _bare_plural(words: Sequence[str]) -> int:
    """How many words a plural at the beginning has: "stores of Walgreens closing"."""
    if not words or not words[0].endswith("s") or is_name(words[0]):
        return 0
    if len(words) > 2 and words[1].lower() == "of":
        end = 2
        while end < len(words) and is_name(words[end]):
            end += 1
        return end
    return 1


def _other_side(before: str, side: str) -> str | None:
    found = _SIDE.search(before)
    if not found:
        return None
    preposition = f"{side} of" if side.startswith("in ") and not side.endswith("of") else side
    return f"{before[: found.start()]}{preposition}{before[found.end() :]}?"


def _other_year(before: str, years: int) -> str | None:
    found = list(_YEAR.finditer(before))
    if not found:
        return None
    last = found[-1]
    return f"{before[: last.start()]}{int(last.group()) + years}{before[last.end() :]}?"


def _with_preposition(piece: Sequence[str], before: str) -> str:
    """A piece such as "And in Qatar?" in the place of "in Israel", "and from Switzerland?"."""
    preposition, rest = piece[0].lower(), list(piece[1:])
    words = words_of(before)
    new = phrases(rest)
    wanted = new[0] if new else None
    if not rest or wanted is None:
        return f"{before} {' '.join(piece)}?"
    alike = [old for old in phrases(words) if old.preposition and _same_kind(old, wanted)]
    same = [old for old in alike if old.preposition == preposition]
    if not same and preposition in ("about", "with", "for", "against"):
        same = [old for old in phrases(words) if old.preposition == preposition]
    if not same and wanted.is_year:
        same = [old for old in phrases(words) if old.is_year]
    if not same:
        return f"{before} {preposition} {' '.join(rest)}?"
    return _exchanged(words, same[-1], rest)


def _with_noun(piece: Sequence[str], before: str, *, sure: bool) -> str | None:
    """A noun, such as "Best director?", in the place of its like, "best film"."""
    words = words_of(before)
    if _OWNS.search(piece[-1]):
        for n, word in enumerate(words):
            if _OWNS.search(word):
                start = n - (n > 0 and words[n - 1].lower() == piece[0].lower())
                return f"{' '.join([*words[:start], *piece, *words[n + 1 :]])}?"
    for start in range(len(words) - len(piece) + 1):
        old = words[start : start + len(piece)]
        if _aligned(old, piece):
            new = [piece[0].lower() if old[0].islower() else piece[0], *piece[1:]]
            return f"{' '.join([*words[:start], *new, *words[start + len(piece) :]])}?"
    if not sure:
        return None
    return _in_place_of_its_like(piece, before, words)


def _in_place_of_its_like(piece: Sequence[str], before: str, words: Sequence[str]) -> str:
    new = phrases(piece)
    wanted = new[0] if new else None
    skip = 1 if words and words[0].lower() in ASKING | AUXILIARIES else 0
    found = [old for old in phrases(words) if old.start >= skip]
    if wanted is not None:
        alike = [old for old in found if _same_kind(old, wanted)]
        free = [old for old in alike if not old.preposition] or alike
        if free:
            chosen = free[-1] if wanted.is_year or not wanted.named else free[0]
            return _exchanged(words, chosen, piece)
    return f"{before}, {' '.join(piece)}?"


def _aligned(old: Sequence[str], piece: Sequence[str]) -> bool:
    """Whether a stretch of words differs from a piece in one: "best film", "best director"."""
    same = [one.lower() == two.lower() for one, two in zip(old, piece, strict=True)]
    shared = [word for word, alike in zip(old, same, strict=True) if alike and is_content(word)]
    changed = [word for word, alike in zip(old, same, strict=True) if not alike]
    return bool(shared) and len(changed) == 1 and is_content(changed[0])


def _same_kind(old: Phrase, new: Phrase) -> bool:
    return old.is_year == new.is_year and old.named == new.named


def _exchanged(words: Sequence[str], old: Phrase, new: Sequence[str]) -> str:
    start = old.start
    if not old.named or old.determiner:
        first = new[0].lower() == old.determiner
        keeps = old.determiner and not old.named and not is_name(new[0])
        start = old.start if first else old.start + bool(keeps)
    return f"{' '.join([*words[:start], *new, *words[old.end :]])}?"
