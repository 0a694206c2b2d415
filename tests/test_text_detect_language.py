"""In what language a question is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag import AnswerStatus, Rag, Settings
from rag.testing import FakeEmbedder, FakeLLM
from rag.text.detect_language import language_name, other_language
from tests.support import ARTICLES, build, open_index, write_articles

SHARED = Path(__file__).parents[1] / ".." / "shared" / "eval"
OTHERS = {
    "German": [
        "Was sagte Healey in Israel?", "Wann tritt der Minister zurück?", "Warum?",
        "Wo brannte es am Montag?", "Welche Länder haben den Vertrag unterschrieben?",
        "Ist der Minister tot?", "wie alt ist der könig", "Worum geht es im Streit um das Budget?",
    ],
    "French": [
        "Quand est mort Dick Cheney ?", "Pourquoi le ministre a-t-il démissionné ?",
        "Où se trouve le pont ?", "Quels pays ont signé l’accord ?", "qui est le maire de Londres",
        "Combien coûte l'iPhone 16e ?", "Qu'est-ce que la loi change ?",
    ],
    "Spanish": [
        "¿Cuándo murió Dick Cheney?", "quien es el alcalde de londres", "¿Por qué renunció el rey?",
        "¿Qué dijo Trump sobre la BBC?", "¿Dónde se encuentra el puente?",
    ],
    "Italian": [
        "Perché il ministro si è dimesso?", "Chi è il sindaco di Londra?",
        "Che cosa ha detto Trump?",
        "Quanti morti ci sono in Tibet?", "Dove si trova il ponte?",
    ],
    "Portuguese": [
        "Quando morreu o presidente?", "Quem é o prefeito de Londres?",
        "O que disse Trump sobre a BBC?",
        "Quantas pessoas morreram no acidente?",
    ],
    "Dutch": [
        "Wie is de burgemeester van Londen?", "Waarom trad de minister af?",
        "Hoeveel mensen kwamen om bij de aardbeving?", "Wat zei Trump over de BBC?",
    ],
    "Swedish": ["Vem är borgmästare i London?", "Varför avgick ministern?",
        "Hur många dog i Tibet?"],
    "Polish": ["Kto jest burmistrzem Londynu?", "Ile osób zginęło w Tybecie?",
        "Dlaczego premier podał się do dymisji?"],
    "Turkish": ["Londra belediye başkanı kim?", "Tibet'te kaç kişi öldü?"],
    "Finnish": ["Kuka on Lontoon pormestari?", "Miksi ministeri erosi?"],
    "Hungarian": ["Ki volt London polgármestere?", "Hány ember halt meg Tibetben?"],
    "Romanian": ["Cine este primarul Londrei?", "De ce a demisionat ministrul?"],
    "Czech": ["Kdo je starostou Londýna?", "Proč ministr odstoupil?"],
    "Cyrillic": ["Кто мэр Лондона?", "Скільки людей загинуло в Тибеті?"],
    "Greek": ["Ποιος είναι ο δήμαρχος του Λονδίνου;"],
    "Arabic": ["من هو عمدة لندن؟"],
    "Japanese": ["ロンドンのしちょうはだれですか"],
    "Chinese or Japanese": ["伦敦市长是谁？"],
    "Korean": ["런던 시장은 누구입니까?"],
    "Hebrew": ["מי ראש עיריית לונדון?"],
}  # fmt: skip
ENGLISH = [
    "Who wrote Cien años de soledad?", "When did the Museo de la Revolución open?",
    "What does “Wer hat das gesagt” mean?", "Who is the mayor of London?", "why", "Healey Israel",
    "What was on the die in the war?", "Was Angela Merkel in Den Haag?", "La La Land Oscar",
    "Who won the Prix de l'Arc de Triomphe?", "What did Der Spiegel and Die Zeit report?",
    "How much is a Volkswagen ID.3?", "who plays for Real Madrid or Paris Saint-Germain",
    "Is Omar el Akkad an author?", "Which album did Los Lobos record?",
        "Tour de France 2025 winner",
    "Did Wat Arun in Bangkok burn?", "Who directed Amour and La vie d’Adèle?",
        "Ole Gunnar Solskjær",
    "", "?", "2025", "Who is 习近平?", "No Kings protests", "Am I eligible?",
]  # fmt: skip


@pytest.mark.parametrize("language", OTHERS)
def test_another_language(language: str) -> None:
    found = [other_language(question, "en") for question in OTHERS[language]]
    assert found == [language] * len(found)


@pytest.mark.parametrize("question", ENGLISH)
def test_english(question: str) -> None:
    assert other_language(question, "en") is None


def test_the_language_of_the_index_counts() -> None:
    assert other_language("Wer ist der Chef von Nestlé?", "de") is None
    assert other_language("Who is the head of Nestlé?", "de") == "English"
    assert other_language("Кто мэр Лондона?", "ru") is None
    assert other_language("Who is the mayor?", "xx") is None  # nothing is known of it
    assert (language_name("de"), language_name("xx")) == ("German", None)


@pytest.mark.parametrize("name", ["news/questions.jsonl", "wiki/questions.jsonl"])
def test_no_english_question_is_taken_for_another(name: str) -> None:
    if not (SHARED / name).exists():
        pytest.skip(f"the questions are not here (../shared/eval/{name})")
    questions = [json.loads(line)["question"] for line in (SHARED / name).read_text().splitlines()]
    assert [question for question in questions if other_language(question, "en")] == []


def test_questions_of_our_own() -> None:
    data = Path(__file__).parent / "data"
    for name in ("typos", "follow_ups", "false_premises", "true_premises"):
        for line in (data / f"{name}.jsonl").read_text().splitlines():
            row = json.loads(line)
            assert bool(other_language(row["question"], "en")) == ("language" in row), row


def test_an_answer_says_which_language_is_understood(tmp_path: Path) -> None:
    index_dir = write_articles(tmp_path, ARTICLES)
    build(index_dir)
    llm = FakeLLM()
    with Rag(open_index(index_dir), FakeEmbedder(), llm, Settings(min_evidence=0)) as rag:
        answer = rag.ask("Wann wird die Brücke in Osterby geschlossen?")
        assert answer.status is AnswerStatus.NO_ANSWER
        assert answer.text.startswith("This question seems to be in German. Only English is")
        assert "answer this question" not in answer.text
        assert answer.hits
        assert answer.corrections == ()
        assert llm.prompts == []
        assert rag.ask("When does the bridge in Osterby close?").status is not answer.status
