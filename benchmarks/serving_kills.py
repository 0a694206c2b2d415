"""The server killed under load and started again: is anything torn, lost or answered wrongly?

    python benchmarks/serving_kills.py --kills 5

Builds an index of `seeds/` in a temporary folder, serves it, and kills the server (SIGKILL) again
and again while clients search and others have the index built anew. A client that is cut off asks
the same again. Each answer is compared with what `Rag.search` finds; in the end the index is
checked. Prints JSON, and fails if anything is wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from machine import describe

from rag import Rag, Settings, build, check

ROOT = Path(__file__).parents[1]
N_SEARCHING, N_BUILDING = 8, 1
BROKEN = (OSError, http.client.HTTPException)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(index_dir=Path(folder) / "indexes")
        (settings.index_dir / "seeds").mkdir(parents=True)
        config = f"sources = [{json.dumps(os.fspath(ROOT / 'seeds'))}]\n"
        (settings.index_dir / "seeds" / "index.toml").write_text(config)
        build("seeds", settings=settings)
        told = Load(settings).run(args.kills)
        report = check("seeds", settings=settings)
    told |= {"index_is_whole": report.ok, "version": report.version}
    print(json.dumps({"machine": describe()} | told, indent=1))
    if told["wrong"] or told["lost"] or not report.ok:
        sys.exit(1)


def passages(hits: Any) -> list[tuple[Any, ...]]:
    """What must be the same of hits."""
    return [tuple(hit[name] for name in ("article_id", "start", "end", "text")) for hit in hits]


class Load:
    """Clients, and the server that is killed under them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        with Rag.open("seeds", settings=settings) as rag:
            texts = [article.text.split() for article in rag.articles()]
            queries = [" ".join(text[at : at + 8]) for text in texts for at in range(0, 400, 20)]
            self._right = {
                query: passages([hit.model_dump() for hit in rag.search(query, k=3)])
                for query in filter(None, queries)
            }
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self._over = threading.Event()
        self._count: Counter[str] = Counter()

    def run(self, n_kills: int) -> dict[str, int]:
        """Kill the server so many times; what came of it."""
        server = self._start()
        clients = [threading.Thread(target=self._search, args=(n,)) for n in range(N_SEARCHING)]
        clients += [threading.Thread(target=self._build) for _ in range(N_BUILDING)]
        for client in clients:
            client.start()
        for _ in range(n_kills):
            time.sleep(random.uniform(2, 6))
            server.kill()
            server.wait()
            server = self._start()
        time.sleep(2)
        self._over.set()
        for client in clients:
            client.join()
        server.terminate()
        server.wait()
        names = ("asked", "right", "wrong", "refused", "cut_off", "builds", "builds_cut_off")
        told = {"kills": n_kills} | {name: self._count[name] for name in names}
        return told | {"lost": told["asked"] - told["right"] - told["wrong"]}

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "rag", "serve", "-i", "seeds", "--port", str(self._port)]
        server = subprocess.Popen(
            [*command, "--log-level", "error"],
            stdout=subprocess.DEVNULL,
            env=os.environ | {"RAG_INDEX_DIR": os.fspath(self._settings.index_dir)},
        )
        while self._post("GET", "/health", None)[0] != 200:
            time.sleep(0.1)
        return server

    def _search(self, number: int) -> None:
        chosen = random.Random(number)
        queries = sorted(self._right)
        while not self._over.is_set():
            query = chosen.choice(queries)
            self._count["asked"] += 1
            while True:  # the server comes back, and then it is answered
                status, found = self._post("POST", "/search", {"query": query, "k": 3})
                if status == 200:
                    break
                self._count["refused" if status else "cut_off"] += 1
                time.sleep(0.2)
            self._count["right" if passages(found) == self._right[query] else "wrong"] += 1

    def _build(self) -> None:
        while not self._over.is_set():
            status, job = self._post("POST", "/build", {"full": True})
            while status in (200, 202) and job["state"] in ("waiting", "running"):
                time.sleep(0.1)
                status, job = self._post("GET", f"/jobs/{job['id']}", None)
            done = status == 200 and job["state"] == "done"
            self._count["builds" if done else "builds_cut_off"] += 1
            time.sleep(0.1)

    def _post(self, method: str, path: str, body: object) -> tuple[int, Any]:
        client = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        with contextlib.closing(client):
            try:
                sent = None if body is None else json.dumps(body)
                client.request(method, path, sent, {"content-type": "application/json"})
                with client.getresponse() as reply:
                    return reply.status, json.loads(reply.read())
            except BROKEN:
                return 0, None


if __name__ == "__main__":
    main()
