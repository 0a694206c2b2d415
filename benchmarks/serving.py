"""The server under load: what HTTP costs, searches by many clients, questions by more than fit.

    python benchmarks/serving.py --index seeds --seconds 60

Starts `rag serve` on a free port of this machine, asks it, and stops it. Clients are threads of
this process with a connection each, so they take processor time from the server: what is measured
is a machine that does both. Searches are measured twice: every piece of the articles' texts, and
200 of them again and again. How many are different ones is printed: in a small index the pieces run
out, and what is measured is the server's memory of answers. Prints JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from machine import describe

from rag import Rag, Settings, list_indexes

WARM_UP = 20
COMPARED = 300
REPEATED = 200
SAMPLE_SECONDS = 2.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--index", default="seeds")
    parser.add_argument("--seconds", type=float, default=60.0, help="of searching")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--askers", type=int, default=64)
    parser.add_argument("--parts", default="one,searches,again,questions", help="what to measure")
    args = parser.parse_args()
    titles = questions(args.index)
    with served(args.index) as (address, process):
        few = titles[:REPEATED]
        measures = {
            "one": lambda: overhead(address, args.index, titles),
            "searches": lambda: searches(address, args, titles, process),
            "again": lambda: searches(address, args, few, process),
            "questions": lambda: asked(address, args, titles, process),
        }
        result = {"machine": describe(), "index": args.index} | {
            name: told(name, measures[name]()) for name in args.parts.split(",")
        }
    print(json.dumps(result, indent=1))


def told(name: str, values: dict[str, Any]) -> dict[str, Any]:
    """The same, shown at once: what comes next may take long."""
    print(name, json.dumps(values), file=sys.stderr, flush=True)
    return values


def questions(index: str) -> list[str]:
    """Pieces of the articles' texts, as searches for them; one after the other of another one."""
    assert index in [info.name for info in list_indexes(Settings().index_dir)]
    with Rag.open(index) as rag:
        texts = [article.text.split() for article in itertools.islice(rag.articles(), 1000)]
    pieces = [[" ".join(text[at : at + 8]) for at in range(0, len(text), 8)] for text in texts]
    longest = max(map(len, pieces))
    return [own[n] for n in range(longest) for own in pieces if n < len(own)]


@contextlib.contextmanager
def served(index: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "rag", "serve", "-i", index, "--port", "0", "--log-level", "error"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        address = urlsplit(process.stdout.readline().split()[-1]).netloc
        while get(address, "/ready") != 200:
            time.sleep(0.2)
        yield address, process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def get(address: str, path: str) -> int:
    client = http.client.HTTPConnection(address, timeout=60)
    client.request("GET", path)
    status = client.getresponse().status
    client.close()
    return status


def post(client: http.client.HTTPConnection, path: str, body: dict[str, Any]) -> int:
    client.request("POST", path, json.dumps(body), {"content-type": "application/json"})
    with client.getresponse() as reply:
        reply.read()
        return reply.status


def overhead(address: str, index: str, titles: list[str]) -> dict[str, float]:
    """Median milliseconds of a search: called in Python, and over HTTP, by turns."""
    own, over = [], []
    client = http.client.HTTPConnection(address, timeout=60)
    with Rag.open(index) as rag:
        for n in range(WARM_UP + COMPARED):
            query = titles[n % len(titles)]
            started = time.perf_counter()
            rag.search(query, k=5)
            between = time.perf_counter()
            post(client, "/search", {"query": query, "k": 5})
            own.append(between - started)
            over.append(time.perf_counter() - between)
    client.close()
    python, http_ = (float(np.median(one[WARM_UP:])) * 1000 for one in (own, over))
    paired = np.array(over[WARM_UP:]) - np.array(own[WARM_UP:])
    return {
        "python_ms": round(python, 2),
        "http_ms": round(http_, 2),
        "overhead_ms": round(float(np.median(paired)) * 1000, 2),
    }


def searches(
    address: str, args: argparse.Namespace, titles: list[str], process: subprocess.Popen[str]
) -> dict[str, Any]:
    """As many as many clients get in some time, each asking again at once."""
    seconds: list[float] = []
    statuses: Counter[int] = Counter()
    until = time.perf_counter() + args.seconds

    def ask(number: int) -> None:
        client = http.client.HTTPConnection(address, timeout=60)
        n = number
        while (started := time.perf_counter()) < until:
            n += args.clients
            status = post(client, "/search", {"query": titles[n % len(titles)], "k": 5})
            seconds.append(time.perf_counter() - started)
            statuses[status] += 1
        client.close()

    before = processor_seconds(process)
    run_all([threading.Thread(target=ask, args=(n,)) for n in range(args.clients)])
    used = processor_seconds(process) - before
    p50, p99 = np.percentile(seconds, [50, 99]) * 1000
    return {
        "clients": args.clients,
        "seconds": args.seconds,
        "per_second": round(len(seconds) / args.seconds, 1),
        "different": min(len(titles), len(seconds)),
        "server_processor_ms_per_search": round(used / len(seconds) * 1000, 2),
        "p50_ms": round(float(p50), 1),
        "p99_ms": round(float(p99), 1),
        "statuses": dict(statuses),
    }


def asked(
    address: str, args: argparse.Namespace, titles: list[str], process: subprocess.Popen[str]
) -> dict[str, Any]:
    """Many who ask at once, and come again when told to: all get an answer in the end."""
    refused: Counter[int] = Counter()
    seconds: list[float] = []
    memory = [resident_mb(process)]
    over = threading.Event()

    def sample() -> None:
        while not over.wait(SAMPLE_SECONDS):
            memory.append(resident_mb(process))

    sampling = threading.Thread(target=sample)
    sampling.start()

    def ask(number: int) -> None:
        started = time.perf_counter()
        while True:
            client = http.client.HTTPConnection(address, timeout=600)
            body = json.dumps({"question": titles[number % len(titles)]})
            client.request("POST", "/ask", body, {"content-type": "application/json"})
            with client.getresponse() as reply:
                reply.read()
            client.close()
            if reply.status == 200:
                seconds.append(time.perf_counter() - started)
                return
            refused[reply.status] += 1
            time.sleep(float(reply.headers["retry-after"]))

    run_all([threading.Thread(target=ask, args=(n,)) for n in range(args.askers)])
    over.set()
    sampling.join()
    fifth = max(1, len(memory) // 5)
    return {
        "clients": args.askers,
        "answered": len(seconds),
        "told_to_come_again": dict(refused),
        "seconds_until_all_were_answered": round(max(seconds, default=0.0), 1),
        "resident_mb_before": memory[0],
        "resident_mb_median_of_fifths": [
            int(np.median(memory[at : at + fifth])) for at in range(0, len(memory), fifth)
        ][:5],
    }


def run_all(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def processor_seconds(process: subprocess.Popen[str]) -> float:
    told = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(process: subprocess.Popen[str]) -> int:
    told = Path(f"/proc/{process.pid}/status").read_text()
    line = next(line for line in told.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) // 1024


if __name__ == "__main__":
    main()
