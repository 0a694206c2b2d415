"""The library as a place to look things up in: texts, groups, pages, stories, taking out."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.browser.test_library import open_library

SEARCH = "#article-search :is(input, textarea)"
TITLES = ".articles td.of-title button"


def test_words_of_texts_are_found_and_marked(reader: Visitor) -> None:
    page = reader.page
    open_library(reader)
    page.fill(SEARCH, "bringing bread")
    expect(page.locator(TITLES)).to_have_text(["A fair of winter things"])
    expect(page.locator(".articles .found mark")).to_have_text(["bring", "bread"])
    page.click(TITLES)
    expect(page.locator("#page-of-article .text mark")).to_have_text(["bring", "bread"])
    reader.picture("words")


def test_the_list_is_narrowed_and_its_pages_say_what_they_hold(reader: Visitor) -> None:
    page = reader.page
    open_library(reader)
    expect(page.locator(".pages p")).to_have_text("Page 1 of 2: 2 March 2024 – 27 March 2023")
    page.click(".pages button")
    expect(page.locator(".pages p")).to_contain_text("Page 2 of 2: ")
    page.click("th.of-title button")
    expect(page.locator(".pages button")).to_have_text(
        "Notice number 47 of the… – Trawler crew saved →"
    )
    page.click("#groups summary")
    page.click("[data-narrow=section][data-value=sea]")
    expect(page.locator(TITLES)).to_have_text(
        ["Crew of a trawler saved off Skagen", "Trawler crew saved"]
    )
    page.click("[data-narrow=publisher][data-value='Coast Radio']")
    expect(page.locator(TITLES)).to_have_text(["Trawler crew saved"])
    pressed = page.locator("#groups [aria-pressed=true]")
    expect(pressed).to_have_count(2)
    assert page.locator("td.of-source").evaluate("e => getComputedStyle(e).borderTopWidth") == "0px"
    page.click("#groups .clear")
    expect(page.locator(".count")).to_have_text("64 articles")


def test_a_story_leads_to_its_other_articles(reader: Visitor) -> None:
    page = reader.page
    open_library(reader)
    page.get_by_role("button", name="Trawler crew saved").click()
    story = page.locator("#page-of-article .story")
    expect(story).to_contain_text("The same text as in 1 other article")
    expect(story.locator("li")).to_have_text("Osterby Post 1 February 2024 · first report")
    reader.picture("story")
    story.locator("button").click()
    expect(page.locator("#page-of-article h2")).to_have_text("Crew of a trawler saved off Skagen")


def test_an_article_of_a_source_is_taken_out_and_put_back(reader: Visitor) -> None:
    page = reader.page
    open_library(reader)
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="A fair of winter things").click()
    page.click("[data-take-out]")
    expect(page.locator("#built .uploaded")).to_have_text(
        "“A fair of winter things” is taken out. Its file stays as it is."
    )
    expect(page.locator(".count")).to_have_text("63 articles")
    expect(page.locator("#page-of-article .blank")).to_be_visible()
    page.get_by_role("button", name="Put back fair").click()
    expect(page.locator(".count")).to_have_text("64 articles")
    expect(page.locator(".taken-out")).to_have_count(0)
