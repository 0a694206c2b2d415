"""Questions to begin with: as a person asks them, and each about an article that is found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rag.page import examples
from rag.page.overview import rows_of
from rag.testing import FakeEmbedder, open_with
from tests.support import build, write_articles

RESCUE = {
    "id": "rescue",
    "title": "Crew of a trawler saved off Skagen",
    "text": "The crew of the trawler Maren was rescued by a helicopter on Tuesday. Jens Dahl, the"
    " head of the coastguard in Skagen, said the sea was calm. Mr Dahl praised the pilots.",
    "published": "2024-02-01",
    "source": "Post",
}
STRIKE = {
    "id": "strike",
    "title": "Ferries of Osterby stand still",
    "text": "Ferries stood still in the port of Osterby today. Union leader Karin Vinter said that"
    " the harbour of Osterby would stay shut. Ms Vinter wants more pay.",
    "published": "2024-03-01",
    "source": "Echo",
}
FAIR = {
    "id": "fair",
    "title": "A fair opens",
    "text": "The winter fair will open its gates on Friday. According to police it was seen on"
    " Monday. House prices, the paper said, rose.",
    "published": "2024-03-02",
}


def made(folder: Path, articles: list[dict[str, Any]], **config: str) -> list[str]:
    index_dir = write_articles(folder, articles)
    if config:
        file = index_dir / "news" / "index.toml"
        lines = [f'{key} = "{value}"' for key, value in config.items()]
        file.write_text("\n".join([*lines, file.read_text()]))
    build(index_dir)
    with open_with(index_dir, "news", FakeEmbedder()) as rag:
        return examples.questions(rag, rows_of(rag.articles(), []))


def test_who_when_and_what_somebody_said(tmp_path: Path) -> None:
    assert made(tmp_path, [RESCUE, STRIKE, FAIR]) == [
        "Who is Jens Dahl?",
        "When will the winter fair open its gates?",
        "What did Karin Vinter say about Osterby?",
    ]


def test_what_the_articles_do_not_give_is_not_asked(tmp_path: Path) -> None:
    """The passive, the names and the places that only look like it are left out."""
    assert made(tmp_path, [STRIKE, FAIR]) == [
        "When will the winter fair open its gates?",
        "What did Karin Vinter say about Osterby?",
    ]
    assert made(tmp_path / "other", [RESCUE], language="sv") == []
