"""What the benchmarks that compare libraries share: their arguments, and our index."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from rag import Settings, build


def arguments(summary: str, *, index: str) -> argparse.ArgumentParser:
    """A parser for articles, questions and a scratch folder; `index`: name of ours."""
    parser = argparse.ArgumentParser(description=summary)
    parser.add_argument("--articles", nargs="+", type=Path, required=True)
    parser.add_argument("--dataset", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--index-dir", type=Path, help="where --index was built before")
    parser.add_argument("--index", default=index)
    return parser


def opened(args: argparse.Namespace) -> tuple[Settings, float | None]:
    """Settings that find our index, and the seconds it took to build it, if it was not there."""
    args.work.mkdir(parents=True, exist_ok=True)
    settings = Settings(index_dir=args.index_dir or args.work / "indexes")
    if args.index_dir is not None:
        return settings, None
    folder = settings.index_dir / args.index
    folder.mkdir(parents=True, exist_ok=True)
    sources = json.dumps([str(path.resolve()) for path in args.articles])
    (folder / "index.toml").write_text(f"sources = {sources}\n", encoding="utf-8")
    started = time.perf_counter()
    build(args.index, full=True, settings=settings)
    return settings, time.perf_counter() - started
