"""How well reprints are found, and what that costs a build.

    python benchmarks/stories.py ../shared/corpora/bbc.jsonl ../shared/eval/news/articles.jsonl

To the articles of the files come a changed copy of each (another headline, ending cut, a paragraph
put in, a line of an agency, or two of these), which is a reprint, and of some a copy that is none:
the report of the next day (every figure another), and a column that begins as the one before. The
set is built by the package; only the embedding model is replaced. Prints the figures and the
articles of the files that are grouped as they are, by title, to be read, and writes the figures to
benchmarks/results/stories.json.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import json
import random
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from machine import describe

import rag.testing

ROOT = Path(__file__).resolve().parents[1]
KINDS = ("headline", "ending", "paragraph", "agency", "two")
MIN_WORDS = 120
MIN_FIGURES = 8

Row = dict[str, Any]


class NoEmbedder(rag.testing.FakeEmbedder):
    """Vectors that say nothing, at no cost."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def embed_documents(self, texts: Sequence[str]) -> np.ndarray:
        vectors = np.zeros((len(texts), self.identity.dimension), np.float32)
        vectors[:, 0] = 1
        return vectors


def read(paths: list[Path]) -> list[Row]:
    """The articles, each with an id of its own, at least `MIN_WORDS` long."""
    rows = [json.loads(line) for path in paths for line in path.open(encoding="utf-8")]
    rows = [row for row in rows if len(row["text"].split()) >= MIN_WORDS]
    return [
        {
            "id": f"{number}",
            "title": row["title"],
            "text": row["text"],
            "published": str(row.get("published") or "2004-05-05").replace("/", "-")[:10],
        }
        for number, row in enumerate(rows)
    ]


def changed(row: Row, other: Row, kind: str, draw: random.Random) -> Row:
    """A reprint of an article; what is put in comes from another one."""
    kinds = draw.sample(KINDS[:4], 2) if kind == "two" else [kind]
    title, text = row["title"], row["text"]
    for one in kinds:
        paragraphs = re.split(r"\n+", text)
        if one == "headline":
            title = other["title"]
        elif one == "ending":
            words = len(text.split()) * draw.uniform(0.5, 0.9)
            text = re.match(rf"(?:\S+\s+){{{int(words)}}}", text).group()  # type: ignore[union-attr]
        elif one == "paragraph":
            inserted = max(re.split(r"\n+", other["text"])[:3], key=len)[:600]
            paragraphs.insert(draw.randint(1, len(paragraphs)), inserted)
            text = "\n\n".join(paragraphs)
        else:
            text = f"OSTERBY (Northern Press) - {text}\n\nReporting by A. Lund; editing by B. Holm"
    return {**row, "id": f"{row['id']} {kind}", "title": title, "text": text}


def next_day(row: Row, draw: random.Random) -> Row:
    """The report of the next day: every figure is another."""
    text = re.sub(r"\d", lambda _: str(draw.randint(0, 9)), row["text"])
    day = datetime.date.fromisoformat(row["published"]) + datetime.timedelta(1)
    return {**row, "id": f"{row['id']} daily", "text": text, "published": day.isoformat()}


def next_column(row: Row, other: Row) -> Row:
    """The column of the next week: half of its words are those of another."""
    n_words = min(len(one["text"].split()) for one in (row, other)) // 2
    text = " ".join(word for one in (row, other) for word in one["text"].split()[:n_words])
    day = datetime.date.fromisoformat(row["published"]) + datetime.timedelta(7)
    return {**row, "id": f"{row['id']} column", "text": text, "published": day.isoformat()}


def made(rows: list[Row]) -> list[Row]:
    """The set: articles, reprints, and what only looks like one."""
    draw = random.Random(7)
    found = list(rows)
    for number, row in enumerate(rows):
        other = rows[(number * 7 + 11) % len(rows)]
        found.append(changed(row, other, KINDS[number % len(KINDS)], draw))
        if number % 10 == 0 and len(set(re.findall(r"\d+", row["text"]))) >= MIN_FIGURES:
            found.append(next_day(row, draw))
        if number % 10 == 5:
            found.append(next_column(row, other))
    draw.shuffle(found)
    return found


def source_of(article_id: str) -> str:
    """What must be one story: an article and its reprints; everything else alone."""
    number, _, kind = article_id.partition(" ")
    return number if kind in ("", *KINDS) else article_id


def pairs_of(stories: list[rag.Story]) -> Iterator[tuple[str, str]]:
    for story in stories:
        yield from itertools.combinations(sorted(story.articles), 2)


def measure(rows: list[Row], folder: Path) -> dict[str, Any]:
    index = folder / "news"
    index.mkdir()
    (index / "index.toml").write_text('sources = ["set.jsonl"]\n', encoding="utf-8")
    articles = made(rows)
    with (index / "set.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(article) + "\n" for article in articles)
    embedder = NoEmbedder(dimension=8)
    first = rag.testing.build_with(folder, "news", embedder)
    with rag.testing.open_with(folder, "news", embedder) as opened:
        stories = opened.stories()
    with (index / "set.jsonl").open("a", encoding="utf-8") as file:
        for row in rows[:: max(len(rows) // max(len(articles) // 100, 1), 1)]:
            text = " ".join(reversed(row["text"].split()))  # new articles, one percent
            file.write(json.dumps({**row, "id": f"{row['id']} new", "text": text}) + "\n")
    again = rag.testing.build_with(folder, "news", embedder)
    n_words = sum(len(article["text"].split()) for article in articles)
    return {
        "n_articles": first.n_articles,
        "words_an_article": round(n_words / len(articles)),
        "ms_an_article": round(1000 * first.seconds["stories"] / first.n_articles, 3),
        "seconds": first.seconds,
        "one_percent_more": {"n_added": again.added, "seconds": again.seconds["stories"]},
        **rates(rows, stories),
    }


def rates(rows: list[Row], stories: list[rag.Story]) -> dict[str, Any]:
    """Precision and recall of pairs, recall by what was changed."""
    found = set(pairs_of(stories))
    titles = {row["id"]: f"{row['published']} {row['title']}" for row in rows}
    as_they_are = [pair for pair in found if not any(" " in one for one in pair)]
    # Copies of two articles that are grouped as they are stand together rightly, or both wrongly.
    same = {frozenset(pair) for pair in as_they_are}
    of_copies = found - set(as_they_are)
    sources = {pair: frozenset(map(source_of, pair)) for pair in of_copies}
    right = {pair for pair, both in sources.items() if len(both) == 1}
    wrong = {pair for pair, both in sources.items() if len(both) == 2 and both not in same}
    wanted = {kind: 0 for kind in KINDS}
    held = dict(wanted)
    for number, row in enumerate(rows):
        kind = KINDS[number % len(KINDS)]
        wanted[kind] += 1
        held[kind] += (row["id"], f"{row['id']} {kind}") in found
    return {
        "precision": round(len(right) / max(len(right) + len(wrong), 1), 4),
        "recall": round(sum(held.values()) / sum(wanted.values()), 4),
        "recall_by_change": {kind: round(held[kind] / wanted[kind], 4) for kind in KINDS},
        "wrong_pairs": sorted(" | ".join(pair) for pair in wrong)[:50],
        "as_they_are": sorted(" | ".join(titles[one] for one in pair) for pair in as_they_are),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("articles", nargs="+", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = measure(read(args.articles), Path(folder))
    titles = result.pop("as_they_are")
    print(json.dumps(result, indent=1))
    print("\n".join(titles))
    result["n_as_they_are"] = len(titles)
    path = ROOT / "benchmarks" / "results" / "stories.json"
    path.write_text(json.dumps({"machine": describe(), **result}, indent=1) + "\n")


if __name__ == "__main__":
    main()
