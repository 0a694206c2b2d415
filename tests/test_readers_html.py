"""Pages: the article whole, nothing else, and what the page declares."""

from __future__ import annotations

import datetime
import json

import pytest

from rag.article import Article
from rag.readers.html import page_article, plain_text
from rag.readers.html.dates import day_in_url, stated_day
from rag.readers.skipped import UnreadableError
from tests.made import PARAGRAPHS, TEXT, page


def read(markup: bytes | str, url: str | None = None) -> Article:
    return page_article(markup, article_id="p", path="p.html", url=url)


def test_the_article_without_menu_title_and_footer() -> None:
    article = read(page())
    assert article.text == TEXT
    assert article.title == "Harbour bridge to close"


def test_what_stands_behind_an_advert_is_part_of_the_article() -> None:
    first = PARAGRAPHS[0]
    more = [f"{text} This is said once more, for length." for text in PARAGRAPHS * 3]
    body = (
        f'<div class="body"><p>{first}</p></div><div class="ad"><p>Buy now, buy here, buy all of'
        " it today, at half of the price that you would pay for it tomorrow.</p></div>"
        '<div class="body">'
        + "".join(f"<p>{text} {n}</p>" for n, text in enumerate(more))
        + "</div>"
    )
    text = read(page(body)).text
    assert text.startswith(first)
    assert text.endswith(f"{more[-1]} {len(more) - 1}")
    assert "Buy now" not in text


def test_links_to_other_articles_go_with_their_label_and_the_title_is_not_repeated() -> None:
    body = "".join(f"<p>{text}</p>" for text in PARAGRAPHS[:2])
    body += "<p><strong>DON'T MISS</strong></p><p><a href='/x'>Ferry crews vote on a strike</a></p>"
    body += "<p>Harbour bridge to close</p>"
    body += "".join(f"<p>{text}</p>" for text in PARAGRAPHS[2:])
    body += "<h2>More on this</h2><p><a href='/y'>Museum finds a lost painting in Lindal</a></p>"
    assert read(page(body)).text == TEXT


def test_the_summary_above_an_article_is_part_of_it() -> None:
    before = '<p class="standfirst">Nine weeks of repairs will cut the island off, say shops.</p>'
    assert read(page(before=before)).text.startswith("Nine weeks of repairs")


def test_a_name_that_most_of_the_article_stands_under_says_nothing() -> None:
    body = "".join(f'<p class="newsletter paywall">{text}</p>' for text in PARAGRAPHS)
    assert read(page(body)).text == TEXT


def test_line_breaks_tables_and_hidden_parts() -> None:
    body = "".join(f"<p>{text}</p>" for text in PARAGRAPHS)
    body += "<table><tr><th>Party</th><th>Seats</th></tr><tr><td>Reds</td><td>12</td></tr></table>"
    body += "<p>One line<br>and another, of a poem that goes on.</p>"
    body += '<p style="display: none">Subscribe to read what nobody should see here at all.</p>'
    text = read(page(body)).text
    assert "One line\nand another, of a poem that goes on." in text
    assert "Party\tSeats\n\nReds\t12" in text
    assert "nobody should see" not in text


def declared(**fields: object) -> str:
    item = {"@type": "NewsArticle", **fields}
    return f'<script type="application/ld+json">{json.dumps(item)}</script>'


def test_what_json_ld_declares_comes_first() -> None:
    head = declared(
        headline="Harbour bridge to close",
        datePublished="2024-03-01T23:30:00-05:00",
        dateModified="2024-03-04T08:00:00-05:00",
        author=[{"name": "Ann Lee"}, {"name": "Bo Ek"}],
        publisher={"name": "Osterby Post"},
    )
    head += '<meta property="article:published_time" content="2020-01-01">'
    head += '<link rel="canonical" href="https://example.org/2019/01/02/bridge">'
    article = read(page(head=head))
    assert article.published == datetime.date(2024, 3, 1)  # the day there, not in Greenwich
    assert article.metadata == {
        "published_from": "JSON-LD datePublished",
        "published": "2024-03-01T23:30:00-05:00",
        "updated": "2024-03-04T08:00:00-05:00",
        "language": "en",
    }
    assert (article.author, article.source) == ("Ann Lee, Bo Ek", "Osterby Post")
    assert article.url == "https://example.org/2019/01/02/bridge"


@pytest.mark.parametrize(
    ("head", "before", "url", "where"),
    [
        ('<meta name="date" content="2024-03-01">', "", None, "meta date"),
        ("", '<time datetime="2024-03-01T10:00Z">today</time>', None, "time element"),
        ("", "", "https://example.org/2024/03/01/bridge.html", "address"),
        ("", "<p>Published: 1 March 2024</p>", None, "guess: a line beside the title"),
    ],
)
def test_where_a_day_was_found_is_told(head: str, before: str, url: str | None, where: str) -> None:
    article = read(page(head=head, before=before), url=url)
    assert article.published == datetime.date(2024, 3, 1)
    assert article.metadata["published_from"] == where


def test_no_day_is_found_where_the_article_has_none() -> None:
    body = "".join(f"<p>{text} It was so on 3 May 2019, too.</p>" for text in PARAGRAPHS)
    behind = "<div class='related'><time datetime='x'></time><p>12 June 2021</p></div>"
    head = '<meta name="article:modified_time" content="2024-01-01">'
    article = read(page(body, behind=behind, head=head))
    assert article.published is None
    assert "published_from" not in article.metadata
    assert article.metadata["updated"] == "2024-01-01"


def test_declarations_of_other_articles_on_the_page_are_not_taken() -> None:
    other = {"@type": "NewsArticle", "headline": "Another", "datePublished": "2001-01-01"}
    own = {
        "@type": "NewsArticle",
        "headline": "Harbour bridge to close",
        "datePublished": "2024-03-01",
    }
    script = json.dumps([other, own])
    article = read(page(head=f'<script type="application/ld+json">{script}</script>'))
    assert article.published == datetime.date(2024, 3, 1)


@pytest.mark.parametrize(
    ("encoding", "declared_as"),
    [("cp1252", "iso-8859-1"), ("cp1251", "windows-1251"), ("utf-16", "")],
)
def test_encodings(encoding: str, declared_as: str) -> None:
    word = {"cp1251": "Мост закрывается на девять недель"}.get(encoding, "Brücke “für” neun Wochen")
    body = "".join(f"<p>{word} {text}</p>" for text in PARAGRAPHS)
    markup = page(body, head=f'<meta charset="{declared_as}">')
    assert read(markup.encode(encoding)).text.startswith(word)


@pytest.mark.parametrize("data", [b"", b"  ", b"\0\0\0", b"<html><body></body></html>"])
def test_a_page_without_an_article_is_told(data: bytes) -> None:
    with pytest.raises(UnreadableError):
        read(data)


def test_scripts_and_entities_do_nothing() -> None:
    bomb = '<!DOCTYPE html [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    body = "".join(f"<p>{text}</p>" for text in PARAGRAPHS) + "<p>&b; <script>evil()</script></p>"
    text = read(bomb + page(body)).text
    assert "evil" not in text
    assert "aaaa" not in text


def test_deep_nesting_is_no_crash() -> None:
    text = plain_text("<div>" * 5_000 + "<p>Deep.</p>" + "</div>" * 5_000)
    assert text in ("Deep.", "")


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-03-01T10:00:00Z", "2024-03-01"),
        ("2024-3-1 7:05", "2024-03-01"),
        ("20240301", "2024-03-01"),
        ("1709251200", "2024-03-01"),
        ("2024/03/01", "2024-03-01"),
        ("2025年1月14日 01時28分", "2025-01-14"),
        ("Fri, 01 Mar 2024 10:00:00 GMT", "2024-03-01"),
        ("02/03/2024", None),
        ("2024-13-01", None),
        ("soon", None),
        ("0001-01-01", None),
        (True, None),
    ],
)
def test_days_as_pages_write_them(text: object, day: str | None) -> None:
    found = stated_day(text, "x")
    assert (found.day.isoformat() if found else None) == day


@pytest.mark.parametrize(
    ("url", "day"),
    [
        ("https://example.org/2024/03/01/bridge", datetime.date(2024, 3, 1)),
        ("https://example.org/news/20240301-bridge.html", datetime.date(2024, 3, 1)),
        ("https://example.org/news/12345678/bridge", None),
        ("https://example.org/2024/bridge-99", None),
    ],
)
def test_days_in_addresses(url: str, day: datetime.date | None) -> None:
    assert day_in_url(url) == day
