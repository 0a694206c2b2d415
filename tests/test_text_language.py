"""Rules of a language: the file holds what the code asks for, and without a file they are off."""

from __future__ import annotations

import datetime
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from rag.answering.attribution.speech import reported_parts
from rag.answering.question import Kind, Question
from rag.chat import Chat
from rag.engine import Rag
from rag.index.check import check_index
from rag.index.layout import IndexFolder
from rag.settings import Settings
from rag.testing import FakeEmbedder, FakeLLM
from rag.text.analysis import analyzer
from rag.text.asides import is_aside
from rag.text.days import names_a_day, resolve
from rag.text.language import Language, language
from rag.text.names import clauses, negated
from rag.text.numbers import find_numbers
from tests.support import build, open_index, write_articles

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "rag" / "text" / "languages").glob("*.toml"))
SOURCES = "\n".join(
    path.read_text()
    for room in ("text", "answering", "chat", "page")
    for path in sorted((ROOT / "rag" / room).rglob("*.py"))
)
# A name is also made of parts: f"calendar.{kind}".
MADE = {"calendar.months", "calendar.weekdays"}
OTHER = language("de")  # without a file


def entries(path: Path) -> dict[str, object]:
    rules = tomllib.loads(path.read_text(encoding="utf-8"))
    return {
        f"{section}.{name}": value for section in rules for name, value in rules[section].items()
    }


def patterns(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [pattern for part in value for pattern in patterns(part)]
    return []


def test_english_has_what_the_code_asks_for_and_nothing_else() -> None:
    given = entries(ROOT / "rag" / "text" / "languages" / "en.toml")
    sections = "|".join({name.partition(".")[0] for name in given})
    asked = set(re.findall(rf'"((?:{sections})\.\w+)"', SOURCES)) | MADE
    referred = {
        reference if "." in reference else f"{name.partition('.')[0]}.{reference}"
        for name, value in given.items()
        for pattern in patterns(value)
        for reference in re.findall(r"%\{([\w.]+)\}", pattern)
    }
    assert asked <= given.keys()
    assert given.keys() <= asked | referred


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_reference_leads_somewhere_and_every_pattern_compiles(path: Path) -> None:
    rules = language(path.stem)
    for name, value in entries(path).items():
        for pattern in patterns(value):
            re.compile(rules.filled(pattern, name.partition(".")[0]), re.IGNORECASE)


def test_a_reference_to_nothing_is_told() -> None:
    broken = Language("xx", {"days": {"future": "%{missing}"}})
    with pytest.raises(KeyError, match=r"languages/xx\.toml: %\{missing\} is not there"):
        broken.pattern("days.future")


def test_lists_are_words_in_code_and_alternatives_in_patterns() -> None:
    made = Language("xx", {"a": {"days": ["mon tue", "wed"], "on": "on %{days}", "of": "%{b.x}"},
                           "b": {"x": "of"}})  # fmt: skip
    assert made.listed("a.days") == ("mon", "tue", "wed")
    assert made.pattern("a.on").pattern == "on (?:mon tue|wed)"
    assert made.pattern("a.of").match("OF")
    assert made.is_known


def test_a_language_of_its_own_says_how_it_counts_and_denies() -> None:
    rules: dict[str, dict[str, Any]] = {
        "numbers": {
            "up_to_19": ["null eins zwei drei"],
            "scales": {"tausend": 1000, "Million": 1_000_000},
            "percent": "prozent",
        },
        "names": {"negations": ["nicht kein"], "clause_end": "aber"},
    }
    german = Language("de", rules)
    assert [n.key for n in find_numbers("zwei tausend, 3 Prozent", german)] == [
        (2000, False),
        (3, True),
    ]
    assert negated("Er kam nicht.", german)
    assert list(clauses("Er kam aber ging", german)) == ["Er kam aber", " ging"]


def test_without_rules_nothing_is_read_that_they_would_say() -> None:
    text = "Holm said on Friday that two men did not come, according to the mayor."
    day = datetime.date(2024, 8, 30)
    assert not OTHER.is_known
    assert not negated(text, OTHER)
    assert list(clauses("He came but left", OTHER)) == ["He came but left"]
    assert resolve(text, 0, len(text), day, OTHER) == []
    assert not names_a_day(text, OTHER)
    assert not is_aside("Sign up for the newsletter", OTHER)
    assert reported_parts(text, OTHER) == []
    assert [n.value for n in find_numbers("two of 3,000 and 4.5 %", OTHER)] == [3000, 4.5]
    question = Question.read("When did Lena Holm of Norbank resign this week?", OTHER)
    assert (question.kind, question.periods, question.premises) == (Kind.FACT, [], [])
    of_year = Question.read("Wer gewann 2010 die Weltmeisterschaft?", OTHER)
    assert [premise.text for premise in of_year.premises] == ["2010"]


@pytest.mark.parametrize("code", ["de", "xx", "../en", ""])
def test_any_code_gives_a_language(code: str) -> None:
    assert language(code).code == code
    assert not language(code).is_known
    assert analyzer(code).terms("Die Brücken")


ARTICLE = {
    "id": "bridge",
    "title": "Die Brücke",
    "text": "Die Brücke in Osterby wird am Montag geschlossen. Holm sagte, das koste 4 Millionen.",
}


def test_an_answer_and_check_say_that_there_are_no_rules(tmp_path: Path) -> None:
    index_dir = tmp_path / "indexes"
    (index_dir / "news").mkdir(parents=True)
    (index_dir / "news" / "index.toml").write_text(
        'sources = ["../../news.jsonl"]\nlanguage = "de"\n', encoding="utf-8"
    )
    write_articles(tmp_path, [ARTICLE])
    build(index_dir)
    with open_index(index_dir) as index:
        rag = Rag(index, FakeEmbedder(), FakeLLM(), Settings(min_evidence=0))
        answer = rag.ask("Was wird am Montag geschlossen?")
        assert answer.citations
        assert answer.note
        assert "no rules for the language of the articles (de)" in answer.note
        chat = rag.chat()
        chat.ask("What did Healey urge in Israel?")
        assert chat.ask("And in Qatar?").searched == "And in Qatar?"
    report = check_index(IndexFolder(index_dir, "news"))
    assert report.ok
    assert [(found.kind, found.severity) for found in report.findings] == [("language", "warning")]


def test_english_says_nothing_of_it(tmp_path: Path) -> None:
    index_dir = write_articles(tmp_path, [ARTICLE])
    build(index_dir)
    with open_index(index_dir) as index:
        rag = Rag(index, FakeEmbedder(), FakeLLM(), Settings(min_evidence=0))
        assert "rules" not in (rag.ask("Was wird am Montag geschlossen?").note or "")
        assert isinstance(rag.chat(), Chat)
    assert check_index(IndexFolder(index_dir, "news")).findings == ()
