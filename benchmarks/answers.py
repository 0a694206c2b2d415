"""Answers side by side: ours against LangChain's usual pipeline, question by question in one run.

    python benchmarks/answers.py --articles A.jsonl B.jsonl --dataset FOLDER --work SCRATCH \\
        [--index-dir DIR --index NAME] [--sample 60]

Of a dataset with spans the answerable questions are asked; of a quiz (`../shared/eval/news`) the
recent ones, ours on their day, which the usual pipeline has no place for. Of a quiz the usual
pipeline refuses where it says that it does not know and names no choice.

The same articles, embedding model, GGUF file, llama.cpp build and cores. The peer runs in an
environment of its own below SCRATCH/environments. Both answer a question one after the other, so
that what else the machine does hits both; times are from the question to the end, medians, and
the ratio is the median of the ratios of the single questions.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from corpus import arguments, opened
from environments import PeerError, environment, run
from machine import describe

from rag import Answer, AnswerStatus, Rag, Settings
from rag.evaluation import (
    Dataset,
    EvalQuestion,
    answer_metrics,
    holds,
    of_kinds,
    read_dataset,
    said_metrics,
    sample,
)

HERE = Path(__file__).parent
PEER = "langchain_answers"
RESULTS = HERE / "results"
SECONDS = ("seconds_to_evidence", "seconds_to_first_token", "seconds_total")
QUALITY = ("contains", "right", "wrong_choice", "refused", "words", "prompt_tokens",
           "citation_precision", "gold_cited", "no_answer_rate")  # fmt: skip
MARKS = re.compile(r"\[\d+\]")
UNKNOWN = re.compile(
    r"\b(?:(?:do|does|did|is|are|was|were|can|could)(?: not|n[’']t)|cannot|no) (?:\w+ ){0,3}"
    r"(?:know|sure|answer|say|state[ds]?|mention(?:ed|s)?|provide[ds]?|contain|include[ds]?"
    r"|specif\w+|information|determine|find|found|given)\b|\bunknown\b",
    re.IGNORECASE,
)


def main() -> None:
    parser = arguments(__doc__.split("\n")[0], index="answers-benchmark")
    parser.add_argument("--sample", type=int, default=60, help="questions asked, at most")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    settings, _ = opened(args)
    with Rag.open(args.index, settings=settings) as rag:
        dataset = asked_of(read_dataset(args.dataset, rag.article))
        questions = sample(dataset, args.sample, seed=args.seed).questions
        rag.load()
        pairs = side_by_side(rag, questions, peer(args, settings))
    report = {"dataset": dataset.name, "machine": describe(), "model": settings.model,
              "n_questions": len(questions), **summary(pairs)}  # fmt: skip
    name = f"answers-{dataset.name}.json" if questions[0].quiz else "answers.json"
    (RESULTS / name).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(table(report))


def asked_of(dataset: Dataset) -> Dataset:
    """The questions that are asked: the recent ones of a quiz, else those that are answerable."""
    is_quiz = any(question.quiz is not None for question in dataset.questions)
    return of_kinds(dataset, ["recent" if is_quiz else "answerable"])


def peer(args: argparse.Namespace, settings: Settings) -> subprocess.Popen[str]:
    """LangChain, ready to be asked: a question per line in, an answer per line out."""
    try:
        python = environment(PEER, args.work)
        command = [
            *(python, HERE / "peers" / f"{PEER}.py", "--articles"),
            *(path.resolve() for path in args.articles),
            *("--model", settings.models_dir / "all-MiniLM-L6-v2"),
            *("--llm", next(settings.models_dir.glob(f"{settings.model}*.gguf"))),
            *("--threads", settings.threads, "--store", (args.work / "langchain-store").resolve()),
        ]
        run([*command, "--only-index"], args.work)
    except PeerError as error:
        sys.exit(f"LangChain does not run here: {error}")
    started = subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert started.stdout is not None
    assert json.loads(started.stdout.readline())["ready"]
    return started


def side_by_side(
    rag: Rag, questions: tuple[EvalQuestion, ...], other: subprocess.Popen[str]
) -> list[tuple[dict[str, float], dict[str, float]]]:
    """The figures of each question, ours and theirs; who begins takes turns."""
    assert other.stdin is not None
    assert other.stdout is not None
    pairs = []
    for number, question in enumerate(questions):
        mine: Answer | None = None
        if number % 2:
            mine = rag.ask(question.question, asked_on=question.asked_on)
        other.stdin.write(json.dumps({"question": question.question}) + "\n")
        other.stdin.flush()
        theirs = json.loads(other.stdout.readline())
        mine = mine or rag.ask(question.question, asked_on=question.asked_on)
        pairs.append((ours(rag, question, mine), peers(question, theirs)))
        print(f"{number + 1} of {len(questions)}", end="\r", file=sys.stderr, flush=True)
    other.stdin.close()
    other.wait()
    return pairs


def ours(rag: Rag, question: EvalQuestion, answer: Answer) -> dict[str, float]:
    metrics = answer_metrics(question, answer, rag.article)
    # Without the model there is no first word to wait for: the answer is there at once.
    metrics.setdefault("seconds_to_first_token", metrics["seconds_total"])
    # Marks of citations are no words, and a refusal is to be read too.
    if answer.status is AnswerStatus.NO_ANSWER or question.quiz is not None:
        metrics["words"] = float(len(MARKS.sub(" ", answer.text).split()))
    return metrics


def peers(question: EvalQuestion, answer: dict[str, Any]) -> dict[str, float]:
    text = answer["text"]
    if question.quiz is None:
        metrics = {
            "contains": float(any(holds(text, gold.text) for gold in question.answers)),
            "words": float(len(text.split())),
        }
    else:
        metrics = said_metrics(question.quiz, text, refused=False)
        names_a_choice = metrics["right"] or metrics["wrong_choice"]
        metrics["refused"] = float(not names_a_choice and UNKNOWN.search(text) is not None)
    return {
        **metrics,
        "prompt_tokens": float(answer["prompt_tokens"]),
        **{name: answer[name] for name in SECONDS},
    }


def summary(pairs: list[tuple[dict[str, float], dict[str, float]]]) -> dict[str, Any]:
    """Means of quality, medians of times, and the median of the ratios."""
    made: dict[str, Any] = {"rag": {}, "LangChain": {}, "ratio": {}}
    for name, rows in zip(("rag", "LangChain"), zip(*pairs, strict=True), strict=True):
        for key in QUALITY:
            values = [row[key] for row in rows if key in row]
            if values:
                made[name][key] = round(float(np.mean(values)), 3)
        for key in SECONDS:
            made[name][key] = round(float(np.median([row[key] for row in rows])), 3)
    for key in SECONDS:
        ratios = [mine[key] / theirs[key] for mine, theirs in pairs]
        made["ratio"][key] = round(float(np.median(ratios)), 3)
    return made


def table(report: dict[str, Any]) -> str:
    names = list(dict.fromkeys([*report["rag"], *report["LangChain"]]))
    lines = [
        f"| {report['n_questions']} questions | rag | LangChain | ratio |",
        "|---|---|---|---|",
    ]
    for name in names:
        cells = (str(report[who].get(name, "–")) for who in ("rag", "LangChain", "ratio"))
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
