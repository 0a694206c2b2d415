"""A model exported once for ONNX Runtime: an int8 graph for documents, a float32 one for questions.

The graphs (`rag.embedding.graph`) are made from the weights, without torch.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from rag import models
from rag.embedding import bert
from rag.embedding.graph import INPUT, MICROSOFT, OUTPUT, STATES, Ranges, encoder_graph
from rag.embedding.session import open_session
from rag.errors import ModelError

# Graphs that give other vectors take another name: indexes then have to be built anew.
RUNTIME = "onnx-int8-3"
DOCUMENTS, QUERIES, TOKENIZER, META = (
    "documents.onnx",
    "queries.onnx",
    "tokenizer.json",
    "meta.json",
)


class NotExportableError(ModelError):
    """A model that the reference has to run: no BERT encoder as `rag.embedding.bert` reads one."""


_OPSETS = {"": 17, MICROSOFT: 1}
_IR_VERSION = 8
_CALIBRATION_LENGTHS = (8, 16, 24, 32, 48, 64, 96, 128, 160, 200)


def folder(path: Path, *, models_dir: Path) -> Path:
    """Where the export of the model at `path` is kept: one folder per content of its files."""
    return models_dir / f"{path.name}.{RUNTIME}-{models.fingerprint(path)[:12]}"


def export(path: Path, *, models_dir: Path) -> Path:
    """Export the model at `path` unless that was done before; safe beside other processes.

    Returns:
        The folder of the export: two graphs, the tokenizer and `meta.json` (written last).

    Raises:
        NotExportableError: it is not a model that can be exported.
        OSError: the folder of models cannot be written, or the disk is full.
    """
    final = folder(path, models_dir=models_dir)
    if (final / META).exists():
        return final
    try:
        encoder = bert.read(path)
    except ModelError as error:
        raise NotExportableError(error.message, mend=error.mend) from error
    with _alone(models_dir):
        if (final / META).exists():  # by another process meanwhile
            return final
        for left in models_dir.iterdir():
            if left.name.startswith(f".{final.name}-"):  # by an export that was killed
                shutil.rmtree(left, ignore_errors=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{final.name}-", dir=models_dir))
        try:
            _write(encoder, path, staging)
            staging.rename(final)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    return final


@contextlib.contextmanager
def _alone(models_dir: Path) -> Iterator[None]:
    """Hold the right to export below a folder; others wait."""
    from filelock import FileLock

    with FileLock(models_dir / ".export.lock", fallback_to_soft=False):
        yield


def _write(encoder: bert.Bert, path: Path, staging: Path) -> None:
    exact = _proto(encoder, {})
    ranges = _calibrate(encoder, exact, path / TOKENIZER)
    graphs = {QUERIES: exact, DOCUMENTS: _proto(encoder, ranges)}
    for name, graph in graphs.items():
        (staging / name).write_bytes(graph.SerializeToString())
    shutil.copyfile(path / TOKENIZER, staging / TOKENIZER)
    meta = {
        "runtime": RUNTIME,
        "source_sha256": models.fingerprint(path),
        "dimension": encoder.dimension,
        "max_length": encoder.max_length,
        "pooling": encoder.pooling,
        "sha256": {
            name: hashlib.sha256((staging / name).read_bytes()).hexdigest()
            for name in (DOCUMENTS, QUERIES, TOKENIZER)
        },
    }
    (staging / META).write_text(json.dumps(meta, indent=1) + "\n", encoding="utf-8")
    staging.chmod(0o755)  # mkdtemp keeps others out


def _calibrate(encoder: bert.Bert, exact: Any, tokenizer: Path) -> Ranges:
    """The largest absolute value of each channel after each layer normalisation.

    Random tokens give the same ranges as news does: outliers come with the special tokens.
    """
    import onnx
    from tokenizers import Tokenizer

    special = Tokenizer.from_file(str(tokenizer))
    special.no_padding()
    first, *_, last = special.encode("").ids
    # The names of these outputs are the same in both graphs: see `Graph.normalise`.
    taps = [node.output[0] for node in exact.graph.node if node.op_type == "LayerNormalization"]
    tapped = onnx.ModelProto()
    tapped.CopyFrom(exact)
    tapped.graph.output.extend(
        onnx.helper.make_tensor_value_info(tap, onnx.TensorProto.FLOAT, None) for tap in taps
    )
    session = open_session(tapped.SerializeToString())
    random = np.random.default_rng(0)
    n_words = len(encoder.weights["embeddings.word_embeddings.weight"])
    ranges = {tap: np.zeros(encoder.dimension, np.float32) for tap in taps}
    for length in _CALIBRATION_LENGTHS:
        ids = np.array([[first, *random.integers(n_words, size=length), last]])
        ids = ids[:, : encoder.max_length]
        for tap, states in zip(taps, session.run(taps, {INPUT: ids}), strict=True):
            peak = np.abs(states.reshape(-1, encoder.dimension)).max(axis=0)
            ranges[tap] = np.maximum(ranges[tap], peak)
    return ranges


def _proto(encoder: bert.Bert, ranges: Ranges) -> Any:
    """The graph as an ONNX model: token ids (n, length) to unit vectors (n, dimension)."""
    from onnx import TensorProto, helper, numpy_helper

    made = encoder_graph(encoder, ranges)
    nodes = [
        helper.make_node(
            node.op, node.inputs, [node.output], node.output, domain=node.domain, **node.attributes
        )
        for node in made.nodes
    ]
    graph = helper.make_graph(
        nodes,
        "bert",
        [helper.make_tensor_value_info(INPUT, TensorProto.INT64, ["n", "length"])],
        [
            helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["n", encoder.dimension]),
            helper.make_tensor_value_info(
                STATES, TensorProto.FLOAT, ["n", "length", encoder.dimension]
            ),
        ],
        [numpy_helper.from_array(array, name) for name, array in made.constants.items()],
    )
    opsets = [helper.make_opsetid(domain, version) for domain, version in _OPSETS.items()]
    return helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)
