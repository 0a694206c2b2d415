"""A sentence-transformers model of random weights, small enough to be made for a test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

WORDS = (
    *("the", "a", "bridge", "ferry", "mayor", "closes", "monday"),
    *("repairs", "strike", "crews", "crowns", "museum", "painting"),
)


def write_model(folder: Path, *, pooling: str = "mean_tokens", **config: Any) -> Path:
    """A sentence-transformers model: 2 layers, 32 channels, 48 tokens at most."""
    from safetensors.numpy import save_file

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    vocabulary = [
        *special,
        *"0123456789.,'",
        *letters,
        *("##" + each for each in letters),
        *WORDS[2:],
    ]
    (folder / "1_Pooling").mkdir(parents=True)
    kinds = ["Transformer", "Pooling", "Normalize"]
    paths = ["", "1_Pooling", "2_Normalize"]
    files: dict[str, Any] = {
        "modules.json": [
            {"idx": n, "name": str(n), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for n, (kind, path) in enumerate(zip(kinds, paths, strict=True))
        ],
        "sentence_bert_config.json": {"max_seq_length": 48, "do_lower_case": False},
        "1_Pooling/config.json": {
            "word_embedding_dimension": 32,
            **{f"pooling_mode_{name}": name == pooling for name in ("cls_token", "mean_tokens")},
        },
        "config.json": {
            **{"architectures": ["BertModel"], "model_type": "bert", "hidden_act": "gelu"},
            **{"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4},
            **{"intermediate_size": 64, "max_position_embeddings": 64, "type_vocab_size": 2},
            **{"vocab_size": len(vocabulary), "layer_norm_eps": 1e-12, "pad_token_id": 0, **config},
        },
        "tokenizer_config.json": {"tokenizer_class": "BertTokenizer", "do_lower_case": True},
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    _write_tokenizer(folder / "tokenizer.json", vocabulary)
    save_file(_weights(len(vocabulary)), folder / "model.safetensors")
    return folder


def _write_tokenizer(path: Path, vocabulary: list[str]) -> None:
    from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers, processors
    from tokenizers.models import WordPiece

    ids = {word: number for number, word in enumerate(vocabulary)}
    tokenizer = Tokenizer(WordPiece(ids, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])]
    )
    tokenizer.decoder = decoders.WordPiece()
    # As many models are published: it must neither pad nor cut our texts.
    tokenizer.enable_padding(length=16)
    tokenizer.enable_truncation(12)
    tokenizer.save(str(path))


def _weights(n_words: int) -> dict[str, Any]:
    random = np.random.default_rng(1)
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings": (n_words, 32),
        "embeddings.position_embeddings": (64, 32),
        "embeddings.token_type_embeddings": (2, 32),
    }
    for number in range(2):
        layer = f"encoder.layer.{number}."
        for name in ("self.query", "self.key", "self.value", "output.dense"):
            shapes[f"{layer}attention.{name}"] = (32, 32)
        shapes |= {f"{layer}intermediate.dense": (64, 32), f"{layer}output.dense": (32, 64)}
    weights = {f"{name}.weight": random.normal(size=shape) * 0.3 for name, shape in shapes.items()}
    weights |= {
        f"{name}.bias": random.normal(size=shape[0]) * 0.1
        for name, shape in shapes.items()
        if name.startswith("encoder")
    }
    normalised = [
        f"encoder.layer.{n}.{part}output" for n in range(2) for part in ("attention.", "")
    ]
    for name in ("embeddings", *normalised):
        weights[f"{name}.LayerNorm.weight"] = 1 + random.normal(size=32) * 0.2
        weights[f"{name}.LayerNorm.bias"] = random.normal(size=32) * 0.1
    return {name: array.astype(np.float32) for name, array in weights.items()}
