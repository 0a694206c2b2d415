"""A BERT encoder as a graph of ONNX operators: plain data, no library.

Every batch holds texts of one length. So there is no padding and no mask, the fused attention of
ONNX Runtime takes its quicker (flash) path, and a vector does not depend on what else is in the
batch.

Quantised, activations are rounded row by row: each token has its own scale. With one scale for
the whole batch, as `onnxruntime.quantization.quantize_dynamic` has it, the outliers of the special
tokens cost all others their precision. What is finer than int8 was chosen by measurement
(docs/decisions.md):

- The values of attention are float32, as every token attends to the special ones.
- The weights of the second feed-forward and of the projection after attention are sums of two int8
  matrices, the second for the remainder.
- Before queries, keys and feed-forward, outlier channels of the activations are scaled down and
  their weights up (SmoothQuant, Xiao et al. 2023, https://arxiv.org/abs/2211.10438).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.embedding.bert import Bert

INPUT, OUTPUT, STATES = "input_ids", "embedding", "states"
MICROSOFT = "com.microsoft"
Array = NDArray[Any]
# Largest absolute value of each channel, by the name of a layer normalisation's output.
Ranges = dict[str, NDArray[np.float32]]

_QUERY, _KEY, _VALUE = (f"attention.self.{name}" for name in ("query", "key", "value"))
_CONTEXT, _UP, _DOWN = "attention.output.dense", "intermediate.dense", "output.dense"
_GELU_MIN = 0.17  # GELU is never below -0.17: with that as zero, all 8 bits are used
_UINT8 = 2  # onnx.TensorProto.UINT8
_SMOOTHING = 0.5  # exponent alpha of SmoothQuant
_ZERO = 128  # signed values are stored as uint8 around it: the kernels are quicker than for int8


@dataclass(frozen=True)
class Node:
    """One operator; `output` is its name, too."""

    op: str
    inputs: tuple[str, ...]
    output: str
    domain: str
    attributes: dict[str, Any]


@dataclass
class Graph:
    """Nodes in order of execution, and the constants that they use."""

    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, Array] = field(default_factory=dict)

    def constant(self, value: Array | np.generic) -> str:
        """Add a constant; its name."""
        name = f"constant_{len(self.constants)}"
        self.constants[name] = np.asarray(value, order="C")
        return name

    def scalar(self, value: float) -> str:
        """Add a float32 constant; its name."""
        return self.constant(np.float32(value))

    def add(
        self, op: str, *inputs: str, output: str = "", domain: str = "", **attributes: Any
    ) -> str:
        """Add a node; the name of its output."""
        output = output or f"{op}_{len(self.nodes)}"
        self.nodes.append(Node(op, inputs, output, domain, attributes))
        return output


def encoder_graph(bert: Bert, ranges: Ranges) -> Graph:
    """Token ids (n, length) of equally long texts to unit vectors (n, dimension).

    Another output, `STATES`, are the states of the tokens, (n, length, dimension).

    Args:
        bert: The model.
        ranges: Makes it int8; without them everything is float32.
    """
    g = Graph()
    embedded = _embed_tokens(g, bert)
    shape = g.add("Shape", embedded)
    states = _normalise(g, bert, "embeddings.LayerNorm", _rows(g, bert, embedded))
    for number in range(bert.n_layers):
        states = _layer(g, bert, f"encoder.layer.{number}.", states, shape, ranges)
    states = g.add("Reshape", states, shape, output=STATES)
    if bert.pooling == "mean":
        pooled = g.add("ReduceMean", states, axes=[1], keepdims=0)
    else:
        pooled = g.add("Gather", states, g.constant(np.array(0)), axis=1)
    g.add("LpNormalization", pooled, output=OUTPUT, axis=-1, p=2)
    return g


def _embed_tokens(g: Graph, bert: Bert) -> str:
    w = bert.weights
    # There is one segment only, so its embedding is part of every position's.
    positions = (
        w["embeddings.position_embeddings.weight"] + w["embeddings.token_type_embeddings.weight"][0]
    )
    words = g.add("Gather", g.constant(w["embeddings.word_embeddings.weight"]), INPUT)
    length = g.add("Shape", INPUT, start=1, end=2)
    first = g.constant(np.array([0]))
    return g.add("Add", words, g.add("Slice", g.constant(positions), first, length))


def _layer(g: Graph, bert: Bert, prefix: str, states: str, shape: str, ranges: Ranges) -> str:
    def weight(name: str) -> Array:
        return bert.weights[f"{prefix}{name}.weight"]

    def bias(name: str) -> Array:
        return bert.weights[f"{prefix}{name}.bias"]

    query, key = _smoothed(g, states, [weight(_QUERY), weight(_KEY)], ranges)
    value = _exact(g, states, weight(_VALUE))
    context = g.add(
        "MultiHeadAttention",
        *(g.add("Reshape", part, shape) for part in (query, key, value)),
        g.constant(np.concatenate([bias(_QUERY), bias(_KEY), bias(_VALUE)])),
        domain=MICROSOFT,
        num_heads=bert.n_heads,
    )
    context = _rows(g, bert, context)
    if ranges:
        (attended,) = _rounded(g, context, [weight(_CONTEXT)], n_terms=2)
    else:
        attended = _exact(g, context, weight(_CONTEXT))
    attended = g.add("Add", attended, g.constant(bias(_CONTEXT)))
    states = _normalise(
        g, bert, f"{prefix}attention.output.LayerNorm", g.add("Add", attended, states)
    )

    (up,) = _smoothed(g, states, [weight(_UP)], ranges)
    up = g.add("Gelu", g.add("Add", up, g.constant(bias(_UP))), domain=MICROSOFT)
    down = _behind_gelu(g, up, weight(_DOWN), bias(_DOWN), ranges)
    return _normalise(g, bert, f"{prefix}output.LayerNorm", g.add("Add", down, states))


def _rows(g: Graph, bert: Bert, states: str) -> str:
    """(n, length, dimension) as one row per token: (n * length, dimension)."""
    return g.add("Reshape", states, g.constant(np.array([-1, bert.dimension])))


def _normalise(g: Graph, bert: Bert, name: str, rows: str) -> str:
    scale, bias = (g.constant(bert.weights[f"{name}.{part}"]) for part in ("weight", "bias"))
    # The output has the name of the layer, so that ranges found in one graph fit the other.
    return g.add(
        "LayerNormalization", rows, scale, bias, output=name, axis=-1, epsilon=bert.epsilon
    )


# Linear maps: rows (m, k) and a weight (n, k) to (m, n), bias not added.


def _exact(g: Graph, rows: str, weight: Array) -> str:
    return g.add("MatMul", rows, g.constant(weight.T))


def _smoothed(g: Graph, rows: str, weights: list[Array], ranges: Ranges) -> list[str]:
    """Several maps of the same rows, which are the output of a layer normalisation."""
    if not ranges:
        return [_exact(g, rows, weight) for weight in weights]
    peak = np.maximum(np.abs(np.concatenate(weights)).max(axis=0), 1e-6)
    scale = np.maximum(ranges[rows], 1e-6) ** _SMOOTHING / peak ** (1 - _SMOOTHING)
    smooth = g.add("Mul", rows, g.constant((1 / scale).astype(np.float32)))
    return _rounded(g, smooth, [weight * scale for weight in weights])


def _behind_gelu(g: Graph, rows: str, weight: Array, bias: Array, ranges: Ranges) -> str:
    """The map of what comes out of GELU, and its bias.

    Each row has its own zero point, for which the kernel has no place: the map takes the uint8 as
    they are, and what the zero points would have taken away is subtracted behind it.
    """
    if not ranges:
        return g.add("Add", _exact(g, rows, weight), g.constant(bias))
    peak = g.add("ReduceMax", rows, axes=[-1], keepdims=1)
    width = g.add("Add", g.add("Max", peak, g.scalar(1e-9)), g.scalar(_GELU_MIN))
    scale = g.add("Mul", width, g.scalar(1 / 255))
    zero = g.add("Ceil", g.add("Div", g.scalar(_GELU_MIN), scale))
    zeros = g.add("Cast", _flat(g, zero), to=_UINT8)
    quantised = g.add("QuantizeLinear", rows, _flat(g, scale), zeros, axis=0)
    product = _product(g, quantised, g.constant(np.uint8(0)), weight, n_terms=2)
    above = g.add("Mul", zero, g.constant(weight.sum(axis=1)[np.newaxis]))
    return g.add("Add", g.add("Mul", g.add("Sub", product, above), scale), g.constant(bias))


def _rounded(g: Graph, rows: str, weights: list[Array], n_terms: int = 1) -> list[str]:
    """Several maps of the same rows, which are rounded to 8 bits around zero."""
    peak = g.add("ReduceMax", g.add("Abs", rows), axes=[-1], keepdims=1)
    scale = g.add("Mul", g.add("Max", peak, g.scalar(1e-9)), g.scalar(1 / 127))
    zero = g.constant(np.uint8(_ZERO))
    scales = _flat(g, scale)
    zeros = g.add("Expand", zero, g.add("Shape", scales))
    quantised = g.add("QuantizeLinear", rows, scales, zeros, axis=0)
    return [
        g.add("Mul", _product(g, quantised, zero, weight, n_terms=n_terms), scale)
        for weight in weights
    ]


def _flat(g: Graph, column: str) -> str:
    """(m, 1) as (m,)."""
    return g.add("Squeeze", column, g.constant(np.array([1])))


def _product(g: Graph, quantised: str, zero: str, weight: Array, *, n_terms: int) -> str:
    """The product with a weight that is rounded to a sum of `n_terms` int8 matrices.

    The scales of the rows are left to whoever calls this.
    """
    total = ""
    for _ in range(n_terms):
        scale = np.maximum(np.abs(weight).max(axis=1), 1e-12).astype(np.float32) / 127
        rounded = np.rint(weight / scale[:, None]).astype(np.int8)
        weight = weight - rounded * scale[:, None]
        one, by_output = g.scalar(1.0), g.constant(scale)
        term = g.add(
            "MatMulIntegerToFloat",
            *(quantised, g.constant(rounded.T), one, by_output, zero),
            domain=MICROSOFT,
        )
        total = g.add("Add", total, term) if total else term
    return total
