"""Measures what docs/scaling.md says of Milvus and Ray, in the environment of make cluster:

    PYTHONPATH=. .venv/cluster/bin/python tools/scaling.py stores|ray [--corpus FILE] [--n N]

`stores` compares files with Milvus Lite, `ray` builds here with builds on two nodes of Ray with a
core each, in alternation, `--runs` times; `--n` takes the first articles alone. Prints JSON.
Seconds called wall are those of the clock, others of the processor. What files cost at a million
chunks measures benchmarks/index.py.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import rag
from rag import Filter, Settings
from tests.cluster.nodes import two_nodes

K = 100


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


def on_ray(corpus: Path, n_runs: int) -> dict[str, object]:
    """Builds here and on two nodes of Ray with a core each, in alternation; who begins takes turns.

    The seconds are those of `rag.build`, with joining the cluster and starting its workers, but
    without starting the cluster.
    """
    phases: dict[str, list[object]] = {"here": [], "ray": []}
    wall: dict[str, list[float]] = {"here": [], "ray": []}
    with tempfile.TemporaryDirectory() as name, two_nodes() as address:
        for run in range(n_runs):
            for on in (None, f"ray://{address}")[:: 1 if run % 2 else -1]:
                key = "ray" if on else "here"
                settings = project(Path(name), corpus, f"{key}-{run}")
                started = time.perf_counter()
                report = rag.build("news", on=on, settings=settings)
                wall[key].append(round(time.perf_counter() - started, 1))
                phases[key].append(report.seconds)
                print(f"{key}: {wall[key][-1]} s", file=sys.stderr)
    middle = {key: statistics.median(seconds) for key, seconds in wall.items()}
    return {"n": report.n_chunks, "wall_seconds": wall, "medians": middle,
            "ratio": round(middle["ray"] / middle["here"], 3), "phases": phases}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("part", choices=("stores", "ray"))
    parser.add_argument("--corpus", type=Path, default=Path("../shared/corpora/bbc.jsonl"))
    parser.add_argument("--n", type=int, help="articles, the first ones; default: all")
    parser.add_argument("--runs", type=int, default=3, help="of each, for ray")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "news.jsonl"
        lines = given.corpus.read_text("utf-8").splitlines(keepends=True)
        corpus.write_text("".join(lines[: given.n]), encoding="utf-8")
        told = stores(corpus) if given.part == "stores" else on_ray(corpus, given.runs)
    load = round(os.getloadavg()[1], 1)
    print(json.dumps({"part": given.part, "cores": os.cpu_count(), "load": load, **told}))


if __name__ == "__main__":
    main()
