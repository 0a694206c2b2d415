"""What every peer's runner shares: its arguments, its clock, the form of what it writes.

A runner is started by benchmarks/retrieval.py in the peer's own environment; it knows nothing of
`rag`. It indexes every article, searches for every question, and writes spans.
"""

import argparse
import json
import resource
import time
from importlib.metadata import version
from pathlib import Path

K = 10


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--articles", nargs="+", required=True)
    parser.add_argument("--questions", required=True)
    parser.add_argument("--model", required=True, help="folder of the embedding model")
    parser.add_argument("--out", required=True)
    return parser.parse_args()


def lines(path):
    with open(path, encoding="utf-8") as stream:
        return [json.loads(line) for line in stream if line.strip()]


def read(args):
    """Articles, and the questions that have an answer."""
    articles = [article for path in args.articles for article in lines(path)]
    questions = [row for row in lines(args.questions) if row["answers"]]
    return articles, questions


def run(name, settings, packages, build):
    """Index, search, write.

    Args:
        name: Of the peer.
        settings: What it ran with, in words.
        packages: Names of the distributions whose versions are written.
        build: Takes the articles and the model's folder, returns a function from a question to
            its first K spans as (article id, start, end).
    """
    args = arguments()
    articles, questions = read(args)
    started = time.perf_counter()
    search = build(articles, args.model)
    indexed, cpu = time.perf_counter(), time.process_time()
    seconds, hits = [], {}
    for row in questions:
        before = time.perf_counter()
        hits[row["id"]] = search(row["question"])
        seconds.append(time.perf_counter() - before)
    report = {
        "name": name,
        "settings": settings,
        "versions": {package: version(package) for package in packages},
        "seconds_to_index": indexed - started,
        "cpu_seconds_to_index": cpu,
        "seconds_per_question": sorted(seconds)[len(seconds) // 2],
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "hits": hits,
    }
    Path(args.out).write_text(json.dumps(report), encoding="utf-8")
