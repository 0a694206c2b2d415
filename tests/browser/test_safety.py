"""Texts of strangers do nothing, and answers can be taken away and checked."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.browser.conftest import EVIL, Visitor, visit
from tests.browser.serving import Server, served
from tests.support import build, write_articles


def harmless(visitor: Visitor) -> bool:
    """Whether nothing of EVIL ran or became an element."""
    page = visitor.page
    assert page.evaluate("window.evil") is None
    assert page.locator("img[src=x], .page script, .page [onmouseover]").count() == 0
    links = page.locator("a[href]").evaluate_all("all => all.map(a => new URL(a.href).protocol)")
    return set(links) <= {"http:", "https:"}


def test_markup_in_articles_and_questions_does_nothing(visitor: Visitor) -> None:
    question = f"Which prize did the painter Ida Brandt win? {EVIL} ${{1+1}} {{{{value}}}}"
    visitor.ask(question)
    visitor.answered()
    assert visitor.text(".question") == question
    assert harmless(visitor)
    visitor.page.locator(".hit", has_text="Prize for a painter").click()
    expect(visitor.page.locator("#panel h2")).to_have_text(f"Prize for a painter {EVIL}")
    assert EVIL in visitor.text("#panel .text")
    assert harmless(visitor)
    visitor.page.get_by_role("tab", name="Library").click()
    expect(visitor.page.locator(".articles td.of-source").first).to_have_text(f"Lindal {EVIL}")
    assert harmless(visitor)


def test_names_of_uploaded_files_do_nothing(visitor: Visitor, tmp_path: Path) -> None:
    file = tmp_path / "<img src=x onerror=evil()>.jsonl"
    file.write_text('{"id": "<b>x</b>"}\n')
    visitor.page.get_by_role("tab", name="Library").click()
    visitor.page.set_input_files("#files input[type=file]", file)
    expect(visitor.page.locator("#built .done")).to_be_visible()
    expect(visitor.page.locator("#skipped")).to_contain_text("img src")
    assert harmless(visitor)


def test_a_dossier_can_be_checked_without_the_page(visitor: Visitor, tmp_path: Path) -> None:
    page = visitor.page
    visitor.ask("When does the harbour bridge close?")
    visitor.answered()
    saved = {}
    for kind in ("json", "html", "md"):
        with page.expect_download() as download:
            page.click(f"[data-dossier={kind}]")
        saved[kind] = tmp_path / download.value.suggested_filename
        download.value.save_as(saved[kind])
    dossier = json.loads(saved["json"].read_text())
    articles = {article["article_id"]: article for article in dossier["articles"]}
    (citation,) = dossier["citations"]
    article = articles[citation["article_id"]]
    assert article["text"][citation["start"] : citation["end"]] == citation["quote"]
    assert hashlib.sha256(article["text"].encode()).hexdigest() == article["text_sha256"]
    assert dossier["index"]["name"] == "news"
    assert citation["quote"] in saved["md"].read_text()
    alone = page.context.new_page()
    alone.goto(saved["html"].as_uri())
    expect(alone.locator("#quote-1")).to_have_text(f"1{citation['quote']}")
    alone.close()
    visitor.requests = [url for url in visitor.requests if not url.startswith("file:")]


def test_the_answer_is_copied_with_its_citations(browser: Browser, server: Server) -> None:
    with visit(browser, server.url, permissions=["clipboard-read", "clipboard-write"]) as visitor:
        visitor.ask("When does the harbour bridge close?")
        visitor.answered()
        visitor.page.click(".copy")
        expect(visitor.page.locator(".copy")).to_have_text("Copied")
        copied = visitor.page.evaluate("navigator.clipboard.readText()")
        sentence = "The harbour bridge in Osterby closes on Monday for nine weeks of repairs."
        told = sentence.replace("Monday", "Monday [4 March 2024]")  # a day, resolved for the reader
        assert f"{told} [1]\n" in copied
        assert (
            f"[1] “{sentence}” Harbour bridge to close for repairs · Osterby Post · 2024-03-01"
            " · https://example.org/harbour" in copied
        )


def test_others_on_the_network_log_in(browser: Browser, tmp_path: Path) -> None:
    index_dir = write_articles(tmp_path, [{"id": "a", "title": "Rain", "text": "Rain fell."}])
    build(index_dir)
    (tmp_path / "people").write_text("ada:secret\n")
    command = ["-m", "tests.browser.serve", "PORT", str(tmp_path), str(tmp_path / "people")]
    with served(command, tmp_path, index_dir) as server:
        context = browser.new_context()
        page = context.new_page()
        addresses: list[str] = []
        page.on("request", lambda request: addresses.append(request.url))
        page.goto(server.url)
        page.get_by_label("username").fill("ada")
        page.get_by_label("password").fill("wrong")
        page.get_by_role("button", name="Login").click()
        expect(page.get_by_text("Incorrect Credentials")).to_be_visible()
        page.get_by_label("username").fill("ada")  # Gradio forgets it
        page.get_by_label("password").fill("secret")
        page.get_by_role("button", name="Login").click()
        expect(page.locator("#hello h1")).to_have_text("Ask the articles of “news”")
        cookies = context.cookies()
        assert cookies
        assert {(cookie["sameSite"], cookie["httpOnly"]) for cookie in cookies} == {("Lax", True)}
        assert [url for url in addresses if not url.startswith((server.url, "data:"))] == []
        context.close()
