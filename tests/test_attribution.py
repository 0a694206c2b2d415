"""Attribution: what a sentence may cite, on evidence written here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from rag.answering.attribution import Attribution, Status, attribute, in_their_words, strip_marks
from rag.answering.evidence import Evidence
from rag.article import Article
from rag.retrieval import Hit, HitScores
from rag.text.analysed import Analysed
from rag.text.analysis import analyzer
from rag.text.paragraphs import Paragraphs

TEXT = (
    "The harbour bridge in Osterby closes on Monday for nine weeks of repairs. "
    "Mayor Lena Holm said the work would cost 4.2 million crowns. "
    "The ferry company did not raise its fares in 2023. "
    "Cyclists may use the ferry without paying."
)
QUESTION = "What will happen to the bridge?"
ENGLISH = analyzer("en")


def read(text: str) -> Analysed:
    return Analysed(text, ENGLISH)


@pytest.fixture
def evidence() -> list[Evidence]:
    article = Article(article_id="bridge", title="Bridge to close", text=TEXT)
    found, at = [], 0
    for sentence in TEXT.split(". "):
        end = at + len(sentence) + (0 if sentence.endswith(".") else 1)
        hit = Hit(
            rank=1, score=0.5, scores=HitScores(dense=0.5, sentence=0.5, lexical=0.5),
            article_id="bridge", title="", published=None, source=None, url=None, path=None,
            start=0, end=len(TEXT), text=TEXT, sentence_start=at, sentence_end=end,
        )  # fmt: skip
        found.append(
            Evidence(
                article,
                Paragraphs(TEXT),
                ENGLISH,
                hit,
                at,
                end,
                cosine=0.5,
                coverage=0.5,
                score=1.5,
                vector=np.ones(1, dtype=np.float32),
            )
        )
        at = end + 1
    return found


@pytest.fixture
def check(evidence: list[Evidence]) -> Callable[[str], Attribution]:
    return lambda text: attribute(text, read(QUESTION), evidence)


def test_verbatim_sentence_is_quoted(check: Callable[[str], Attribution]) -> None:
    found = check("Cyclists may use the ferry without paying.")
    assert found.status is Status.QUOTED
    assert [source.text for source in found.sources] == [
        "Cyclists may use the ferry without paying."
    ]


def test_paraphrase_cites_the_sentence_it_comes_from(check: Callable[[str], Attribution]) -> None:
    found = check("The Osterby harbour bridge closes for nine weeks.")
    assert found.status is Status.SUPPORTED
    assert [source.text[:26] for source in found.sources] == ["The harbour bridge in Oste"]


@pytest.mark.parametrize(
    ("name", "status"), [("Lena Holm", Status.SUPPORTED), ("Anna Holm", Status.PARTLY)]
)
def test_a_name_that_begins_the_sentence_needs_support(
    evidence: list[Evidence], name: str, status: Status
) -> None:
    """Its capital tells nothing, but the question has it as a name."""
    question = f"What amount in crowns did {name} mention?"
    text = f"{name} said the cost would be 4.2 million crowns."
    assert attribute(text, read(question), evidence).status is status


def test_two_facts_cite_two_sentences(check: Callable[[str], Attribution]) -> None:
    found = check("It closes for nine weeks; the mayor said the work costs 4.2 million crowns.")
    assert found.status is Status.SUPPORTED
    assert {source.text[:10] for source in found.sources} == {"The harbou", "Mayor Lena"}


@pytest.mark.parametrize(
    "invented",
    [
        "The harbour bridge in Osterby closes for eleven weeks of repairs.",
        "Mayor Lena Holm said the work would cost 4.3 million crowns.",
        "Mayor Peter Holm said the work would cost 4.2 million crowns.",
        "The harbour bridge in Osterby never closes for nine weeks of repairs.",
        "The ferry company raised its fares in 2023 and did so in 2024.",
        "The capital of France is Paris.",
        "Aliens landed near a farm yesterday evening.",
    ],
)
def test_invented_things_are_not_supported(
    check: Callable[[str], Attribution], invented: str
) -> None:
    assert check(invented).status in (Status.PARTLY, Status.UNSUPPORTED)


def test_names_of_the_question_must_stand_near_the_source(evidence: list[Evidence]) -> None:
    near = attribute(
        "In Osterby Lena Holm said it costs 4.2 million crowns.",
        read("What did Lena Holm say in Osterby?"),
        evidence,
    )
    assert near.status is Status.SUPPORTED  # Osterby stands in the sentence before
    far = attribute(
        "In Lindal Lena Holm said it costs 4.2 million crowns.",
        read("What did Lena Holm say in Lindal?"),
        evidence,
    )
    assert far.status is Status.PARTLY


@pytest.mark.parametrize(
    "empty", ["The bridge will happen.", "What will happen to the bridge?", "Harbour Bridge."]
)
def test_repeating_the_question_is_no_answer(evidence: list[Evidence], empty: str) -> None:
    question = "What will happen to the Bridge?"
    found = attribute(empty, read(question), evidence)
    assert found.status is Status.UNSUPPORTED


def test_a_source_must_speak_of_what_the_answer_repeats(evidence: list[Evidence]) -> None:
    """The one new word stands somewhere; nothing else of the sentence does."""
    question = "Which player was criticized for not jumping into the pile to recover the ferry?"
    answer = "Cyclists was criticized for not jumping into the pile to recover the ferry."
    found = attribute(answer, read(question), evidence)
    assert found.status is Status.UNSUPPORTED


def test_no_evidence_supports_nothing() -> None:
    found = attribute("The bridge closes.", read(QUESTION), [])
    assert found == Attribution(Status.UNSUPPORTED, (), found.share)


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("It closes [1].", "It closes."),
        ("It closes.[1][2] It opens [3, 4].", "It closes. It opens."),
        ("It closes (1) on Monday (12).", "It closes on Monday."),
        ("It closes [0] [99999 times].", "It closes [99999 times]."),
        ("It closes 【2】 today.", "It closes today."),
        ("It closes [1-3].", "It closes."),
        ("In the list [a] and a[1] stay.", "In the list [a] and a stay."),
        ("The company (2023) grew.", "The company (2023) grew."),
    ],
)
def test_marks_are_stripped(written: str, plain: str) -> None:
    assert strip_marks(written) == plain


def sources_of(text: str, title: str = "") -> list[Evidence]:
    """A sentence a source, each of an article of its own."""
    made = []
    for number, line in enumerate(text.split("\n")):
        article = Article(article_id=f"{number}", title=title, text=line)
        hit = Hit(
            rank=1, score=0.5, scores=HitScores(dense=0.5, sentence=0.5, lexical=0.5),
            article_id=article.article_id, title=title, published=None, source=None, url=None,
            path=None, start=0, end=len(line), text=line, sentence_start=0, sentence_end=len(line),
        )  # fmt: skip
        made.append(
            Evidence(
                article,
                Paragraphs(line),
                ENGLISH,
                hit,
                0,
                len(line),
                cosine=0.5,
                coverage=0.5,
                score=1.5,
                vector=np.ones(1, dtype=np.float32),
            )
        )
    return made


def test_the_source_that_holds_most_is_cited_not_the_first_with_the_word() -> None:
    sources = sources_of(
        "Paul Brandt told the paper that he had collected moa bones for 20 years.\n"
        "The firm Norgen works to bring back the moa, an extinct bird, with Paul Brandt's help."
    )
    question = read("Which extinct bird does Norgen work to bring back with Paul Brandt's help?")
    found = attribute(
        "Norgen works to bring back the moa with Paul Brandt's help.", question, sources
    )
    assert (found.status, found.sources) == (Status.SUPPORTED, (sources[1],))


def test_a_name_for_what_the_question_only_calls_a_party_says_something() -> None:
    sources = sources_of("Lena Holm founded a new political party called the Coast Party.")
    question = read("What is the name of the new political party that Lena Holm founded?")
    sentence = "The new political party founded by Lena Holm is the Coast Party."
    assert attribute(sentence, question, sources).status is Status.SUPPORTED


def test_a_figure_of_one_source_is_not_the_name_of_another() -> None:
    sources = sources_of(
        "Ada Varn is among the singers with a nomination for the Coast Music Prize this year.\n"
        "Lena Holm leads the nominations for the Coast Music Prize with 12 nods."
    )
    question = read("Who received the most nominations for the Coast Music Prize?")
    wrong = "Ada Varn received the most nominations for the Coast Music Prize with 12 nods."
    assert attribute(wrong, question, sources).status is not Status.SUPPORTED
    right = "Lena Holm leads the nominations for the Coast Music Prize with 12 nods."
    assert attribute(right, question, sources).status is Status.QUOTED


def test_a_few_words_answer_only_what_their_source_speaks_of() -> None:
    sources = sources_of("The two ferries of Malby were sold in 1999.")
    question = read("How many bridges of Osterby were closed by mayor Holm?")
    assert attribute("Two.", question, sources).status is not Status.SUPPORTED
    question = read("How many ferries of Malby were sold?")
    assert attribute("Two.", question, sources).status is Status.SUPPORTED


def test_abbreviations_and_other_forms_of_a_name_of_the_question() -> None:
    sources = sources_of("The U.S. Senate passed the Israeli aid law on Monday.")
    question = read("Which chamber of the US passed the aid law for Israel?")
    assert attribute("The US Senate passed the aid law for Israel.", question, sources).status is (
        Status.SUPPORTED
    )


@pytest.mark.parametrize(
    ("sentence", "holds"),
    [
        ("The toll of the flood rose from 81 to 104.", True),
        ("The toll of the flood rose to 104 from 81.", True),
        ("The toll of the flood rose from 104 to 81.", False),
        ("The toll of the flood rose from 104 to 129.", False),  # no source joins them
    ],
)
def test_a_change_is_told_by_one_source_and_in_its_direction(sentence: str, holds: bool) -> None:
    sources = sources_of(
        "The toll of the flood rose to 104 from 81 on Monday.\n"
        "On Saturday the toll of the flood stood at 129."
    )
    found = attribute(sentence, read("How did the toll of the flood rise?"), sources)
    assert (found.status in (Status.SUPPORTED, Status.QUOTED)) is holds


def test_things_are_paired_only_where_a_source_pairs_them() -> None:
    sources = sources_of("The dead are Ada Varn of Malby and Lena Holm of Osterby, police said.")
    question = read("Who died, and where were they from?")
    paired = "Ada Varn and Lena Holm were from Osterby and Malby, respectively."
    assert attribute(paired, question, sources).status is Status.PARTLY


def test_a_reason_stands_in_the_source_and_not_only_beside_it() -> None:
    sources = sources_of(
        "Lena Holm quit the bank on Monday, and shared a letter by Ada Varn.\n"
        "Ada Varn left the bank on Friday because of a quarrel over bonds."
    )
    question = read("Why did Lena Holm quit the bank?")
    invented = "Lena Holm quit the bank because she shared a letter by Ada Varn."
    assert attribute(invented, question, sources).status is not Status.SUPPORTED
    question = read("Why did Ada Varn quit the bank?")
    told = "Ada Varn quit the bank because of a quarrel over bonds."
    assert attribute(told, question, sources).status is Status.SUPPORTED


@pytest.mark.parametrize(
    ("question", "sentence", "holds"),
    [
        ("How many flights were cancelled in Malby?", "141", True),
        ("How many flights were cancelled in Malby?", "482", False),
        ("How many delays did Malby have?", "482", True),
    ],
)
def test_a_figure_counts_what_is_asked_for(question: str, sentence: str, holds: bool) -> None:
    sources = sources_of("Malby had 482 delays and 141 cancellations of flights on Sunday.")
    found = attribute(sentence, read(question), sources)
    assert (found.status is Status.SUPPORTED) is holds


@pytest.mark.parametrize(("day", "holds"), [("1 October 2025", True), ("2 October 2025", False)])
def test_a_day_is_told_by_the_source(day: str, holds: bool) -> None:
    sources = sources_of("The Lindal index closed 2 points higher on 1 October 2025 in Malby.")
    sentence = f"The Lindal index closed 2 points higher on {day} in Malby."
    found = attribute(sentence, read("How did the Lindal index close?"), sources)
    assert (found.status in (Status.SUPPORTED, Status.QUOTED)) is holds


def test_a_first_name_may_stand_further_up_in_the_article() -> None:
    (source,) = sources_of("Nonetheless, Holm believes that the ferry of Malby should sail daily.")
    (named,) = sources_of("The minister is Lena Holm.")
    text = f"{named.article.text} {'It rained. ' * 60}{source.article.text}"
    article = named.article.model_copy(update={"text": text})
    start = len(text) - len(source.article.text)
    far = replace(source, article=article, paragraphs=Paragraphs(text), start=start, end=len(text))
    question = read("Does Lena Holm believe that the ferry of Malby should sail?")
    said = "Lena Holm believes that the ferry of Malby should sail daily."
    assert attribute(said, question, [far]).status is Status.SUPPORTED
    assert attribute(said, question, [source]).status is Status.PARTLY


@pytest.mark.parametrize(
    ("sentence", "time_words", "reworded"),
    [
        ("The OBC was sued this week.", "this week", "The Osterby Broadcasting Corporation was"
         " sued."),
        ("The OBC was sued this week.", "", "The Osterby Broadcasting Corporation was sued this"
         " week."),
        ("Lena Holm is 31 years old.", "", "Lena Holm is 31."),
        ("Lena Holm is 44 years old.", "", None),
        ("ICE opened a camp.", "", None),
        ("The NBC was sued.", "", None),
        ("This week.", "this week", None),
    ],
)  # fmt: skip
def test_a_sentence_in_the_words_of_its_sources(
    sentence: str, time_words: str, reworded: str | None
) -> None:
    sources = sources_of(
        "Ada Varn sues the Osterby Broadcasting Corporation of Selje, as Lena Holm, 31, said. In"
        " Central Europe she won 44 medals."
    )
    assert in_their_words(sentence, time_words, sources) == reworded


def test_what_a_clause_tells_of_one_is_not_told_of_another() -> None:
    sources = sources_of(
        "The film on Paul Brandt shows a toxic studio of adults, including Otto Varn, who served"
        " time for the abuse of a star."
    )
    question = read("What are the accusations against Paul Brandt?")
    passed_on = "Paul Brandt is accused of a toxic studio and of abuse of a star."
    assert attribute(passed_on, question, sources).status is not Status.SUPPORTED
    named = "The film on Paul Brandt shows Otto Varn, who served time for the abuse of a star."
    assert attribute(named, question, sources).status is Status.SUPPORTED


@pytest.mark.parametrize(
    ("told", "holds"),
    [
        ("Paul Brandt, 55, was charged with fraud and arson.", False),
        ("Paul Brandt pleaded not guilty to fraud and arson.", False),
        ("Paul Brandt was found guilty of fraud and arson.", True),
    ],
)
def test_who_is_charged_is_not_found_guilty(told: str, holds: bool) -> None:
    question = read("What was Paul Brandt found guilty of?")
    for answer in ("Paul Brandt was found guilty of fraud and arson.", "Fraud and arson."):
        found = attribute(answer, question, sources_of(told))
        assert (found.status in (Status.SUPPORTED, Status.QUOTED)) is holds
