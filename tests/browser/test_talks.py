"""Conversations: kept for a browser, opened by their address, named and deleted; Back."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, expect

from tests.browser.conftest import Visitor, visit
from tests.browser.serving import Server

STRIKE = "What do crews of the Osterby ferry vote on next week?"
OFFER = "And what does the company offer?"
BRIDGE = "When does the harbour bridge close?"


def questions(visitor: Visitor) -> list[str]:
    return visitor.page.locator(".question").all_inner_texts()


def test_a_conversation_outlives_a_reload_and_is_nobody_elses(
    browser: Browser, server: Server
) -> None:
    with visit(browser, server.url) as visitor, visit(browser, server.url) as other:
        page = visitor.page
        visitor.ask(STRIKE)
        visitor.answered()
        first = page.url
        assert re.search(r"\?conversation=[\w-]+&answer=\w+$", first)
        said = visitor.text(".sentences")
        page.reload()
        visitor.answered()
        assert visitor.text(".sentences") == said
        page.click("#current .cite")
        expect(page.locator("#cited")).to_be_in_viewport()
        page.go_back()  # closes the article, and leaves page and conversation
        expect(page.locator("#panel .blank")).to_be_visible()
        assert page.url == first
        visitor.ask(OFFER)  # leans on what was asked before the reload
        visitor.answered(2)
        assert "ferry" in visitor.text("#current .sentence")
        assert page.url != first

        page.goto(first)  # the address of an answer opens it again, with all that was asked
        visitor.answered(2)
        expect(page.locator(".question").first).to_be_in_viewport()
        expect(page.locator("#current .question")).not_to_be_in_viewport()

        other.page.goto(first)  # in another browser it opens nothing
        expect(other.page.locator("#current .notice")).to_contain_text("not kept for this browser")
        expect(other.page.locator(".kept")).to_have_count(0)
        assert other.page.locator(".turn").count() == 0


def test_conversations_are_listed_named_and_deleted(visitor: Visitor, server: Server) -> None:
    page = visitor.page
    visitor.ask(STRIKE)
    visitor.answered()
    page.click(".talks .new")
    expect(page.locator(".turn")).to_have_count(0)
    expect(page.locator("#hello h1")).to_be_visible()
    server.hold("answer")
    visitor.ask(BRIDGE)
    expect(page.locator(".draft")).to_be_visible()
    page.click(".talks .new")  # leaving stops the answer, and nothing of it comes after
    expect(page.locator(".turn")).to_have_count(0)
    server.release("answer")
    page.click(".kept summary")
    names = page.locator(".kept .name")
    expect(names).to_have_count(2)
    expect(names.first).to_contain_text(BRIDGE)
    page.once("dialog", lambda dialog: dialog.accept("The strike"))
    page.locator(".kept li", has_text=STRIKE).get_by_text("Rename").click()
    expect(names.nth(1)).to_contain_text("The strike")
    page.click(".kept summary")
    names.nth(1).click()
    visitor.answered()
    assert questions(visitor) == [STRIKE]
    page.go_back()  # to the new one
    expect(page.locator(".turn")).to_have_count(0)
    page.go_forward()
    visitor.answered()
    for left in (1, 0):
        page.click(".kept summary")
        page.once("dialog", lambda dialog: dialog.accept())
        page.locator(".kept li").last.get_by_text("Delete").click()
        expect(names).to_have_count(left)
    expect(page.locator(".turn")).to_have_count(0)
    page.reload()
    expect(page.locator("#hello h1")).to_be_visible()
    expect(page.locator(".kept")).to_have_count(0)
