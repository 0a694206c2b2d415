"""Debris: lines and bracketed credits that are no part of an article.

The patterns stand here, the lists of plain words in debris.toml.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path

from rag.cleaning.edits import Edit, Line

MIN_REPEATED_CHARACTERS = 20
"""Shorter lines may repeat for a reason: a score, a refrain."""
MAX_DEBRIS_CHARACTERS = 300

# Parts of the patterns.
_UI = (
    "menu|control|controls|nav|navbar|navigation|btn|button|icon|toggle|header|footer|sidebar|"
    "close|open|search|share|social|widget|banner|modal|popup|login|logo|dropdown|overlay|main|bar"
)
_PLATFORM = "facebook|twitter|x|whatsapp|linkedin|instagram|youtube|telegram|reddit|tiktok|email"
_AGENCY = "getty images|reuters|afp|ap|epa|epa-efe|shutterstock|alamy|bloomberg|flash90|anadolu"
# "photo credit: …", "Photo by …"; without "credit" only where an agency or a stroke shows that
# names follow, because "Image: Zelenskyy in Kyiv" is a caption.
_CREDIT = (
    r"(?:(?:(?:file )?(?:photo|image|picture|video|illustration)s? (?:credits?|source|courtesy)|"
    r"credits?|courtesy)(?: of)? ?: ?[^!?;:]{1,100}[^!?;:.]|"
    r"(?:file )?(?:photo|image|picture)s?(?: (?:by|courtesy of) | ?: ?)"
    rf"(?:[^!?;:]{{2,60}}/[^!?;:]{{2,60}}|(?:[\w.'’-]+ ){{0,4}}(?:{_AGENCY})))"
)
# Matched against whole lines, white space made single.
_DEBRIS_LINES = tuple(
    (reason, re.compile(pattern, re.IGNORECASE))
    for reason, pattern in (
        ("symbol", r"[×✕✖✗⨉•·▪●◦‣|]+"),
        ("user interface", rf"(?:{_UI})(?:[-_](?:{_UI}))+"),
        ("user interface", r"(?:e-?mail|password|username|your e-?mail(?: address)?) ?[:*]"),
        ("advertisement", r"advertisement ?[-–—:.] ?(?:scroll|article|story|continue)[^.!?]{0,60}"),
        ("user interface", r"loading ?(?:\.{2,3}|…)"),
        ("user interface", r"\d[\d,.]* (?:comments?|shares?|likes?|views?|min(?:ute)?s? read)"),
        ("copyright", r"(?:copyright ?)?©.{0,150}"),
        ("copyright", r"(?:copyright ?(?:\(c\))?|\(c\)) ?(?:19|20)\d\d\b.{0,150}"),
        ("copyright", r"[^.!?]{0,100}[.,]? ?all rights reserved\.?"),
        (
            "follow us",
            rf"(?:follow|like|join|find) us on (?:{_PLATFORM}|social media)\b[^.!?]{{0,80}}[.!]?",
        ),
        (
            "newsletter",
            r"(?:sign up|subscribe|register)\b[^.!?]{0,60}\bnewsletters?\b[^.!?]{0,60}[.!]?",
        ),
        (
            "link",
            r"(?:read (?:more|also|next)|see also|also read|related|more on this story) ?: .+",
        ),
        (
            "paywall",
            r"(?:please )?(?:log ?in|sign in|subscribe|register|create an?(?: free)? account)\b"
            r"[^.!?]{0,60} to (?:continue|read|unlock|keep reading|view|access)\b[^.!?]{0,60}[.!]?",
        ),
        (
            "paywall",
            r"(?:this|the full) (?:article|story|content|text) is (?:only )?(?:available )?"
            r"(?:only )?(?:for|to) (?:paying |registered )?"
            r"(?:subscribers|members|users)(?: only)?\.?",
        ),
        ("share buttons", r"(?:like|enjoyed) this (?:story|article|post)\? share it\b.{0,60}"),
        (
            "reporting credit",
            r"\(?reporting by [^!?]{3,200}\b(?:editing|writing|additional reporting) by "
            r"[^!?]{3,200}",
        ),
        (
            "share buttons",
            rf"share (?:this (?:article|story|post|page) )?(?:on|via) (?:{_PLATFORM})",
        ),
        ("share buttons", rf"(?:(?:{_PLATFORM}|share|print|copy link)(?: ?[|,·•/] ?| |$)){{3,}}"),
        ("cookie banner", r"(?:we|(?:this|our) (?:web)?site) uses? (?:[\w,]+ ){0,4}cookies\b.*"),
        (
            "cookie banner",
            r"by (?:continuing|using|clicking)\b.{0,100}\b(?:use|accept)\b.{0,60}cookies.*",
        ),
        ("user interface", r"(?:please )?(?:enable|turn on) javascript\b.*"),
        (
            "user interface",
            r"(?:your browser does not support|javascript is (?:disabled|required)).*",
        ),
        ("photo credit", rf"{_CREDIT}|\({_CREDIT}\)|\[{_CREDIT}\]"),
        (
            "photo credit",
            rf"[(\[]?(?:[^()\[\]!?;]{{2,60}}/ ?)(?:{_AGENCY})(?:/[\w ]{{2,30}})?[)\]]?",
        ),
        ("photo credit", r"(?:[\w.' -]{2,60} via )?getty images(?:/[\w ]{2,40})?"),
    )
)
_TAIL_CREDIT = re.compile(_CREDIT, re.IGNORECASE)


@functools.cache
def word_lists() -> dict[str, dict[str, str]]:
    """The lists of debris.toml by name: what is looked up, without case, to how it is written."""
    lists = tomllib.loads(Path(__file__).with_name("debris.toml").read_text(encoding="utf-8"))
    return {name: {entry.casefold(): entry for entry in entries} for name, entries in lists.items()}


def line_edits(text: str, lines: Sequence[Line]) -> list[Edit]:
    """Lines of debris, credits at the ends of lines, and lines that repeat the one before."""
    edits: list[Edit] = []
    reasons = [_debris_reason(line.words) for line in lines]
    _add_menus(lines, reasons)
    last_kept = ""
    for line, reason in zip(lines, reasons, strict=True):
        credit = None if reason else _tail_credit(text, line)
        kept = " ".join(text[line.start : credit.start].split()) if credit else line.words
        if reason is None and len(kept) >= MIN_REPEATED_CHARACTERS and kept == last_kept:
            reason = "repeated line"
        if reason:
            edits.append(Edit(line.start, line.end, reason))
            continue
        if credit:
            edits.append(credit)
        last_kept = kept
    return edits


def _debris_reason(words: str) -> str | None:
    """Why a line is never part of an article; None if it may be."""
    if len(words) > MAX_DEBRIS_CHARACTERS:
        return None
    if words.lstrip("»›>| ").rstrip(".:…»›>| ").casefold() in word_lists()["debris"]:
        return "user interface"
    for reason, pattern in _DEBRIS_LINES:
        if pattern.fullmatch(words):
            return reason
    return None


def _add_menus(lines: Sequence[Line], reasons: list[str | None]) -> None:
    """Mark menu words that stand next to debris, or three or more together."""
    menu = [line.words.casefold() in word_lists()["menu"] for line in lines]
    start = 0
    while start < len(lines):
        end = start
        while end < len(lines) and menu[end] and reasons[end] is None:
            end += 1
        beside = (start > 0 and reasons[start - 1]) or (end < len(lines) and reasons[end])
        if end - start >= 3 or (end > start and beside):
            reasons[start:end] = ["menu"] * (end - start)
        start = max(end, start + 1)


def _tail_credit(text: str, line: Line) -> Edit | None:
    """A bracketed credit at the end of a line: "… in Kyiv (photo credit: Getty Images)"."""
    if line.words[-1] not in ")]":
        return None
    end = line.start + len(text[line.start : line.end].rstrip())
    opening = "(" if text[end - 1] == ")" else "["
    start = text.rfind(opening, max(line.start, end - MAX_DEBRIS_CHARACTERS), end)
    if start <= line.start or not _TAIL_CREDIT.fullmatch(text[start + 1 : end - 1].strip()):
        return None
    start = line.start + len(text[line.start : start].rstrip())
    return Edit(start, line.end, "photo credit")
