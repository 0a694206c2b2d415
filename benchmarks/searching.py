"""What a search costs, and whether it finds the same as before.

    python benchmarks/searching.py --index news --save before.json
    python benchmarks/searching.py --index news --compare before.json

Searches for 200 pieces of the articles' texts, one by one and in batches, with few and many hits
and with a filter. Prints the processor's milliseconds of each; with `--compare` fails if any hit
differs in any field from what was saved.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from machine import describe

from rag import Filter, Hit, Rag

N_QUERIES, BATCH, WARM_UP = 200, 16, 20
LENGTHS = (2, 4, 8, 8, 8, 14)
Found = list[list[Hit]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--index", default="seeds")
    parser.add_argument("--since", default="2024-06-01", help="of the filter")
    parser.add_argument("--save", type=Path)
    parser.add_argument("--compare", type=Path)
    args = parser.parse_args()
    with Rag.open(args.index) as rag:
        queries = some_queries(rag)
        narrowed = Filter.make(since=args.since, undated=True)
        ways: dict[str, Callable[[], Found]] = {
            "one by one": lambda: [rag.search(query, k=5) for query in queries],
            "together": lambda: together(rag, queries, k=5),
            "together, k 30": lambda: together(rag, queries, k=30),
            "together, filtered": lambda: together(rag, queries, k=5, filter=narrowed),
        }
        for query in queries[:WARM_UP]:
            rag.search(query, k=5)
        seconds, hits = {}, {}
        for name, search in ways.items():
            started = time.process_time()
            found = search()
            seconds[name] = round((time.process_time() - started) / len(queries) * 1000, 2)
            hits[name] = [[hit.model_dump(mode="json") for hit in one] for one in found]
    print(json.dumps({"machine": describe(), "processor_ms_per_search": seconds}, indent=1))
    if args.save:
        args.save.write_text(json.dumps(hits))
    if args.compare:
        sys.exit(differences(json.loads(args.compare.read_text()), hits))


def some_queries(rag: Rag) -> list[str]:
    """Pieces of texts, the same ones each time."""
    chosen = random.Random(5)
    texts = [article.text.split() for article in itertools.islice(rag.articles(), 400)]
    pieces = []
    while len(pieces) < N_QUERIES:
        words = chosen.choice(texts)
        length = min(chosen.choice(LENGTHS), len(words))
        at = chosen.randrange(len(words) - length + 1)
        pieces.append(" ".join(words[at : at + length]) or "news")
    return pieces


def together(rag: Rag, queries: list[str], **options: Any) -> Found:
    """In batches, as the server makes them."""
    batches = [queries[at : at + BATCH] for at in range(0, len(queries), BATCH)]
    return [hits for batch in batches for hits in rag.search_many(batch, **options)]


def differences(before: dict[str, Any], now: dict[str, Any]) -> int:
    """Tell them; how many there are."""
    n_different = 0
    for name, found in now.items():
        n = sum(one != other for one, other in zip(before[name], found, strict=True))
        print(f"{name}: {n} of {len(found)} searches find something else", file=sys.stderr)
        n_different += n
    return min(n_different, 1)


if __name__ == "__main__":
    main()
