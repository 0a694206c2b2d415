"""The vector index of every kind against brute force in NumPy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rag.embedding import Vectors, unit
from rag.errors import IndexCorruptError
from rag.index.vectors import (
    FLAT_UNTIL,
    SQ8_UNTIL,
    VectorIndex,
    kind_for,
    n_training,
    update_vectors,
    write_vectors,
)

KINDS = ["Flat", "SQ8", "IVF64,SQ8"]


def vectors(n: int, seed: int) -> Vectors:
    """Unit vectors in clusters, as texts about the same things lie."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(0).standard_normal((60, 32))
    return unit((centres[random.integers(60, size=n)] + random.standard_normal((n, 32)) * 0.5)
                .astype(np.float32))  # fmt: skip


@pytest.fixture(scope="module", params=KINDS)
def index(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> VectorIndex:
    path = tmp_path_factory.mktemp("vectors") / "vectors.faiss"
    stored = vectors(6_000, 1)
    batches = [
        (np.arange(at, at + 2_000) * 3 + 1, stored[at : at + 2_000]) for at in (0, 2000, 4000)
    ]
    write_vectors(path, request.param, 32, stored, batches)
    return VectorIndex(path, n_threads=2)


def exact(queries: Vectors, allowed: np.ndarray, k: int) -> np.ndarray:
    scores = queries @ vectors(6_000, 1)[(allowed - 1) // 3].T
    return allowed[np.argsort(-scores, axis=1)[:, :k]]


@pytest.mark.parametrize("n_allowed", [None, 7, 500, 3_000], ids=str)
def test_finds_what_brute_force_finds(index: VectorIndex, n_allowed: int | None) -> None:
    every = np.arange(6_000) * 3 + 1
    allowed = None if n_allowed is None else np.sort(
        np.random.default_rng(2).choice(every, n_allowed, replace=False)
    )  # fmt: skip
    queries = vectors(50, 3)
    ids, scores = index.search(queries, 100, allowed=allowed)
    wanted = exact(queries, every if allowed is None else allowed, 10)
    shares = [np.isin(want, got).mean() for want, got in zip(wanted, ids, strict=True)]
    assert np.mean(shares) >= 0.99
    assert (np.diff(scores, axis=1) <= 1e-6).all()
    cosines = np.einsum("qd,qkd->qk", queries, vectors(6_000, 1)[(ids - 1) // 3])
    np.testing.assert_allclose(scores, cosines, atol=0.02)


def test_ids_are_those_that_were_added(index: VectorIndex) -> None:
    assert index.ids.tolist() == (np.arange(6_000) * 3 + 1).tolist()
    assert len(index) == 6_000


def test_nothing_allowed_finds_nothing(index: VectorIndex) -> None:
    ids, scores = index.search(vectors(2, 3), 5, allowed=np.empty(0, np.int64))
    assert ids.shape == scores.shape == (2, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_updated_index_finds_what_a_new_one_finds(tmp_path: Path, kind: str) -> None:
    stored, more = vectors(4_000, 1), vectors(500, 4)
    old, updated, anew = (tmp_path / name for name in ("old", "updated", "anew"))
    write_vectors(old, kind, 32, stored, [(np.arange(4_000), stored)])
    removed, kept = np.arange(0, 4_000, 7), np.setdiff1d(np.arange(4_000), np.arange(0, 4_000, 7))
    added = [(np.arange(5_000, 5_500), more)]
    update_vectors(old, updated, removed, added)
    write_vectors(anew, kind, 32, stored, [(kept, stored[kept]), *added])
    results = []
    for path in (updated, anew):
        index = VectorIndex(path, n_threads=1)
        assert index.ids.tolist() == [*kept.tolist(), *range(5_000, 5_500)]
        results.append(index.search(vectors(40, 5), 10))
    np.testing.assert_array_equal(results[0][0], results[1][0])
    np.testing.assert_allclose(results[0][1], results[1][1], atol=1e-5)


def test_kind_by_size() -> None:
    sizes = [1, FLAT_UNTIL, FLAT_UNTIL + 1, SQ8_UNTIL, SQ8_UNTIL + 1, 1_000_000]
    kinds = ["Flat", "Flat", "SQ8", "SQ8", "IVF256,SQ8", "IVF2048,SQ8"]
    assert [kind_for(size) for size in sizes] == kinds
    assert (n_training("Flat"), n_training("IVF2048,SQ8")) == (0, 2048 * 48)


def test_rubbish_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "indexes" / "news" / "versions" / "000001" / "vectors.faiss"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"rubbish, and enough of it for a header")
    with pytest.raises(IndexCorruptError, match="not a FAISS index"):
        VectorIndex(path, n_threads=1)
