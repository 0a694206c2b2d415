"""Files handed over: while a build is under way, into a new index, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Visitor, visit
from tests.browser.serving import Server, served
from tests.browser.test_library import open_library
from tests.support import ARTICLES, build, write_articles


@pytest.fixture
def own(browser: Browser, tmp_path: Path) -> Iterator[tuple[Visitor, Server]]:
    """A visitor at a page of their own, whose index others do not see."""
    index_dir = write_articles(tmp_path, ARTICLES)
    build(index_dir)
    command = ["-m", "tests.browser.serve", "PORT", str(tmp_path)]
    with served(command, tmp_path, index_dir) as server, visit(browser, server.url) as visitor:
        yield visitor, server


def written(folder: Path, name: str, words: str) -> Path:
    file = folder / name
    file.write_text(f"{words}\n\n{words} in the tower of Skagen, and nobody saw it that day.")
    return file


def test_files_handed_over_during_a_build_are_taken_too(
    own: tuple[Visitor, Server], tmp_path: Path
) -> None:
    visitor, server = own
    page = visitor.page
    open_library(visitor)
    server.hold("build")
    page.set_input_files("#files input[type=file]", written(tmp_path, "owl.txt", "The owl slept"))
    expect(page.locator("#built progress")).to_be_visible()
    page.set_input_files("#files input[type=file]", written(tmp_path, "fox.txt", "The fox woke"))
    page.wait_for_timeout(1000)
    server.release("build")
    expect(page.locator("#uploads")).to_contain_text("fox.txt")
    expect(page.locator("#uploads")).to_contain_text("owl.txt")
    expect(page.locator(".articles td.title button")).to_have_count(5)


def test_files_handed_over_while_somebody_rebuilds(
    own: tuple[Visitor, Server], tmp_path: Path
) -> None:
    visitor, server = own
    page = visitor.page
    open_library(visitor)
    server.hold("build")
    page.click("#rebuild")
    expect(page.locator("#built progress")).to_be_visible()
    page.set_input_files("#files input[type=file]", written(tmp_path, "owl.txt", "The owl slept"))
    page.wait_for_timeout(1000)
    server.release("build")
    expect(page.locator(".articles td.title button")).to_have_count(4)
