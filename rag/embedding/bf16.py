"""A BERT encoder in bfloat16, run by torch: for many passages, on a processor with AMX.

Texts of any lengths are laid end to end, without padding between them: linear maps take all tokens
as rows, and only attention goes text by text. Products are summed in float32, as AMX does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from rag.embedding import Vectors, unit
from rag.embedding.bert import Bert

# Tokens of one run: from about this many on, a run costs the same by token.
RUN_TOKENS = 2_048
# Rows are rounded up to these: for each number of rows oneDNN compiles a product of its own.
_ROWS = 128


@cache
def has_bf16_products() -> bool:
    """Whether the processor multiplies matrices of bfloat16 (AMX)."""
    try:
        words = set(Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split())
    except OSError:
        return False
    return {"amx_bf16", "amx_tile"} <= words


@dataclass(frozen=True, slots=True)
class _Layer:
    """Linear maps, and the weights of normalisations; `read` is queries, keys and values."""

    read: Callable[[Any], Any]
    output: Callable[[Any], Any]
    attended: tuple[Any, Any]
    up: Callable[[Any], Any]
    down: Callable[[Any], Any]
    states: tuple[Any, Any]


class Bf16Encoder:
    """The encoder, ready to run. Safe to call from several threads; each runs on one.

    Args:
        bert: The model, with mean pooling.
    """

    def __init__(self, bert: Bert) -> None:
        import torch

        torch.set_num_threads(1)  # runs go side by side
        weights = {
            name: torch.from_numpy(array).to(torch.bfloat16) for name, array in bert.weights.items()
        }
        positions = (
            bert.weights["embeddings.position_embeddings.weight"]
            + bert.weights["embeddings.token_type_embeddings.weight"][0]
        )
        self._dimension, self._n_heads = bert.dimension, bert.n_heads
        self._epsilon = bert.epsilon
        self._words = weights["embeddings.word_embeddings.weight"]
        self._positions = torch.from_numpy(positions).to(torch.bfloat16)
        self._first = _pair(weights, "embeddings.LayerNorm")
        self._layers = [
            _layer(weights, f"encoder.layer.{number}.") for number in range(bert.n_layers)
        ]

    def run(self, ids: Sequence[Sequence[int]]) -> tuple[Vectors, list[Vectors]]:
        """Token ids of texts to their vectors and the states of their tokens.

        Args:
            ids: Of each text, special tokens included; at most `Bert.max_length`.

        Returns:
            Shape (n, dimension), float32, unit length; and for each text (n_tokens, dimension).
        """
        import torch

        lengths = [len(text) for text in ids]
        tokens = [one for text in ids for one in text]
        left = -len(tokens) % _ROWS
        padded = [*lengths, left] if left else lengths  # a text of zeros, which nobody gets
        with torch.inference_mode():
            rows = self._run(torch.tensor(tokens + [0] * left), padded)
            states = [part.numpy() for part in rows.float().split(padded)[: len(ids)]]
        return unit(np.stack([own.mean(axis=0) for own in states])), states

    def _run(self, ids: Any, lengths: list[int]) -> Any:
        import torch
        from torch.nn import functional

        def normalised(rows: Any, pair: tuple[Any, Any]) -> Any:
            scale, bias = pair
            return functional.layer_norm(rows, [self._dimension], scale, bias, self._epsilon)

        places = torch.cat([torch.arange(length) for length in lengths])
        places %= len(self._positions)  # what fills up may be longer than any text
        rows = normalised(self._words[ids] + self._positions[places], self._first)
        for layer in self._layers:
            context = self._attend(layer.read(rows), lengths)
            rows = normalised(rows + layer.output(context), layer.attended)
            rows = normalised(rows + layer.down(layer.up(rows)), layer.states)
        return rows

    def _attend(self, read: Any, lengths: list[int]) -> Any:
        """Attention within each text; `read` holds queries, keys and values of all tokens."""
        import torch
        from torch.nn.functional import scaled_dot_product_attention

        attended = []
        for own in read.split(lengths):
            # (n_tokens, 3, n_heads, width) as three of (1, n_heads, n_tokens, width)
            parts = own.view(1, len(own), 3, self._n_heads, -1).permute(2, 0, 3, 1, 4)
            context = scaled_dot_product_attention(*parts)
            attended.append(context[0].transpose(0, 1).reshape(len(own), self._dimension))
        return torch.cat(attended)


def runs(lengths: Sequence[int]) -> list[list[int]]:
    """Rows of texts that are run together: in order, about `RUN_TOKENS` tokens at a time."""
    made: list[list[int]] = []
    n_tokens = RUN_TOKENS
    for row, length in enumerate(lengths):
        if n_tokens >= RUN_TOKENS:
            made.append([])
            n_tokens = 0
        made[-1].append(row)
        n_tokens += length
    return made


def _layer(weights: dict[str, Any], prefix: str) -> _Layer:
    import torch

    parts = [_pair(weights, f"{prefix}attention.self.{name}") for name in ("query", "key", "value")]
    return _Layer(
        read=_linear(*(torch.cat(both) for both in zip(*parts, strict=True))),
        output=_linear(*_pair(weights, f"{prefix}attention.output.dense")),
        attended=_pair(weights, f"{prefix}attention.output.LayerNorm"),
        up=_linear(*_pair(weights, f"{prefix}intermediate.dense"), gelu=True),
        down=_linear(*_pair(weights, f"{prefix}output.dense")),
        states=_pair(weights, f"{prefix}output.LayerNorm"),
    )


def _linear(weight: Any, bias: Any, *, gelu: bool = False) -> Callable[[Any], Any]:
    """A linear map, its weight laid out for the product once and not at each call.

    The operators are those that `torch.compile` puts in; torch does not promise their names.
    """
    import torch
    from torch.nn import functional

    try:
        product = torch.ops.mkldnn._linear_pointwise
        packed = torch.ops.mkldnn._reorder_linear_weight(weight, RUN_TOKENS)
    except (AttributeError, RuntimeError):
        if gelu:
            return lambda rows: functional.gelu(functional.linear(rows, weight, bias))
        return lambda rows: functional.linear(rows, weight, bias)
    then: tuple[str, list[float], str] = ("gelu", [], "none") if gelu else ("none", [], "")
    return lambda rows: product(rows, packed, bias, *then)


def _pair(weights: dict[str, Any], name: str) -> tuple[Any, Any]:
    return weights[f"{name}.weight"], weights[f"{name}.bias"]
