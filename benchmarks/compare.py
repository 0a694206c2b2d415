"""Libraries side by side on the same articles, in turn: `make bench`.

    python benchmarks/compare.py [--rounds 5] [--builds 5] [--n-news 2225] [--n-questions 400]
        [--peers NAME …] [--work SCRATCH] [--only-environments]

The articles of `--dataset` and the first of `--news`; the same embedding model from the same files.
In each round each library builds (in the first `--builds` of them), answers the questions from a
new process, and takes in that one article in a hundred has changed; who begins takes turns. What
is shown are medians. Seconds of builds are from the start of the process to its end, "first result"
from the start of a process, with files in the system's cache; memory is the most that all processes
of a step held at once. Each library runs in an environment of its own below SCRATCH, made on first
use. One that cannot be installed or run is reported as such. Writes results/comparison.json, and
its picture to docs/images/comparison.svg.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from environments import HERE, PeerError, Ran, environment, run
from limits import limits, work_of_build
from machine import describe
from picture import draw
from retrieval import answerable, file_questions, scored

from rag import Rag, Settings
from rag.evaluation import FoundSpan, read_dataset

ROOT = HERE.parent
SHARED = ROOT.parent / "shared"
OURS = "ours"
PEERS = ("plain", "langchain_faiss", "llama_index_faiss", "haystack_faiss", "txtai_hybrid",
         "haiku_rag")  # fmt: skip
CHANGED = 100  # one article in so many
ADDED = "Inspectors counted {} copper lanterns along the quay of ward {}."
MORE = ("articles_per_second", "questions_per_second", "hit@1", "hit@5", "hit@10")  # is better
COLUMNS = {
    "build_seconds": ("build, s", "{:.1f}"),
    "articles_per_second": ("articles/s", "{:.1f}"),
    "update_seconds": ("1 % changed, s", "{:.1f}"),
    "megabytes_on_disk": ("MB on disk", "{:.1f}"),
    "first_result_seconds": ("first result, s", "{:.2f}"),
    "p50_ms": ("search p50, ms", "{:.1f}"),
    "p95_ms": ("p95, ms", "{:.1f}"),
    "questions_per_second": ("questions/s", "{:.0f}"),
    "build_peak_mb": ("memory, build, MB", "{:.0f}"),
    "search_peak_mb": ("search, MB", "{:.0f}"),
    "hit@1": ("hit@1", "{:.3f}"),
    "hit@5": ("hit@5", "{:.3f}"),
    "hit@10": ("hit@10", "{:.3f}"),
}


def main() -> None:
    args = arguments()
    args.work = args.work.resolve()
    args.work.mkdir(parents=True, exist_ok=True)
    libraries = [Library(name, args.work) for name in (OURS, *args.peers)]
    if args.only_environments:
        for library in libraries:
            print(f"{library.name}: {library.failed or 'ready'}")
        return
    corpus = Corpus(args)
    report: dict[str, Any] = {
        "machine": describe(),
        "corpus": {"articles": len(corpus.articles), "dataset": args.dataset.name,
                   "news": args.news.name, "questions": len(corpus.questions)},
    }  # fmt: skip
    for number in range(args.rounds):
        for library in libraries[number:] + libraries[:number]:
            print(f"round {number + 1} of {args.rounds}: {library.name}", file=sys.stderr)
            library.round(corpus, build=number < args.builds)
        # After each round, so that one that is stopped leaves what it has.
        report["rounds"], report["builds"] = number + 1, min(number + 1, args.builds)
        report["libraries"] = [library.told(corpus) for library in libraries]
        report["ratios"] = ratios(report["libraries"])
        args.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    report["limits"] = with_share(limits() | libraries[0].work())
    args.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    draw(args.out, args.picture)
    print(table(report))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--news", type=Path, default=SHARED / "corpora" / "bbc.jsonl")
    parser.add_argument("--dataset", type=Path, default=SHARED / "eval" / "wiki")
    parser.add_argument("--work", type=Path, default=ROOT / ".venv" / "bench")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--builds", type=int, help="rounds that build all; default: every one")
    parser.add_argument("--n-news", type=int, default=2225, help="articles of --news, at most")
    parser.add_argument("--n-questions", type=int, default=400)
    parser.add_argument("--peers", nargs="*", default=list(PEERS), choices=PEERS)
    parser.add_argument("--only-environments", action="store_true")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "comparison.json")
    parser.add_argument("--picture", type=Path, default=ROOT / "docs" / "images" / "comparison.svg")
    args = parser.parse_args()
    args.builds = min(args.builds or args.rounds, args.rounds)
    return args


class Corpus:
    """The articles and questions, as files that every library reads."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.articles = _lines(args.dataset / "articles.jsonl")
        self.articles += _lines(args.news)[: args.n_news]
        rows = [row for row in _lines(args.dataset / "questions.jsonl") if row["answers"]]
        places = np.linspace(0, len(rows) - 1, min(args.n_questions, len(rows))).astype(int)
        self.questions = [rows[place] for place in places]
        self.path = args.work / "articles.jsonl"
        self.folder = args.work / "questions"
        self.probes = args.work / "probes"
        for folder, asked in ((self.folder, self.questions), (self.probes, self._probes())):
            folder.mkdir(exist_ok=True)
            _write(folder / "questions.jsonl", asked)
            shutil.copyfile(args.dataset / "articles.jsonl", folder / "articles.jsonl")
        self.write(changed=False)

    def write(self, *, changed: bool) -> None:
        """Put the articles where they are read, with one in a hundred changed or as they were."""
        rows = [dict(article) for article in self.articles]
        for number, row in enumerate(rows[::CHANGED] if changed else ()):
            row["text"] += "\n" + ADDED.format(number + 100, number + 1)
        _write(self.path, rows)

    @property
    def changed_ids(self) -> set[str]:
        return {article["id"] for article in self.articles[::CHANGED]}

    def _probes(self) -> list[dict[str, Any]]:
        """A question about what changed: who took nothing in finds other articles."""
        question = "How many copper lanterns did inspectors count along the quay of a ward?"
        return [{"id": "0", "question": question, "answers": [{}]}]


class Library:
    """One that is compared, and what it took so far."""

    def __init__(self, name: str, work: Path) -> None:
        self.name = name
        self.failed: str | None = None
        self._work = work
        self._store = work / "stores" / name
        self._updated = work / "stores" / f"{name}-updated"
        self._figures: dict[str, list[float]] = {}
        self._said: dict[str, dict[str, Any]] = {}
        try:
            self._python = Path(sys.executable) if name == OURS else environment(name, work)
        except PeerError as error:
            self.failed = str(error)

    def round(self, corpus: Corpus, *, build: bool) -> None:
        """Build, if it is to; search; take in what changed."""
        if self.failed:
            return
        try:
            self._round(corpus, build=build)
        except PeerError as error:
            self.failed = str(error)

    def _round(self, corpus: Corpus, *, build: bool) -> None:
        if build:
            shutil.rmtree(self._store, ignore_errors=True)
            built = self._run("build", self._store, corpus.path, corpus.folder)
            self._keep(build_seconds=built.seconds, build_peak_mb=built.peak_mb)
            self._keep(articles_per_second=len(corpus.articles) / built.seconds)
            self._keep(megabytes_on_disk=_size(self._store) / 1e6)
        searched = self._run("search", self._store, corpus.path, corpus.folder)
        told = self._said["search"]
        p50, p95 = (float(np.percentile(told["seconds"], part)) for part in (50, 95))
        self._keep(first_result_seconds=told["first_result"] - searched.started)
        self._keep(p50_ms=1000 * p50, p95_ms=1000 * p95, search_peak_mb=searched.peak_mb)
        self._keep(questions_per_second=told["questions_per_second"])
        shutil.rmtree(self._updated, ignore_errors=True)
        shutil.copytree(self._store, self._updated)
        corpus.write(changed=True)
        try:
            updated = self._run("update", self._updated, corpus.path, corpus.folder)
            if len(self._figures.get("update_seconds", ())) == 0:
                self._run("search", self._updated, corpus.path, corpus.probes, "probe")
                found = {hit[0] for hit in self._said["probe"]["hits"]["0"]}
                if not found & corpus.changed_ids:
                    raise PeerError("what changed is not found after its update")
        finally:
            corpus.write(changed=False)
        self._keep(update_seconds=updated.seconds, update_peak_mb=updated.peak_mb)

    def _run(
        self, stage: str, store: Path, articles: Path, questions: Path, keep_as: str = ""
    ) -> Ran:
        out = self._work / "out.json"
        ran = run(
            [
                *(self._python, HERE / "peers" / f"{self.name}.py", stage),
                *("--articles", articles, "--questions", questions / "questions.jsonl"),
                *("--model", Settings().models_dir.resolve() / "all-MiniLM-L6-v2"),
                *("--store", store, "--out", out),
            ],
            self._work,
        )
        self._said[keep_as or stage] = json.loads(out.read_text(encoding="utf-8"))
        return ran

    def _keep(self, **figures: float) -> None:
        for name, value in figures.items():
            self._figures.setdefault(name, []).append(round(value, 3))

    def told(self, corpus: Corpus) -> dict[str, Any]:
        """Its medians, what they are of, and how good what it finds is."""
        if self.failed:
            return {"name": self.name, "failed": self.failed}
        said = self._said["search"]
        medians = {name: round(median(values), 3) for name, values in self._figures.items()}
        return {
            **{key: said[key] for key in ("name", "settings", "versions")},
            "medians": medians | self._quality(corpus),
            "rounds": self._figures,
            "build_said": self._said["build"]["told"],
        }

    def _quality(self, corpus: Corpus) -> dict[str, float]:
        questions = file_questions(corpus.folder)
        if self.name == OURS:  # whose spans are of cleaned texts
            with Rag.open("news", settings=Settings(index_dir=self._store)) as rag:
                questions = list(answerable(read_dataset(corpus.folder, rag.article)).questions)
        hits = self._said["search"]["hits"]
        found = [
            [FoundSpan(article_id=a, start=s, end=e) for a, s, e in hits[q.question_id]]
            for q in questions
        ]
        made = scored(self.name, questions, found)
        return {**made["metrics"], "characters_per_hit": made["characters_per_hit"]}

    def work(self) -> dict[str, float]:
        """For ours: how much the embedding of its build had to calculate, and in what time."""
        if self.failed:
            return {}
        report = self._said["build"]["told"]
        with Rag.open("news", settings=Settings(index_dir=self._store)) as rag:
            return work_of_build(rag) | {"embed_seconds": report["seconds"]["embed"]}


def with_share(told: dict[str, Any]) -> dict[str, Any]:
    """Of what the processor can do in bfloat16, what the embedding of a build did."""
    if "embed_seconds" not in told:
        return told
    rate = told["embedding_gflop"] / told["embed_seconds"]
    return told | {
        "embedding_gflop_per_second": round(rate, 1),
        "share_of_bf16": round(rate / told["bf16_gflop_per_second"], 3),
    }


def ratios(libraries: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Ours against the best of the others in each: above 1 is better where more is better."""
    mine, *others = [row["medians"] for row in libraries if "medians" in row]
    made = {}
    for name in COLUMNS if others else ():
        best = (max if name in MORE else min)(row[name] for row in others)
        made[name] = round(mine[name] / best, 3) if best else 0.0
    return made


def table(report: dict[str, Any]) -> str:
    """Markdown."""
    heads = [head for head, _ in COLUMNS.values()]
    lines = [f"| library | {' | '.join(heads)} |", "|---|" + "---|" * len(heads)]
    for row in report["libraries"]:
        if "failed" in row:
            lines.append(f"| {row['name']} | failed: {row['failed']} |")
            continue
        cells = [form.format(row["medians"][key]) for key, (_, form) in COLUMNS.items()]
        lines.append(f"| {row['name']} | {' | '.join(cells)} |")
    if report["ratios"]:
        cells = [f"{report['ratios'][key]:.2f}" for key in COLUMNS]
        lines.append(f"| ours by the best other | {' | '.join(cells)} |")
    return "\n".join([*lines, "", json.dumps(report["limits"], indent=1)])


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def _write(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
