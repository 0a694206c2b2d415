"""A server with fakes for all browser tests, and a page of Chromium for each."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.serving import Server, served
from tests.support import build, write_articles

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "build" / "screenshots"
# No GPU and no sandbox: the tests may run as root in a container. The browser of Debian.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
TIMEOUT_MS = 60_000  # the machine may be busy with something else
expect.set_options(timeout=TIMEOUT_MS)
EVIL = '<script>window.evil=1</script><img src=x onerror="window.evil=2">[a](javascript:evil())'
ARTICLES = [
    {
        "id": "harbour",
        "title": "Harbour bridge to close for repairs",
        "text": "Rain fell again. "
        "The harbour bridge in Osterby closes on Monday for nine weeks of repairs. "
        "Mayor Lena Holm said the work would cost 4.2 million crowns. "
        "Cyclists may use the ferry without paying. "
        "Shop owners fear that fewer customers will come.\n\n" + "Rain fell again. " * 60,
        "published": "2024-03-01",
        "source": "Osterby Post",
        "url": "https://example.org/harbour",
    },
    {
        "id": "ferry",
        "title": "Ferry crews vote on strike",
        "text": "Crews of the Osterby ferry vote on a strike next week. "
        "Their union demands a raise of 6 percent. "
        "The company offers 3 percent and calls the demand unreasonable.",
        "published": "2024-05-05",
        "source": "Harbour News",
        "url": "javascript:alert(1)",
    },
    {
        "id": "evil",
        "title": f"Prize for a painter {EVIL}",
        "text": f"The painter Ida Brandt of Lindal won a prize. {EVIL} It is worth 900 crowns.",
        "published": "2024-06-10",
        "source": f"Lindal {EVIL}",
        "url": 'https://example.org/"onmouseover="evil()',
    },
    # Two that differ, and a reprint. Titles of two words make no examples.
    {
        "id": "storm-early",
        "title": "Storm damage",
        "text": "The storm on Friday killed 12 people in Varnes. Roads are closed.",
        "published": "2024-04-06",
        "source": "Varnes Times",
    },
    {
        "id": "storm-late",
        "title": "Storm toll",
        "text": "The storm on Friday killed 18 people in Varnes. Schools stay closed.",
        "published": "2024-04-09",
        "source": "Varnes Echo",
    },
    {
        "id": "storm-again",
        "title": "Storm toll",
        "text": "The storm on Friday killed 18 people in Varnes. Schools stay closed.",
        "published": "2024-04-10",
        "source": "Coast Radio",
    },
]

RESCUE = (
    "The crew of the trawler Maren was rescued by a helicopter on Tuesday. Jens Dahl, the head of"
    " the coastguard in Skagen, said the sea was calm. Mr Dahl praised the pilots. They flew twice"
    " through the night and brought nine people to the hospital, where all of them slept until"
    " noon and then went home by bus."
)
# Sections, a reprint, and sentences that questions are made from.
SHELF = [
    {
        "id": "rescue",
        "title": "Crew of a trawler saved off Skagen",
        "text": RESCUE,
        "published": "2024-02-01",
        "source": "Osterby Post",
        "section": "sea",
    },
    {
        "id": "again",
        "title": "Trawler crew saved",
        "text": RESCUE,
        "published": "2024-02-02",
        "source": "Coast Radio",
        "section": "sea",
    },
    {
        "id": "fair",
        "title": "A fair of winter things",
        "text": "The winter fair will open its gates on Friday. Bakers bring bread to it.",
        "published": "2024-03-02",
        "source": "Osterby Post",
        "section": "town",
    },
    {
        "id": "strike",
        "title": "Ferries of Osterby stand still",
        "text": "Ferries stood still in the port of Osterby today. Union leader Karin Vinter said"
        " that the harbour of Osterby would stay shut. Ms Vinter wants more pay.",
        "published": "2024-02-20",
        "source": "Osterby Post",
        "section": "town",
    },
    *(
        {
            "id": f"page-{n:02}",
            "title": f"Notice number {n:02} of the port",
            "text": f"Berth {n} stays shut because of works. Captains are told to use another one.",
            "published": f"2023-{n % 12 + 1:02}-{n % 28 + 1:02}",
            "section": "port",
        }
        for n in range(60)
    ),
]


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker("browser")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("page")
    index_dir = write_articles(folder, ARTICLES)
    build(index_dir)
    command = ["-m", "tests.browser.serve", "PORT", str(folder)]
    with served(command, folder, index_dir) as server:
        yield server
        outside = folder / "outside"
        assert not outside.exists(), outside.read_text()


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A second server, whose indexes tests may change."""
    folder = tmp_path_factory.mktemp("shelf")
    index_dir = write_articles(folder, SHELF)
    build(index_dir)
    (folder / "tmp").mkdir()
    command = ["-m", "tests.browser.serve", "PORT", str(folder)]
    with served(command, folder, index_dir, TMPDIR=str(folder / "tmp")) as server:
        yield server
    assert list((folder / "tmp").iterdir()) == []  # SIGTERM leaves nothing behind


@pytest.fixture
def reader(browser: Browser, shelf: Server) -> Iterator[Visitor]:
    """Somebody at the second server."""
    with visit(browser, shelf.url) as visitor:
        yield visitor


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        missing = "chromium is not installed (Debian: apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Visitor:
    """A person at the page, in a browser of their own.

    Attributes:
        page: The tab.
        requests: Every address that it asked for.
        errors: What its scripts raised.
    """

    page: Page
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def ask(self, question: str) -> None:
        self.page.fill("#question textarea", question)
        self.page.press("#question textarea", "Enter")

    def answered(self, n_turns: int = 1) -> None:
        self.page.wait_for_function(
            "n => document.querySelectorAll('.turn').length === n"
            " && !document.querySelector('.turn[aria-busy=true]')",
            arg=n_turns,
        )

    def text(self, selector: str) -> str:
        return self.page.inner_text(selector)

    def picture(self, name: str) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}.png", animations="disabled")


@contextmanager
def visit(browser: Browser, url: str, **options: Any) -> Iterator[Visitor]:
    """Open the page in a fresh context; at the end nothing may have left this machine."""
    options = {"viewport": {"width": 1280, "height": 860}, **options}
    context: BrowserContext = browser.new_context(**options)
    context.set_default_timeout(TIMEOUT_MS)
    visitor = Visitor(context.new_page())
    context.on("request", lambda request: visitor.requests.append(request.url))
    visitor.page.on("pageerror", lambda error: visitor.errors.append(str(error)))
    visitor.page.goto(url)
    visitor.page.wait_for_selector("#ready p:not(.opening, .loading), .notice")
    yield visitor
    context.close()
    hosts = {urlsplit(address).hostname for address in visitor.requests}
    assert hosts - {None} == {"127.0.0.1"}  # None: data and blob addresses
    assert visitor.errors == []


@pytest.fixture
def visitor(browser: Browser, server: Server) -> Iterator[Visitor]:
    with visit(browser, server.url) as visitor:
        yield visitor
