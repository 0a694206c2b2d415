"""The tree of a page: bytes of HTML parsed without scripts, entities of its own, or the network."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Any

from rag.readers.decoding import BOMS, decode
from rag.readers.skipped import UnreadableError

UNREAD = [
    "script",
    "style",
    "noscript",
    "template",
    "svg",
    "iframe",
    "button",
    "select",
    "option",
    "input",
    "textarea",
    "video",
    "audio",
    "canvas",
    "object",
    "embed",
    "head",
    "map",
    "progress",
    "meter",
    "dialog",
]
"""Elements whose text nobody reads as text."""
_NEEDLESS = (*UNREAD, "nav", "footer", "img", "picture", "source", "link", "meta")
_DECLARED = re.compile(
    rb"<(?:meta|\?xml)\b[^>]{0,200}?(?:charset|encoding)\s*=\s*[\"']?([\w-]+)", re.I
)
_HEAD_BYTES = 4096


def parse(data: bytes | str) -> Any:
    """The root element of a page.

    Raises:
        UnreadableError: there is nothing in it.
    """
    from lxml import etree, html

    # As bytes of UTF-8, which libxml2 parses several times as fast as a Python string.
    data = data.encode("utf-8", "replace") if isinstance(data, str) else _as_utf8(data)
    data = data.replace(b"\0", b"")
    if not data.strip():
        raise UnreadableError("empty file")
    parser = html.HTMLParser(
        encoding="utf-8",
        remove_comments=True,
        remove_pis=True,
        no_network=True,
        collect_ids=False,
    )
    try:
        return html.document_fromstring(data, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
        raise UnreadableError(f"not HTML: {error}") from error


def _as_utf8(data: bytes) -> bytes:
    """A page in UTF-8: what its bytes say of their encoding before what the page says of it."""
    if data.startswith(codecs.BOM_UTF8):
        return data[len(codecs.BOM_UTF8) :]
    try:
        if not any(data.startswith(mark) for mark, _ in BOMS):
            data.decode("utf-8")
            return data
        return decode(data).encode("utf-8", "replace")
    except ValueError:
        pass
    declared = _DECLARED.search(data[:_HEAD_BYTES])
    if declared is not None:
        name = declared[1].decode("ascii").lower()
        # As browsers read them: what is declared as one of these is written as Windows-1252.
        name = {"iso-8859-1": "cp1252", "latin-1": "cp1252", "us-ascii": "cp1252"}.get(name, name)
        # A few broken bytes are no reason to guess another encoding.
        try:
            text = data.decode(name, "replace")
        except (LookupError, UnicodeError):
            text = ""
        if text and text.count("\ufffd") * 100 < len(text):
            return text.encode("utf-8", "replace")
    try:
        return decode(data).encode("utf-8", "replace")
    except ValueError as error:
        reason = "binary content" if b"\0" in data else "encoding not recognised"
        raise UnreadableError(reason) from error


def without_needless(root: Any) -> Any:
    """A copy without elements that no article stands in: menus, scripts, pictures."""
    from copy import deepcopy

    from lxml import etree

    lean = deepcopy(root)
    etree.strip_elements(lean, *_NEEDLESS, with_tail=False)
    return lean


def walk(root: Any) -> Any:
    """An iterator of (event, element) that can leave out what is below an element."""
    from lxml import etree

    return etree.iterwalk(root, events=("start", "end"))


def texts(root: Any, path: str) -> Iterator[str]:
    """Texts and attributes that an XPath finds, white space made single, without empty ones."""
    for found in root.xpath(path):
        text = " ".join((found if isinstance(found, str) else found.text_content()).split())
        if text:
            yield text
