"""Files handed over: while a build is under way, into a new index, and what becomes of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.browser.serving import Server
from tests.browser.test_library import open_library

BOX, NEW_BOX = "#files input[type=file]", "#new-files input[type=file]"


def written(folder: Path, name: str, words: str) -> Path:
    file = folder / name
    file.write_text(f"{words}\n\n{words} in the tower of Skagen, and nobody saw it that day.")
    return file


def left_behind(server: Server) -> list[Path]:
    """Uploaded files that still lie in the temporary folder; Gradio makes empty ones beside."""
    files = (path for path in (server.folder / "tmp").rglob("*") if path.is_file())
    return [path for path in files if path.stat().st_size]


@pytest.mark.parametrize("first", ["an upload", "a rebuild"])
def test_files_handed_over_during_a_build_are_taken_too(
    reader: Visitor, shelf: Server, tmp_path: Path, first: str
) -> None:
    """Gradio's event took one upload at a time and dropped the rest; the lock refused others."""
    page = reader.page
    open_library(reader)
    shelf.hold("build")
    if first == "an upload":
        page.set_input_files(BOX, written(tmp_path, "owl.txt", "The owl slept"))
    else:
        page.click("#rebuild")
    expect(page.locator("#built progress")).to_be_visible()
    page.set_input_files(BOX, written(tmp_path, "fox.txt", "The fox woke"))
    expect(page.locator("#built")).to_contain_text("Another build of this index is under way")
    shelf.release("build")
    expect(page.locator("#uploads")).to_contain_text("fox.txt")
    page.fill("#article-search :is(input, textarea)", "tower of Skagen")
    both = {"an upload": ["The owl slept", "The fox woke"], "a rebuild": ["The fox woke"]}[first]
    expect(page.locator(".articles td.of-title button")).to_have_count(len(both))
    assert left_behind(shelf) == []
    page.on("dialog", lambda dialog: dialog.accept())
    for title in both:  # an upload that holds one article goes with it
        page.get_by_role("button", name=title).click()
        page.click("[data-take-out]")
        expect(page.get_by_role("button", name=title)).to_have_count(0)
    expect(page.locator("#uploads")).not_to_contain_text(".txt")


def test_what_was_not_taken_is_said_where_the_upload_happened(
    reader: Visitor, shelf: Server, tmp_path: Path
) -> None:
    page = reader.page
    open_library(reader)
    assert reader.text(".accepted summary").startswith("Up to 64 MiB a file: json lines, csv, pdf,")
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.4 nothing more")
    page.set_input_files(BOX, [tmp_path / "broken.pdf", written(tmp_path, "elk.txt", "An elk")])
    told = page.locator("#built .not-taken")
    expect(told).to_contain_text("uploads/broken.pdf")
    expect(told.locator(".reason")).not_to_be_empty()
    expect(page.locator("#formats summary")).to_contain_text("64 json lines, 1 text")
    page.click("#formats summary")
    expect(page.locator("#formats tr", has_text="pdf")).to_contain_text("01")
    reader.picture("not-taken")
    page.on("dialog", lambda dialog: dialog.accept())
    for name in ("broken.pdf", "elk.txt"):
        page.get_by_role("button", name=f"Remove {name}").click()
        expect(page.locator("#uploads")).not_to_contain_text(name)
    assert left_behind(shelf) == []


def test_an_index_is_made_and_named_on_the_page(
    reader: Visitor, shelf: Server, tmp_path: Path
) -> None:
    page = reader.page
    open_library(reader)
    page.click("#new-index > button")
    page.fill("#new-name :is(input, textarea)", "../up")
    page.set_input_files(NEW_BOX, written(tmp_path, "elk.txt", "An elk came"))
    expect(page.locator("#new-files .file-preview")).to_be_visible()
    page.click("#make-index")
    expect(page.locator("#made .error")).to_contain_text("'../up' is not a name of an index")
    page.fill("#new-name :is(input, textarea)", "news")
    page.click("#make-index")
    expect(page.locator("#made .error")).to_contain_text("there is an index 'news' already")
    page.fill("#new-name :is(input, textarea)", "forest")
    page.click("#make-index")
    expect(page.locator("#index input")).to_have_value("forest")
    expect(page.locator("#made .done")).to_contain_text("1 added")
    expect(page.locator(".articles td.of-title button")).to_have_text(["An elk came"])
    page.get_by_role("tab", name="Ask").click()
    expect(page.locator("#hello h1")).to_have_text("Ask the articles of “forest”")
    assert left_behind(shelf) == []
