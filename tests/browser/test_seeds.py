"""The seed question with the real models, from the box to the sentence in the article."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import visit
from tests.browser.serving import served

pytestmark = pytest.mark.models
SERVE = "import app, sys; app.main(index='seeds', port=int(sys.argv[1]), announce=print)"


def test_from_the_question_to_the_sentence(
    browser: Browser, seeds_project: Path, tmp_path: Path
) -> None:
    with (
        served(["-c", SERVE, "PORT"], tmp_path, seeds_project / "indexes") as server,
        visit(browser, server.url) as visitor,
    ):
        page = visitor.page
        visitor.ask("What did Healey urge in Israel?")
        expect(page.locator(".hit").first).to_be_visible()
        page.wait_for_selector(".answer", timeout=300_000)
        assert "restraint" in visitor.text(".sentences")
        page.locator(".cite").first.click()
        mark = page.locator("#panel #cited")
        expect(mark).to_be_in_viewport()
        expect(mark).to_contain_text("urged all sides to show restraint")
        assert "UK defence secretary in Tel Aviv" in visitor.text("#panel h2")
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            page.wait_for_timeout(300)
            visitor.picture(f"seeds-{theme}")
