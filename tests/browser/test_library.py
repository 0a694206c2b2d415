"""The library: the table, an article with what was removed, uploads, rebuilding."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Visitor, visit
from tests.browser.serving import Server, served
from tests.support import ARTICLES, build, write_articles


def open_library(visitor: Visitor) -> None:
    visitor.page.get_by_role("tab", name="Library").click()
    expect(visitor.page.locator(".articles td").first).to_be_visible()


def test_search_and_sort(visitor: Visitor) -> None:
    open_library(visitor)
    page = visitor.page
    page.fill("#article-search :is(input, textarea)", "osterby post")
    expect(page.locator(".articles td.of-title button")).to_have_text(
        ["Harbour bridge to close for repairs"]
    )
    page.fill("#article-search :is(input, textarea)", "2024")
    expect(page.locator(".articles td.of-published time").first).to_have_attribute(
        "datetime", "2024-06-10"
    )
    page.click(".articles th.of-published button")
    expect(page.locator(".articles td.of-published time").first).to_have_attribute(
        "datetime", "2024-03-01"
    )
    assert page.get_attribute(".articles th.of-published", "aria-sort") == "ascending"


def test_reprints_are_a_state(visitor: Visitor) -> None:
    open_library(visitor)
    page = visitor.page
    page.fill("#article-search :is(input, textarea)", "storm")
    expect(page.locator(".articles td.of-state")).to_have_text(
        [
            "as found, reprint, same text as 1 other",
            "as found, first report, same text as 1 other",
            "as found",
        ]
    )


def test_an_article_whole(visitor: Visitor) -> None:
    open_library(visitor)
    visitor.page.get_by_role("button", name="Ferry crews vote on strike").click()
    reader = visitor.page.locator("#page-of-article .reader")
    expect(reader.locator("h2")).to_have_text("Ferry crews vote on strike")
    assert "Their union demands a raise of 6 percent." in reader.inner_text()
    assert "Nothing was removed" in reader.inner_text()
    assert reader.locator("a").count() == 0  # its address is a script


def test_an_upload_is_found_in_an_answer(visitor: Visitor, tmp_path: Path) -> None:
    file = tmp_path / "lighthouse.txt"
    file.write_text(
        "Lighthouse keeper retires\n\nThe lighthouse keeper Arvid Lund retires on Sunday after"
        " forty years in Skagen.\n"
    )
    unknown = tmp_path / "broken.jsonl"
    unknown.write_text("{not json}\n")
    open_library(visitor)
    page = visitor.page
    page.set_input_files("#files input[type=file]", [file, unknown])
    expect(page.locator("#built .done")).to_contain_text("1 added")
    expect(page.locator("#skipped")).to_contain_text("uploads/broken.jsonl, line 1")
    page.get_by_role("tab", name="Ask").click()
    visitor.ask("When does the lighthouse keeper Arvid Lund retire?")
    visitor.answered()
    assert "retires on Sunday" in visitor.text(".sentence")
    page.click(".cite")
    expect(page.locator("#panel #cited")).to_contain_text("Arvid Lund")


def test_files_of_one_name_are_both_kept_and_can_be_removed(
    visitor: Visitor, tmp_path: Path
) -> None:
    page = visitor.page
    open_library(visitor)
    for n, words in ((1, "The owl of Skagen sleeps."), (2, "The owl of Skagen woke up.")):
        file = tmp_path / str(n) / "owl.txt"
        file.parent.mkdir()
        file.write_text(words)
        page.set_input_files("#files input[type=file]", file)
        expect(page.locator("#built .done")).to_contain_text("Version")
        expect(page.locator("#built .uploaded")).to_contain_text(
            ["1 file added."] if n == 1 else ["“owl.txt” is kept as “owl (2).txt”"]
        )
        expect(page.locator("#files .file-preview")).to_have_count(0)  # it takes files again
    expect(page.locator("#uploads")).to_contain_text("owl (2).txt")  # the last that a build shows
    page.fill("#article-search :is(input, textarea)", "owl")
    expect(page.locator(".articles td.of-title button")).to_have_count(2)
    page.on("dialog", lambda dialog: dialog.accept())
    for n_left, name in ((1, "owl (2).txt"), (0, "owl.txt")):
        page.get_by_role("button", name=f"Remove {name}").click()
        expect(page.locator("#built .uploaded")).to_have_text(f"“{name}” is removed.")
        expect(page.locator("#built .done")).to_contain_text("1 removed")
        expect(page.locator(".articles td.of-title button")).to_have_count(n_left)
        expect(page.locator("#uploads")).not_to_contain_text(name)


def test_a_build_that_would_take_most_articles_out_asks(browser: Browser, tmp_path: Path) -> None:
    index_dir = write_articles(tmp_path, ARTICLES)
    build(index_dir)
    write_articles(tmp_path, ARTICLES[:1])
    command = ["-m", "tests.browser.serve", "PORT", str(tmp_path)]
    with served(command, tmp_path, index_dir) as server, visit(browser, server.url) as visitor:
        open_library(visitor)
        page = visitor.page
        page.click("#rebuild")
        expect(page.locator("#built .error")).to_contain_text("2 of the 3 articles of index 'news'")
        expect(page.locator(".articles td.of-title button")).to_have_count(3)
        page.get_by_role("button", name="let them go").click()
        expect(page.locator("#built .done")).to_contain_text("2 removed")
        expect(page.locator(".articles td.of-title button")).to_have_count(1)


def test_rebuilding_while_another_page_asks(browser: Browser, server: Server) -> None:
    with visit(browser, server.url) as builder, visit(browser, server.url) as asker:
        open_library(builder)
        server.hold("build")
        builder.page.click("#rebuild")
        bar = builder.page.locator("#built progress")
        expect(bar).to_be_visible()
        expect(bar).to_have_js_property("max", 1)
        expect(builder.page.locator("#built label")).to_contain_text("of about ")
        asker.ask("When does the harbour bridge close?")
        asker.answered()
        assert asker.text(".sentence").startswith("The harbour bridge in Osterby closes")
        server.release("build")
        expect(builder.page.locator("#built .done")).to_be_visible()


def test_the_health_of_the_index(visitor: Visitor) -> None:
    open_library(visitor)
    assert visitor.text("#health").startswith("Version ")
    visitor.page.click("#check")
    expect(visitor.page.locator("#built .healthy")).to_contain_text("is whole")


@pytest.mark.parametrize("name", ["picture.png", "page.mp3"])
def test_other_files_are_refused(visitor: Visitor, tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(b"<script>window.evil=1</script>")
    open_library(visitor)
    visitor.page.set_input_files("#files input[type=file]", file)
    expect(visitor.page.locator(".toast-body.error")).to_contain_text("Invalid file type")
    assert visitor.page.locator("#built .done").count() == 0
