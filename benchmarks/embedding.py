"""The export run by ONNX Runtime beside sentence-transformers: speed, and what it finds.

    python benchmarks/embedding.py --news NEWS.jsonl --dataset FOLDER

Speed: chunks of 140 words, ours and sentence-transformers' own `encode(texts)` in turn, both with
every core; medians. Quality: recall@10 against the reference and hit@5 of both, on the answerable
questions of FOLDER with the news as distractors. Writes benchmarks/results/embedding.json.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
from machine import describe

from rag import Settings
from rag.embedding import load

RESULTS = Path(__file__).parent / "results" / "embedding.json"
Span = tuple[str, int, int]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--news", type=Path, required=True, help="JSON lines of articles")
    parser.add_argument("--dataset", type=Path, help="folder of an evaluation dataset")
    parser.add_argument("--model", default="all-MiniLM-L6-v2")
    parser.add_argument("--chunks", type=int, default=320, help="chunks to time")
    parser.add_argument("--distractors", type=int, default=700, help="chunks of news to search")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()

    settings = Settings()
    ours, reference = (
        load(
            arguments.model,
            models_dir=settings.models_dir,
            n_threads=settings.threads,
            runtime=runtime,
        )
        for runtime in ("onnx-int8-3", "sentence-transformers")
    )
    news = [text for article in read(arguments.news) for text in pieces(article)]
    result: dict[str, Any] = {"model": arguments.model, "machine": describe()}
    result["speed"] = speed(ours, reference, news[: arguments.chunks], arguments.repeats)
    if arguments.dataset:
        distractors = news[: arguments.distractors]
        result["quality"] = quality(ours, reference, arguments.dataset, distractors)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


def speed(ours: Any, reference: Any, texts: list[str], repeats: int) -> dict[str, Any]:
    """Texts per second of both in turn, and the ratio of the medians."""
    sentences = [part for text in texts for part in re.split(r"(?<=[.!?])\s+", text) if part]
    plain = reference._model  # sentence-transformers itself, as its users call it
    runs = {
        "ours": lambda: ours.embed_documents(texts),
        "sentence-transformers": lambda: plain.encode(texts, show_progress_bar=False),
        "ours, their sentences": lambda: ours.embed_documents(sentences),
    }
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(repeats + 1):
        for name, run in runs.items():
            started = time.perf_counter()
            run()
            if number:  # the first round warms up
                seconds[name].append(time.perf_counter() - started)
    median = {name: statistics.median(each) for name, each in seconds.items()}
    return {
        "n_chunks": len(texts),
        "n_sentences": len(sentences),
        "chunks_per_second": {name: round(len(texts) / each, 1) for name, each in median.items()},
        "ratio": round(median["sentence-transformers"] / median["ours"], 2),
        "ratio_of_best": round(min(seconds["sentence-transformers"]) / min(seconds["ours"]), 2),
        "sentences_cost": round(median["ours, their sentences"] / median["ours"], 2),
        "seconds": {name: [round(one, 3) for one in each] for name, each in seconds.items()},
    }


def quality(ours: Any, reference: Any, dataset: Path, distractors: list[str]) -> dict[str, Any]:
    """What both find among the same chunks."""
    questions = [each for each in read(dataset / "questions.jsonl") if each["kind"] == "answerable"]
    articles = read(dataset / "articles.jsonl")
    spans = [(article["id"], *span) for article in articles for span in windows(article["text"])]
    text_of = {article["id"]: article["text"] for article in articles}
    texts = [text_of[article_id][start:end] for article_id, start, end in spans] + distractors
    asked = [question["question"] for question in questions]

    documents = {"ours": ours.embed_documents(texts), "reference": reference.embed_documents(texts)}
    queries = {"ours": ours.embed_queries(asked), "reference": reference.embed_queries(asked)}
    top = {name: best(queries[name], documents[name]) for name in documents}
    int8 = best(ours.embed_documents(asked), documents["ours"])
    cosine = np.einsum("ij,ij->i", documents["ours"], documents["reference"])
    return {
        "n_chunks": len(texts),
        "n_questions": len(questions),
        "cosine_mean": round(float(cosine.mean()), 6),
        "cosine_min": round(float(cosine.min()), 6),
        "recall@10": overlap(top["ours"], top["reference"]),
        "recall@10_int8_queries": overlap(int8, top["reference"]),
        **{f"hit@5_{name}": hit(rows, questions, spans) for name, rows in top.items()},
    }


def best(queries: Any, documents: Any, k: int = 10) -> Any:
    return np.argsort(-queries @ documents.T, axis=1)[:, :k]


def overlap(rows: Any, others: Any) -> float:
    shares = [len(set(a) & set(b)) / len(b) for a, b in zip(rows, others, strict=True)]
    return round(statistics.fmean(shares), 4)


def hit(rows: Any, questions: list[dict[str, Any]], spans: list[Span], k: int = 5) -> float:
    def covered(question: dict[str, Any], span: Span) -> bool:
        article_id, start, end = span
        return article_id == question["article_id"] and any(
            start <= answer["start"] and answer["end"] <= end for answer in question["answers"]
        )

    found = [
        any(covered(question, spans[n]) for n in row[:k] if n < len(spans))
        for question, row in zip(questions, rows, strict=True)
    ]
    return round(statistics.fmean(found), 4)


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def windows(text: str, n_words: int = 140) -> list[tuple[int, int]]:
    words = [match.span() for match in re.finditer(r"\S+", text)]
    return [
        (words[first][0], words[min(first + n_words, len(words)) - 1][1])
        for first in range(0, len(words), n_words)
    ]


def pieces(article: dict[str, Any]) -> list[str]:
    return [article["text"][start:end] for start, end in windows(article["text"])]


if __name__ == "__main__":
    main()
