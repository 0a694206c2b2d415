"""Confidence: it belongs to the pair of models that it was fitted on."""

from __future__ import annotations

import json
import math
from importlib import resources
from pathlib import Path

import pytest

from rag.answering.answer import AnswerStatus
from rag.answering.confidence import (
    Calibration,
    Logistic,
    calibration_name,
    find_calibration,
)
from rag.answering.events import EvidenceFound
from rag.answering.notes import NOT_FITTED
from rag.embedding import EmbedderIdentity
from rag.engine import Rag
from rag.models import KNOWN
from rag.settings import Settings
from rag.testing import FakeEmbedder, FakeLLM, fake_calibration
from tests.support import ARTICLES, build, open_index, write_articles

QUESTION = "What would the repairs of the harbour bridge cost?"
FOREIGN = "Whose old sofa was painted green in the attic?"
SHIPPED = sorted(
    file.name for file in resources.files("rag.answering").joinpath("calibration").iterdir()
)
DEFAULT = "qwen2.5-coder-1.5b-instruct"


def identity(model: str, sha256: str) -> EmbedderIdentity:
    return EmbedderIdentity(model=model, sha256=sha256, runtime="onnx-int8-2", dimension=384)


@pytest.fixture
def index_dir(tmp_path: Path) -> Path:
    index_dir = write_articles(tmp_path, ARTICLES)
    build(index_dir)
    return index_dir


def opened(
    index_dir: Path, calibration: Calibration | None, settings: Settings | None = None
) -> tuple[Rag, FakeLLM]:
    llm = FakeLLM()
    rag = Rag(open_index(index_dir), FakeEmbedder(), llm, settings, calibration=calibration)
    return rag, llm


def test_shipped_files_are_found_by_the_names_in_them() -> None:
    assert f"all-MiniLM-L6-v2--{DEFAULT}.json" in SHIPPED
    for name in SHIPPED:
        file = resources.files("rag.answering").joinpath("calibration", name)
        read = Calibration.model_validate_json(file.read_text(encoding="utf-8"))
        assert read.file_name == name
        assert read.embedding_sha256
        assert find_calibration(identity(read.embedding, read.embedding_sha256), read.llm) == read


@pytest.mark.parametrize(
    "llm", [DEFAULT, KNOWN[DEFAULT].repository, f"/models/{KNOWN[DEFAULT].files[0].name}"]
)
@pytest.mark.parametrize(
    "embedding", ["all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"]
)
def test_known_models_are_found_however_they_are_named(embedding: str, llm: str) -> None:
    shipped = resources.files("rag.answering").joinpath("calibration", SHIPPED[0])
    sha256 = json.loads(shipped.read_text())["embedding_sha256"]
    assert find_calibration(identity(embedding, sha256), llm) is not None


@pytest.mark.parametrize(
    ("embedding", "sha256", "llm"),
    [
        ("all-MiniLM-L6-v2", None, "qwen2.5-coder-0.5b-instruct"),
        ("all-MiniLM-L6-v2", None, "/models/other.gguf"),
        ("all-MiniLM-L6-v2", None, f"openai:http://localhost:1/v1#{DEFAULT}"),
        ("all-MiniLM-L6-v2", None, f"openai:http://localhost:1/v1#models/{DEFAULT}"),
        ("/models/bge-small", None, DEFAULT),
        ("/mine/all-MiniLM-L6-v2", "f" * 64, DEFAULT),  # other weights in a folder of that name
    ],
)
def test_another_pair_has_none(embedding: str, sha256: str | None, llm: str) -> None:
    shipped = resources.files("rag.answering").joinpath("calibration", SHIPPED[0])
    known = json.loads(shipped.read_text())["embedding_sha256"]
    assert find_calibration(identity(embedding, sha256 or known), llm) is None


def test_names_fit_into_one_file_name() -> None:
    assert calibration_name("/some where/Llama 3.gguf") == "Llama 3.gguf"
    assert calibration_name("openai:https://host/v1#meta/Llama 3") == "openai:meta/Llama 3"
    made = fake_calibration().model_copy(update={"embedding": "a/b", "llm": "openai:gpt 5"})
    assert made.file_name == "a_b--openai_gpt_5.json"


def test_probability_is_the_logistic_function() -> None:
    fitted = Logistic(intercept=-1.0, weights={"a": 2.0, "b": -0.5})
    assert fitted.probability({"a": 1.0, "b": 3.0, "c": 9.0}) == pytest.approx(
        1 / (1 + math.exp(0.5))
    )


def test_without_a_fit_there_is_no_confidence_and_the_model_is_asked(index_dir: Path) -> None:
    rag, llm = opened(index_dir, None)
    assert rag.calibration is None
    for question in (QUESTION, FOREIGN):
        events = list(rag.stream(question))
        assert isinstance(events[0], EvidenceFound)
        assert events[0].confidence is None
    assert len(llm.prompts) == 2
    answer = rag.ask(QUESTION)
    assert (answer.status, answer.confidence) == (AnswerStatus.ANSWERED, None)
    assert answer.note is not None
    assert "not fitted for the embedding model fake with the language model fake" in answer.note
    assert answer.signals  # what a fit is made of


def test_without_a_fit_limits_do_not_hold_and_the_note_says_so(index_dir: Path) -> None:
    strict = Settings(min_evidence=1.0, min_confidence=1.0)
    rag, llm = opened(index_dir, None, strict)
    answer = rag.ask(QUESTION)
    assert answer.status is AnswerStatus.ANSWERED
    assert "neither min_evidence nor min_confidence holds" in str(answer.note)
    nothing = rag.ask(QUESTION, since="2050-01-01")
    assert (nothing.status, nothing.confidence) == (AnswerStatus.NO_ANSWER, None)
    assert len(llm.prompts) == 1


def test_with_a_fit_its_limit_is_the_default_and_the_setting_goes_first(index_dir: Path) -> None:
    fitted = fake_calibration()
    rag, llm = opened(index_dir, fitted)
    assert rag.calibration is fitted
    refused = rag.ask(FOREIGN)
    assert (refused.status, refused.note, llm.prompts) == (AnswerStatus.NO_ANSWER, None, [])
    likely = fitted.likely(refused.signals)
    assert refused.confidence == pytest.approx(fitted.confidence_if_refused(likely), abs=1e-3)
    lower, asked = opened(index_dir, fitted, Settings(min_evidence=0))
    assert lower.ask(FOREIGN).model == "fake"
    assert len(asked.prompts) == 1
    higher, unasked = opened(index_dir, fitted, Settings(min_evidence=1))
    assert higher.ask(QUESTION).status is AnswerStatus.NO_ANSWER
    assert unasked.prompts == []


def test_confidence_of_the_answer_is_what_was_fitted(index_dir: Path) -> None:
    fitted = fake_calibration()
    rag, _ = opened(index_dir, fitted)
    answer = rag.ask(QUESTION)
    assert NOT_FITTED.split("{")[0] not in (answer.note or "")
    assert answer.confidence == pytest.approx(fitted.confidence(answer.signals), abs=1e-3)


def test_answers_without_confidence_are_stored_and_read(index_dir: Path) -> None:
    rag, _ = opened(index_dir, None)
    answer = rag.ask(QUESTION)
    assert type(answer).model_validate_json(answer.model_dump_json()) == answer
    assert json.loads(answer.model_dump_json())["confidence"] is None
