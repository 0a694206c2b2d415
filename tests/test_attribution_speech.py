"""Who said it, what is quoted, what is denied."""

from __future__ import annotations

import pytest

from rag.answering.attribution.speech import drops_speaker, reported_parts
from rag.answering.attribution.verbatim import keep_verbatim
from rag.text.language import language
from rag.text.names import clauses, negated
from rag.text.paragraphs import Paragraphs
from tests.test_attribution import read

ENGLISH = language("en")


def drops(sentence: str, source: str, question: str = "What will the work cost?") -> bool:
    asked = read(question)
    wanted = [term for term in read(sentence).content_terms if term not in asked.terms]
    return drops_speaker(read(sentence), asked, read(source), wanted)


@pytest.mark.parametrize(
    "source",
    [
        "Mayor Holm said the work would cost 4.2 million crowns and take nine weeks.",
        "The work would cost 4.2 million crowns and take nine weeks, Mayor Holm said on Monday.",
        "According to the mayor, the work costs 4.2 million crowns and takes nine weeks.",
        "“The work costs 4.2 million crowns and takes nine weeks,” Holm told reporters.",
        '"The work costs 4.2 million crowns and takes nine weeks," she added.',
        "The opposition claims the work would cost 4.2 million crowns and take nine weeks.",
    ],
)
def test_a_statement_keeps_who_made_it(source: str) -> None:
    assert drops("It costs 4.2 million crowns and takes nine weeks.", source)
    assert not drops("It costs 4.2 million crowns and takes nine weeks, Holm said.", source)
    assert not drops("The mayor claimed that it takes nine weeks.", source)


def test_a_question_about_what_was_said_keeps_it_too() -> None:
    source = "Holm said the work would cost 4.2 million crowns and take nine weeks."
    assert not drops("It takes nine weeks and 4.2 million.", source, "What did Holm say?")


def test_what_the_source_itself_tells_is_a_fact() -> None:
    source = "Lena Holm, who was born in Lindal in 1961, said the work would be done by autumn."
    assert not drops("Lena Holm was born in Lindal in 1961.", source, "Where was Holm born?")
    assert drops("The work is done by autumn.", source)


def test_the_middle_of_a_quotation_is_reported() -> None:
    text = (
        "Holm said: “We are late. The work costs 4.2 million crowns. Nobody is to blame.” He left."
    )
    start = text.index("The work")
    quotation = Paragraphs(text).quotation(start)
    assert quotation == (text.index("“"), text.index("”") + 1, True)
    assert Paragraphs(text).quotation(text.index("He left")) is None
    assert Paragraphs("“Never closed.\nNext line").quotation(20) is None
    middle = "The work costs 4.2 million crowns."
    assert reported_parts(middle, ENGLISH) == []
    assert reported_parts(middle, ENGLISH, inside_quotation=True) == [middle]


@pytest.mark.parametrize(
    ("sentence", "kept"),
    [
        ("He urged “restraint and calm”.", "He urged “restraint and calm”."),
        ('He urged "restraint and peace".', "He urged restraint and peace."),
        ("He called it ‘a small miracle’.", "He called it ‘a small miracle’."),
        ("He called it 'a big miracle'.", "He called it a big miracle."),
        ("“Restraint and calm,” he said.", "“Restraint and calm,” he said."),
        ("It's Holm's ferry.", "It's Holm's ferry."),
    ],
)
def test_quotation_marks_stay_around_what_is_verbatim(sentence: str, kept: str) -> None:
    sources = ["Healey urged\nrestraint and calm on all sides.", "It was a small miracle, he said."]
    assert keep_verbatim(sentence, sources) == kept


@pytest.mark.parametrize(
    ("text", "no"),
    [
        ("He did not go.", True),
        ("He didn’t go.", True),
        ("Nobody went.", True),
        ("He went not only once.", False),
        ("No fewer than six went.", False),
        ("He noted it.", False),
    ],
)
def test_negation(text: str, no: bool) -> None:
    assert negated(text, ENGLISH) is no


def test_clauses_make_up_the_sentence() -> None:
    sentence = "He did not attend, but the bridge closes; nobody knows why."
    assert "".join(clauses(sentence, ENGLISH)) == sentence
    assert next(negated(clause, ENGLISH) for clause in clauses(sentence, ENGLISH))
