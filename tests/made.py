"""Small files of the formats that are read, made here: nobody's articles."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

PARAGRAPHS = (
    "The harbour bridge in Osterby closes on Monday for nine weeks of repairs, the council said.",
    "Mayor Lena Holm told reporters that the work would cost 4.2 million crowns and not one more.",
    "Cyclists may use the ferry without paying until the bridge is open again in early summer.",
    "Shop owners on the island fear that fewer customers will come while the work is going on.",
)
TEXT = "\n\n".join(PARAGRAPHS)


def page(
    body: str | None = None,
    *,
    head: str = "",
    title: str = "Harbour bridge to close",
    before: str = "",
    behind: str = "",
) -> str:
    """A news page: navigation, an article, a footer."""
    inner = body if body is not None else "".join(f"<p>{text}</p>" for text in PARAGRAPHS)
    links = "".join(f'<li><a href="/{n}">Section {n}</a></li>' for n in range(12))
    return (
        f"<!DOCTYPE html><html lang='en'><head><title>{title} | Osterby Post</title>{head}</head>"
        f"<body><nav><ul>{links}</ul></nav><main><article><h1>{title}</h1>{before}"
        f'<div class="story-body">{inner}</div>{behind}</article></main>'
        f"<footer><p>© 2024 Osterby Post. All rights reserved.</p></footer></body></html>"
    )


def pdf(pages: Sequence[Sequence[str]], *, title: str = "") -> bytes:
    """A PDF with a line of text for each string."""
    objects: list[bytes] = []

    def add(content: str) -> int:
        objects.append(content.encode("latin-1"))
        return len(objects)

    add("<< /Type /Catalog /Pages 2 0 R >>")
    add("")  # the pages, known later
    font = add("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    kids = []
    for lines in pages:
        marks = "\\()"
        shown = ["".join(f"\\{c}" if c in marks else c for c in text) for text in lines]
        stream = "BT /F1 11 Tf 14 TL 60 780 Td " + " ".join(f"({text}) Tj T*" for text in shown)
        stream += " ET"
        content = add(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
        kids.append(
            add(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842]"
                f" /Resources << /Font << /F1 {font} 0 R >> >> /Contents {content} 0 R >>"
            )
        )
    shown_kids = " ".join(f"{number} 0 R" for number in kids)
    objects[1] = f"<< /Type /Pages /Kids [{shown_kids}] /Count {len(kids)} >>".encode()
    info = add(f"<< /Title ({title}) >>") if title else 0
    out = io.BytesIO()
    out.write(b"%PDF-1.4\n")
    offsets = []
    for number, content_bytes in enumerate(objects, 1):
        offsets.append(out.tell())
        out.write(f"{number} 0 obj\n".encode() + content_bytes + b"\nendobj\n")
    start = out.tell()
    out.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode())
    out.write("".join(f"{offset:010} 00000 n \n" for offset in offsets).encode())
    extra = f" /Info {info} 0 R" if info else ""
    trailer = f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R{extra} >>\nstartxref\n{start}\n"
    out.write(trailer.encode() + b"%%EOF\n")
    return out.getvalue()


_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_MATH = "http://schemas.openxmlformats.org/officeDocument/2006/math"
_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/'
    'content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package'
    '.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override'
    ' PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument'
    '.wordprocessingml.document.main+xml"/></Types>'
)
_RELATIONS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
    'relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/'
    '2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>'
)


def docx(body: str, *, title: str = "", prologue: str = "") -> bytes:
    """A Word file.

    Args:
        body: What stands in `w:body`.
        title: In its properties.
        prologue: Before the document's first element.
    """
    document = (
        f'<?xml version="1.0"?>{prologue}<w:document xmlns:w="{_WORD}" xmlns:m="{_MATH}">'
        f"<w:body>{body}</w:body></w:document>"
    )
    files: dict[str, str | bytes] = {
        "[Content_Types].xml": _TYPES,
        "_rels/.rels": _RELATIONS,
        "word/document.xml": document,
    }
    if title:
        files["docProps/core.xml"] = (
            '<cp:coreProperties xmlns:cp="urn:cp" xmlns:dc="http://purl.org/dc/elements/1.1/">'
            f"<dc:title>{title}</dc:title><dc:creator>Ann Lee</dc:creator></cp:coreProperties>"
        )
    return zipped(files)


def word_paragraphs(texts: Sequence[str]) -> str:
    """Paragraphs for `docx`."""
    return "".join(f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>" for text in texts)


def zipped(files: dict[str, str | bytes]) -> bytes:
    """A zip file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def epub(chapters: dict[str, str]) -> bytes:
    """A book with these documents, in this order."""
    items = "".join(
        f'<item id="c{n}" href="{name}" media-type="application/xhtml+xml"/>'
        for n, name in enumerate(chapters)
    )
    spine = "".join(f'<itemref idref="c{n}"/>' for n in range(len(chapters)))
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Osterby Weekly</dc:title>'
        "<dc:creator>Ann Lee</dc:creator><dc:date>2024-03-02</dc:date></metadata>"
        f"<manifest>{items}</manifest><spine>{spine}</spine></package>"
    )
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="OPS/book.opf"/></rootfiles></container>'
    )
    files: dict[str, str | bytes] = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": container,
        "OPS/book.opf": package,
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in {**files, **{f"OPS/{k}": v for k, v in chapters.items()}}.items():
            archive.writestr(name, content)
    return out.getvalue()


def warc(pages: dict[str, str | bytes], *, gzip: bool = True) -> bytes:
    """A web archive with what a server answered at each address."""
    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter

    out = io.BytesIO()
    writer = WARCWriter(out, gzip=gzip)
    for url, content in pages.items():
        kind = "image/png" if url.endswith(".png") else "text/html; charset=utf-8"
        headers = StatusAndHeaders("200 OK", [("Content-Type", kind)], protocol="HTTP/1.1")
        data = content if isinstance(content, bytes) else content.encode()
        record = writer.create_warc_record(url, "response", io.BytesIO(data), http_headers=headers)
        writer.write_record(record)
        record.raw_stream.close()  # a temporary file
    return out.getvalue()


FEED = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0"><channel><title>Osterby Post</title>
<item><title>Ferry crews &amp;amp; captains vote</title><link>https://example.org/ferry</link>
<guid>ferry-1</guid><author>Bo Ek</author>
<pubDate>Tue, 05 Mar 2024 23:30:00 -0500</pubDate>
<description>&lt;p&gt;Crews of the ferry vote on a strike.&lt;/p&gt;
&lt;p&gt;They want more.&lt;/p&gt;</description></item>
<item><title>Only a title</title><link>https://example.org/empty</link></item>
</channel></rss>
"""

MAIL = b"""From: Ann Lee <ann@example.org>
To: news@example.org
Subject: =?utf-8?q?Harbour_bridge_closes_=E2=80=93_again?=
Date: Fri, 01 Mar 2024 10:15:00 +0100
Message-ID: <1@example.org>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="X"

--X
Content-Type: text/plain; charset="utf-8"

The harbour bridge closes on Monday.
> It was closed last year, too.

--X
Content-Type: text/plain; name="notes.txt"
Content-Disposition: attachment; filename="../notes.txt"

Notes of the mayor.

--X--
"""
