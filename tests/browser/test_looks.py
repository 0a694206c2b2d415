"""Every main state in both themes, wide and narrow: no overflow, enough contrast, a picture."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from tests.browser.conftest import Visitor, visit
from tests.browser.serving import Server

# Pairs of text colour and the colour behind it, with WCAG's contrast of each visible text.
CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (css) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = css;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b]
    .map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = rgba(getComputedStyle(e).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255];
  };
  const low = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.checkVisibility()) continue;
    if (element.closest("script, style, [disabled]")) continue;
    const style = getComputedStyle(element);
    const [a, b] = [light(rgba(style.color)), light(behind(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const large = parseFloat(style.fontSize) >= 24;
    if (ratio < (large ? 3 : 4.5)) {
      low.push([walker.currentNode.textContent.trim().slice(0, 40), ratio.toFixed(2)]);
    }
  }
  return low;
}"""


def seen(visitor: Visitor, name: str, width: int) -> None:
    page = visitor.page
    page.wait_for_timeout(300)  # colours fade in
    visitor.picture(name)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CONTRAST) == []


def seen_everywhere(visitor: Visitor, name: str) -> None:
    """Look at one state in both themes and three widths."""
    for theme in ("light", "dark"):
        visitor.page.emulate_media(color_scheme=theme)
        for width, height in ((360, 720), (1920, 900), (1280, 900)):
            visitor.page.set_viewport_size({"width": width, "height": height})
            seen(visitor, f"{theme}-{width}-{name}", width)


def test_main_states(browser: Browser, server: Server) -> None:
    with visit(browser, server.url, viewport={"width": 1280, "height": 900}) as visitor:
        page = visitor.page
        seen_everywhere(visitor, "first")
        server.hold("answer")
        visitor.ask("When does the harbour bridge close?")
        expect(page.locator(".draft")).to_be_visible()
        seen_everywhere(visitor, "writing")
        server.release("answer")
        visitor.answered()
        seen_everywhere(visitor, "answer")
        page.click(".cite")
        expect(page.locator("#cited")).to_be_in_viewport()
        seen_everywhere(visitor, "article")
        page.keyboard.press("Escape")
        visitor.ask("How many people did the storm kill in Varnes?")
        visitor.answered(2)
        seen_everywhere(visitor, "differ")
        page.locator(".differ .cite").first.click()
        expect(page.locator("#panel .days-meant")).to_be_visible()
        seen_everywhere(visitor, "days")
        page.keyboard.press("Escape")
        server.hold("facts")
        visitor.ask("What did Mayor Lena Holm say the work would cost?")
        visitor.answered(3)
        server.release("facts")
        page.click("#current .withheld summary")
        seen_everywhere(visitor, "withheld")
        visitor.ask("Who won the chess championship of Iceland?")
        visitor.answered(4)
        seen_everywhere(visitor, "no-answer")
        server.hold("queue")
        visitor.ask("When does the harbour bridge close?")
        visitor.answered(5)
        server.release("queue")
        seen_everywhere(visitor, "busy")
        page.evaluate("scrollTo(0, 0)")
        page.click("#narrow")
        page.locator(".bar").last.click()
        expect(page.locator(".timeline.chosen")).to_be_visible()
        seen_everywhere(visitor, "narrowed")
        page.get_by_role("tab", name="Library").click()
        expect(page.locator(".articles td").first).to_be_visible()
        seen_everywhere(visitor, "library")
        server.hold("build")
        page.click("#rebuild")
        expect(page.locator("#built progress")).to_be_visible()
        seen_everywhere(visitor, "building")
        server.release("build")
        expect(page.locator("#built .done")).to_be_visible()
        page.locator(".articles td button").first.click()
        expect(page.locator("#page-of-article .reader")).to_be_visible()
        seen_everywhere(visitor, "whole-article")


def test_states_with_nothing_to_show(browser: Browser, server: Server) -> None:
    with visit(browser, server.url, viewport={"width": 360, "height": 720}) as visitor:
        page = visitor.page
        page.click("#narrow")
        for number, (day, name) in enumerate([("2024-31-31", "error"), ("2030-01-01", "empty")], 1):
            page.fill("#since input", day)
            page.keyboard.press("Tab")
            visitor.ask("When does the harbour bridge close?")
            visitor.answered(number)
            expect(page.locator(f"#current .notice.{name}")).to_be_visible()
            seen_everywhere(visitor, f"{name}")
        page.get_by_role("tab", name="Library").click()
        page.fill("#article-search :is(input, textarea)", "zzz")
        expect(page.locator("#articles .notice.empty")).to_be_visible()
        seen_everywhere(visitor, "nothing-found")
