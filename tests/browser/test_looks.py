"""Every main state in both themes, wide and narrow: no overflow, enough contrast, a picture."""

from __future__ import annotations

import pytest
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


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280, 1920])
def test_main_states(browser: Browser, server: Server, theme: str, width: int) -> None:
    size = {"width": width, "height": 720 if width == 360 else 900}
    with visit(browser, server.url, viewport=size, color_scheme=theme) as visitor:
        page, prefix = visitor.page, f"{theme}-{width}"
        seen(visitor, f"{prefix}-first", width)
        server.hold("answer")
        visitor.ask("When does the harbour bridge close?")
        expect(page.locator(".draft")).to_be_visible()
        seen(visitor, f"{prefix}-writing", width)
        server.release("answer")
        visitor.answered()
        seen(visitor, f"{prefix}-answer", width)
        page.click(".cite")
        expect(page.locator("#cited")).to_be_in_viewport()
        seen(visitor, f"{prefix}-article", width)
        page.keyboard.press("Escape")
        visitor.ask("How many people did the storm kill in Varnes?")
        visitor.answered(2)
        seen(visitor, f"{prefix}-differ", width)
        page.locator(".differ .cite").first.click()
        expect(page.locator("#panel .days-meant")).to_be_visible()
        seen(visitor, f"{prefix}-days", width)
        page.keyboard.press("Escape")
        server.hold("facts")
        visitor.ask("What did Mayor Lena Holm say the work would cost?")
        visitor.answered(3)
        server.release("facts")
        page.click("#current .withheld summary")
        seen(visitor, f"{prefix}-withheld", width)
        visitor.ask("Who won the chess championship of Iceland?")
        visitor.answered(4)
        seen(visitor, f"{prefix}-no-answer", width)
        server.hold("queue")
        visitor.ask("When does the harbour bridge close?")
        visitor.answered(5)
        server.release("queue")
        seen(visitor, f"{prefix}-busy", width)
        page.evaluate("scrollTo(0, 0)")
        page.click("#narrow")
        page.locator(".bar").last.click()
        expect(page.locator(".timeline.chosen")).to_be_visible()
        seen(visitor, f"{prefix}-narrowed", width)
        page.get_by_role("tab", name="Library").click()
        expect(page.locator(".articles td").first).to_be_visible()
        seen(visitor, f"{prefix}-library", width)
        server.hold("build")
        page.click("#rebuild")
        expect(page.locator("#built progress")).to_be_visible()
        seen(visitor, f"{prefix}-building", width)
        server.release("build")
        expect(page.locator("#built .done")).to_be_visible()
        page.locator(".articles td button").first.click()
        expect(page.locator("#page-of-article .reader")).to_be_visible()
        seen(visitor, f"{prefix}-whole-article", width)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_states_with_nothing_to_show(browser: Browser, server: Server, theme: str) -> None:
    size = {"width": 360, "height": 720}
    with visit(browser, server.url, viewport=size, color_scheme=theme) as visitor:
        page, prefix = visitor.page, f"{theme}-360"
        page.click("#narrow")
        for number, (day, name) in enumerate([("2024-31-31", "error"), ("2030-01-01", "empty")], 1):
            page.fill("#since input", day)
            page.keyboard.press("Tab")
            visitor.ask("When does the harbour bridge close?")
            visitor.answered(number)
            expect(page.locator(f"#current .notice.{name}")).to_be_visible()
            seen(visitor, f"{prefix}-{name}", 360)
        page.get_by_role("tab", name="Library").click()
        page.fill("#article-search :is(input, textarea)", "zzz")
        expect(page.locator("#articles .notice.empty")).to_be_visible()
        seen(visitor, f"{prefix}-nothing-found", 360)
