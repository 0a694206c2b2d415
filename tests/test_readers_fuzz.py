"""Readers on damaged and made-up files: always articles or reasons, never an exception."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.article import Article
from rag.cleaning import clean
from rag.readers import Block, articles_of
from rag.readers.blocks import blocks_of
from rag.readers.formats import READERS, format_by_name, format_of, read_file
from rag.readers.html import page_article
from rag.readers.reader import START_BYTES, Found, Origin
from rag.readers.skipped import UnreadableError
from tests.test_readers_formats import ALL

QUICK = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def found_in(name: str, data: bytes) -> Iterator[Found]:
    """What a file comes to, by whatever its bytes and its name say of its format."""
    kind = format_of(name, data[:START_BYTES])
    try:
        for block in blocks_of(kind, io.BytesIO(data), Origin(name)):
            assert isinstance(block, Block)
            yield from articles_of(block)
    except UnreadableError as error:
        yield None, str(error)


def check(found: Iterator[Found], name: str) -> None:
    for number, item in found:
        assert number is None or number >= 0
        if isinstance(item, str):
            assert item
            continue
        assert isinstance(item, Article)
        assert (item.path or "").startswith(name)
        item.text.encode()  # no lone surrogate
        article = clean(item).article
        assert list(article.pages) == sorted(article.pages)
        assert not article.pages or article.pages[-1] <= len(article.text)


@pytest.mark.parametrize("name", ALL)
@QUICK
@given(data=st.data())
def test_damaged_files(name: str, data: st.DataObject) -> None:
    whole = bytearray(ALL[name])
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, max(len(whole) - 1, 0)))
        kind = data.draw(st.sampled_from(["byte", "cut", "twice", "zeros"]))
        if kind == "byte" and whole:
            whole[at] = data.draw(st.integers(0, 255))
        elif kind == "cut":
            del whole[at : at + data.draw(st.integers(1, 400))]
        elif kind == "twice":
            whole[at:at] = whole[at : at + 200]
        else:
            whole[at:at] = b"\0" * 3
    check(found_in(name, bytes(whole)), name)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
@QUICK
@given(data=st.binary(max_size=2_000))
def test_any_bytes(reader: object, data: bytes) -> None:
    name = getattr(reader, "name", "")
    check(read_file(name, data, Origin("x")), "x")


TAGS = st.sampled_from(
    [
        *("p", "div", "a", "br", "h1", "h2", "table", "tr", "td", "th", "ul", "li", "aside"),
        *("nav", "b", "script", "style", "article", "main", "time", "figure", "pre", "body"),
        *("blockquote", "head", "html", "title", "meta", "span", "unknown-tag"),
    ]
)
PIECES = st.one_of(
    TAGS.map(lambda tag: f"<{tag}>"),
    TAGS.map(lambda tag: f"</{tag}>"),
    st.text(max_size=120),
    st.sampled_from(["<!--", "-->", "&amp;", "&#0;", "&#x110000;", "<![CDATA[", "<p class='ad'>"]),
)


@QUICK
@given(pieces=st.lists(PIECES, max_size=60))
def test_any_markup(pieces: list[str]) -> None:
    try:
        article = page_article("".join(pieces), article_id="x", path="x.html")
    except UnreadableError:
        return
    assert article.text == article.text.strip("\n")
    article.text.encode()


@QUICK
@given(name=st.text(max_size=30), start=st.binary(max_size=100))
def test_any_name_and_beginning_has_a_format_or_none(name: str, start: bytes) -> None:
    assert format_of(name, start) is None or format_by_name(name) is not None or start
