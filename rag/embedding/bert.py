"""A sentence-transformers model read as what it is: the weights of a BERT encoder and its pooling.

Only what `rag.embedding.export` can write as a graph is accepted; everything else is run by
sentence-transformers itself.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import ModelError

Weights = dict[str, NDArray[np.float32]]

SCALE = ".scale"
"""Behind the name of a matrix of int8: what each of its rows is to be multiplied with."""
_MODULES = (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"])


@dataclass(frozen=True)
class Bert:
    """A BERT encoder with mean or [CLS] pooling.

    Attributes:
        weights: Arrays by their name in the checkpoint, without the prefix `bert.`.
        n_layers: Encoder layers.
        n_heads: Attention heads of a layer.
        dimension: Width of the hidden states, and length of a vector.
        epsilon: Of the layer normalisations.
        max_length: Most tokens of an input, special tokens counted.
        pooling: `mean` or `cls`.
    """

    weights: Weights
    n_layers: int
    n_heads: int
    dimension: int
    epsilon: float
    max_length: int
    pooling: str


def read(path: Path) -> Bert:
    """Read the folder of a sentence-transformers model.

    Raises:
        ModelError: it is not a BERT encoder with mean or [CLS] pooling, or a file is missing.
    """
    config = _json(path / "config.json")
    sentence_config = _json(path / "sentence_bert_config.json")
    pooling = _check(path, config, sentence_config)
    weights = _weights(path / "model.safetensors")
    n_positions = weights["embeddings.position_embeddings.weight"].shape[0]
    return Bert(
        weights=weights,
        n_layers=config["num_hidden_layers"],
        n_heads=config["num_attention_heads"],
        dimension=config["hidden_size"],
        epsilon=config.get("layer_norm_eps", 1e-12),
        max_length=min(n_positions, sentence_config.get("max_seq_length") or n_positions),
        pooling=pooling,
    )


def _check(path: Path, config: dict[str, Any], sentence_config: dict[str, Any]) -> str:
    """The pooling of a model that can be exported; anything else is refused with its reason."""
    modules = [module["type"].rpartition(".")[2] for module in _json(path / "modules.json")]
    pooling = {
        name.removeprefix("pooling_mode_")
        for name, on in _json(path / "1_Pooling" / "config.json").items()
        if name.startswith("pooling_mode_") and on is True
    }
    prompts = path / "config_sentence_transformers.json"
    wrong = {
        f"modules {modules}": modules not in _MODULES,
        f"pooling {sorted(pooling)}": pooling not in ({"mean_tokens"}, {"cls_token"}),
        f"type {config.get('model_type')!r}": config.get("model_type") != "bert",
        f"activation {config.get('hidden_act')!r}": config.get("hidden_act") != "gelu",
        "relative positions": config.get("position_embedding_type", "absolute") != "absolute",
        "lower-casing outside the tokenizer": bool(sentence_config.get("do_lower_case")),
        "a default prompt": prompts.exists() and bool(_json(prompts).get("default_prompt_name")),
        "no tokenizer.json": not (path / "tokenizer.json").exists(),
    }
    if any(wrong.values()):
        reasons = ", ".join(reason for reason, found in wrong.items() if found)
        raise ModelError(f"embedding model {path} cannot be exported: {reasons}")
    return str(pooling.pop()).removesuffix("_tokens").removesuffix("_token")


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"embedding model file {path} cannot be read: {error}") from error


def _exact(array: NDArray[Any], scale: NDArray[Any] | None) -> NDArray[np.float32]:
    exact: NDArray[np.float32] = array.astype(np.float32)
    return exact if scale is None else exact * scale[:, np.newaxis].astype(np.float32)


def _weights(path: Path) -> Weights:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        arrays = load_file(path)
    except (OSError, KeyError, TypeError, SafetensorError) as error:
        raise ModelError(f"embedding model file {path} cannot be read: {error}") from error
    weights = {
        name.removeprefix("bert."): _exact(array, arrays.get(f"{name}{SCALE}"))
        for name, array in arrays.items()
        if not name.endswith(SCALE)
    }
    if "embeddings.LayerNorm.weight" not in weights:
        raise ModelError(f"embedding model file {path} does not name its weights as BERT does")
    return weights
