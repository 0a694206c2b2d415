"""Asking and checking, as a reader does it."""

from __future__ import annotations

from contextlib import ExitStack

from playwright.sync_api import Browser, expect

from tests.browser.conftest import Visitor, visit
from tests.browser.serving import Server

STRIKE = "What do crews of the Osterby ferry vote on next week?"
BRIDGE = "When does the harbour bridge close?"
STORM = "How many people did the storm kill in Varnes?"
SENTENCE = "The harbour bridge in Osterby closes on Monday for nine weeks of repairs."
TOLD = "The harbour bridge in Osterby closes on Monday [4 March 2024] for nine weeks of repairs."


def test_a_citation_opens_the_article_at_the_cited_sentence(visitor: Visitor) -> None:
    visitor.ask(BRIDGE)
    visitor.answered()
    page = visitor.page
    assert visitor.text(".sentence").startswith(TOLD)
    assert visitor.text(".sentence .status") == "quoted"
    page.click(".sentence .cite")
    mark = page.locator("#panel #cited")
    expect(mark).to_have_text(SENTENCE)
    expect(mark).to_be_in_viewport()
    assert visitor.text("#panel h2") == "Harbour bridge to close for repairs"
    assert visitor.text("#panel .byline") == "Osterby Post · 1 March 2024"
    link = page.locator("#panel a.original")
    assert link.get_attribute("href") == "https://example.org/harbour"
    assert link.get_attribute("rel") == "noopener noreferrer"
    before = page.evaluate("document.querySelector('#cited').previousSibling.textContent")
    assert before == "Rain fell again. "
    page.keyboard.press("Escape")
    expect(page.locator("#panel .blank")).to_be_visible()


def test_stop_while_it_writes(visitor: Visitor, server: Server) -> None:
    server.hold("answer")
    visitor.ask(BRIDGE)
    page = visitor.page
    expect(page.locator(".draft")).to_have_text("The harbour")
    expect(page.locator("#ask")).to_be_hidden()
    page.click("#stop")
    visitor.answered()
    assert visitor.text(".notice.stopped") == "Stopped. What stands above is not checked."
    assert page.locator(".hit").count() > 0
    expect(page.locator("#ask")).to_be_visible()
    server.release("answer")


def test_evidence_is_shown_first_and_nothing_jumps(visitor: Visitor, server: Server) -> None:
    server.hold("answer")
    visitor.ask(BRIDGE)
    page = visitor.page
    expect(page.locator(".draft")).to_be_visible()
    top = "document.querySelector('.evidence').getBoundingClientRect().top"
    before = page.evaluate(top)
    hit = page.locator(".hit").first
    hit.focus()
    server.release("answer")
    visitor.answered()
    assert page.evaluate("document.activeElement.className") == "hit"  # focus stays
    assert page.evaluate("scrollY + " + top) >= before
    assert visitor.text(".sentence").startswith(TOLD)


def test_a_follow_up(visitor: Visitor) -> None:
    visitor.ask(STRIKE)
    visitor.answered()
    visitor.ask("And what does the company offer?")
    visitor.answered(2)
    assert visitor.page.locator(".question").all_inner_texts() == [
        STRIKE,
        "And what does the company offer?",
    ]
    assert "ferry" in visitor.text("#current .sentence")  # which only the question before names


def test_what_the_articles_do_not_say_is_no_error(visitor: Visitor) -> None:
    visitor.ask("Who won the chess championship of Iceland?")
    visitor.answered()
    page = visitor.page
    stated = visitor.text(".unstated")
    assert "articles of the index “news” do not answer this question." in stated
    assert page.locator(".notice.error, [role=alert]").count() == 0
    assert page.locator(".hit").count() > 0


def test_busy_is_said_with_the_passages(visitor: Visitor, server: Server) -> None:
    server.hold("queue")
    visitor.ask(BRIDGE)
    visitor.answered()
    server.release("queue")
    assert visitor.text(".notice.busy").startswith("Too many questions are waiting")
    assert visitor.page.locator(".hit").count() > 0


def test_an_error_is_told_without_a_trace(visitor: Visitor) -> None:
    page = visitor.page
    page.click("#narrow")
    page.fill("#since input", "2024-31-31")
    page.keyboard.press("Tab")
    visitor.ask(BRIDGE)
    visitor.answered()
    assert "filter since" in visitor.text(".notice.error")
    assert "Traceback" not in visitor.text("body")


def test_what_nobody_foresaw_is_told_and_logged(visitor: Visitor, server: Server) -> None:
    server.hold("crash")
    visitor.ask(BRIDGE)
    notice = visitor.page.locator("#current .notice.error")
    expect(notice).to_contain_text("Something went wrong here.")
    server.release("crash")
    assert "not foreseen" not in visitor.text("body")
    assert "ZeroDivisionError: not foreseen" in (server.folder / "server.log").read_text()
    visitor.ask(BRIDGE)  # and the conversation goes on
    expect(visitor.page.locator("#current .sentence")).to_contain_text(TOLD)


def test_sources_that_differ_stand_side_by_side(visitor: Visitor) -> None:
    visitor.ask(STORM)
    visitor.answered()
    page = visitor.page
    rows = page.locator(".differ li")
    expect(rows.locator("q")).to_have_text(["18 people in Varnes", "12 people in Varnes"])
    expect(rows.locator("time")).to_have_text(["9 April 2024", "6 April 2024"])
    assert "The sources differ" not in visitor.text(".sentences")
    rows.last.locator(".cite").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#cited")).to_have_text("The storm on Friday killed 12 people in Varnes.")
    meant = "“on Friday” = Friday 5 April 2024"
    expect(page.locator("#panel .days-meant")).to_have_text(meant)
    expect(page.locator(".sources .days-meant").first).to_have_text(meant)
    page.keyboard.press("Escape")
    expect(rows.last.locator(".cite")).to_be_focused()
    expect(page.locator(".reprints").first).to_contain_text("Also in: ")


def test_what_is_made_up_is_folded_away(browser: Browser, server: Server) -> None:
    with visit(browser, server.url, permissions=["clipboard-read", "clipboard-write"]) as visitor:
        server.hold("facts")
        visitor.ask("What did Mayor Lena Holm say the work would cost?")
        visitor.answered()
        server.release("facts")
        page = visitor.page
        assert visitor.text(".note").startswith("The language model wrote nothing that")
        assert "4.2 million crowns" in visitor.text(".sentences")
        folded = page.locator(".withheld li")
        expect(folded.first).to_be_hidden()
        page.locator(".withheld summary").focus()
        page.keyboard.press("Enter")
        expect(folded.locator(".status")).to_have_text(["partly supported", "not supported"])
        page.click(".copy")
        expect(page.locator(".copy")).to_have_text("Copied")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert "4.2 million" in copied
        assert "9 million" not in copied


def test_ten_people_ask_at_once(browser: Browser, server: Server) -> None:
    with ExitStack() as stack:
        people = [stack.enter_context(visit(browser, server.url)) for _ in range(10)]
        server.hold("answer")
        for number, person in enumerate(people):
            person.ask((BRIDGE, STRIKE)[number % 2])
        for person in people:  # all of them see what was found before any is answered
            expect(person.page.locator(".hit").first).to_be_visible()
            expect(person.page.locator(".draft")).to_be_visible()
        server.release("answer")
        for number, person in enumerate(people):
            person.answered()
            expected = (TOLD, "Crews of the Osterby ferry vote on a strike next week.")[number % 2]
            assert person.text(".sentence").startswith(expected)


def test_by_keyboard_alone(visitor: Visitor) -> None:
    page = visitor.page
    expect(page.locator("#question textarea")).to_be_focused()
    page.keyboard.type(BRIDGE)
    page.keyboard.press("Enter")
    visitor.answered()
    for _ in range(40):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement.className").startswith("cite"):
            break
    page.keyboard.press("Enter")
    mark = page.locator("#cited")
    expect(mark).to_be_focused()
    expect(mark).to_have_text(SENTENCE)
    page.keyboard.press("Escape")
    expect(page.locator(".cite").first).to_be_focused()
    expect(page.locator("#panel .blank")).to_be_visible()


def test_narrow_screen(browser: Browser, server: Server) -> None:
    with visit(browser, server.url, viewport={"width": 360, "height": 700}) as visitor:
        page = visitor.page
        visitor.ask(BRIDGE)
        visitor.answered()
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        page.click(".cite")
        expect(page.locator("#cited")).to_be_in_viewport()
        assert page.locator("#panel").bounding_box() == {
            "x": 0, "y": 0, "width": 360, "height": 700,
        }  # fmt: skip
        page.click("#panel .close-article")
        expect(page.locator("#panel")).to_be_hidden()
        expect(page.locator(".cite").first).to_be_focused()
