"""What a visitor sees when so many wait that Gradio's own queue takes no more."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.browser.conftest import ARTICLES, visit
from tests.browser.serving import served
from tests.support import build, write_articles

QUESTION = "When does the harbour bridge close?"
# One is asking, one waits, and there is room for no third.
SERVE = """
import pathlib, sys
from tests.browser import serve
from rag.page import blocks
make = blocks.build_page
blocks.MAX_WAITING = 1
blocks.build_page = lambda handlers, library, indexes, _: make(handlers, library, indexes, 1)
serve.main(int(sys.argv[1]), pathlib.Path(sys.argv[2]))
"""


def test_a_full_queue_is_told(browser: Browser, tmp_path: Path) -> None:
    index_dir = write_articles(tmp_path, ARTICLES)
    build(index_dir)
    with (
        served(["-c", SERVE, "PORT", str(tmp_path)], tmp_path, index_dir) as server,
        visit(browser, server.url) as first,
        visit(browser, server.url) as second,
        visit(browser, server.url) as third,
    ):
        server.hold("answer")
        first.ask(QUESTION)
        expect(first.page.locator(".draft")).to_be_visible()
        second.ask(QUESTION)
        second.page.wait_for_timeout(500)  # it waits unseen
        third.ask(QUESTION)
        told = third.page.get_by_test_id("toast-text")
        expect(told).to_have_text("This application is currently busy. Please try again.")
        expect(third.page.locator("#question textarea")).to_have_value(QUESTION)
        expect(third.page.locator(".notice")).to_have_count(0)
        third.picture("queue-full")
        server.release("answer")
        first.answered()
        second.answered()
        third.page.press("#question textarea", "Enter")
        third.answered()
        assert third.text(".sentence").startswith("The harbour bridge in Osterby closes")
