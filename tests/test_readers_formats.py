"""Formats: what each comes to, and the contract that every reader keeps."""

from __future__ import annotations

import datetime
import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest

from rag.article import Article
from rag.cleaning import clean
from rag.readers import KNOWN_SUFFIXES, Skipped, read_sources
from rag.readers.formats import CONTAINERS, READERS, format_of, read_file
from rag.readers.reader import Format, Origin
from tests.made import (
    FEED,
    MAIL,
    PARAGRAPHS,
    TEXT,
    docx,
    epub,
    page,
    pdf,
    warc,
    word_paragraphs,
    zipped,
)
from tests.support import as_articles, as_skipped

SAMPLES = {
    "a.txt": TEXT.encode(),
    "a.html": page().encode(),
    "a.md": f"# Bridge\n\n{TEXT}".encode(),
    "a.json": json.dumps([{"id": "2", "text": TEXT}]).encode(),
    "a.pdf": pdf([PARAGRAPHS]),
    "a.docx": docx(word_paragraphs(PARAGRAPHS)),
    "a.eml": MAIL,
    "a.xml": FEED.encode(),
    "a.epub": epub({"one.xhtml": f"<html><body><h1>One</h1><p>{TEXT}</p></body></html>"}),
    "a.mhtml": b'From: <Saved by Blink>\r\nContent-Type: text/html; charset="utf-8"\r\n\r\n'
    + page().encode(),
}
ALL = {
    **SAMPLES,
    "a.csv": f'title,text\nBridge,"{PARAGRAPHS[0]}"\n'.encode(),
    "a.jsonl": (json.dumps({"id": "1", "text": TEXT}) + "\n").encode(),
    "a.mbox": b"From ann Fri Mar  1 10:15:00 2024\n" + MAIL,
    "a.zip": zipped({"in/b.html": page()}),
    "a.txt.gz": gzip.compress(TEXT.encode()),
    "a.warc.gz": warc({"https://example.org/bridge": page()}),
}


def read(folder: Path) -> list[Article | Skipped]:
    return list(read_sources(["."], folder))


def write(folder: Path, **files: str | bytes) -> None:
    for name, data in files.items():
        (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())


def only(folder: Path, name: str, data: str | bytes) -> list[Article]:
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    return as_articles(read(folder))


# The contract


@pytest.mark.parametrize("reader", [*READERS, *CONTAINERS], ids=lambda reader: reader.name)
def test_every_format_has_a_name_and_endings_of_its_own(reader: Format) -> None:
    assert re.fullmatch(r"[a-z]+", reader.name)
    assert reader.suffixes
    assert all(re.fullmatch(r"(\.[a-z0-9]+)+", end) for end in reader.suffixes)
    others = {
        end for other in (*READERS, *CONTAINERS) if other is not reader for end in other.suffixes
    }
    assert others.isdisjoint(reader.suffixes)
    assert set(reader.suffixes) <= set(KNOWN_SUFFIXES)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_reader_yields_articles_in_nfc_that_name_their_file(name: str) -> None:
    kind = format_of(name, SAMPLES[name][:4096])
    assert kind is not None
    found = [item for _, item in read_file(kind, SAMPLES[name], Origin(f"news/{name}"))]
    articles = [item for item in found if isinstance(item, Article)]
    assert articles
    for article in articles:
        assert article.path is not None
        assert article.path.startswith(f"news/{name}")
        assert article.article_id
        assert article.text.strip()
        assert "\r" not in article.text
        assert list(article.pages) == sorted(article.pages)
        cleaned = clean(article).article
        assert all(0 <= start <= len(cleaned.text) for start in cleaned.pages)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("data", [b"", b" \n", b"\0" * 64, b"\xff\xfe\0\xd8garbage", b"PK\x03\x04"])
def test_a_reader_says_why_there_is_no_article(name: str, data: bytes) -> None:
    kind = format_of(name, data)
    if kind in {reader.name for reader in READERS}:
        found = [item for _, item in read_file(kind, data, Origin(name))]
        assert found
        assert all(isinstance(item, str) and item for item in found)


@pytest.mark.parametrize("name", ALL)
def test_every_format_is_read_from_a_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(ALL[name])
    found = [item for item in read(tmp_path) if isinstance(item, Article)]
    assert found
    assert all(article.path and article.path.startswith(name) for article in found)
    assert any("bridge" in article.text or "ferry" in article.text for article in found)


@pytest.mark.parametrize(
    ("name", "data", "format_"),
    [
        ("story.txt", page().encode(), "html"),
        ("story", b"%PDF-1.7 ...", "pdf"),
        ("story.php", page().encode(), "html"),
        ("story.html", FEED.encode(), "feed"),
        ("letter.txt", MAIL, "text"),
        ("12345", MAIL, "mail"),
        ("x.docx", b"\xd0\xcf\x11\xe0", "word"),
        ("x.png", b"\x89PNG", None),
    ],
)
def test_content_comes_before_the_name(name: str, data: bytes, format_: str | None) -> None:
    assert format_of(name, data) == format_


# One by one


def test_pdf_pages_headers_and_split_words(tmp_path: Path) -> None:
    lines = [
        ["Osterby Post, 1 March 2024", *PARAGRAPHS[:2], "page 1"],
        ["Osterby Post, 1 March 2024", *PARAGRAPHS[2:], "page 2"],
        ["Osterby Post, 1 March 2024", "The last page ends here.", "page 3"],
    ]
    (article,) = only(tmp_path, "bridge.pdf", pdf(lines, title="Harbour bridge to close"))
    article = clean(article).article
    assert article.title == "Harbour bridge to close"
    assert "Osterby Post" not in article.text
    assert "page 1" not in article.text
    where = [article.page_at(article.text.index(text)) for text in (*PARAGRAPHS, "The last page")]
    assert where == [1, 1, 2, 2, 3]


def test_pdf_that_cannot_be_read_is_named_with_its_reason(tmp_path: Path) -> None:
    write(tmp_path, **{"a.pdf": b"", "b.pdf": b"%PDF-1.4 broken", "c.pdf": pdf([[], []])})
    assert [(item.path, item.reason) for item in as_skipped(read(tmp_path))] == [
        ("a.pdf", "empty file"),
        ("b.pdf", "broken: it is no PDF, or damaged"),
        ("c.pdf", "no text in its 2 pages: scanned, or made of pictures"),
    ]


def test_word_tables_formulas_and_properties(tmp_path: Path) -> None:
    cell = "<w:tc><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:tc>"
    rows = "".join(
        f"<w:tr>{cell.format(a)}{cell.format(b)}</w:tr>" for a, b in (("Reds", 12), ("Blues", 9))
    )
    formula = "<w:p><m:oMath><m:r><m:t>A=πr</m:t></m:r></m:oMath></w:p>"
    body = word_paragraphs(PARAGRAPHS) + f"<w:tbl>{rows}</w:tbl>{formula}"
    (article,) = only(tmp_path, "bridge.docx", docx(body, title="Harbour bridge to close"))
    assert article.text == f"{TEXT}\n\nReds\t12\n\nBlues\t9\n\nA=πr"
    assert (article.title, article.author) == ("Harbour bridge to close", "Ann Lee")


def test_word_files_that_declare_entities_are_refused(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE d [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>'
    write(tmp_path, **{"a.docx": docx(word_paragraphs(["&b;"]), prologue=bomb)})
    assert [item.reason for item in as_skipped(read(tmp_path))] == [
        "declares entities, which no Word document needs"
    ]


def test_mail_with_attachment(tmp_path: Path) -> None:
    message, attached = only(tmp_path, "m.eml", MAIL)
    assert message.title == "Harbour bridge closes – again"
    assert message.text == "The harbour bridge closes on Monday.\n> It was closed last year, too."
    assert message.published == datetime.date(2024, 3, 1)
    assert message.metadata["published_from"] == "mail header Date"
    assert message.author == "Ann Lee"
    assert (attached.path, attached.text) == ("m.eml/notes.txt", "Notes of the mayor.\n")


def test_mailbox_messages_have_numbers(tmp_path: Path) -> None:
    mbox = b"".join(b"From a Fri Mar  1 10:15:00 2024\n" + MAIL + b"\n" for _ in range(1))
    mbox += b"From b Fri Mar  1 10:15:00 2024\nSubject: Empty\n\n\n"
    mbox += b"From c Fri Mar  1 10:15:00 2024\nSubject: Last\n\n>From here on it rains.\n"
    (tmp_path / "box.mbox").write_bytes(mbox)
    found = read(tmp_path)
    assert [(item.article_id, item.path) for item in found if isinstance(item, Article)] == [
        ("box-1", "box.mbox"),
        ("notes", "box.mbox/notes.txt"),
        ("box-3", "box.mbox"),
    ]
    assert isinstance(found[-1], Article)
    assert found[-1].text == "From here on it rains."
    assert [item for item in found if isinstance(item, Skipped)] == [
        Skipped(path="box.mbox", line=2, reason="a message without text")
    ]


def test_feed_entries(tmp_path: Path) -> None:
    (tmp_path / "feed.xml").write_text(FEED, encoding="utf-8")
    article, skipped = read(tmp_path)
    assert article == Article(
        article_id="ferry-1",
        title="Ferry crews & captains vote",
        text="Crews of the ferry vote on a strike.\n\nThey want more.",
        published=datetime.date(2024, 3, 5),
        source="Osterby Post",
        author="Bo Ek",
        url="https://example.org/ferry",
        path="feed.xml",
        metadata={
            "published_from": "feed published",
            "published": "Tue, 05 Mar 2024 23:30:00 -0500",
        },
    )
    assert skipped == Skipped(path="feed.xml", line=2, reason="an entry without text")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_csv_dialects(tmp_path: Path, delimiter: str, encoding: str, newline: str) -> None:
    said = f'“It is {delimiter} closed,” said "Holm".\nFor good?'
    rows = [
        ["Headline", "Body", "Date", "Section"],
        ["Bridge closes", said, "2024-03-01", "local"],
        ["", "", "", ""],
        ["Ferry", "Crews vote.", "", "wörld"],
    ]
    quoted = [delimiter.join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    (tmp_path / "export.csv").write_bytes((newline.join(quoted) + newline).encode(encoding))
    first, second = as_articles(read(tmp_path))
    assert first.title == "Bridge closes"
    assert first.text == said
    assert first.published == datetime.date(2024, 3, 1)
    assert first.metadata == {"Section": "local"}
    assert (second.text, second.metadata, second.path) == (
        "Crews vote.",
        {"Section": "wörld"},
        "export.csv",
    )


def test_csv_without_text_says_what_it_has(tmp_path: Path) -> None:
    (tmp_path / "cups.csv").write_text("Team;Cups\nReds;3\n", encoding="utf-8")
    assert [item.reason for item in as_skipped(read(tmp_path))] == [
        "no column of text (columns: Team, Cups)"
    ]


def test_html_of_a_json_line(tmp_path: Path) -> None:
    head = '<meta property="article:published_time" content="2024-03-01T10:00:00Z">'
    line = {"id": "1", "html": page(head=head), "source": "Post", "section": "local"}
    (tmp_path / "a.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    (article,) = as_articles(read(tmp_path))
    assert (article.text, article.title, article.source) == (
        TEXT,
        "Harbour bridge to close",
        "Post",
    )
    assert article.published == datetime.date(2024, 3, 1)
    assert article.metadata["published_from"] == "meta article:published_time"
    assert article.metadata["section"] == "local"
    assert "html" not in article.metadata


@pytest.mark.parametrize(
    ("data", "ids"),
    [
        ({"id": 7, "text": TEXT}, ["7"]),
        ([{"id": "a", "text": TEXT}, {"id": "b", "html": page()}], ["a", "b"]),
        ({"count": 2, "articles": [{"id": "a", "text": TEXT}, {"id": "b", "text": TEXT}]},
         ["a", "b"]),
    ],
)  # fmt: skip
def test_json_is_an_article_or_a_list_of_them(tmp_path: Path, data: Any, ids: list[str]) -> None:
    found = only(tmp_path, "export.json", json.dumps(data))
    assert [article.article_id for article in found] == ids


def test_lines_of_json_may_be_called_json(tmp_path: Path) -> None:
    lines = "".join(json.dumps({"id": str(n), "text": TEXT}) + "\n" for n in range(3))
    found = only(tmp_path, "export.json", lines)
    assert [article.article_id for article in found] == ["0", "1", "2"]


def test_json_that_is_no_article_is_skipped_with_its_reason(tmp_path: Path) -> None:
    write(tmp_path, **{"a.json": '{"name": "x", "lists": [1], "more": [2]}', "b.json": "{broken"})
    (tmp_path / "c.json").write_text(json.dumps([{"id": "1", "text": TEXT}, {"title": "x"}, 3]))
    found = read(tmp_path)
    assert [item.article_id for item in found if isinstance(item, Article)] == ["1"]
    reasons = [item.reason for item in found if isinstance(item, Skipped)]
    assert [reason.partition(":")[0] for reason in reasons] == [
        "no field `text`", "not JSON", "no field `text`", "not a JSON object but int",
    ]  # fmt: skip


def test_markdown_front_matter(tmp_path: Path) -> None:
    source = (
        "---\ntitle: 'Bridge closes'\ndate: 2024-03-01\nauthor: Ann Lee\ntopic: roads\n---\n"
        "# Bridge closes\n\nThe **bridge** [closes](https://example.org) on Monday.\n\n"
        "- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    )
    (article,) = only(tmp_path, "a.md", source)
    assert article.text == "The bridge closes on Monday.\n\none\n\ntwo\n\na\tb\n\n1\t2"
    assert (article.title, article.author) == ("Bridge closes", "Ann Lee")
    assert article.published == datetime.date(2024, 3, 1)
    assert article.metadata == {"topic": "roads", "published_from": "front matter date"}


def test_books_have_an_article_a_document(tmp_path: Path) -> None:
    chapters = {
        "cover.xhtml": "<html><body><p>Osterby Weekly</p></body></html>",
        "one.xhtml": f"<html><body><h1>Bridge closes</h1><p>{TEXT}</p></body></html>",
        "two.xhtml": f"<html><body><h2>Ferry</h2><p>{TEXT} And so on.</p></body></html>",
    }
    first, second = only(tmp_path, "weekly.epub", epub(chapters))
    assert (first.title, first.source, first.author) == (
        "Bridge closes",
        "Osterby Weekly",
        "Ann Lee",
    )
    assert first.path == "weekly.epub/OPS/one.xhtml"
    assert second.article_id == "weekly/two"


def test_web_archives_know_the_address(tmp_path: Path) -> None:
    pages: dict[str, str | bytes] = {
        "https://example.org/2024/03/01/bridge": page(),
        "https://example.org/photo.png": b"\x89PNG",
    }
    (article,) = only(tmp_path, "crawl.warc.gz", warc(pages))
    assert article.article_id == article.url == "https://example.org/2024/03/01/bridge"
    assert article.path == "crawl.warc.gz"
    assert article.published == datetime.date(2024, 3, 1)


def test_a_broken_web_archive_gives_what_comes_before(tmp_path: Path) -> None:
    data = warc({"https://example.org/a": page(), "https://example.org/b": page(title="Other one")})
    (tmp_path / "crawl.warc.gz").write_bytes(data[: len(data) * 3 // 4])
    found = read(tmp_path)
    assert [item.url for item in found if isinstance(item, Article)] == ["https://example.org/a"]
    assert any(isinstance(item, Skipped) for item in found)


# Archives


def test_files_in_archives_of_archives(tmp_path: Path) -> None:
    inner = zipped({"deep/b.md": "# Deep\n\nThe bridge."})
    outer = zipped({"a.html": page(), "in.zip": inner, "photo.png": b"\x89PNG", ".DS_Store": b"x"})
    (tmp_path / "papers.zip").write_bytes(outer)
    found = read(tmp_path)
    assert [item.path for item in found] == [
        "papers.zip/a.html",
        "papers.zip/in.zip/deep/b.md",
        "papers.zip/photo.png",
    ]
    assert isinstance(found[-1], Skipped)
    assert found[-1].reason == "unknown kind of file '.png'"


def test_archives_that_are_made_to_do_harm(tmp_path: Path) -> None:
    nested = zipped({"a.txt": "Deep."})
    for _ in range(4):
        nested = zipped({"in.zip": nested})
    write(
        tmp_path,
        **{
            "bomb.zip": zipped({"zeros.txt": b"0" * (64 * 2**20)}),
            "broken.zip": b"PK\x03\x04 and no more",
            "deep.zip": nested,
            "out.zip": zipped({"../../etc/passwd.txt": "root", "/abs.txt": "root"}),
        },
    )
    bomb, *others = [(item.path, item.reason) for item in as_skipped(read(tmp_path))]
    assert bomb[0] == "bomb.zip/zeros.txt"
    assert bomb[1].startswith("unpacks to more than ")
    assert others == [
        ("broken.zip", "broken: File is not a zip file"),
        ("deep.zip/in.zip/in.zip/in.zip", "lies in more than 3 files"),
        ("out.zip/../../etc/passwd.txt", "its name leads out of the archive"),
        ("out.zip//abs.txt", "its name leads out of the archive"),
    ]


def test_links_lead_out_of_no_source(tmp_path: Path) -> None:
    outside, source = tmp_path / "outside", tmp_path / "source"
    outside.mkdir()
    source.mkdir()
    (outside / "secret.txt").write_text("Secret.", encoding="utf-8")
    (source / "a.txt").write_text("Open.", encoding="utf-8")
    (source / "b.txt").symlink_to(outside / "secret.txt")
    (source / "c").symlink_to(outside)
    (source / "d.txt").symlink_to(source / "a.txt")
    assert [(item.path, getattr(item, "reason", None)) for item in read(source)] == [
        ("a.txt", None),
        ("b.txt", "a link that leads out of the source"),
        ("c", "a link that leads out of the source"),
        ("d.txt", "already read from another source"),
    ]
    linked = tmp_path / "linked"
    linked.symlink_to(source)  # a source may be a link itself
    assert next(item.path for item in read_sources(["linked"], tmp_path)) == "linked/a.txt"


def test_what_browsers_save_beside_a_page_is_no_article(tmp_path: Path) -> None:
    (tmp_path / "story.html").write_text(page(), encoding="utf-8")
    (tmp_path / "story_files").mkdir()
    (tmp_path / "story_files" / "frame.html").write_text(page(), encoding="utf-8")
    _, skipped = read(tmp_path)
    assert isinstance(skipped, Skipped)
    assert (skipped.path, skipped.reason) == ("story_files", "belongs to a saved page")
