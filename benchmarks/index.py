"""Builds an index under synthetic vectors, searches it, adds one percent.

    python benchmarks/index.py --chunks 1000000 --seeds vectors.npy
    python benchmarks/index.py --news ../shared/corpora/bbc.jsonl --chunks 100000

Prints a table and writes benchmarks/results/index-CHUNKS.json, or index-NAME-CHUNKS.json. Texts are
generated, or those of `--news`, again and again (each time with a line of its own) until there are
enough. They are read, cleaned, cut and stored by the package as any others are; only the embedding
model is replaced, by vectors that are mixed from `--seeds` (real sentence vectors; without it from
random clusters). "Without embedding" is the time of the build less the processor time of these
vectors. Building, adding and searching run in a process each, so that peak memory is that of each
alone.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from machine import describe

import rag.testing

ROOT = Path(__file__).resolve().parents[1]
DIMENSION = 384
SENTENCES_PER_ARTICLE = 24
CHUNKS_PER_ARTICLE = 4.0
CHUNKS_OF_REAL_NEWS = 3.6  # of an article, about
QUERIES = 300


class SyntheticEmbedder(rag.testing.FakeEmbedder):
    """Vectors near those of real texts: between a seed and one of its neighbours, and beyond."""

    def __init__(self, seeds: np.ndarray, random_state: int) -> None:
        super().__init__(dimension=DIMENSION)
        self._random = np.random.default_rng(random_state)
        self._seeds = seeds
        nearest = [
            np.argpartition(-(part @ seeds.T), 17, axis=1)[:, :17].astype(np.int32)
            for part in _parts(seeds, 500)
        ]
        self._neighbours = np.concatenate(nearest)
        self._pool = self.mixed(50_000)
        self.seconds = 0.0

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def embed_documents(self, texts: Sequence[str]) -> np.ndarray:
        started = time.thread_time()
        # What a chunk is embedded with has a line break; the rest are sentences.
        n_chunks = sum("\n" in text for text in texts)
        vectors = np.empty((len(texts), DIMENSION), np.float32)
        vectors[:n_chunks] = self.mixed(n_chunks)
        places = self._random.integers(len(self._pool), size=len(texts) - n_chunks)
        np.take(self._pool, places, axis=0, out=vectors[n_chunks:])
        self.seconds += time.thread_time() - started
        return vectors

    def embed_queries(self, texts: Sequence[str]) -> np.ndarray:
        return self.mixed(len(texts))

    def mixed(self, n: int) -> np.ndarray:
        draw = self._random.integers
        a, b = (draw(len(self._seeds), size=n) for _ in range(2))
        near_a, near_b = (self._neighbours[x, draw(17, size=n)] for x in (a, b))
        share = self._random.random((n, 1), dtype=np.float32)
        noise = 0.35 * self._random.standard_normal((n, 1), dtype=np.float32)
        seeds = self._seeds
        vectors = seeds[a] * (1 - share) + seeds[near_a] * share
        vectors += noise * (seeds[b] - seeds[near_b])
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _parts(rows: np.ndarray, size: int) -> list[np.ndarray]:
    return [rows[at : at + size] for at in range(0, len(rows), size)]


def seed_vectors(path: str | None) -> np.ndarray:
    if path:
        vectors = np.load(path).astype(np.float32)
    else:
        draw = np.random.default_rng(0).standard_normal
        vectors = np.repeat(draw((200, DIMENSION)), 20, axis=0) + 0.7 * draw((4_000, DIMENSION))
        vectors = vectors.astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class News:
    """Generated articles: words by Zipf's law, names that few articles share, days, publishers."""

    def __init__(self) -> None:
        self._random = random.Random(7)
        letters = "bcdfghjklmnprstvz", "aeiou"
        word = self._random.choice
        self._words = sorted(
            {"".join(word(part) for _ in range(n) for part in letters) for n in (1, 2, 3, 4)
             for _ in range(15_000)}, key=lambda text: self._random.random()
        )  # fmt: skip
        self.sentences = [self._sentence() for _ in range(30_000)]

    def _sentence(self) -> str:
        n = self._random.randint(11, 27)
        places = [int(self._random.paretovariate(0.6)) % len(self._words) for _ in range(n)]
        return " ".join(self._words[place] for place in places).capitalize() + "."

    def article(self, number: int) -> dict[str, str]:
        name = f"{self._random.choice(self._words)} {self._random.choice(self._words)}".title()
        chosen = self._random.choices(self.sentences, k=SENTENCES_PER_ARTICLE)
        chosen[3] = f"{name} spoke of it on Monday with {self._random.choice(self._words)}."
        day = datetime.date(2000, 1, 1) + datetime.timedelta(days=self._random.randrange(9_000))
        return {
            "id": f"article-{number}",
            "title": f"{name} and the {self._random.choice(self._words)}",
            "text": " ".join(chosen),
            "published": day.isoformat(),
            "source": f"Publisher {self._random.randrange(40)}",
        }


class RepeatedNews:
    """Articles of a JSON lines file; each round adds a line, so that none is a duplicate."""

    def __init__(self, path: str) -> None:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
        self._articles = [json.loads(line) for line in lines]

    def article(self, number: int) -> dict[str, str]:
        turn, place = divmod(number, len(self._articles))
        article = self._articles[place]
        return {
            **article,
            "id": f"{article['id']}-{turn}",
            "text": f"{article['text']}\nThis was edition number {turn}.",
        }


def write_news(path: Path, first: int, n: int, news: News | RepeatedNews) -> None:
    with path.open("w", encoding="utf-8") as file:
        for number in range(first, first + n):
            file.write(json.dumps(news.article(number)) + "\n")


def build(folder: Path, seeds: np.ndarray, state: int) -> dict[str, object]:
    embedder = SyntheticEmbedder(seeds, state)
    cpu = _cpu_seconds()
    report = rag.testing.build_with(folder, "news", embedder)
    return {
        "report": report.model_dump(mode="json"),
        "cpu_seconds": round(_cpu_seconds() - cpu, 1),
        "embedder_cpu_seconds": round(embedder.seconds, 2),
        "peak_mb": _peak_mb(),
    }


def _cpu_seconds() -> float:
    own, others = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime


def search(folder: Path, seeds: np.ndarray, given: str | None) -> dict[str, object]:
    embedder = SyntheticEmbedder(seeds, 3)
    before = _peak_mb()
    started = time.perf_counter()
    opened = rag.testing.open_with(folder, "news", embedder)
    open_seconds = time.perf_counter() - started
    draw = random.Random(5)
    cases: dict[str, dict[str, object]] = {"hybrid": {}}
    if given:
        news = RepeatedNews(given)
        sentences = [news.article(draw.randrange(10**6))["text"][:2_000] for _ in range(QUERIES)]
    else:
        sentences = News().sentences
        cases["one publisher"] = {"source": "Publisher 7"}
        cases["one week"] = {"since": "2010-05-03", "until": "2010-05-09"}
    times = {}
    for name, filters in cases.items():
        taken = []
        for _ in range(QUERIES + 20):
            words = draw.choice(sentences).split()
            started = time.perf_counter()
            opened.search(" ".join(draw.sample(words, 6)), k=5, **filters)
            taken.append(1000 * (time.perf_counter() - started))
        p50, p95 = np.percentile(taken[20:], [50, 95])
        times[name] = {"p50_ms": round(p50, 2), "p95_ms": round(p95, 2)}
    peak = _peak_mb()
    return {
        "open_seconds": round(open_seconds, 3),
        "search": times,
        "peak_mb": peak,
        "peak_mb_before_opening": before,
        "recall_at_10": recall(opened, embedder),
    }


def recall(opened: rag.Rag, embedder: SyntheticEmbedder) -> float:
    """Of the ten nearest chunks, the share that is among the 100 candidates of retrieval."""
    queries = embedder.mixed(200)
    candidates, _ = opened.index.vectors.search(queries, 100)
    best = np.full((len(queries), 10), -2.0, np.float32)
    best_ids = np.zeros((len(queries), 10), np.int64)
    for ids, vectors in opened.index.catalog.chunk_vectors(DIMENSION):
        scores = np.hstack([best, queries @ vectors.T])
        known = np.hstack([best_ids, np.tile(ids, (len(queries), 1))])
        order = np.argpartition(-scores, 10, axis=1)[:, :10]
        best = np.take_along_axis(scores, order, axis=1)
        best_ids = np.take_along_axis(known, order, axis=1)
    shares = [np.isin(want, got).mean() for want, got in zip(best_ids, candidates, strict=True)]
    return round(float(np.mean(shares)), 4)


def _peak_mb() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def run_step(step: str, folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """A step in a process of its own."""
    command = [sys.executable, __file__, "--step", step, "--folder", str(folder)]
    for option in ("seeds", "news"):
        if getattr(given, option):
            command += [f"--{option}", os.path.abspath(getattr(given, option))]
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        check=True,
        cwd=ROOT,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def measure(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    index = folder / "indexes" / "news"
    index.mkdir(parents=True)
    (folder / "sources").mkdir()
    (index / "index.toml").write_text('sources = ["../../sources"]\n', encoding="utf-8")
    news = RepeatedNews(given.news) if given.news else News()
    n_articles = int(given.chunks / (CHUNKS_OF_REAL_NEWS if given.news else CHUNKS_PER_ARTICLE))
    write_news(folder / "sources" / "a.jsonl", 0, n_articles, news)
    before = describe()
    full = run_step("build", folder / "indexes", given)
    load = os.getloadavg()
    n_bytes = sum(path.stat().st_size for path in newest(index).rglob("*") if path.is_file())
    found = run_step("search", folder / "indexes", given)
    write_news(folder / "sources" / "b.jsonl", n_articles, max(1, n_articles // 100), news)
    added = run_step("add", folder / "indexes", given)
    found_after = run_step("search", folder / "indexes", given)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    result: dict[str, Any] = {
        "machine": before,
        "load_average_after_building": [round(value, 1) for value in load],
        "commit": commit.stdout.strip(),
        "texts": os.path.basename(given.news) if given.news else "generated",
        "seeds": "vectors of real texts" if given.seeds else "random clusters",
        "bytes": n_bytes,
        "build": full,
        "search": found,
        "add_one_percent": added,
        "search_after_adding": found_after,
    }
    return {**result, "figures": figures(result)}


def figures(result: dict[str, Any]) -> dict[str, Any]:
    """Rates and shares, of the rest."""
    full, added = result["build"], result["add_one_percent"]
    report = full["report"]
    n = report["n_chunks"]
    seconds = report["seconds"]
    wall, cpu = (_outside(full, which) for which in ("wall", "cpu"))
    return {
        "chunks_per_second": round(n / seconds["total"]),
        "chunks_per_second_without_embedding": round(n / wall),
        "cpu_us_per_chunk_without_embedding": round(1e6 * cpu / n),
        "chunks_per_second_by_phase": {
            phase: round(n / value) for phase, value in seconds.items() if value >= 0.01
        },
        "bytes_per_chunk": round(result["bytes"] / n),
        "add_one_percent_of_full": {
            "wall": round(_outside(added, "wall") / wall, 4),
            "cpu": round(_outside(added, "cpu") / cpu, 4),
        },
    }


def _outside(step: dict[str, Any], which: str) -> float:
    """Seconds of a build without those of the synthetic vectors."""
    taken = step["report"]["seconds"]["total"] if which == "wall" else step["cpu_seconds"]
    return float(taken - step["embedder_cpu_seconds"])


def newest(index: Path) -> Path:
    return index / "versions" / (index / "CURRENT").read_text().split()[0]


def show(result: dict[str, Any]) -> None:
    build_, found, added, shown = (
        result[key] for key in ("build", "search", "add_one_percent", "figures")
    )
    report = build_["report"]
    rates = shown["chunks_per_second_by_phase"]
    lines = [
        ("chunks", f"{report['n_chunks']:,} of {report['n_articles']:,} articles"),
        ("built", f"{shown['chunks_per_second']:,} chunks/s"),
        ("built without embedding", f"{shown['chunks_per_second_without_embedding']:,} chunks/s"),
        ("  processor time", f"{shown['cpu_us_per_chunk_without_embedding']} µs a chunk"),
    ]
    for phase, seconds in report["seconds"].items():
        rate = f"{rates[phase]:12,} chunks/s" if phase in rates else ""
        lines.append((f"  {phase}", f"{seconds:8.1f} s {rate}"))
    lines += [
        ("bytes per chunk", f"{shown['bytes_per_chunk']:,}"),
        ("peak memory, building", f"{build_['peak_mb']:,.0f} MB, without reading processes"),
        ("opening", f"{found['open_seconds']:.2f} s"),
    ]
    for name, times in found["search"].items():
        lines.append((f"search, {name}", f"p50 {times['p50_ms']} ms, p95 {times['p95_ms']} ms"))
    lines += [
        ("recall@10 of the candidates", f"{found['recall_at_10']}"),
        ("peak memory, searching", f"{found['peak_mb']:,.0f} MB"),
    ]
    share = shown["add_one_percent_of_full"]
    lines += [
        ("adding 1 % without embedding", f"{share['wall']:.1%} of a full build's time"),
        ("  processor time", f"{share['cpu']:.1%}"),
        ("  by phase", f"{added['report']['seconds']}"),
        ("  opening after it", f"{result['search_after_adding']['open_seconds']:.2f} s"),
    ]
    for name, times in result["search_after_adding"]["search"].items():
        shown_times = f"p50 {times['p50_ms']} ms, p95 {times['p95_ms']} ms"
        lines.append((f"  search, {name}", shown_times))
    for name, value in lines:
        print(f"{name:<32}{value}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chunks", type=int, default=100_000)
    parser.add_argument("--news", help="JSON lines file of articles to build from")
    parser.add_argument("--seeds", help="NumPy file of vectors of real texts, 384 dimensions")
    parser.add_argument("--work", help="folder for the index, some 9 KB a chunk")
    parser.add_argument("--step", choices=["build", "add", "search"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step:
        seeds = seed_vectors(given.seeds)
        if given.step == "search":
            done = search(given.folder, seeds, given.news)
        else:
            done = build(given.folder, seeds, {"build": 1, "add": 2}[given.step])
        print(json.dumps(done))
        return
    with tempfile.TemporaryDirectory(dir=given.work) as folder:
        result = measure(given, Path(folder))
    show(result)
    news = f"-{Path(given.news).stem}" if given.news else ""
    name = f"index{news}-{given.chunks}"
    path = ROOT / "benchmarks" / "results" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
