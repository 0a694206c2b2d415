"""Contrast and names for a screen reader, by axe-core, in both themes and both widths."""

from __future__ import annotations

from importlib import resources

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import visit
from tests.browser.serving import Server
from tests.browser.test_library import open_library

AXE = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# Gradio's own box for files is a button within a button, while it holds some.
NOT_OURS = ["nested-interactive"]
# The days that the bars of the timeline choose can be typed as well (WCAG 2.5.8, equivalent).
RUN = """async ([levels, off]) => (await axe.run(document, {
  runOnly: { type: "tag", values: levels },
  rules: Object.fromEntries(off.map((id) => [id, { enabled: false }])),
})).violations.flatMap((v) => v.nodes
  .filter((n) => v.id !== "target-size" || !n.html.includes('class="bar'))
  .map((n) => [v.id, n.html.slice(0, 160), n.failureSummary]))"""


def violations(page: Page) -> list[object]:
    """What axe finds, wide and narrow, in both themes."""
    found: list[object] = []
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    for dark, width in ((True, 360), (False, 1280), (True, 1280)):
        page.emulate_media(color_scheme="dark" if dark else "light")
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_timeout(300)  # colours fade in
        found += page.evaluate(RUN, [LEVELS, NOT_OURS])
    return found


def test_axe_finds_nothing(browser: Browser, shelf: Server) -> None:
    with visit(browser, shelf.url) as visitor:
        page = visitor.page
        expect(page.locator("#examples li").first).to_be_visible()
        assert violations(page) == []
        visitor.ask("When will the winter fair open its gates?")
        visitor.answered()
        page.click(".cite >> nth=0")
        expect(page.locator("#cited")).to_be_in_viewport()
        assert violations(page) == []
        page.keyboard.press("Escape")
        open_library(visitor)
        page.click("#groups summary")
        page.click("[data-narrow=section][data-value=sea]")
        page.click("#new-index > button")
        expect(page.locator("#make-index")).to_be_visible()
        assert violations(page) == []
        visitor.picture("narrowed-library")
        page.get_by_role("button", name="Trawler crew saved").click()
        expect(page.locator("#page-of-article .story")).to_be_visible()
        assert violations(page) == []
        visitor.picture("story")
