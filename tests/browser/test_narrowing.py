"""Filters: days, sources, and the timeline that chooses days."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Visitor


def titles(visitor: Visitor) -> set[str]:
    return set(visitor.page.locator("#current .hit .title").all_inner_texts())


def test_a_stretch_of_the_timeline_is_all_that_is_searched(visitor: Visitor) -> None:
    page = visitor.page
    bars = page.locator(".bar")
    assert "1 article" in (bars.first.get_attribute("aria-label") or "")
    bars.first.click()
    expect(page.locator("#since input")).not_to_have_value("")
    expect(page.locator(".bar.inside")).to_have_count(1)
    visitor.ask("What is said about Osterby?")
    visitor.answered()
    assert titles(visitor) == {"Harbour bridge to close for repairs"}
    expect(page.locator(".bar.found")).to_have_count(1)
    page.click(".timeline .clear")
    expect(page.locator("#since input")).to_have_value("")
    visitor.ask("What is said about the ferry in Osterby?")
    visitor.answered(2)
    assert "Ferry crews vote on strike" in titles(visitor)


def test_dragging_chooses_from_bar_to_bar(visitor: Visitor) -> None:
    page = visitor.page
    bars = page.locator(".bar")
    first, last = bars.first, bars.last
    since, until = first.get_attribute("data-since"), last.get_attribute("data-until")
    page.click("#narrow")
    first.hover()
    page.mouse.down()
    last.hover()
    page.mouse.up()
    expect(page.locator("#since input")).to_have_value(since or "")
    expect(page.locator("#until input")).to_have_value(until or "")


def test_by_source(visitor: Visitor) -> None:
    page = visitor.page
    page.click("#narrow")
    page.click("#source input")
    page.get_by_role("option", name="Harbour News").click()
    visitor.ask("What is said about Osterby?")
    visitor.answered()
    assert titles(visitor) == {"Ferry crews vote on strike"}


def test_days_that_hold_nothing(visitor: Visitor) -> None:
    page = visitor.page
    page.click("#narrow")
    page.fill("#since input", "2030-01-01")
    page.keyboard.press("Tab")
    visitor.ask("What is said about Osterby?")
    visitor.answered()
    assert visitor.text(".notice.empty").startswith("No article passes these filters.")
