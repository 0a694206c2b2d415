"""Filters in force, followed questions, remarks: what stands there, and how it goes away again."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Browser, Page, expect

from rag import Settings
from rag.building.builder import build_index
from rag.following.follow import after_build
from rag.index.layout import IndexFolder
from rag.testing import FakeEmbedder
from tests.browser.conftest import ARTICLES, EVIL, Visitor, visit
from tests.browser.serving import Server, served
from tests.browser.test_accessible import violations
from tests.browser.test_safety import harmless
from tests.support import build, write_articles

STRIKE = "What do crews of the Osterby ferry vote on next week?"
NEW = {
    "id": "strike",
    "title": f"Ferry crews of Osterby vote for a strike {EVIL}",
    "text": "Crews of the Osterby ferry vote on a strike next week, their union said.",
    "published": "2024-06-01",
    "source": f"Coast Radio {EVIL}",
}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose index gets new articles."""
    folder = tmp_path_factory.mktemp("desk")
    index_dir = write_articles(folder, ARTICLES)
    build(index_dir)
    with served(["-m", "tests.browser.serve", "PORT", str(folder)], folder, index_dir) as server:
        yield server


@pytest.fixture
def editor(browser: Browser, desk: Server) -> Iterator[Visitor]:
    with visit(browser, desk.url) as visitor:
        yield visitor


def more_articles(desk: Server) -> None:
    """Build the index with another article, as `rag build` does."""
    write_articles(desk.folder, [*ARTICLES, NEW])
    folder = IndexFolder(desk.folder / "indexes", "news")
    embedder = FakeEmbedder()
    report = build_index(
        folder, model_sha256=embedder.identity.sha256, load_embedder=lambda _: embedder
    )
    after_build(report, Settings(index_dir=desk.folder / "indexes"), lambda *_: embedder)


def open_tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def test_what_is_searched_only_stands_by_the_box_and_goes_away(editor: Visitor) -> None:
    page = editor.page
    active = page.locator("#active .active")
    expect(active).to_have_count(0)
    page.click("#narrow")
    page.fill("#since input", "2024-05-01")
    page.keyboard.press("Tab")
    page.fill("#until input", "2024-05-31")
    page.keyboard.press("Tab")
    page.click("#source input")
    page.get_by_role("option", name="Harbour News").click()
    page.click("#narrow")
    expect(page.locator("#filters")).to_be_hidden()
    expect(active).to_contain_text("Searching only: 1 May – 31 May 2024×by Harbour News×")
    assert violations(page) == []
    editor.ask("What is said about the storm?")
    editor.answered()
    assert {*page.locator("#current .hit .title").all_inner_texts()} == {
        "Ferry crews vote on strike"
    }
    expect(active).to_be_in_viewport()
    page.click("#active [aria-label*='1 May']")
    expect(active).to_contain_text("Searching only: by Harbour News×")
    expect(page.locator("#since input")).to_have_value("")
    page.click("#active [data-taken]")
    expect(active).to_have_count(0)
    editor.ask("What is said about the storm in Varnes?")
    editor.answered(2)
    assert len(page.locator("#current .hit .title").all_inner_texts()) > 1


def test_a_question_is_followed_and_its_new_story_told(editor: Visitor, desk: Server) -> None:
    page = editor.page
    editor.ask(STRIKE)
    editor.answered()
    follow = page.locator("#current .follow")
    follow.click()
    expect(follow).to_contain_text("Followed.")
    open_tab(page, "Following")
    expect(page.locator("#followed li")).to_contain_text([STRIKE])
    page.fill("#follow-words textarea", f"prizes {EVIL}")
    page.click("#follow")
    expect(page.locator("#followed li")).to_have_count(2)
    page.fill("#follow-words textarea", f"prizes {EVIL}")
    page.click("#follow")
    expect(page.locator("#follow-became")).to_contain_text("is followed already")
    more_articles(desk)
    open_tab(page, "Ask")
    open_tab(page, "Following")
    story = page.locator("#stories .hit")
    expect(story).to_contain_text([f"Ferry crews of Osterby vote for a strike {EVIL}"])
    assert harmless(editor)
    assert violations(page) == []
    story.click()
    expect(page.locator("#page-of-story #cited")).to_contain_text("vote on a strike next week")
    expect(page.locator("#page-of-story #cited")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#page-of-story .blank")).to_be_visible()
    address = page.locator("#followed .feed a").get_attribute("href") or ""
    with urllib.request.urlopen(urljoin(page.url, address), timeout=30) as feed:
        assert feed.headers["Content-Type"].startswith("application/atom+xml")
        assert "Ferry crews of Osterby" in feed.read().decode()
    for left in (1, 0):
        page.once("dialog", lambda dialog: dialog.accept())
        page.locator("#followed li button").first.click()
        expect(page.locator("#followed li")).to_have_count(left)
    expect(story).to_have_count(0)


def test_remarks_are_listed_and_deleted(browser: Browser, editor: Visitor, desk: Server) -> None:
    page = editor.page
    editor.ask(STRIKE)
    editor.answered()
    page.click("#current .wrong summary")
    page.fill("#current .wrong [name=remark]", f"Not next week {EVIL}")
    page.click("#current .wrong [type=submit]")
    expect(page.locator("#current .wrong [role=status]")).to_contain_text("Kept")
    address = page.url
    open_tab(page, "Remarks")
    item = page.locator("#remarks li")
    expect(item).to_contain_text([f"Not next week {EVIL}"])
    file = desk.folder / "kept" / "remarks.jsonl"
    expect(page.locator("#remarks .facts")).to_contain_text(str(file))
    assert json.loads(file.read_text())["remark"] == f"Not next week {EVIL}"
    assert harmless(editor)
    assert violations(page) == []
    with visit(browser, desk.url) as other:  # whose answer it is not
        open_tab(other.page, "Remarks")
        expect(other.page.locator("#remarks li")).to_have_count(1)
        expect(other.page.locator("#remarks .address")).to_have_count(0)
    item.get_by_text("Open the answer").click()
    editor.answered()
    assert page.url == address
    open_tab(page, "Remarks")
    page.once("dialog", lambda dialog: dialog.accept())
    item.get_by_text("Delete").click()
    expect(item).to_have_count(0)
    assert file.read_text() == ""
