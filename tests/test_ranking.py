"""Ranking: every sentence of a hit is read once; numbers are what the weights say."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from rag.embedding import export
from rag.embedding.onnx import OnnxEmbedder
from rag.ranking import RankedPassage
from rag.ranking.minilm import MiniLMRanker
from rag.ranking.passages import MAX_WORDS, cut
from tests.tiny_bert import write_model

DAY = datetime.date(2024, 1, 5)


@given(st.lists(st.integers(1, 130), min_size=1, max_size=12))
def test_every_sentence_is_in_one_passage(lengths: list[int]) -> None:
    text, spans = "", []
    for n in lengths:
        sentence = " ".join(["word"] * n)
        spans.append((len(text), len(text) + len(sentence)))
        text += sentence + " "
    passages = cut("Bridge", DAY, text, spans)
    assert [place for _, places in passages for place in places] == list(range(len(spans)))
    for passage, places in passages:
        assert passage.heading == "Bridge (2024-01-05)"
        assert len(passage.spans) == len(places)
        assert sum(lengths[at] for at in places) <= MAX_WORDS or len(places) == 1
        for (start, end), at in zip(passage.spans, places, strict=True):
            whole = text[slice(*spans[at])]
            assert whole.startswith(passage.text[start:end])


def test_a_ranker_reads_question_and_passage_together(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "model")
    random = np.random.default_rng(0)
    weights = {
        "up.weight": random.normal(size=(128, 64)).astype(np.float32),
        "up.bias": random.normal(size=128).astype(np.float32),
        "out.weight": random.normal(size=(1, 128)).astype(np.float32),
        "out.bias": np.array([0.5], np.float32),
    }
    save_file(weights, folder / "head.safetensors")
    ranker = MiniLMRanker(tmp_path, 1, folder)
    text = "The bridge closes. A ferry."
    passage = RankedPassage("Bridge", text, [(0, 18), (19, 27)])
    (logits,) = ranker.logits("What closes?", [passage])
    assert ranker.logits("What closes?", []) == []

    encoder = OnnxEmbedder(export.export(folder, models_dir=tmp_path), model="m", n_threads=1)
    before = "What closes? [SEP] Bridge. "
    spans = [(start + len(before), end + len(before)) for start, end in passage.spans]
    whole, (parts,) = encoder.embed_passages([before + text], [spans])
    both = np.hstack([parts, np.repeat(whole, 2, axis=0)]) * np.sqrt(np.float32(32))
    hidden = np.tanh(both @ weights["up.weight"].T + weights["up.bias"])
    np.testing.assert_allclose(logits, hidden @ weights["out.weight"][0] + 0.5, rtol=1e-4)
    (other,) = ranker.logits("Who sails the ferry?", [passage])
    assert not np.allclose(logits, other)
