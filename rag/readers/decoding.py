"""Bytes to text: unknown encodings, newlines, Unicode NFC."""

from __future__ import annotations

import codecs
import re
import unicodedata

from rag.readers.skipped import UnreadableError

_ASCII = bytes(range(128))
_BLANKS = b" \t\r\n"
MAX_WESTERN_SHARE = 0.25
"""Share of non-ASCII bytes up to which bytes that are no UTF-8 are taken for Windows-1252."""
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: its mark begins with the one of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What news was written in before UTF-8. A closed list, because a guess among all the code pages
# there are goes wrong on short texts.
_LEGACY_ENCODINGS = (
    *("cp1252", "cp1250", "cp1251", "koi8_r", "cp1253", "cp1254", "cp1255", "cp1256"),
    *("gb18030", "big5", "cp932", "euc_jp", "euc_kr"),
)
_ASCII_NEWLINES = ("\r", "\v", "\f")
_NEWLINES = re.compile(r"\r\n|[\r\v\f\x85\u2028\u2029]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def without_surrogates(text: str) -> str:
    """Text with U+FFFD for each lone surrogate, which no UTF-8 file or database can hold."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def normalise(text: str) -> str:
    r"""Text with `\n` as its only newline and in Unicode NFC; a lone surrogate becomes U+FFFD."""
    if text.isascii() and not any(newline in text for newline in _ASCII_NEWLINES):
        return text  # most texts; the rest takes half of the time of reading them
    text = _NEWLINES.sub("\n", without_surrogates(text))
    return unicodedata.normalize("NFC", text)


def decode(data: bytes) -> str:
    """Text of bytes in an unknown encoding.

    Raises:
        ValueError: the bytes are no text in any of the encodings of `encoding_of`.
    """
    return data.decode(encoding_of(data))


def encoding_of(data: bytes) -> str:
    """The encoding of bytes.

    A byte order mark decides; else UTF-8; else Windows-1252 (and with it Latin-1) where letters
    beyond ASCII are few, as in Western languages; else the likeliest of the encodings that were
    common before, as charset-normalizer tells.

    Raises:
        ValueError: the bytes are no text in any of these.
    """
    for mark, encoding in BOMS:
        if data.startswith(mark):
            data.decode(encoding)
            return encoding
    try:
        data.decode("utf-8")
        return "utf-8"
    except UnicodeDecodeError:
        if b"\0" in data:
            raise
    # Not left to charset-normalizer, which takes "£" for Polish or Japanese: of the 646 articles
    # of corpora/bbc.jsonl beyond ASCII, written as Windows-1252, it read 407 right. This rule is
    # right on all such texts by its making, and wrong on a text in another encoding with as few
    # letters beyond ASCII; how often that happens is not measured.
    if len(data.translate(None, _ASCII)) <= MAX_WESTERN_SHARE * len(data.translate(None, _BLANKS)):
        try:
            data.decode("cp1252")
            return "cp1252"
        except UnicodeDecodeError:
            pass  # five bytes mean nothing in it
    from charset_normalizer import from_bytes

    best = from_bytes(data, cp_isolation=list(_LEGACY_ENCODINGS)).best()
    if best is None:
        raise ValueError("no known encoding")
    data.decode(best.encoding)
    return best.encoding


def text_of(data: bytes) -> str:
    """Normalised text of bytes, which may turn out to be no text."""
    try:
        text = decode(data)
    except ValueError as error:
        reason = "binary content" if b"\0" in data else "encoding not recognised"
        raise UnreadableError(reason) from error
    suspicious = not text.replace("\n", "").isprintable()
    if suspicious and ("\0" in text or len(_CONTROL.findall(text)) * 10 > len(text)):
        raise UnreadableError("binary content")
    return normalise(text)
