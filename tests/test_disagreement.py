"""Sources that disagree, on articles written for it: real embedding model, scripted answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rag import Answer, AnswerStatus, Rag, Settings, build
from rag.testing import FakeLLM

pytestmark = pytest.mark.models

ARTICLES = [
    ("blast-1", "Bomb at market in Kadar", "2024-05-02", "Herald",
     "At least 12 people were killed and 30 injured when a bomb exploded at a market in Kadar on"
     " Thursday, officials said. Witnesses spoke of a van that was parked near the stalls."),
    ("blast-2", "Death toll of Kadar bombing rises", "2024-05-03", "Herald",
     "The death toll from the bombing at the Kadar market has risen to 18, the health ministry said"
     " on Friday. Nine of the injured are in a critical condition."),
    ("blast-3", "Bomb at Kadar market", "2024-05-02", "Osterby Post",
     "At least 12 people were killed and 30 injured when a bomb exploded at a market in Kadar on"
     " Thursday, officials said."),
    ("storm-1", "Storm Ansgar kills dozens", "2024-09-09", "Osterby Post",
     "At least 31 people were killed by storm Ansgar in Haldor."),
    ("storm-2", "Storm Ansgar reaches the coast", "2024-09-08", "Herald",
     "In Breidal at least 19 people were killed by storm Ansgar."),
    ("gold-1", "Gold stolen from the museum of Sund", "2024-07-02", "Osterby Post",
     "The stolen crowns of Sund are worth $102.63 million, the prosecutor said."),
    ("gold-2", "Thieves in the museum of Sund", "2024-07-03", "Herald",
     "The stolen crowns of Sund are worth more than $100 million, the museum of Sund said."),
    ("march-1", "Thousands march in Osterby", "2024-06-09", "Osterby Post",
     "About 40,000 people marched through Osterby on Saturday against the pension reform, the"
     " organisers said. The march ended at the harbour."),
    ("march-2", "Protest against pension reform", "2024-06-09", "Herald",
     "Police said 15,000 protesters joined the march against the pension reform in Osterby. Four"
     " people were arrested."),
    ("bridge-1", "Harbour bridge to close", "2024-03-01", "Osterby Post",
     "The harbour bridge in Osterby closes on Monday for nine weeks of repairs."),
    ("bridge-2", "Repairs of the harbour bridge", "2024-03-02", "Herald",
     "The harbour bridge in Osterby will close on 6 March for nine weeks of repairs."),
    ("mayor-1", "Mayor of Lindal resigns", "2024-04-03", "Herald",
     "Mayor Paul Brandt of Lindal resigned on Tuesday over the sale of the city forest."),
    ("mayor-2", "Brandt stays", "2024-04-04", "Osterby Post",
     "Mayor Paul Brandt of Lindal has not resigned over the sale of the city forest, his office"
     " said."),
    ("flood-1", "Flood in Torvik", "2023-02-02", "Herald",
     "Seven people died when the river Tor burst its banks in Torvik."),
    ("flood-2", "Flood in Malby", "2023-02-12", "Herald",
     "Eleven people died when the river Mal burst its banks in Malby."),
    ("bank-1", "Nordbank profit 2003", "2004-02-02", "Herald",
     "Nordbank made a profit of 4.2 billion crowns in 2003."),
    ("bank-2", "Nordbank profit 2004", "2005-02-02", "Herald",
     "Nordbank made a profit of 5.1 billion crowns in 2004."),
    ("film-1", "Film festival draws 4,200", "2024-08-05", "Herald",
     "The film festival in Lindal drew 4,200 visitors over the weekend."),
    ("film-2", "Film festival ends", "2024-08-05", "Osterby Post",
     "More than 4,000 visitors came to the film festival in Lindal over the weekend."),
    ("death-1", "Ada Varn dies", "2024-11-05", "Herald",
     "Minister Ada Varn died in Selje at the age of 84 after a long illness."),
    ("death-2", "Ada Varn dead", "2024-11-05", "Osterby Post",
     "Minister Ada Varn died in Selje on Nov. 3 after a long illness, her family said."),
    ("salmon-1", "Salmon is dear", "2024-11-10", "Herald",
     "A 16-pound salmon costs 21 crowns at the market of Malby."),
    ("salmon-2", "Salmon prices", "2024-11-10", "Osterby Post",
     "Salmon costs 1.3 crowns per pound at the market of Malby."),
    ("jail-1", "Escape in Ravno", "2024-12-01", "Herald",
     "Ten inmates escaped from the jail of Ravno at night, the sheriff said."),
    ("jail-2", "How they escaped", "2024-12-02", "Osterby Post",
     "As 1,400 inmates slept in the jail of Ravno, some of them escaped at night."),
    ("quake-1", "Tarvo quake updates: Death toll at 12", "2024-10-06", "Herald",
     "At least 12 people died in the quake on Sunday, officials said."),
    ("quake-2", "More than 30 dead in Tarvo quake", "2024-10-08", "Herald",
     "More than 30 people died in the quake that struck the coast of Tarvo."),
    ("quake-3", "Tarvo quake: how many died where", "2024-10-08", "Osterby Post",
     "The people who died in Ramdal District are 7."),
]  # fmt: skip
KILLED = "How many people were killed in the Kadar market bombing?"


@pytest.fixture(scope="module")
def rag(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rag]:
    folder = tmp_path_factory.mktemp("disagreement")
    names = ("id", "title", "published", "source", "text")
    lines = [json.dumps(dict(zip(names, row, strict=True))) for row in ARTICLES]
    (folder / "news.jsonl").write_text("\n".join(lines) + "\n")
    index_dir = folder / "indexes"
    (index_dir / "news").mkdir(parents=True)
    (index_dir / "news" / "index.toml").write_text('sources = ["../../news.jsonl"]\n')
    settings = Settings(index_dir=index_dir, min_evidence=0)
    build("news", settings=settings)
    with Rag.open("news", settings=settings) as opened:
        yield opened


@pytest.fixture
def ask(rag: Rag) -> Callable[..., Answer]:
    def run(question: str, completion: str, **options: Any) -> Answer:
        scripted = Rag(rag.index, rag.embedder, FakeLLM([completion]), rag.settings)
        answer = scripted.ask(question, **options)
        assert answer.status is AnswerStatus.ANSWERED
        return answer

    return run


def said(answer: Answer) -> list[tuple[str, str]]:
    """Each claim of the one disagreement with the article it is cited from."""
    (found,) = answer.disagreements
    by_number = {citation.number: citation for citation in answer.citations}
    for claim in found.claims:
        assert claim.text in " ".join(by_number[claim.citation].quote.split())
        assert f"[{claim.citation}]" in answer.text
        assert claim.text.rstrip(".") in answer.text
    return [(by_number[claim.citation].article_id, claim.text) for claim in found.claims]


def test_a_toll_that_rises_from_day_to_day(ask: Callable[..., Answer]) -> None:
    answer = ask(KILLED, "At least 12 people were killed, officials said.")
    (newest, rise), (_, first) = said(answer)
    assert (newest, rise[-15:], first) == (
        "blast-2", "has risen to 18", "At least 12 people were killed",
    )  # fmt: skip
    # The newer article answers, and that it was 12 before is told; the sources do not differ.
    first_said, earlier = answer.sentences
    assert first_said.text.startswith("The death toll from the bombing")
    assert earlier.text.startswith("Reported earlier: “At least 12 people were killed”")
    assert "differ" not in answer.text
    assert answer.disagreements[0].kind == "toll"


def test_a_toll_is_known_by_a_name_that_begins_a_title(ask: Callable[..., Answer]) -> None:
    told = "At least 12 people died in the quake, officials said."
    answer = ask("How many people died in the Tarvo quake?", told)
    # That of one district is another figure.
    assert [article for article, _ in said(answer)] == ["quake-2", "quake-1"]


def test_the_newest_alone_needs_no_lead(ask: Callable[..., Answer]) -> None:
    told = "The death toll of the bombing has risen to 18, the health ministry said."
    answer = ask(KILLED, told)
    assert answer.sentences[0].text == told
    cited = [answer.citations[claim.citation - 1] for claim in answer.disagreements[0].claims]
    assert cited[0].article_id == "blast-2"


def test_as_of_a_day_only_what_was_known_then(ask: Callable[..., Answer]) -> None:
    answer = ask(KILLED, "At least 12 people were killed, officials said.", until="2024-05-02")
    assert answer.disagreements == ()
    assert "18" not in answer.text


def test_two_outlets_with_different_attendance(ask: Callable[..., Answer]) -> None:
    question = "How many people marched against the pension reform in Osterby?"
    for completion in ("About 40,000 people marched, the organisers said.",
                       "15,000 protesters joined the march, police said."):  # fmt: skip
        assert set(said(ask(question, completion))) == {
            ("march-1", "About 40,000 people marched"),
            ("march-2", "15,000 protesters joined"),
        }


def test_different_days(ask: Callable[..., Answer]) -> None:
    question = "When does the harbour bridge in Osterby close?"
    answer = ask(question, "The harbour bridge in Osterby closes on Monday.")
    assert said(answer) == [("bridge-2", "6 March"), ("bridge-1", "on Monday")]
    days = [str(claim.day) for claim in answer.disagreements[0].claims]
    assert days == ["2024-03-06", "2024-03-04"]


def test_both_sides_in_the_answer_differ_once(ask: Callable[..., Answer]) -> None:
    question = "How many people marched against the pension reform in Osterby?"
    answer = ask(question, "About 40,000 people marched, the organisers said. 15,000 protesters"
                 " joined the march, police said.")  # fmt: skip
    assert len(said(answer)) == 2
    assert answer.text.count("The sources differ") == 1


def test_a_denial(ask: Callable[..., Answer]) -> None:
    question = "Did mayor Paul Brandt of Lindal resign?"
    answer = ask(question, "Paul Brandt resigned on Tuesday over the sale of the city forest.")
    assert [article for article, _ in said(answer)] == ["mayor-2", "mayor-1"]


@pytest.mark.parametrize(
    ("question", "completion"),
    [
        ("How many people were injured in Kadar?", "30 people were injured, officials said."),
        ("How many people died in the flood in Torvik?", "Seven people died in Torvik."),
        ("What profit did Nordbank make in 2003?", "It made a profit of 4.2 billion crowns."),
        ("How many visitors came to the film festival in Lindal?",
         "The festival drew 4,200 visitors."),
        ("How many people were killed by storm Ansgar?", "At least 31 people were killed by storm"
         " Ansgar in Haldor."),
        ("How much are the stolen crowns of Sund worth?", "The crowns are worth $102.63 million,"
         " the prosecutor said."),
        ("Where did minister Ada Varn die?", "Ada Varn died in Selje at the age of 84."),
        ("How much does salmon cost in Malby?", "A 16-pound salmon costs 21 crowns in Malby."),
        ("How many inmates escaped from the jail of Ravno?", "Ten inmates escaped, the sheriff"
         " said."),
    ],
)  # fmt: skip
def test_what_is_no_disagreement(
    ask: Callable[..., Answer], question: str, completion: str
) -> None:
    """Another event, year or place, a rounded figure, a reprint, an age, a rate, a part."""
    answer = ask(question, completion)
    assert answer.disagreements == ()
    assert "differ" not in answer.text
