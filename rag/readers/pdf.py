"""PDF: an article a file, with the page that each part of the text stands on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rag.article import Article
from rag.readers.decoding import normalise
from rag.readers.reader import Found, Origin
from rag.readers.skipped import UnreadableError

MAX_PDF_BYTES = 256 * 2**20
_PASSWORD, _FORMAT = 4, 3  # FPDF_ERR_PASSWORD, FPDF_ERR_FORMAT
# pdfium puts U+FFFE for the hyphen of a word that it finds split at the end of a line.
_SPLIT_WORD = re.compile(r"[\ufffe\x02]\s*\n?\s*")


class PdfReader:
    """`.pdf`: the text layer, in reading order."""

    name = "pdf"
    suffixes = (".pdf",)
    max_bytes = MAX_PDF_BYTES

    def fits(self, start: bytes) -> bool:
        """Whether the mark of a PDF stands in its first kilobyte, as viewers ask."""
        return b"%PDF-" in start[:1024]

    def read(self, data: bytes, origin: Origin) -> Iterator[Found]:
        """Its article."""
        if not data.strip(b"\0\t\n\f\r "):
            raise UnreadableError("empty file")
        texts, metadata = _pages(data)
        if not any(text.strip() for text in texts):
            n = len(texts)
            raise UnreadableError(
                f"no text in its {n} page{'s' if n != 1 else ''}: scanned, or made of pictures"
            )
        text, starts = _joined(texts)
        title = metadata.pop("title", "")
        yield (
            None,
            Article(
                article_id=origin.stem,
                title=title if _is_title(title, origin) else "",
                text=text,
                author=metadata.pop("author", None),
                path=origin.path,
                pages=starts,
                metadata=metadata,
            ),
        )


def _pages(data: bytes) -> tuple[list[str], dict[str, Any]]:
    import pypdfium2 as pdfium

    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        raise UnreadableError(_problem(error)) from error
    try:
        texts = []
        for number in range(len(document)):
            try:
                page = document[number]
                part = page.get_textpage()
                texts.append(_cleared(part.get_text_range()))
                part.close()
                page.close()
            except pdfium.PdfiumError:
                texts.append("")  # a broken page; the others are read
        return texts, _metadata(document)
    finally:
        document.close()


def _problem(error: Exception) -> str:
    code = getattr(error, "err_code", None)
    if code == _PASSWORD or "password" in str(error).lower():
        return "encrypted: it opens with a password only"
    if code == _FORMAT or "format" in str(error).lower():
        return "broken: it is no PDF, or damaged"
    return f"broken: {error}"


def _cleared(text: str) -> str:
    text = _SPLIT_WORD.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return normalise(text).replace("\0", "").strip("\n ")


def _metadata(document: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    given = document.get_metadata_dict(skip_empty=True)
    for name, key in (("Title", "title"), ("Author", "author"), ("CreationDate", "created")):
        value = " ".join(normalise(given.get(name, "")).replace("\0", "").split())
        if value:
            found[key] = value
    return found


def _is_title(title: str, origin: Origin) -> bool:
    """Whether a declared title is one, and not the name of a file or a program's default."""
    words = title.split()
    default = title.casefold().startswith(("microsoft word", "untitled"))
    if default or len(words) < 2 or len(title) > 300:
        return False
    return origin.stem.casefold() != title.casefold() and "." not in words[-1][1:-1]


def _joined(texts: list[str]) -> tuple[str, tuple[int, ...]]:
    """All pages as one text, and where each begins in it."""
    parts: list[str] = []
    starts: list[int] = []
    at = 0
    for text in texts:
        starts.append(at)
        if text:
            parts.append(text + "\n")
            at += len(text) + 1
    return "".join(parts).rstrip("\n"), tuple(starts)
