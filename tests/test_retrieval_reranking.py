"""The cross-encoder seam, with a tiny model of random weights that is made here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rag.errors import ModelError
from rag.retrieval.reranking import CrossEncoderReranker

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "bridge", "closes", "ferry", "when"]


def tiny(folder: Path, n_outputs: int) -> Path:
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizer

    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(WORDS), encoding="utf-8")
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
    )
    config.num_labels = n_outputs
    BertForSequenceClassification(config).save_pretrained(folder)
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


@pytest.mark.slow  # to import torch
def test_scores_are_shares_and_belong_to_their_passages(tmp_path: Path) -> None:
    reranker = CrossEncoderReranker(str(tiny(tmp_path / "model", 1)), n_threads=1)
    passages = ["the bridge closes", "ferry", "the the ferry closes when the bridge"]
    scores = reranker.scores("when closes the bridge", passages)
    assert scores.shape == (3,)
    assert ((scores > 0) & (scores < 1)).all()
    np.testing.assert_allclose(
        reranker.scores("when closes the bridge", passages[::-1]), scores[::-1], atol=1e-5
    )
    assert reranker.scores("when", []).shape == (0,)


@pytest.mark.slow  # to import torch
def test_a_model_with_several_outputs_is_no_reranker(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="3 outputs"):
        CrossEncoderReranker(str(tiny(tmp_path / "model", 3)), n_threads=1)


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not load"):
        CrossEncoderReranker(str(tmp_path), n_threads=1)
