"""Mail: a message is an article, and so are the files attached to it; mailboxes of messages."""

from __future__ import annotations

import codecs
import email
import email.policy
import email.utils
import re
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from typing import IO, Any

from rag.article import Article
from rag.readers.dates import parse_date
from rag.readers.decoding import normalise, text_of
from rag.readers.html import page_article, plain_text
from rag.readers.reader import START_BYTES, Found, Member, Origin, without_head
from rag.readers.skipped import UnreadableError

MAX_MAIL_BYTES = 64 * 2**20
_HEADERS = re.compile(
    rb"(?:received|return-path|message-id|delivered-to|mime-version|x-mozilla-status|date|from"
    rb"|subject|to|x-[a-z-]+|dkim-signature|arc-[a-z-]+|content-type):[ \t]"
)
_PLAIN_SHARE = 0.5  # of the letters of the HTML part: a shorter plain part only says to look there
_MAX_PARTS = 200


ReadAttached = Callable[[str, bytes, Origin], Iterator[Found]]
"""Reads an attached file, by its name, if it is of a known format."""


class MailReader:
    """`.eml`: subject, day and sender from the headers; the text from the plain or HTML part.

    Args:
        read_attached: Reads the files attached.
    """

    name = "mail"
    suffixes = (".eml",)
    max_bytes = MAX_MAIL_BYTES

    def __init__(self, read_attached: ReadAttached) -> None:
        self._read_attached = read_attached

    def fits(self, start: bytes) -> bool:
        """Whether it begins with two header lines of a message."""
        lines = without_head(start).split(b"\n")[:2]
        return len(lines) == 2 and all(_HEADERS.match(line) for line in lines)

    def read(self, data: bytes, origin: Origin) -> Iterator[Found]:
        """The message, and the files attached to it."""
        message = _parsed(data)
        text = _text(message)
        if text.strip():
            yield None, _article(message, text, origin)
        attached = list(_attached(message, origin, self._read_attached)) if origin.depth < 3 else []
        if not text.strip() and not attached:
            raise UnreadableError("a message without text")
        yield from attached


class MhtmlReader:
    """`.mhtml`: a web page saved as a message, with its pictures as parts."""

    name = "mhtml"
    suffixes = (".mhtml", ".mht")
    max_bytes = MAX_MAIL_BYTES

    def fits(self, start: bytes) -> bool:
        """Whether it says that a browser saved it."""
        head = start.lower()
        return re.match(rb'from: [<"]?saved by', head) is not None

    def read(self, data: bytes, origin: Origin) -> Iterator[Found]:
        """The article of its page."""
        message = _parsed(data)
        page = next(
            (part for part in _walk(message) if part.get_content_type() == "text/html"), None
        )
        if page is None:
            raise UnreadableError("no page in it")
        address = _header(page, "Content-Location") or _header(message, "Snapshot-Content-Location")
        url = address if address and address.startswith("http") else origin.url
        yield None, page_article(_decoded(page), article_id=origin.stem, path=origin.path, url=url)


class Mailbox:
    """`.mbox`: messages one after the other, each behind a line `From …`."""

    name = "mailbox"
    suffixes = (".mbox",)

    def fits(self, start: bytes) -> bool:
        """Whether it begins as the first message of a mailbox does."""
        return start.startswith(b"From ") and bool(
            _HEADERS.match(start.partition(b"\n")[2].lower())
        )

    def members(self, stream: IO[bytes]) -> Iterator[Member]:
        """Its messages."""
        number, size, lines = 0, 0, list[bytes]()
        blank = True
        for line in stream:
            if blank and line.startswith(b"From "):
                if number:
                    yield _member(number, lines, size)
                number, size, lines = number + 1, 0, []
            elif number:
                size += len(line)
                if size <= MAX_MAIL_BYTES:
                    lines.append(line[1:] if line.startswith(b">From ") else line)
            blank = not line.strip()
        if not number:
            raise UnreadableError("no message in it")
        yield _member(number, lines, size)


def _member(number: int, lines: list[bytes], size: int) -> Member:
    if size > MAX_MAIL_BYTES:
        problem = f"too big: {size:,} bytes, at most {MAX_MAIL_BYTES:,}"
        return Member("", None, problem, number=number)
    return Member("", b"".join(lines), hint=".eml", number=number)


def _parsed(data: bytes) -> EmailMessage:
    if not data.strip():
        raise UnreadableError("only white space" if data else "empty file")
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise UnreadableError("a message of Outlook (.msg) under another name")
    data = _as_bytes_of_text(data)
    if b"\0" in data[:START_BYTES]:
        raise UnreadableError("binary content")
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    if not any(_HEADERS.match(f"{name}: ".lower().encode("utf-8", "replace")) for name in message):
        raise UnreadableError("no message: it has no headers")
    return message


def _as_bytes_of_text(data: bytes) -> bytes:
    """A message as it was sent, where an editor saved it as text in UTF-16 or with a mark."""
    start = data[:64]
    for encoding, is_it in (
        ("utf-8-sig", start.startswith(codecs.BOM_UTF8)),
        ("utf-16", start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))),
        ("utf-16-le", start[1::2].count(0) > 24),
        ("utf-16-be", start[::2].count(0) > 24),
    ):
        if is_it:
            return data.decode(encoding, "replace").encode("utf-8", "replace")
    return data


def _walk(message: EmailMessage) -> Iterator[EmailMessage]:
    for number, part in enumerate(message.walk()):
        if number >= _MAX_PARTS:
            return
        if isinstance(part, EmailMessage) and not part.is_multipart():
            yield part


def _header(message: EmailMessage, name: str) -> str | None:
    try:
        value = message[name]
        text = " ".join(normalise(str(value)).split()) if value is not None else ""
    except (ValueError, TypeError, AttributeError, IndexError, KeyError, LookupError):
        # What the parser of headers raises on broken ones; what they say as it stands.
        raw = next((v for k, v in message.raw_items() if k.lower() == name.lower()), "")
        text = " ".join(normalise(str(raw)).split())
    return text or None


def _decoded(part: EmailMessage) -> str:
    """The text of a part, whatever it says of its encoding."""
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return ""
    charset = part.get_param("charset")
    if isinstance(charset, str):
        try:
            return data.decode(charset)
        except (LookupError, UnicodeError, ValueError):
            pass
    try:
        return text_of(data)
    except UnreadableError:
        return data.decode("utf-8", "replace")


def _is_attached(part: EmailMessage) -> bool:
    disposition = (part.get("Content-Disposition") or "") if part else ""
    return str(disposition).lower().startswith("attachment")


def _text(message: EmailMessage) -> str:
    """The plain text, or that of the HTML where the plain one says little of it."""
    plain = "\n\n".join(_texts(message, "text/plain"))
    markup = list(_texts(message, "text/html"))
    if markup:
        shown = "\n\n".join(filter(None, map(_shown, markup)))
        if len("".join(plain.split())) < _PLAIN_SHARE * len("".join(shown.split())):
            return shown
    return normalise(plain).strip()


def _texts(message: EmailMessage, kind: str) -> Iterator[str]:
    for part in _walk(message):
        if part.get_content_type() == kind and not _is_attached(part):
            text = _decoded(part)
            if text.strip():
                yield text


def _shown(markup: str) -> str:
    try:
        return plain_text(markup)
    except UnreadableError:
        return ""


def _article(message: EmailMessage, text: str, origin: Origin) -> Article:
    sender = _header(message, "From")
    name, address = email.utils.parseaddr(sender or "")
    written = _header(message, "Date")
    published = parse_date(written) if written else None
    metadata: dict[str, Any] = {}
    if published is not None:
        metadata["published_from"] = "mail header Date"
    if written:
        metadata["published"] = written
    for header, key in (("To", "to"), ("Message-ID", "message_id"), ("List-Id", "list")):
        value = _header(message, header)
        if value:
            metadata[key] = value[:500]
    return Article(
        article_id=origin.stem,
        title=_header(message, "Subject") or "",
        text=text,
        published=published,
        author=name or address or sender,
        path=origin.path,
        metadata=metadata,
    )


def _attached(
    message: EmailMessage, origin: Origin, read_attached: ReadAttached
) -> Iterator[Found]:
    """The articles of attached files that are of a known format."""
    for part in _walk(message):
        name = _file_name(part)
        if not name or not (_is_attached(part) or part.get_content_maintype() != "text"):
            continue
        data = part.get_payload(decode=True)
        if not isinstance(data, bytes):
            continue
        inner = Origin(f"{origin.path}/{name}", depth=origin.depth + 1)
        for _, found in read_attached(name, data, inner):
            yield None, found if isinstance(found, Article) else f"{name}: {found}"


def _file_name(part: EmailMessage) -> str | None:
    try:
        name = part.get_filename()
    except (ValueError, TypeError, LookupError, AttributeError):
        return None
    name = re.split(r"[/\\]", name)[-1] if name else None
    return " ".join(name.split()) if name else None
