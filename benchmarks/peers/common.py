"""What every runner shares: its arguments, its stages, its clock, the form of what it writes.

    python peers/NAME.py build|update|search --articles FILE … --store FOLDER --out FILE …

A runner is started in its library's own environment; it knows nothing of `rag` (ours.py aside).
`build` makes a store of all articles and saves it; `update` takes in what changed in them since;
`search` opens the store, finds for every question and writes spans. Each is a process of its own.
"""

import argparse
import hashlib
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

K = 10
DIMENSION = 384
_DIGESTS = "digests.json"


@dataclass(frozen=True)
class Peer:
    """A library as it is compared.

    Attributes:
        name: Of the library.
        settings: What it runs with, in words.
        packages: Names of the distributions whose versions are written.
        build: Takes files of articles, the embedding model's folder and the store's; leaves a
            store there.
        update: The same with a store that is there: its way to take in what changed.
        open: Takes the model's folder and the store's; returns a function from a question to its
            first K spans as (article id, start, end), or (article id, text) where it knows none.
        together: As `open`, from all questions to a list for each, if the library has such a way.
    """

    name: str
    settings: str
    packages: tuple[str, ...]
    build: Callable
    update: Callable
    open: Callable
    together: Callable | None = None


def run(peer):
    """Do what the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("stage", choices=("build", "update", "search"))
    parser.add_argument("--articles", nargs="+", required=True)
    parser.add_argument("--questions", required=True)
    parser.add_argument("--model", required=True, help="folder of the embedding model")
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    if args.stage == "search":
        told = search(peer, args)
    else:
        args.store.mkdir(parents=True, exist_ok=True)
        started = time.perf_counter()
        made = getattr(peer, args.stage)(args.articles, args.model, args.store)
        told = {"seconds_inside": time.perf_counter() - started, "told": made}
    told |= {"name": peer.name, "settings": peer.settings}
    told["versions"] = {package: version(package) for package in peer.packages}
    args.out.write_text(json.dumps(told), encoding="utf-8")


def search(peer, args):
    """What is found for each question, and when; `first_result` is on the machine's own clock."""
    questions = [row for row in lines(args.questions) if row["answers"]]
    find = peer.open(args.model, args.store)
    find(questions[0]["question"])
    first = time.perf_counter()
    seconds, hits = [], {}
    for row in questions:
        before = time.perf_counter()
        hits[row["id"]] = find(row["question"])
        seconds.append(time.perf_counter() - before)
    texts = [row["question"] for row in questions]
    rate = len(texts) / sum(seconds)
    if peer.together:
        find_all = peer.together(find)
        before = time.perf_counter()
        find_all(texts)
        rate = max(rate, len(texts) / (time.perf_counter() - before))
    articles = {article["id"]: article for article in read(args.articles)}
    return {
        "first_result": first,
        "seconds": seconds,
        "questions_per_second": rate,
        "hits": {key: [located(hit, articles) for hit in found] for key, found in hits.items()},
    }


def read(sources):
    """The articles of files."""
    return [article for path in sources for article in lines(path)]


def lines(path):
    with open(path, encoding="utf-8") as stream:
        return [json.loads(line) for line in stream if line.strip()]


def located(hit, articles):
    """A hit as a span; one that is a text is looked for in its article, whatever its blanks."""
    if len(hit) == 3:
        return hit
    article_id, text = hit
    pattern = r"\s+".join(re.escape(word) for word in text.split())
    found = re.search(pattern, articles[article_id]["text"])
    return (article_id, *found.span()) if found else (article_id, 0, 0)


def windows(text, size=1000, overlap=200):
    """Where pieces of `size` characters begin and end."""
    starts = range(0, max(1, len(text) - overlap), size - overlap)
    return [(start, min(start + size, len(text))) for start in starts]


def keep_digests(articles, store):
    """For libraries that do not know themselves what changed: a hash of each text, in a file."""
    (store / _DIGESTS).write_text(json.dumps({one["id"]: _digest(one) for one in articles}))


def changed(articles, store):
    """The articles that are new or not as they were, and the ids of these and of those gone."""
    before = json.loads((store / _DIGESTS).read_text())
    now = [article for article in articles if before.get(article["id"]) != _digest(article)]
    gone = before.keys() - {article["id"] for article in articles}
    return now, sorted(gone | {article["id"] for article in now} & before.keys())


def _digest(article):
    return hashlib.sha256(article["text"].encode()).hexdigest()
