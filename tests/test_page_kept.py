"""What the page keeps: each browser's own conversations, and remarks that an evaluation reads."""

from __future__ import annotations

import os
import stat
import threading
import time
from dataclasses import replace
from pathlib import Path

import gradio as gr
import pytest

from rag import EnginePool, Filter, RagError, Settings
from rag.evaluation import evaluate, of_kinds, read_dataset
from rag.page import talks
from rag.page.conditions import Again, Asking, changed, show, widen
from rag.page.conversation import Conversation
from rag.page.engines import Engines
from rag.page.keeping import Keeping
from rag.page.kept import MAX_NAME, Kept
from rag.page.markup import text
from rag.page.owner import COOKIE, owner
from rag.page.remark import remark_on
from rag.page.remark_events import RemarkEvents
from rag.page.turn import Phase, Turn
from rag.testing import FakeEmbedder, open_with
from tests.support import ARTICLES, build, write_articles
from tests.test_page import EVIL, answer
from tests.test_page_conversation import opened

TOKEN = "a" * 43
FERRY = "What do crews of the Osterby ferry vote on?"


class Request:
    """A request as Gradio hands it on."""

    def __init__(self, token: str | None, username: str | None = None) -> None:
        self.request = self
        self.cookies = {COOKIE: token} if token else {}
        self.username = username


def done(number: int = 1, **changes: object) -> Turn:
    fields: dict[str, object] = {"phase": Phase.DONE, "answer": answer()} | changes
    return replace(Turn(number, f"Question {number}?", "news"), **fields)  # type: ignore[arg-type]


# Who


def test_each_browser_and_each_person_has_their_own() -> None:
    names = [owner({COOKIE: TOKEN}), owner({COOKIE: "b" * 43}), owner({COOKIE: TOKEN}, "eva")]
    assert len(set(names)) == 3
    assert all(name and name.isalnum() and TOKEN not in name for name in names)
    for no_token in ("", "short", "../" + "a" * 40, TOKEN + "\n"):
        assert owner({COOKIE: no_token}) is None


def test_nobody_opens_what_is_anothers(tmp_path: Path) -> None:
    keeping = Keeping(Kept(tmp_path / "kept"))
    mine, other = Request(TOKEN), Request("b" * 43)
    talk, listed = keeping.begun(Conversation(), "news", "Who?", mine)
    assert talk.key in listed
    for request in (other, Request(TOKEN, "eva"), Request(None)):
        found, (_, current, listed) = keeping.opened(talk.key, request)
        assert (found.key, found.turns) == ("", [])
        assert text(talks.GONE) in current
        assert talk.key not in listed
        for action in ("rename", "delete", "delete_all"):
            change = talks.Change.model_validate({"action": action, "key": talk.key, "name": "x"})
            keeping.changed(change, Conversation(), request)
    assert [about.name for about in keeping.kept.listed(owner(mine.cookies) or "")] == ["Who?"]


def test_a_browser_without_a_cookie_asks_and_nothing_is_kept(tmp_path: Path) -> None:
    keeping = Keeping(Kept(tmp_path / "kept"))
    talk, listed = keeping.begun(Conversation(), "news", "Who?", Request(None))
    assert talk.key == ""
    assert "Conversations <span" not in listed
    assert not (tmp_path / "kept").exists()


# What


def test_a_turn_comes_back_as_it_was(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "kept")
    key = kept.begin("me", "news", f"Who {EVIL}? " * 9)
    how = Asking(filter=Filter.make(since="2024-01-01", source="A & B"), any_time=True)
    turn = done(how=how, conversation=key, index_seal="ab")
    kept.add("me", key, replace(turn, phase=Phase.WRITING, answer=None, draft="The"))
    kept.add("me", key, turn)
    kept.add("me", key, replace(done(2), phase=Phase.WRITING, answer=None, draft="The bri"))
    first, second = kept.read("me", key) or ()
    assert first == turn
    assert (second.number, second.phase, second.draft) == (2, Phase.STOPPED, "The bri")
    assert stat.S_IMODE((tmp_path / "kept").stat().st_mode) == 0o700
    (about,) = kept.listed("me")
    assert about.name.startswith(f"Who {EVIL}? Who")
    assert about.name.endswith("…")
    assert len(about.name) <= MAX_NAME
    assert "<img" not in talks.show([about])


def test_lines_that_are_none_are_passed_over(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "kept")
    key = kept.begin("me", "news", "Who?")
    kept.add("me", key, done())
    with next(tmp_path.rglob("turns.jsonl")).open("ab") as file:
        file.write(b'{"number": 2, "question": "cut whi')
    assert [turn.question for turn in kept.read("me", key) or ()] == ["Question 1?"]


def test_what_is_deleted_does_not_come_back(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "kept")
    first, second, third = (kept.begin("me", "news", name) for name in ("a", "b", "c"))
    kept.delete("me", second)
    kept.add("me", second, done())  # an answer that was still being written
    assert kept.read("me", second) is None
    assert {about.key for about in kept.listed("me")} == {first, third}
    for strange in ("../../etc", "", ".", "a/b", "x" * 99):
        assert kept.read("me", strange) is None
        kept.delete("me", strange or "-")
    kept.delete("me")
    assert kept.listed("me") == []
    assert list((tmp_path / "kept" / "conversations").iterdir()) == []


def test_where_nothing_can_be_written_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("no folder")
    keeping = Keeping(Kept(tmp_path / "kept"))
    talk, listed = keeping.begun(Conversation(), "news", "Who?", Request(TOKEN))
    assert talk.key == ""
    assert "nothing can be kept" in listed
    with pytest.raises(RagError, match="nothing can be kept"):
        keeping.kept.note(remark_on(answer(), "no", ""))


def test_a_follow_up_leans_on_a_conversation_that_was_reopened(tmp_path: Path) -> None:
    index_dir = write_articles(tmp_path, ARTICLES)
    build(index_dir)
    engines = Engines(EnginePool(opened), Settings(index_dir=index_dir))
    kept = Kept(tmp_path / "kept")
    talk, _ = Keeping(kept).begun(Conversation(), "news", FERRY, Request(TOKEN))

    def ask(question: str) -> Turn:
        *_, last = talk.ask(engines, "news", question, Filter.make, threading.Event())
        return last

    before = ask(FERRY)
    talk, _ = Keeping(kept).opened(talk.key, Request(TOKEN))
    assert [turn.key for turn in talk.turns] == [before.key]
    after = ask("And who pays them?")
    assert after.answer is not None
    assert "crews" in after.answer.searched
    assert (after.number, after.conversation) == (2, talk.key)
    engines.close()


# Asked again


def test_what_is_asked_again_stands_alone_and_keeps_the_rest() -> None:
    narrowed = Asking(filter=Filter.make(since="2024-01-01", source="Post", undated=True))
    found = answer(
        searched="What did Healey say?",
        corrections=[{"written": "Heeley", "meant": "Healey"}],
        window=["2024-01-01", "2024-01-07"],
    )
    asked = changed(narrowed, "And he?", found, Again(turn=1, kind="list"))
    assert (asked.text, asked.kind, asked.filter) == (
        "What did Healey say?", "list", narrowed.filter,
    )  # fmt: skip
    wide = changed(narrowed, "And he?", found, Again(turn=1, all_days=True)).filter
    assert (wide.since, wide.undated, wide.source) == (None, False, ("Post",))
    assert changed(narrowed, "x", None, Again(turn=1, all_sources=True)).filter.source == ()
    written = changed(narrowed, "And he?", found, Again(turn=1, as_written=True))
    assert written.text == "What did “Heeley” say?"
    made = show(1, found, narrowed)
    assert "Articles of 1 January 2024 to 7 January 2024 searched first" in made
    assert "Only articles since 1 January 2024, or without a date" in made
    assert "Only by Post" in made


def test_a_refusal_offers_to_search_more() -> None:
    refused = answer(status="no_answer", window=["2024-01-01", "2024-01-07"])
    narrowed = Asking(filter=Filter.make(until="2024-01-01", source="Post"))
    offered = widen(1, refused, narrowed)
    for words in ("Search all days", "Search all sources", "Search all times"):
        assert f">{words}</button>" in offered
    assert "all times" not in widen(1, refused, replace(narrowed, any_time=True))
    assert widen(1, answer(window=["2024-01-01", "2024-01-07"]), narrowed) == ""
    assert widen(1, answer(status="no_answer"), Asking()) == ""


# Remarks


def test_a_file_of_remarks_is_an_evaluation_set(tmp_path: Path) -> None:
    index_dir = write_articles(tmp_path, ARTICLES)
    build(index_dir)
    kept = Kept(tmp_path / "kept")
    with open_with(index_dir, "news", FakeEmbedder()) as rag:
        found = rag.ask("When does the harbour bridge in Osterby close?")
        elsewhere = found.citations[0].model_copy(update={"article_id": "elsewhere"})
        other = found.model_copy(update={"citations": (elsewhere,)})
        kept.note(remark_on(other, "Of another index.", ""))
        kept.note(remark_on(found, "It was Tuesday.", "on Tuesday"))
        kept.note(remark_on(found, "It is right after all.", "on Monday"))
        file = kept.note(remark_on(found.model_copy(update={"text": "Never."}), "Never?", ""))
        dataset = read_dataset(file, rag.article)
        report = evaluate(rag, of_kinds(dataset, ["remarks"]), answers=True)
    assert [q.question for q in dataset.questions] == [found.searched] * 3
    assert dataset.questions[0].asked_on == found.asked_on
    assert dataset.left_out == {"the index lacks their article": 1}
    figures = report.metrics["remarked"]
    assert figures["still_said"] == pytest.approx(2 / 3)
    assert figures["right"] == 0.5
    assert figures["refused"] == 0


def test_a_conversation_goes_when_its_days_are_over(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    whose = owner({COOKIE: TOKEN}) or ""
    kept = Kept(folder)
    for name in ("Old?", "New?"):
        kept.add(whose, kept.begin(whose, "news", name), done())
    old = next(about.key for about in kept.listed(whose) if about.name == "Old?")
    turns = folder / "conversations" / whose / old / "turns.jsonl"
    eight_days_ago = time.time() - 8 * 24 * 3600
    os.utime(turns, (eight_days_ago, eight_days_ago))
    _, (_, _, listed) = Keeping(kept).opened("", Request(TOKEN))
    assert "Old?" in listed
    assert "until you delete them" in listed
    _, (_, _, listed) = Keeping(kept, days=7).opened("", Request(TOKEN))
    assert "Old?" not in listed
    assert "New?" in listed
    assert "for 7 days after the last question" in listed
    assert not turns.parent.exists()


def test_deleting_a_remark_leaves_every_other_line_as_it_was(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    notes = [remark_on(answer(), f"Wrong {n}", "") for n in range(3)]
    for note in notes:
        kept.note(note)
    by_hand = b'{"id": "x", "question": "By hand?"}'
    with kept.remarks_file.open("ab") as stream:
        stream.write(by_hand + b"\n")
    before = kept.remarks_file.read_bytes().splitlines()
    kept.forget(notes[1].id)
    assert kept.remarks_file.read_bytes().splitlines() == [before[0], *before[2:]]
    assert [one.remark for one in kept.remarks()] == ["Wrong 2", "Wrong 0"]


@pytest.mark.parametrize("person", [None, "eva"])
def test_who_came_in_with_a_password_sees_their_own_remarks(
    tmp_path: Path, person: str | None
) -> None:
    kept = Kept(tmp_path)
    events = RemarkEvents(kept)
    mine, other = (Request(token, person) for token in (TOKEN, "b" * 43))
    said = remark_on(answer(), EVIL, "")
    kept.note(said.model_copy(update={"by": owner(mine.cookies, person)}))
    assert text(EVIL) in events.show("news", mine)  # type: ignore[arg-type]
    assert EVIL not in events.show("news", mine)  # type: ignore[arg-type]
    assert (text(EVIL) in events.show("news", other)) is (person is None)  # type: ignore[arg-type]
    assert (str(tmp_path) in events.show("news", mine)) is (person is None)  # type: ignore[arg-type]
    assert "called wrong" not in events.show("wiki", mine).partition("No answer")[0]  # type: ignore[arg-type]
    events.forget("news", other, gr.EventData(None, {"id": said.id}))  # type: ignore[arg-type]
    assert bool(kept.remarks()) is (person is not None)
