"""Measures what docs/scaling.md calculates with. Prints JSON.

    python tools/scaling.py vectors|words N [--corpus FILE]
    python tools/scaling.py stores|ray 0 [--corpus FILE]

`vectors` and `words` put N chunks into files; `stores` compares files with Milvus Lite, `ray` a
build here with one on two nodes of Ray, both on the corpus (in the environment of make cluster).
Seconds are the processor's, of all threads, but for those called wall: on a busy machine the clock
says little.

Vectors are made: 384 dimensions, around 2,000 centres whose sizes fall like a power law, at cosines
like those of sentence vectors. Texts are sentences of the corpus put together at random, 140 words
to a chunk: lengths and frequencies are real, the vocabulary stops growing at that of the corpus.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

import rag
from rag import Filter, Settings
from rag.index.rows import ChunkText
from rag.index.vectors import VectorIndex, kind_for, n_training, write_vectors
from rag.settings import silence_telemetry

DIMENSION, N_CENTRES, BATCH, N_QUERIES, K = 384, 2_000, 20_000, 200, 100


class Made:
    """Vectors that come again as they were: batch by batch, from a seed each."""

    def __init__(self, n: int) -> None:
        self.n = n
        rng = np.random.default_rng(0)
        self._centres = rng.normal(size=(N_CENTRES, DIMENSION)).astype(np.float32)
        self._centres += 1.2 * rng.normal(size=DIMENSION).astype(
            np.float32
        )  # what all have in common
        shares = 1.0 / np.arange(1, N_CENTRES + 1) ** 0.7
        self._shares = shares / shares.sum()

    def some(self, n: int, seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        centres = self._centres[rng.choice(N_CENTRES, n, p=self._shares)]
        vectors = centres + 1.2 * rng.normal(size=(n, DIMENSION)).astype(np.float32)
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)

    def batches(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for at in range(0, self.n, BATCH):
            n = min(BATCH, self.n - at)
            yield np.arange(at + 1, at + n + 1, dtype=np.int64), self.some(n, 1 + at)


def vectors(n: int) -> dict[str, object]:
    made, kind = Made(n), kind_for(n)
    queries = made.some(N_QUERIES, 10**9)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vectors.faiss"
        started = time.process_time()
        write_vectors(path, kind, DIMENSION, made.some(n_training(kind), 10**9 + 1), made.batches())
        seconds = time.process_time() - started
        best = exact(made, queries)
        index = VectorIndex(path, n_threads=1)
        found = []
        index.search(queries[:1], K)
        began, started = time.perf_counter(), time.process_time()
        for query in queries:
            found.append(index.search(query[np.newaxis], K)[0][0])
        spent, wall = time.process_time() - started, time.perf_counter() - began
        n_bytes = path.stat().st_size
    shared = [len(set(a.tolist()) & set(b.tolist())) / K for a, b in zip(found, best, strict=True)]
    return {
        "n": n,
        "kind": kind,
        "n_bytes": n_bytes,
        "build_seconds": round(seconds, 1),
        "search_ms": round(1000 * spent / N_QUERIES, 2),
        "search_wall_ms": round(1000 * wall / N_QUERIES, 2),
        f"recall_at_{K}": round(float(np.mean(shared)), 4),
    }


def exact(made: Made, queries: np.ndarray) -> np.ndarray:
    """Ids of the K nearest, by comparing all."""
    ids = np.zeros((len(queries), K), np.int64)
    scores = np.full((len(queries), K), -2.0, np.float32)
    for own, batch in made.batches():
        all_scores = np.hstack([scores, queries @ batch.T])
        all_ids = np.hstack([ids, np.tile(own, (len(queries), 1))])
        top = np.argpartition(-all_scores, K, axis=1)[:, :K]
        scores, ids = np.take_along_axis(all_scores, top, 1), np.take_along_axis(all_ids, top, 1)
    return ids


def texts(n: int, corpus: Path) -> Iterator[ChunkText]:
    rng = random.Random(0)
    sentences = [
        sentence + "."
        for line in corpus.read_text(encoding="utf-8").splitlines()
        for sentence in json.loads(line)["text"].replace("\n", " ").split(". ")
        if sentence
    ]
    for chunk_id in range(1, n + 1):
        parts: list[str] = []
        words = 0
        while words < 140:
            parts.append(rng.choice(sentences))
            words += parts[-1].count(" ") + 1
        title = " ".join(rng.choice(sentences).split()[:7])
        yield ChunkText(chunk_id, title, " ".join(parts), 700_000 + chunk_id % 9_000, "BBC", "{}")


def words(n: int, corpus: Path) -> dict[str, object]:
    from rag.index.lexical import LexicalIndex, write_lexical
    from rag.text.analysis import analyzer

    terms_of = analyzer("en").content_terms
    queries = [terms_of(" ".join(text.text.split()[20:29])) for text in texts(N_QUERIES, corpus)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lexical"
        started = time.process_time()
        write_lexical(path, "en", texts(n, corpus))
        seconds = time.process_time() - started
        index = LexicalIndex(path)
        index.search(queries[0], K)
        began, started = time.perf_counter(), time.process_time()
        for query in queries:
            index.search(query, K)
        spent, wall = time.process_time() - started, time.perf_counter() - began
        n_bytes = sum(file.stat().st_size for file in path.iterdir())
    return {
        "n": n,
        "n_bytes": n_bytes,
        "build_seconds": round(seconds, 1),
        "search_ms": round(1000 * spent / N_QUERIES, 2),
        "search_wall_ms": round(1000 * wall / N_QUERIES, 2),
    }


def project(folder: Path, corpus: Path, name: str, more: str = "") -> Settings:
    index = folder / name / "indexes" / "news"
    index.mkdir(parents=True)
    (index / "index.toml").write_text(f'sources = ["{corpus.resolve()}"]\n{more}')
    return Settings(index_dir=index.parent)


def stores(corpus: Path) -> dict[str, object]:
    """Files and Milvus Lite: what each takes, and how far they propose the same."""
    with tempfile.TemporaryDirectory() as name:
        settings = project(Path(name), corpus, "both")
        toml = settings.index_dir / "news" / "index.toml"
        told: dict[str, object] = {}
        found: dict[str, list[set[int]]] = {}
        for store in ("local", "milvus"):
            if store == "milvus":
                with toml.open("a") as file:
                    file.write('[store]\nkind = "milvus"\nuri = "chunks.db"\n')
            report = rag.build("news", settings=settings)
            folder = settings.index_dir / "news" / "versions" / f"{report.version:06d}"
            told |= {"n": report.n_chunks, f"{store}_build_wall_seconds": report.seconds}
            told[f"{store}_bytes"] = {
                entry.name: size(entry) for entry in folder.iterdir() if size(entry) > 10_000
            }
            with rag.Rag.open("news", settings=settings) as engine:
                index, spent, wall = engine.index, 0.0, 0.0
                texts = [article.text for article in index.catalog.all_articles()]
                for text in texts[:: len(texts) // 100]:
                    question = " ".join(text.split()[30:40])
                    terms = list(dict.fromkeys(index.analyzer.content_terms(question)))
                    vector = engine.embedder.embed_queries([question])[0]
                    began, started = time.perf_counter(), time.process_time()
                    proposed = index.candidates(terms, vector, Filter(), K)
                    spent += time.process_time() - started
                    wall += time.perf_counter() - began
                    found.setdefault(store, []).append(set(proposed.chunk_ids.tolist()))
                n = len(found[store])
                told[f"{store}_candidates_ms"] = round(1000 * spent / n, 1)
                told[f"{store}_candidates_wall_ms"] = round(1000 * wall / n, 1)
        told["milvus_lite_bytes"] = size(settings.index_dir / "news" / "chunks.db")
        pairs = zip(found["local"], found["milvus"], strict=True)
        told["shared_candidates"] = round(np.mean([len(a & b) / len(a) for a, b in pairs]), 4)
        return told


def size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def on_ray(corpus: Path, n_runs: int = 1) -> dict[str, object]:
    """Builds here and on two nodes of Ray with a core each, in alternation."""
    silence_telemetry()
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": 200 * 2**20}
    cluster = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
    cluster.add_node(**node)
    told: dict[str, list[object]] = {"here": [], "ray": []}
    with tempfile.TemporaryDirectory() as name:
        for run in range(n_runs):
            for on in (None, f"ray://{cluster.address}"):
                key = "ray" if on else "here"
                settings = project(Path(name), corpus, f"{key}-{run}")
                report = rag.build("news", on=on, settings=settings)
                told[key].append(report.seconds)
    cluster.shutdown()
    return {"n": report.n_chunks, **told}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("part", choices=("vectors", "words", "stores", "ray"))
    parser.add_argument("n", type=int)
    parser.add_argument("--corpus", type=Path, default=Path("../shared/corpora/bbc.jsonl"))
    given = parser.parse_args()
    parts: dict[str, Callable[[], dict[str, object]]] = {
        "vectors": lambda: vectors(given.n),
        "words": lambda: words(given.n, given.corpus),
        "stores": lambda: stores(given.corpus),
        "ray": lambda: on_ray(given.corpus),
    }
    print(json.dumps({"part": given.part, "cores": os.cpu_count(), **parts[given.part]()}))


if __name__ == "__main__":
    main()
