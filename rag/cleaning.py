"""Cleaning: from the text as read to the text that citations point into.

What was scraped along with an article goes (menus, adverts, photo credits, repeated captions) and
is reported; what the article says stays. In doubt a piece stays: a needless line costs little, a
lost sentence is an answer lost. A text with nothing to clean comes back identical, character for
character. Rules match whole lines, or a bracketed credit at the end of one, never the inside of a
sentence.
"""

from __future__ import annotations

import bisect
import functools
import html
import itertools
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from rag.article import Article
from rag.readers import parse_date

HEAD_LINES = 8
"""Site name, date and by-line are looked for in so many lines with content."""
MAX_TITLE_CHARACTERS = 200
MIN_REPEATED_CHARACTERS = 20
"""Shorter lines may repeat for a reason: a score, a refrain."""
MAX_DEBRIS_CHARACTERS = 300

# Whole lines and bracketed credits; the lists of plain words are in debris.toml.
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

# Invisible characters: controls, soft hyphen, zero-width space and joiners that change nothing,
# byte order mark, and those that turn the direction of what follows. U+200C and U+200D stay, they
# spell words and emoji.
_INVISIBLE = re.compile(
    "[\x80-\x9f]|[\x00-\x08\x0b-\x1f\x7f\u00ad\u200b\u2060\ufeff\ufffc\u202a-\u202e\u2066-\u2069]+"
)
_ENTITY = re.compile(r"&(?:[A-Za-z]{2,8}|#\d{2,5}|#[xX][0-9a-fA-F]{2,5});")
_BLOCKS = "p|br|div|h[1-6]|ul|ol|li|table|tr|td|blockquote|figure|figcaption|section|article"
_BLOCK_TAG = re.compile(rf"</?(?:{_BLOCKS})(?:\s[^<>]{{0,300}})?/?>", re.IGNORECASE)
_INLINE_TAG = re.compile(
    r"</?(?:a|b|i|u|em|strong|span|img|small)(?:\s[^<>]{0,300})?/?>", re.IGNORECASE
)

_DATE_PREFIX = re.compile(r"\s*date[:=]?\s{1,3}(\d{4}-\d\d-\d\d)\s+(?=\S)", re.IGNORECASE)
_TIME = r"(?:,? (?:at )?\d{1,2}[:.]\d\d(?: ?[ap]\.?m\.?)?(?: \(?[A-Z]{2,5}\)?)?)?"
_DATE_LINE = re.compile(
    r"(?P<label>(?:first )?published(?: on| at)?|posted(?: on)?|date)?\s?:?\s?"
    r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?,? )?"
    r"(?P<date>\d{4}-\d\d-\d\d|\d{1,2}(?:st|nd|rd|th)? [a-z]{3,9}\.?,? \d{4}|"
    r"[a-z]{3,9}\.? \d{1,2}(?:st|nd|rd|th)?,? \d{4})" + _TIME,
    re.IGNORECASE,
)
_OUTLET_SHAPE = re.compile(
    r"The (?:[A-Z][a-z]+ ){1,3}(?:Post|Times|Herald|Tribune|Gazette|Chronicle|Telegraph|Journal)"
)
_AGENCY_LINE = re.compile(r"[A-Z][^()]{1,60}\((Reuters|AP|AFP|dpa|Xinhua|ANSA|TASS)\) ?[-–—]")
_BY_LINE = re.compile(r"By ([A-Z][^|,.]{2,50}?) ?[|,–—-] ?(?P<source>[A-Z][\w ]{2,40})")


class Removed(BaseModel):
    """A piece of the text as read that is not in the cleaned text.

    Attributes:
        start: Offset in the text as read, in characters.
        end: Offset behind it.
        text: The piece itself.
        reason: Why it went.
        replacement: What stands in its place: empty, or the one character that an HTML entity or
            a wrongly decoded byte stands for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: int
    end: int
    text: str
    reason: str
    replacement: str = ""


class CleanedArticle(BaseModel):
    """An article with its cleaned text, and what was removed from it.

    Attributes:
        article: With the cleaned text, and title, day and source where the text states them.
        removed: Pieces removed, in order and without overlap: what is between them was kept.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    article: Article
    removed: tuple[Removed, ...] = ()

    def to_cleaned(self, offset: int) -> int | None:
        """Offset in the cleaned text of a character of the text as read; None if it was removed."""
        shift = 0
        for piece in self.removed:
            if offset < piece.start:
                break
            if offset < piece.end:
                return None
            shift += piece.end - piece.start - len(piece.replacement)
        return offset - shift


class _Edit(NamedTuple):
    start: int
    end: int
    reason: str
    replacement: str = ""


class _Line(NamedTuple):
    """A line of the text: `[start, end)` without its newline, and its words."""

    start: int
    end: int
    words: str


def clean(article: Article) -> CleanedArticle:
    """Remove what was scraped along with an article, and find what its head states.

    The title, the day and the source are taken from the text only where the article has none.
    A headline stays in the text; a line that only names the site, or the day, goes.
    """
    raw = article.text
    inline = _inline_edits(raw)
    text = _applied(raw, inline)
    if unicodedata.is_normalized("NFC", raw) and not unicodedata.is_normalized("NFC", text):
        inline, text = [], raw  # what was kept apart would combine: leave it so
    lines = [
        _Line(m.start(), m.end(), " ".join(m[0].split())) for m in re.finditer(r"[^\n]+", text)
    ]
    lines = [line for line in lines if line.words]
    found: dict[str, Any] = {}
    edits = _line_edits(text, lines)
    edits += _head_edits(text, _outside(lines, edits), article, found)
    edits = _with_white_space(text, sorted(edits))
    removed = _in_raw(inline, edits)
    cleaned = _applied(raw, removed)
    if not article.title and not found.get("title"):
        found["title"] = _headline(cleaned)
    pieces = tuple(Removed(text=raw[edit.start : edit.end], **edit._asdict()) for edit in removed)
    return CleanedArticle(
        article=article.model_copy(update={"text": cleaned, **found}), removed=pieces
    )


@functools.cache
def _words() -> dict[str, dict[str, str]]:
    """The lists of debris.toml: what is looked up, without case, to how it is written."""
    lists = tomllib.loads(Path(__file__).with_name("debris.toml").read_text(encoding="utf-8"))
    return {name: {entry.casefold(): entry for entry in entries} for name, entries in lists.items()}


def _inline_edits(text: str) -> list[_Edit]:
    """Invisible characters, entities and tags, in order and without overlap."""
    edits = [
        _Edit(*m.span(), "invisible character", _byte_meant(m[0]))
        for m in _INVISIBLE.finditer(text)
    ]
    if "&" in text:
        for match in _ENTITY.finditer(text):
            meant = html.unescape(match[0])
            # "<" and ">" may be meant as written: an article may show markup.
            if meant == "\xa0" or (len(meant) == 1 and meant.isprintable() and meant not in "<>"):
                edits.append(_Edit(*match.span(), "HTML entity", meant))
    if len(_BLOCK_TAG.findall(text)) >= 2:  # one alone may be what the article is about
        edits += [_Edit(*m.span(), "HTML tag", "\n") for m in _BLOCK_TAG.finditer(text)]
        edits += [_Edit(*m.span(), "HTML tag") for m in _INLINE_TAG.finditer(text)]
    return _without_overlap(edits)


def _byte_meant(character: str) -> str:
    """What a control character of Latin-1 stood for if the text was Windows-1252; else nothing."""
    if not "\x80" <= character <= "\x9f":
        return ""
    return character.encode("latin-1").decode("cp1252", "ignore")


def _line_edits(text: str, lines: Sequence[_Line]) -> list[_Edit]:
    """Lines of debris, credits at the ends of lines, and lines that repeat the one before."""
    edits: list[_Edit] = []
    reasons = [_debris_reason(line.words) for line in lines]
    _add_menus(lines, reasons)
    last_kept = ""
    for line, reason in zip(lines, reasons, strict=True):
        credit = None if reason else _tail_credit(text, line)
        kept = " ".join(text[line.start : credit.start].split()) if credit else line.words
        if reason is None and len(kept) >= MIN_REPEATED_CHARACTERS and kept == last_kept:
            reason = "repeated line"
        if reason:
            edits.append(_Edit(line.start, line.end, reason))
            continue
        if credit:
            edits.append(credit)
        last_kept = kept
    return edits


def _outside(lines: Sequence[_Line], edits: Iterable[_Edit]) -> list[_Line]:
    """Lines that do not go."""
    gone = {edit.start for edit in edits}
    return [line for line in lines if line.start not in gone]


def _debris_reason(words: str) -> str | None:
    """Why a line is never part of an article; None if it may be."""
    if len(words) > MAX_DEBRIS_CHARACTERS:
        return None
    if words.lstrip("»›>| ").rstrip(".:…»›>| ").casefold() in _words()["debris"]:
        return "user interface"
    for reason, pattern in _DEBRIS_LINES:
        if pattern.fullmatch(words):
            return reason
    return None


def _add_menus(lines: Sequence[_Line], reasons: list[str | None]) -> None:
    """Mark menu words that stand next to debris, or three or more together."""
    menu = [line.words.casefold() in _words()["menu"] for line in lines]
    start = 0
    while start < len(lines):
        end = start
        while end < len(lines) and menu[end] and reasons[end] is None:
            end += 1
        beside = (start > 0 and reasons[start - 1]) or (end < len(lines) and reasons[end])
        if end - start >= 3 or (end > start and beside):
            reasons[start:end] = ["menu"] * (end - start)
        start = max(end, start + 1)


def _tail_credit(text: str, line: _Line) -> _Edit | None:
    """A bracketed credit at the end of a line: "… in Kyiv (photo credit: Getty Images)"."""
    if line.words[-1] not in ")]":
        return None
    end = line.start + len(text[line.start : line.end].rstrip())
    opening = "(" if text[end - 1] == ")" else "["
    start = text.rfind(opening, max(line.start, end - MAX_DEBRIS_CHARACTERS), end)
    if start <= line.start or not _TAIL_CREDIT.fullmatch(text[start + 1 : end - 1].strip()):
        return None
    start = line.start + len(text[line.start : start].rstrip())
    return _Edit(start, line.end, "photo credit")


def _head_edits(
    text: str, lines: Sequence[_Line], article: Article, found: dict[str, Any]
) -> list[_Edit]:
    """Put what the first lines state into `found`; lines that only state the source or day go."""
    edits: list[_Edit] = []
    published, source = article.published, article.source
    prefix = _DATE_PREFIX.match(text)
    # "Date 2024-08-02 was a Friday" is a sentence.
    sentence = prefix and text[prefix.end()].islower()
    if prefix and not sentence and (day := parse_date(prefix[1])) and published in (None, day):
        published = day
        edits.append(_Edit(0, prefix.end(), "date of publication"))
    outlets = _words()["outlets"]
    for line in lines[:HEAD_LINES]:
        if len(line.words) > 100:
            source = source or _agency(line.words)
            continue
        name = outlets.get(line.words.casefold())
        if name is None and _OUTLET_SHAPE.fullmatch(line.words):
            name = line.words
        if name and source in (None, name) and line is not lines[-1]:
            source = name
            edits.append(_Edit(line.start, line.end, "name of the site"))
            continue
        stated = _DATE_LINE.fullmatch(line.words)
        if stated and (day := parse_date(stated["date"])) and published in (None, day):
            published = day
            if stated["label"]:
                edits.append(_Edit(line.start, line.end, "date of publication"))
        by = _BY_LINE.fullmatch(line.words)
        if by and by["source"].casefold() in outlets:
            source = source or outlets[by["source"].casefold()]
            found["author"] = article.author or by[1]
        source = source or _agency(line.words)
    found.update(published=published, source=source)
    return edits


def _agency(words: str) -> str | None:
    """The agency that a dateline names: "LONDON, Aug 2 (Reuters) - …"."""
    dateline = _AGENCY_LINE.match(words[:100])
    return dateline[1] if dateline else None


def _headline(text: str) -> str:
    """The first line if it is a headline, else empty; lines with date or author may precede."""
    title, rest = "", text
    for _ in range(HEAD_LINES):
        first, _newline, rest = rest.lstrip().partition("\n")
        title = " ".join(first[:MAX_DEBRIS_CHARACTERS].split())
        if not _DATE_LINE.fullmatch(title) and not _BY_LINE.fullmatch(title):
            break
    body = rest.lstrip()
    if not body or not 3 <= len(title.split()) <= 40 or len(title) > MAX_TITLE_CHARACTERS:
        return ""
    if not (title[0].isalnum() or title[0] in "\"'“‘«") or title[0].islower():
        return ""
    if title.rstrip("\"'”’»)").endswith((".", ",", ";", ":", "…")):
        return ""
    return "" if _is_wrapped(rest) else title


def _is_wrapped(rest: str) -> bool:
    """Whether the first line of a paragraph, of which this is the rest, only ends for its width."""
    if not rest[:1].strip():
        return False
    lines = list(itertools.takewhile(str.strip, rest.split("\n", 12)[:12]))
    n_open = sum(not line.rstrip("\"'”’») ").endswith((".", "!", "?")) for line in lines)
    return lines[0].lstrip()[0].islower() or (len(lines) > 1 and n_open * 2 > len(lines))


def _with_white_space(text: str, edits: Sequence[_Edit]) -> list[_Edit]:
    """The edits, of which runs of whole lines also take the white space that they leave behind."""
    done: list[_Edit] = []
    run: list[_Edit] = []
    for edit in _without_overlap(edits):
        if not _is_whole_line(text, edit):
            done += [*_closed_run(text, run), edit]
            run = []
        elif run and _content_behind(text, run[-1].end) >= edit.start:
            run[-1] = run[-1]._replace(end=edit.start)
            run.append(edit)
        else:
            done += _closed_run(text, run)
            run = [edit]
    return [*done, *_closed_run(text, run)]


def _is_whole_line(text: str, edit: _Edit) -> bool:
    starts = edit.start == 0 or text[edit.start - 1] == "\n"
    return starts and text[edit.end : edit.end + 1] in ("\n", "")


def _closed_run(text: str, run: list[_Edit]) -> list[_Edit]:
    """The run with the line ends around it of which the text no longer has need."""
    if not run:
        return run
    before, after = run[0].start, _content_behind(text, run[-1].end)
    while before > 0 and text[before - 1].isspace():
        before -= 1
    next_line = text.rfind("\n", run[-1].end, after) + 1
    if after == len(text):
        run[0], end = run[0]._replace(start=before), after
    elif before == 0 or text.count("\n", before, run[0].start) > 1:
        run[0], end = run[0]._replace(start=before if before == 0 else run[0].start), next_line
    else:
        end = run[-1].end + 1
    run[-1] = run[-1]._replace(end=end)
    return run


def _content_behind(text: str, offset: int) -> int:
    """Offset of the next character that is not white space; the length of the text if none."""
    while offset < len(text) and text[offset].isspace():
        offset += 1
    return offset


def _without_overlap(edits: Iterable[_Edit]) -> list[_Edit]:
    """Edits in order; of two that overlap the first takes in the second."""
    done: list[_Edit] = []
    for edit in sorted(edits):
        if done and edit.start < done[-1].end:
            done[-1] = done[-1]._replace(end=max(done[-1].end, edit.end))
        else:
            done.append(edit)
    return done


def _applied(text: str, edits: Iterable[_Edit]) -> str:
    parts, last = [], 0
    for edit in edits:
        parts += [text[last : edit.start], edit.replacement]
        last = edit.end
    return "".join([*parts, text[last:]])


def _in_raw(inline: Sequence[_Edit], edits: Sequence[_Edit]) -> list[_Edit]:
    """All edits in offsets of the text as read; `edits` count in the text after `inline`."""
    shifts, starts, ends = [0], [], []  # of the inline edits, in the text after them
    for edit in inline:
        starts.append(edit.start - shifts[-1])
        ends.append(starts[-1] + len(edit.replacement))
        shifts.append(edit.end - ends[-1])
    done: list[_Edit] = []
    next_inline = 0
    for edit in edits:
        first, behind = bisect.bisect_right(ends, edit.start), bisect.bisect_left(starts, edit.end)
        done += inline[next_inline:first]
        start, end = edit.start + shifts[first], edit.end + shifts[behind]
        done.append(edit._replace(start=start, end=end))
        next_inline = behind
    return [*done, *inline[next_inline:]]
