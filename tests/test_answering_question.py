"""What is read of a question: its kind and its premises; and whether a text bears them out."""

from __future__ import annotations

import datetime

import pytest

from rag import Article, RagError
from rag.answering.premises import read_premises
from rag.answering.premises_held import missing
from rag.answering.question import Kind, Question, day_of, kind_named, kind_of
from rag.text.language import language

ENGLISH = language("en")
DAY = datetime.date(2024, 8, 31)


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Who met Lammy in London?", "fact"),
        ("Which politician has decided against running?", "fact"),
        ("Which of these was banned?", "fact"),
        ("Which two states sold winning tickets?", "fact"),
        ("How many points did they score versus Pittsburgh?", "fact"),
        ("When did the bridge close?", "when"),
        ("Which day did K.P. Sharma Oli step down?", "when"),
        ("A plane crashed this week. When did it happen?", "when"),
        ("Did the council vote for it?", "yesno"),
        ("Is Anna Wintour still working there?", "yesno"),
        ("Why did the bridge close?", "why"),
        ("What made Costco take the government to court?", "why"),
        ("How did the ten men get out?", "why"),
        ("Which companies left Russia?", "list"),
        ("Which supermarket chains and retailers sold the meals?", "list"),
        ("List all ministers who resigned.", "list"),
        ("Summarise what happened to the lodge.", "summary"),
        ("What came first? Give a short summary.", "summary"),
        ("What has happened in the war so far?", "summary"),
        ("What’s going on with the ferry?", "summary"),
        ("What happened during the test?", "fact"),
        ("What is happening to the age of teachers?", "fact"),
        ("How did the jail escape unfold?", "timeline"),
        ("Trace the case from the plea to the sentence.", "timeline"),
        ("How do their accounts differ?", "compare"),
        ("How did the toll change between 5 and 12 July 2025?", "compare"),
        ("How has the toll of the flood changed?", "compare"),
        ("How did Rosa Parks change history?", "why"),
        ("What does the professor compare a glacier to?", "fact"),
        ("What share of the cases is of the new kind?", "fact"),
        ("How did the Dow end up yesterday?", "fact"),
        ("What was reported about the shutdown on 14 October 2025?", "dated"),
        ("What is new in the case?", "dated"),
    ],
)
def test_kinds(question: str, kind: str) -> None:
    assert kind_of(question, ENGLISH) == kind


def test_a_kind_and_a_day_may_be_named() -> None:
    assert kind_named("list") is Kind.LIST
    assert day_of("2024-08-31") == DAY
    with pytest.raises(RagError, match=r"'poem' is no kind of answer\n.*fact, when"):
        kind_named("poem")
    with pytest.raises(RagError, match="'Friday' is not a day"):
        day_of("Friday")


def premises(question: str) -> list[tuple[str, str]]:
    read = Question.read(question, ENGLISH, asked_on=DAY)
    return [(premise.kind, premise.text) for premise in read.premises]


def test_premises_of_a_question() -> None:
    won = [("year", "2010"), ("event", "won"), ("name", "World Cup")]
    assert premises("Who won the 2010 World Cup?") == won
    assert premises("Who is chairman of WPP?") == [("role", "chairman"), ("name", "WPP")]
    assert premises("What did President Trump say?") == [("name", "President Trump")]
    assert premises("Who took the third place in Oslo?") == [("ordinal", "third"), ("name", "Oslo")]
    assert premises("Who asked for $15 billion?") == [("amount", "15 billion")]
    assert premises("Who met recently?") == [("event", "met")]
    assert premises("Who spoke recently?") == []
    # What is told before the question is no condition of the answer, but its names are.
    assert premises("The pope died in April, in Rome. Who is mayor?") == [
        ("role", "mayor"),
        ("name", "Rome"),
    ]


TEXT = (
    "Norbank names a chief executive. Lena Holm will become chief executive of Norbank on Monday,"
    " the bank said. She beat 12 others. The second round was in Oslo."
)
ARTICLE = Article(
    article_id="1", title="Norbank", text=TEXT, published=datetime.date(2024, 8, 30)
)  # a Friday


def lacking(
    question: str, sentence: str = "Lena Holm will", article: Article = ARTICLE
) -> list[str]:
    start = article.text.index(sentence)
    read = Question.read(question, ENGLISH, asked_on=DAY)
    found = missing(read.premises, article, start, article.text.index(".", start) + 1, ENGLISH)
    return [premise.text for premise in found]


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("Who is chief executive of Norbank?", []),
        ("Who is CEO of Norbank?", []),
        ("Who is chairman of Norbank?", ["chairman"]),
        ("Who became chief executive of Norbank in 2024?", []),
        ("Who became chief executive of Norbank in 2019?", ["in 2019"]),
        ("Who became chief executive of Norbank in August 2024?", []),
        ("Who became chief executive of Norbank in March 2024?", ["in March 2024"]),
        ("Who became chief executive of Nordea?", ["Nordea"]),
        ("Who beat 12 others?", []),
        ("Who beat 15 others?", ["15"]),
        ("Who led the second round?", []),
        ("Who led the third round?", ["third"]),
        ("Who becomes chief executive on 2 September 2024?", []),  # "on Monday"
        ("Who becomes chief executive on 3 December 2023?", ["on 3 December 2023"]),
        ("Who led when Norbank beat 3-1 others?", ["3-1"]),
    ],
)
def test_what_a_text_does_not_bear_out(question: str, told: list[str]) -> None:
    assert lacking(question) == told


def test_a_result_is_told_from_either_side() -> None:
    text = "Osterby beat Lindal 3-1 on Monday. Malby 2, Varnes 0. 9/11 was remembered."
    article = Article(article_id="1", text=text)
    for question, told in [
        ("Who spoke after the 1-3 defeat?", []),
        ("Who spoke after Osterby's 3–1 win?", []),
        ("Who spoke after the 2-0 win?", []),
        ("Who spoke after the 2-1 win?", ["2-1"]),
        ("Who spoke at the 9-11 memorial?", []),
        ("Who spoke on the Boeing 737-800?", ["737-800", "Boeing"]),
    ]:
        assert lacking(question, "Osterby", article) == told


OFFICES = Article(
    article_id="1",
    title="Suit over fares",
    text="Ada Varn, the justice minister, sued the harbour. It had raised its fares by a tenth in"
    " spring, and once more in June. Education Secretary Lena Holm came. King Olaf sailed past.",
)


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("What did education secretary Ada Varn do?", ["education secretary Ada Varn"]),
        ("What did Education Secretary Lena Holm do?", []),
        ("What did education secretary Holm do?", []),
        ("What did foreign minister Ada Varn do?", []),  # nobody has that office there
        ("What did King Olaf of Malby do?", []),
        ("What did King Harald of Osterby do?", ["King Harald of Osterby"]),
    ],
)
def test_an_office_is_not_that_of_another(question: str, told: list[str]) -> None:
    assert lacking(question, "Ada Varn", OFFICES) == told


def test_a_year_in_the_sentence_counts_more_than_the_day_of_the_article() -> None:
    text = "England won the World Cup in 1966. They hope to win again."
    article = Article(article_id="1", text=text, published=datetime.date(2010, 6, 1))
    assert lacking("Who won the 2010 World Cup?", "England", article) == ["2010"]
    assert lacking("Who won the 1966 World Cup?", "England", article) == []


@pytest.mark.parametrize(
    ("question", "sentence", "told"),
    [
        ("Which ferry carries the most cars?", "Malby", []),
        ("Which ferry carries the most cars?", "Osterby", ["the most"]),
        ("What is the oldest ferry?", "Osterby", ["the oldest"]),
        ("Which is the best-liked ferry?", "Osterby", ["the best"]),
        ("Which ferry is one of the largest?", "Osterby", []),
        ("What are her best-known songs?", "Osterby", []),
        ("What is the most recent ferry?", "Osterby", []),
    ],
)
def test_what_is_the_most_of_its_kind_must_be_told_to_be(
    question: str, sentence: str, told: list[str]
) -> None:
    text = (
        "Malby leads with 900 cars. Osterby, one of the largest, on top of its best-known"
        " bridge carries at most 500."
    )
    article = Article(article_id="1", title="The most cars", text=text)
    assert lacking(question, sentence, article) == told


def test_what_happened_must_be_told_beside_the_sentence() -> None:
    text = (
        "Thirty people died. "
        + "The ship had left Osterby at dawn. " * 9
        + "Two sailors were hurt."
    )
    article = Article(article_id="1", title="Storm over Osterby", text=text)
    assert lacking("How many died in the Osterby fire?", "Thirty", article) == ["fire"]
    assert lacking("How many died in the Osterby storm?", "Thirty", article) == []
    assert lacking("How many people were killed in Osterby?", "Thirty", article) == []
    assert lacking("How many people were killed in Osterby?", "Two sailors", article) == ["killed"]
    # Part of a name is no event.
    assert lacking("Who leads the Lindal Fire Service?", "Thirty", article) == [
        "Lindal Fire Service"
    ]


@pytest.mark.parametrize(
    ("question", "ahead"),
    [
        ("Who won the 2026 World Cup?", "2026"),
        ("What happened in Oslo in October 2024?", "in October 2024"),
        ("Which show announced its 2026 nominees?", ""),
        ("Who will host the 2026 World Cup?", ""),
        ("Who won the 2022 World Cup?", ""),
        ("Who won in August 2024?", ""),
    ],
)
def test_what_lies_ahead_has_not_happened(question: str, ahead: str) -> None:
    assert Question.read(question, ENGLISH, asked_on=DAY).ahead == ahead


def test_other_forms_of_a_name_bear_it_out() -> None:
    text = "Israeli and American officials met in London, Downing Street said."
    article = Article(article_id="1", text=text)
    for name in ("Israel", "the US", "America", "David London"):
        assert lacking(f"Who of {name} met?", "Israeli", article) == []
    assert lacking("Who of France met?", "Israeli", article) == ["France"]


def test_a_year_is_one_before_a_comma_too() -> None:
    article = Article(
        article_id="1", text="In 1980, the Old Town was put on a list. In 1990 it grew."
    )
    assert lacking("What happened to the Old Town in 1980?", "In 1980", article) == []
    assert lacking("What happened to the Old Town in 1985?", "In 1980", article) == ["in 1985"]
    assert lacking("What happened to the Old Town in the 1970s?", "In 1980", article) == []


@pytest.mark.parametrize("name", ["Europe", "European", "Protestantism", "French-language"])
def test_words_made_of_a_name(name: str) -> None:
    text = "The European Protestant church printed a French book."
    article = Article(article_id="1", text=text)
    assert lacking(f"What was it in {name}?", "The", article) == []


def test_a_first_word_is_no_name_where_the_index_writes_it_small() -> None:
    question = "Along with Healey, who met Gallant?"
    names = [premise.text for premise in read_premises(question, [], ENGLISH, small={"along"})]
    assert names == ["met", "Healey", "Gallant"]
    names = [premise.text for premise in read_premises("Healey met whom?", [], ENGLISH)]
    assert names == ["met", "Healey"]


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("Which diplomat said Beijing could live with it?", []),
        ("What burnt in Beijing in May?", ["Beijing"]),
        ("What did Denzel Washington say about the film?", ["Denzel Washington"]),
        ("What did he say when he gave Lena Holm the Selje Gold Medal?",
         ["Lena Holm", "Selje Gold Medal"]),
        ("Who was Peter the Great?", ["Peter the Great"]),
    ],
)  # fmt: skip
def test_names_that_are_premises(question: str, names: list[str]) -> None:
    read = Question.read(question, ENGLISH, asked_on=DAY)
    assert [premise.text for premise in read.premises if premise.kind == "name"] == names


@pytest.mark.parametrize(
    ("question", "text", "holds"),
    [
        ("Do schools in North Selje open?", "Schools in South Selje open on Monday.", False),
        ("Do schools in North Selje open?", "Schools in North Selje open on Monday.", True),
        ("Will masks be worn at Malby City Schools?", "City Schools in Lindal need masks.", False),
        ("How many fell ill of listeria?", "E. coli made 39 people ill.", False),
        ("How many fell ill of listeria?", "Listeria made 39 people ill.", True),
        ("What did she say about the album of the year?", "She won best new voice.", False),
        ("Who got the Selje Gold Medal?", "Holm got the Selje Medal.", False),
        ("How did it end up in the river?", "The car fell into the river.", True),
        ("How did it end?", "The car fell into the river.", False),
        ("How many trees did Medellin plant?", "Medellín has 8,000 new trees.", True),
    ],
)
def test_what_bears_a_premise_out(question: str, text: str, holds: bool) -> None:
    premises = Question.read(question, ENGLISH, asked_on=DAY).premises
    article = Article(article_id="one", title="News", text=text, published=DAY)
    assert (not missing(premises, article, 0, len(text), ENGLISH)) is holds


def test_a_day_to_come_where_a_question_asks_ahead() -> None:
    asked = datetime.date(2022, 7, 28)
    ahead = Question.read(
        "How many workers are due to strike on August 1?", ENGLISH, asked_on=asked
    )
    past = Question.read("How many workers went on strike on August 1?", ENGLISH, asked_on=asked)
    assert [one.periods[0].first.year for one in (ahead, past)] == [2022, 2021]


@pytest.mark.parametrize(
    ("question", "ahead"),
    [
        ("Who won the 2088 World Cup?", "2088"),
        ("What happened in 2088?", "in 2088"),
        ("Which governor said she won't run again in 2088?", ""),
        ("What mileage would cars have to reach in 2088 under the plan?", ""),
        ("How many died due to the flood in 2088?", "in 2088"),
    ],
)
def test_what_lies_ahead_may_have_been_said(question: str, ahead: str) -> None:
    assert Question.read(question, ENGLISH, asked_on=DAY).ahead == ahead
