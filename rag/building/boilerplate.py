"""Boilerplate: lines that a publisher puts into many articles and that tell nothing of them.

Calls for newsletters, puzzles, notes on reporters, terms of use. They stay in the text, and are no
evidence. What is set aside depends on the articles alone, not on the builds that brought them.

News repeats itself too: what led to a war, what a disease is, how a storm is measured. Such a line
goes with a subject. It is told apart by that: a word stands in the titles of most articles that
have it, or its own words stand elsewhere in them. In doubt a line stays evidence.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from rag.text.same import RUN_WORDS, Runs, share_held

MIN_WORDS = 5
"""A shorter line may stand in many articles by chance."""
MIN_ARTICLES = 5
"""A line stands in so many articles, of as many stories and days."""
LONG_WORDS, LONG_SHARE, SHORT_SHARE = 10, 0.002, 0.01
"""And in that share of a publisher's stories: lines of so many words, and shorter ones."""
SUBJECT_SHARE = 0.5
"""Where so many of the titles share a word, or so many of its words stand elsewhere, it is news."""
N_READ = 8
"""Articles that are read to see whether the words of a line stand elsewhere in them."""
NEAR_CHARACTERS = 400
"""Not elsewhere: boilerplate comes in blocks, in which one line repeats words of another."""
_N_WORDS = np.uint64(0xFF)  # the lowest byte of a line's key: how many words it has
_TELLING = re.compile(r"\w{5,}")

Spans = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Carrier:
    """What is asked of an article that may have boilerplate.

    Attributes:
        number: Of the article in the catalog.
        order: A number that depends on its id alone.
        publisher: Whose lines are compared; see `publisher_of`.
        story: Number of the first report of its story.
        published: ISO 8601 day; None without one.
        title: Its title.
    """

    number: int
    order: int
    publisher: str
    story: int
    published: str | None
    title: str


def publisher_of(source: str | None, url: str | None, path: str | None) -> str:
    """Whose article it is: its source, else the host of its url, else the folder it lies in."""
    if source:
        return source.casefold()
    try:
        host = (urlsplit(url).hostname if url else None) or ""
    except ValueError:  # "http://[" is no address
        host = ""
    return host.removeprefix("www.") or f"/{PurePosixPath(path or '').parent}"


def line_keys(text: str, sentences: Sequence[tuple[int, int]]) -> tuple[NDArray[np.uint64], Spans]:
    """A number for each sentence that has words enough, whatever its case and punctuation.

    Args:
        text: Of an article.
        sentences: Spans in it.

    Returns:
        Numbers, shape (n,), whose lowest byte is the number of words (255 for more), and the spans
        of these sentences, shape (n, 2).
    """
    runs = Runs(text)
    keys, spans = [], []
    for start, end in sentences:
        own = runs.numbers[runs.places(start, end)]
        n_words = len(own) + RUN_WORDS - 1
        if n_words >= MIN_WORDS:
            digest = hashlib.blake2b(own.astype("<u8").tobytes(), digest_size=8).digest()
            keys.append(int.from_bytes(digest, "little") & ~0xFF | min(n_words, 0xFF))
            spans.append((start, end))
    return np.array(keys, dtype=np.uint64), np.array(spans, dtype=np.int32).reshape(-1, 2)


def boilerplate(
    articles: Iterable[Carrier],
    lines: Mapping[int, NDArray[np.uint64]],
    told_elsewhere: Callable[[int, int], float],
) -> dict[str, NDArray[np.uint64]]:
    """The lines that are boilerplate.

    Args:
        articles: Every article, in any order.
        lines: Keys of the lines of each article by its number.
        told_elsewhere: Of an article (by number) and a line (by key) the share of the line's words
            that stand elsewhere in the article, [0, 1].

    Returns:
        Keys by publisher, ascending.
    """
    of_publisher: dict[str, list[Carrier]] = defaultdict(list)
    for article in articles:
        of_publisher[article.publisher].append(article)
    found = {}
    for publisher, own in of_publisher.items():
        kept = [
            key
            for key, carriers in _common(own, [lines[one.number] for one in own])
            if _is_boilerplate(key, carriers, told_elsewhere)
        ]
        if kept:
            found[publisher] = np.array(kept, dtype=np.uint64)
    return found


def _common(
    articles: Sequence[Carrier], lines: Sequence[NDArray[np.uint64]]
) -> Iterator[tuple[int, list[Carrier]]]:
    """Lines that stand in enough stories, each with an article of every one of them."""
    keys = np.concatenate(lines)
    places = np.repeat(np.arange(len(articles)), [len(own) for own in lines])
    order = np.lexsort((places, keys))
    keys, places = keys[order], places[order]
    distinct, begins, counts = np.unique(keys, return_index=True, return_counts=True)
    n_stories = len({one.story for one in articles})
    share = np.where(distinct & _N_WORDS >= LONG_WORDS, LONG_SHARE, SHORT_SHARE)
    least = np.maximum(MIN_ARTICLES, share * n_stories)
    for at in np.flatnonzero(counts >= least).tolist():
        run = places[begins[at] : begins[at] + counts[at]].tolist()
        of_story: dict[int, Carrier] = {}
        for carrier in sorted((articles[place] for place in run), key=_by_order):
            of_story.setdefault(carrier.story, carrier)
        if len(of_story) >= least[at]:
            yield int(distinct[at]), list(of_story.values())


def _by_order(article: Carrier) -> tuple[int, int]:
    return article.order, article.number


def _is_boilerplate(
    key: int, carriers: Sequence[Carrier], told_elsewhere: Callable[[int, int], float]
) -> bool:
    """Whether a line goes with no subject; its carriers are in their order, each of one story."""
    days = {one.published for one in carriers if one.published}
    n_undated = sum(one.published is None for one in carriers)
    if len(days) + n_undated < MIN_ARTICLES:
        return False
    titles = Counter(word for one in carriers for word in set(_telling(one.title)))
    if max(titles.values(), default=0) >= SUBJECT_SHARE * len(carriers):
        return False
    read = [told_elsewhere(one.number, key) for one in carriers[:N_READ]]
    return sum(read) < SUBJECT_SHARE * len(read)


def share_told_elsewhere(title: str, text: str, start: int, end: int) -> float:
    """Share of a line's longer words that stand elsewhere in its article, [0, 1].

    Args:
        title, text: Of the article.
        start, end: Span of the line.

    Returns:
        1 of a line without longer words, which tell whose it is.
    """
    words = set(_telling(text[start:end]))
    near = min(NEAR_CHARACTERS, len(text) // 4)
    elsewhere = f"{title}\n{text[: max(start - near, 0)]}\n{text[end + near :]}"
    return share_held(words, frozenset(_telling(elsewhere)))


def _telling(text: str) -> list[str]:
    return _TELLING.findall(text.casefold())
