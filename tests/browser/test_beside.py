"""What stands beside an answer: how it was asked, its picture, what is taken away, an objection."""

from __future__ import annotations

import datetime
import json

from playwright.sync_api import Browser, expect

from tests.browser.conftest import Visitor, visit
from tests.browser.serving import Server

BRIDGE = "When does the harbour bridge close?"
STORM = "How many people did the storm kill in Varnes?"
FERRY = "What is said about the ferry in Osterby?"
TIMELINE = "Make a timeline of what is said about Osterby"
TOP = "e => e.getBoundingClientRect().top"


def test_the_checked_answer_moves_nothing_that_is_read(browser: Browser, server: Server) -> None:
    for width in (1280, 360):
        with visit(browser, server.url, viewport={"width": width, "height": 800}) as visitor:
            page = visitor.page
            evidence = page.locator("#current .evidence")
            server.hold("answer")
            visitor.ask(BRIDGE)
            expect(page.locator(".draft")).to_be_visible()
            before = evidence.evaluate(TOP)
            server.release("answer")
            visitor.answered()
            assert abs(evidence.evaluate(TOP) - before) < 2
            assert (
                page.locator("#current .passage", has_text="Osterby closes on Monday").count() == 1
            )
            # Quiet until pointed at, and there for those who listen.
            status = page.locator("#current .sentence .status")
            expect(status).to_have_css("opacity", "0")
            assert "quoted" in page.locator("#current .sentences").aria_snapshot()
            page.locator("#current .cite").focus()
            expect(status).to_have_css("opacity", "1")

            server.hold("answer")  # where sources differ the answer grows: what is read stays
            visitor.ask(STORM)
            expect(page.locator("#current .draft")).to_be_visible()
            hit = page.locator("#current .hit").nth(2)
            hit.focus()
            before = hit.evaluate(TOP)
            server.release("answer")
            visitor.answered(2)
            expect(page.locator("#current .differ")).to_be_attached()
            assert abs(hit.evaluate(TOP) - before) < 2


def test_how_it_was_asked_is_shown_and_changed(visitor: Visitor) -> None:
    page = visitor.page
    page.locator(".bar").first.click()
    expect(page.locator("#since input")).not_to_have_value("")
    visitor.ask(STORM)
    visitor.answered()
    expect(page.locator("#current .chip")).to_contain_text("Only articles of 26 February 2024 to")
    assert "do not answer this question" in visitor.text("#current .unstated")
    page.click("#current .widen .again")  # search all days
    visitor.answered(2)
    expect(page.locator("#current .sentences")).to_contain_text("killed 18 people")
    expect(page.locator("#current .chip")).to_have_count(0)
    expect(page.locator("#since input")).to_have_value("")
    visitor.ask(FERRY)
    visitor.answered(3)
    page.click("#current .kind summary")
    page.locator("#current").get_by_role("button", name="a comparison", exact=True).click()
    visitor.answered(4)
    assert page.locator(".question").all_inner_texts() == [STORM] * 2 + [FERRY] * 2
    expect(page.locator("#current .kind summary")).to_have_text("Asked for a comparison")
    heads = page.locator("#current .columns h3")
    expect(heads).to_have_count(2)
    tops = [heads.nth(n).evaluate(TOP) for n in range(2)]
    assert tops[0] == tops[1]  # side by side
    visitor.ask("What did the painter Ida Brandtt of Lindal win this week?")
    visitor.answered(5)
    searched = page.locator("#current .searched")
    expect(searched).to_contain_text("Did you mean “Brandt” by “Brandtt”?")
    page.locator("#current .chip button").click()  # the days that “this week” is searched in
    visitor.answered(6)
    expect(page.locator("#current .chip")).to_have_count(0)
    page.locator("#past .searched .again").first.click()
    visitor.answered(7)
    expect(searched).to_contain_text("“Brandtt”")


def test_the_picture_of_a_timeline_chooses_its_items(visitor: Visitor) -> None:
    page = visitor.page
    visitor.ask(TIMELINE)
    visitor.answered()
    items, dots = page.locator("#current ol.items > li"), page.locator("#current .dot")
    n = items.count()
    assert n >= 3
    assert dots.count() == n
    shown = page.locator("#current ol.items > li:visible")
    dots.first.click()
    day = dots.first.get_attribute("data-day")
    chosen = page.locator(f"#current ol.items > li[data-day='{day}']").count()
    assert 0 < chosen < n
    expect(shown).to_have_count(chosen)
    expect(page.locator(".chosen-days")).to_contain_text(f"{chosen} of {n} items")
    dots.last.focus()
    page.keyboard.press("Shift+Enter")  # from the one to the other
    expect(shown).to_have_count(n)
    dots.last.focus()
    page.keyboard.press("Enter")
    expect(dots.last).to_have_attribute("aria-pressed", "true")
    page.click(".all-items")
    expect(shown).to_have_count(n)
    dots.first.hover()
    page.mouse.down()
    dots.nth(1).hover()
    page.mouse.up()
    expect(page.locator("#current .dot[aria-pressed=true]")).not_to_have_count(0)


def test_an_answer_is_taken_away_and_objected_to(browser: Browser, server: Server) -> None:
    with visit(browser, server.url, permissions=["clipboard-read", "clipboard-write"]) as visitor:
        page = visitor.page
        visitor.ask(BRIDGE)
        visitor.answered()
        page.click("#current .copy")
        expect(page.locator("#current .copy")).to_have_text("Copied")
        source = "“The harbour bridge in Osterby closes on Monday for nine weeks of repairs.”"
        expected = f"{source} Harbour bridge to close for repairs, Osterby Post, 1 March 2024,"
        copied = page.evaluate("navigator.clipboard.readText()")
        assert f"[1] {expected} https://example.org/harbour\n" in copied
        page.get_by_text("Copy as").click()
        page.get_by_role("button", name="Markdown").first.click()
        page.wait_for_function("navigator.clipboard.readText().then(t => t.startsWith('## When'))")
        assert "](<https://example.org/harbour>)" in page.evaluate("navigator.clipboard.readText()")
        today = datetime.date.today()
        for scope, kind, name in (
            ("", "html", f"when-does-the-harbour-bridge-close-{today}.html"),
            ("[data-whole]", "json", f"when-does-the-harbour-bridge-close-{today}.json"),
        ):
            page.click("#current .save summary")
            with page.expect_download() as saved:
                page.click(f"#current [data-dossier={kind}]{scope or ':not([data-whole])'}")
            assert saved.value.suggested_filename == name
        page.emulate_media(media="print")
        for gone in ("#composer", "#talks", ".actions", "#narrow", "#top"):
            expect(page.locator(gone)).to_be_hidden()
        expect(page.locator(".sentences")).to_be_visible()
        visitor.picture("print")
        page.emulate_media(media="screen")

        page.click("#current .wrong summary")
        page.fill(".wrong [name=remark]", "It was Tuesday.")
        page.fill(".wrong [name=right]", "on Tuesday")
        page.click(".wrong [type=submit]")
        expect(page.locator(".wrong [role=status]")).to_have_text("Kept. Thank you.")
        lines = (server.folder / "kept" / "remarks.jsonl").read_text().splitlines()
        remark = json.loads(lines[-1])
        assert remark["question"] == BRIDGE
        assert (remark["remark"], remark["right"]) == ("It was Tuesday.", "on Tuesday")
        assert remark["said"].startswith("The harbour bridge in Osterby closes on Monday")
        assert (remark["index"], remark["articles"]) == ("news", ["harbour"])
