"""Word files: an article each."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from rag.article import Article
from rag.readers.archives import MAX_RATIO, bounded
from rag.readers.decoding import normalise
from rag.readers.html import plain_text
from rag.readers.reader import Found, Origin
from rag.readers.skipped import UnreadableError

MAX_WORD_BYTES = 256 * 2**20
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_DOCUMENT = "word/document.xml"
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_ENTITY = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)


class WordReader:
    """`.docx`: all paragraphs, lists, tables, notes and text boxes."""

    name = "word"
    suffixes = (".docx",)
    max_bytes = MAX_WORD_BYTES

    def fits(self, start: bytes) -> bool:
        """Whether it is a package of Office with a text document in it, as far as it begins."""
        return start.startswith(b"PK\x03\x04") and b"word/document.xml" in start

    def read(self, data: bytes, origin: Origin) -> Iterator[Found]:
        """Its article."""
        import mammoth

        if data.startswith(_OLE):
            raise UnreadableError("encrypted, or an old Word file (.doc) under another name")
        files = _checked(data)
        try:
            found = mammoth.convert_to_html(
                io.BytesIO(_with_formulas(files, data)),
                convert_image=mammoth.images.img_element(lambda _image: {"src": ""}),
                ignore_empty_paragraphs=True,
            )
        except (KeyError, OSError) as error:
            raise UnreadableError(f"broken: {error}") from error
        text = plain_text(f"<html><body>{found.value}</body></html>") if found.value.strip() else ""
        if not text:
            raise UnreadableError("no text in it")
        fields = _properties(files)
        title = fields.pop("title", "")
        yield (
            None,
            Article(
                article_id=origin.stem,
                title=title,
                text=text,
                author=fields.pop("author", None),
                path=origin.path,
                metadata=fields,
            ),
        )


def _checked(data: bytes) -> zipfile.ZipFile:
    """The package, once no part of it is out of bounds or declares entities."""
    try:
        files = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise UnreadableError(f"broken: {error}") from error
    size = sum(info.file_size for info in files.infolist())
    if size > MAX_RATIO * len(data) + 2**24:
        raise UnreadableError(f"unpacks to {size:,} bytes, more than {MAX_RATIO} times its size")
    if _DOCUMENT not in files.namelist() and "[Content_Types].xml" not in files.namelist():
        raise UnreadableError("no Word document in it")
    for info in files.infolist():
        is_xml = info.filename.endswith((".xml", ".rels"))
        if is_xml and _ENTITY.search(bounded(files, info)[:4096]):
            raise UnreadableError("declares entities, which no Word document needs")
    return files


def _with_formulas(files: zipfile.ZipFile, data: bytes) -> bytes:
    """The file with its formulas as text: mammoth passes over them."""
    from lxml import etree

    try:
        document = bounded(files, files.getinfo(_DOCUMENT))
    except KeyError:
        return data
    if b"oMath" not in document:
        return data
    root = etree.fromstring(document, etree.XMLParser(resolve_entities=False, no_network=True))
    for formula in list(root.iter(f"{_MATH}oMath")):
        run = etree.SubElement(formula.getparent(), f"{_WORD}r")
        etree.SubElement(run, f"{_WORD}t").text = _formula(formula)
        run.tail = formula.tail
        formula.getparent().replace(formula, run)
    for paragraph in list(root.iter(f"{_MATH}oMathPara")):
        paragraph.tag = f"{_WORD}ins"  # what may hold runs, and is kept
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as out:
        for info in files.infolist():
            part = etree.tostring(root) if info.filename == _DOCUMENT else bounded(files, info)
            out.writestr(info.filename, part)
    return packed.getvalue()


def _formula(formula: Any) -> str:
    """The signs of a formula in a row, such as `A=πr2`."""
    return " " + "".join(sign.text or "" for sign in formula.iter(f"{_MATH}t")) + " "


def _properties(files: zipfile.ZipFile) -> dict[str, Any]:
    """Title, author and days as the document's properties state them."""
    from lxml import etree

    try:
        info = files.getinfo("docProps/core.xml")
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        root = etree.fromstring(bounded(files, info), parser)
    except (KeyError, etree.XMLSyntaxError, UnreadableError):
        return {}
    found: dict[str, Any] = {}
    names = {"title": "title", "creator": "author", "created": "created", "modified": "updated"}
    for element in root:
        key = names.get(etree.QName(element).localname) if isinstance(element.tag, str) else None
        value = " ".join(normalise(element.text or "").split())
        if key and value:
            found[key] = value
    return found
