"""The first five seconds, the chooser of the index, long questions, a screen much enlarged."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from rag import Settings, add_files
from rag.index.layout import IndexFolder
from tests.browser.conftest import Visitor, visit
from tests.browser.serving import Server
from tests.support import build_named


def top(page: Page, selector: str) -> float:
    box = page.locator(selector).bounding_box()
    assert box is not None
    return box["y"]


def test_the_question_comes_first_and_examples_are_what_a_person_asks(reader: Visitor) -> None:
    page = reader.page
    expect(page.locator("#examples li button")).to_have_text(
        [
            "Who is Jens Dahl?",
            "When will the winter fair open its gates?",
            "What did Karin Vinter say about Osterby?",
        ]
    )
    assert reader.text("#hello p").startswith(
        "Answers in sentences of 64 articles from 2 publishers, 1 January 2023 to 2 March 2024."
    )
    order = ["#hello h1", "#question", "#examples li >> nth=0", "#narrow", "#timeline .bars"]
    places = [top(page, selector) for selector in order]
    assert places == sorted(places)
    assert places[1] < 400
    page.click("#examples li button >> nth=1")
    reader.answered()
    assert "The winter fair will open its gates on Friday" in reader.text(".sentence")
    expect(page.locator("#examples")).to_be_hidden()


def test_an_index_made_meanwhile_is_in_the_chooser(
    reader: Visitor, shelf: Server, tmp_path: Path
) -> None:
    """Without a restart; and what is open of the other index closes when it is chosen."""
    page = reader.page
    assert page.get_by_label("Index", exact=True).count() == 1
    reader.ask("When will the winter fair open its gates?")
    reader.answered()
    page.click(".cite >> nth=0")
    expect(page.locator("#panel #cited")).to_be_visible()
    page.get_by_role("tab", name="Library").click()
    page.locator(".articles td button").first.click()
    expect(page.locator("#page-of-article .reader")).to_be_visible()
    index_dir = shelf.folder / "indexes"
    (index_dir / "gulls").mkdir()
    (index_dir / "gulls" / "index.toml").write_text("sources = []\n")
    (tmp_path / "gull.txt").write_text("Gulls are back\n\nThe gulls are back in the harbour.")
    add_files("gulls", [tmp_path / "gull.txt"], settings=Settings(index_dir=index_dir))
    build_named(IndexFolder(index_dir, "gulls"))
    page.click("#index input")
    page.get_by_role("option", name="gulls").click()
    expect(page.locator(".articles td button")).to_have_text(["Gulls are back"])
    expect(page.locator("#page-of-article .blank")).to_be_visible()
    page.get_by_role("tab", name="Ask").click()
    expect(page.locator("#panel .blank")).to_be_visible()
    page.goto(shelf.url)
    expect(page.locator("#index input")).to_have_value("gulls")
    expect(page.locator("#hello p")).to_contain_text("sentences of 1 article")


def test_nothing_of_a_long_question_is_cut(reader: Visitor) -> None:
    page = reader.page
    words = "The storm of last year was long. " * 79
    question = f"{words}When will the winter fair open its gates?"
    assert len(question) == 2648
    reader.ask(question)
    told = (
        "2,648 characters: a question has at most 2,000. Nothing was cut off; shorten it to ask it."
    )
    expect(page.locator("#limit p")).to_have_text(told)
    page.click("#ask")
    expect(page.locator("#question textarea")).to_have_value(question)
    assert page.locator(".turn").count() == 0
    reader.ask(question[-1800:])
    reader.answered()
    expect(page.locator("#limit p")).to_have_text("")
    assert reader.text(".question") == question[-1800:]


def test_enlarged_twice_the_question_covers_nothing(browser: Browser, shelf: Server) -> None:
    """1280 by 800 pixels at 200 % are 640 by 400 of the page's."""
    with visit(browser, shelf.url, viewport={"width": 640, "height": 400}) as visitor:
        visitor.ask("When will the winter fair open its gates?")
        visitor.answered()
        page = visitor.page
        visitor.picture("enlarged")
        for hit in page.locator(".hit").all():
            hit.focus()
            seen = hit.evaluate(
                "e => { const b = e.getBoundingClientRect(); return e.contains("
                "document.elementFromPoint(b.left + 20, Math.min(b.bottom, innerHeight) - 5)) }"
            )
            assert seen
        assert page.evaluate("document.documentElement.scrollWidth") <= 640
