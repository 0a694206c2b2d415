"""Retrieval side by side: ours, its parts alone, and other libraries as they come.

    python benchmarks/retrieval.py --articles A.jsonl B.jsonl --dataset FOLDER --work SCRATCH

All use the same embedding model from the same files. Each library runs in an environment of its
own below SCRATCH/environments, made here from benchmarks/peers/NAME.txt; what it found is kept in
SCRATCH and not run again. One that cannot be installed or run is reported as such. A hit counts
if it is of the right article and covers a whole answer, so longer hits are easier: the table says
how long they are, and how often the answer is found in the first 4,000 characters of hits.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from corpus import arguments, opened
from environments import PeerError, environment, run
from machine import describe

from rag import Rag, Settings
from rag.evaluation import (
    Dataset,
    EvalQuestion,
    FoundSpan,
    intervals,
    mean,
    read_dataset,
    retrieval_metrics,
)

HERE = Path(__file__).parent
PEERS = ("plain", "langchain_faiss", "llama_index_faiss", "haystack_faiss", "txtai_hybrid")
RESULT = HERE / "results" / "retrieval.json"
N_CANDIDATES = 100
RRF_K = 60
K = 10
BUDGET_CHARACTERS = 4000

Spans = list[FoundSpan]


def main() -> None:
    parser = arguments(__doc__.split("\n")[0], index="retrieval-benchmark")
    parser.add_argument("--peers", nargs="*", default=list(PEERS), choices=PEERS)
    args = parser.parse_args()
    rows = ours(args)
    rows += [peer(name, args) for name in args.peers]
    RESULT.parent.mkdir(exist_ok=True)
    result = {"dataset": args.dataset.name, "machine": describe(), "methods": rows}
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(table(rows))


def ours(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Our retrieval, and what its parts find alone on the same chunks."""
    settings, seconds = opened(args)
    with Rag.open(args.index, settings=settings) as rag:
        dataset = answerable(read_dataset(args.dataset, rag.article))
        vectors = rag.embedder.embed_queries([item.question for item in dataset.questions])
        rows = [
            searched("rag", "default settings", dataset, lambda n: full(rag, dataset, n), seconds)
        ]
        parts: dict[str, Callable[[int], Sequence[int]]] = {
            "dense only": lambda n: dense(rag, vectors[n]),
            "BM25 only": lambda n: lexical(rag, dataset.questions[n].question),
            "reciprocal rank fusion": lambda n: fused(
                dense(rag, vectors[n]), lexical(rag, dataset.questions[n].question)
            ),
        }
        for name, find in parts.items():
            rows.append(
                searched(
                    name,
                    "the same chunks; the question is embedded beforehand",
                    dataset,
                    lambda n, find=find: spans(rag, find(n)),
                )
            )
    return rows


def answerable(dataset: Dataset) -> Dataset:
    kept = tuple(question for question in dataset.questions if question.answers)
    return dataset.model_copy(update={"questions": kept})


def full(rag: Rag, dataset: Dataset, number: int) -> Spans:
    hits = rag.search(dataset.questions[number].question, k=K)
    return [FoundSpan(article_id=h.article_id, start=h.start, end=h.end) for h in hits]


def dense(rag: Rag, vector: np.ndarray) -> list[int]:
    return rag.index.vectors.search(vector[np.newaxis], N_CANDIDATES)[0][0].tolist()


def lexical(rag: Rag, question: str) -> list[int]:
    terms = rag.index.analyzer.content_terms(question)
    return [chunk_id for chunk_id, _ in rag.index.lexical.search(terms, N_CANDIDATES)]


def fused(*rankings: Sequence[int]) -> list[int]:
    """Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion", SIGIR 2009."""
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, chunk_id in enumerate(ranking, 1):
            scores[chunk_id] = scores.get(chunk_id, 0.0) + 1 / (RRF_K + rank)
    return sorted(scores, key=lambda chunk_id: (-scores[chunk_id], chunk_id))


def spans(rag: Rag, chunk_ids: Sequence[int]) -> Spans:
    catalog = rag.index.catalog
    chunks = catalog.chunks(list(chunk_ids[:K]))
    articles = catalog.articles(sorted({chunk.article for chunk in chunks.values()}))
    found = [chunks[chunk_id] for chunk_id in chunk_ids[:K]]
    return [
        FoundSpan(article_id=articles[c.article].article_id, start=c.start, end=c.end)
        for c in found
    ]


def searched(
    name: str,
    settings: str,
    dataset: Dataset,
    search: Callable[[int], Spans],
    seconds_to_index: float | None = None,
) -> dict[str, Any]:
    found, seconds = [], []
    for number in range(len(dataset.questions)):
        started = time.perf_counter()
        found.append(search(number))
        seconds.append(time.perf_counter() - started)
    return scored(name, dataset.questions, found) | {
        "settings": settings,
        "seconds_to_index": seconds_to_index,
        "seconds_per_question": float(np.median(seconds)),
    }


def peer(name: str, args: argparse.Namespace) -> dict[str, Any]:
    """What another library finds; run once."""
    out = args.work / f"{name}.json"
    if not out.exists():
        failed = run_peer(name, args, out)
        if failed:
            return {"name": name, "failed": failed}
    told = json.loads(out.read_text(encoding="utf-8"))
    questions = file_questions(args.dataset)
    found = [
        [FoundSpan(article_id=a, start=s, end=e) for a, s, e in told["hits"][q.question_id]]
        for q in questions
    ]
    row = scored(told["name"], questions, found)
    return row | {key: value for key, value in told.items() if key not in ("name", "hits")}


def file_questions(dataset: Path) -> list[EvalQuestion]:
    """The questions with offsets as in the file: other libraries know no cleaned text."""
    lines = (dataset / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return [
        EvalQuestion.model_validate({**row, "question_id": row["id"]})
        for row in rows
        if row["answers"]
    ]


def run_peer(name: str, args: argparse.Namespace, out: Path) -> str | None:
    """Set a library up and run it; why that failed, if it did."""
    store = args.work.resolve() / "stores" / f"{name}-all"
    shutil.rmtree(store, ignore_errors=True)
    told: dict[str, Any] = {}
    part = out.resolve().with_suffix(".part")
    try:
        python = environment(name, args.work)
        for stage in ("build", "search"):
            run(
                [
                    *(python, HERE / "peers" / f"{name}.py", stage, "--store", store),
                    *("--articles", *(path.resolve() for path in args.articles)),
                    *("--questions", args.dataset.resolve() / "questions.jsonl"),
                    *("--model", Settings().models_dir.resolve() / "all-MiniLM-L6-v2"),
                    *("--out", part),
                ],
                args.work,
            )
            told |= json.loads(part.read_text(encoding="utf-8"))
    except PeerError as error:
        return str(error)
    told["seconds_to_index"] = told.pop("seconds_inside")
    del told["first_result"]
    told["seconds_per_question"] = float(np.median(told.pop("seconds")))
    out.write_text(json.dumps(told), encoding="utf-8")
    return None


def scored(name: str, questions: Sequence[EvalQuestion], found: Sequence[Spans]) -> dict[str, Any]:
    pairs = list(zip(questions, found, strict=True))
    rows = [retrieval_metrics(*pair) for pair in pairs]
    lengths = [hit.end - hit.start for hits in found for hit in hits[:5]]
    return {
        "name": name,
        "n_questions": len(rows),
        "metrics": {key: round(value, 4) for key, value in mean(rows).items()},
        "intervals": {
            key: [round(bound, 4) for bound in bounds]
            for key, bounds in intervals(rows, [str(q.article_id) for q in questions]).items()
        },
        "characters_per_hit": round(float(np.mean(lengths))),
        "found_in_budget": round(float(np.mean([in_budget(*p) for p in pairs])), 4),
    }


def in_budget(question: EvalQuestion, found: Spans) -> bool:
    """Whether a right hit is among the first hits that have `BUDGET_CHARACTERS` together."""
    total = 0
    for span in found:
        total += span.end - span.start
        if total > BUDGET_CHARACTERS:
            return False
        if retrieval_metrics(question, [span])["hit@1"]:
            return True
    return False


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Markdown."""
    names = ("hit@1", "hit@3", "hit@5", "hit@10", "mrr@10", "ndcg@10")
    lines = [
        f"| method | {' | '.join(names)} | in 4,000 characters | characters per hit | s to index"
        " | ms per question |",
        "|---|" + "---|" * (len(names) + 4),
    ]
    for row in rows:
        if "failed" in row:
            lines.append(f"| {row['name']} | failed: {row['failed']} |")
            continue
        figures = [f"{row['metrics'][name]:.3f}" for name in names]
        index = row["seconds_to_index"]
        figures += [
            f"{row['found_in_budget']:.3f}",
            str(row["characters_per_hit"]),
            "–" if index is None else f"{index:.0f}",
            f"{1000 * row['seconds_per_question']:.0f}",
        ]
        lines.append(f"| {row['name']} | {' | '.join(figures)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
