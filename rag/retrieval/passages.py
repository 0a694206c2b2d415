"""Passages: what is found, without saying the same twice.

A reprint of a passage that was found already takes no rank: it is listed with its twin. Two
neighbouring chunks that are both among the best become one passage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from rag.index.rows import StoredChunk
from rag.retrieval.scoring import Scored
from rag.text.same import repeats, word_runs

MERGE_DEPTH = 20
"""Chunks ranked below this are not joined to a neighbour: what a hit is must not depend on k."""
MAX_JOINED = 2
"""Chunks that one passage consists of, at most."""
_REPRINT_COSINE = 0.75  # below this two chunks do not say the same; it spares counting words
_GAP_CHARACTERS = 8  # white space between paragraphs


@dataclass(slots=True)
class Passage:
    """A chunk, or two neighbours, and where else it stands.

    Attributes:
        best: The chunk with the best score.
        others: Neighbours that were joined to it.
        reprints: Chunks of other articles that say the same.
    """

    best: Scored
    others: list[Scored] = field(default_factory=list)
    reprints: list[Scored] = field(default_factory=list)

    @property
    def parts(self) -> list[Scored]:
        """Its chunks in the order of the text."""
        return sorted([self.best, *self.others], key=lambda part: part.chunk.start)

    def joined(self) -> Scored:
        """The passage as one chunk: with the best one's id, vector and score."""
        if not self.others:
            return self.best
        seen: dict[tuple[int, int], tuple[int, int]] = {}  # neighbours share sentences
        for number, part in enumerate(self.parts):
            for row, (start, end) in enumerate(part.chunk.sentences.tolist()):
                seen.setdefault((start, end), (number, row))
        spans = sorted(seen)
        places = [seen[span] for span in spans]
        chunk = self.best.chunk
        best = tuple(chunk.sentences[self.best.best_sentence].tolist())
        chunks = [part.chunk for part in self.parts]
        joined = replace(
            chunk,
            start=min(part.start for part in chunks),
            end=max(part.end for part in chunks),
            sentences=np.array(spans, dtype=np.int32),
            sentence_vectors=np.stack([chunks[n].sentence_vectors[row] for n, row in places]),
        )
        return replace(
            self.best,
            chunk=joined,
            sentence_cosines=np.stack([self.parts[n].sentence_cosines[row] for n, row in places]),
            sentence_words=np.stack([self.parts[n].sentence_words[row] for n, row in places]),
            best_sentence=spans.index(best),
        )


def passages(ranked: Sequence[Scored], k: int) -> list[Passage]:
    """The k best passages.

    Args:
        ranked: Candidates, best first.
        k: Passages wanted.
    """
    found: list[Passage] = []
    runs: dict[int, frozenset[int]] = {}
    for rank, item in enumerate(ranked):
        if len(found) >= k and rank >= MERGE_DEPTH:
            break
        twin = _twin(item, found, runs)
        if twin is not None:
            twin.reprints.append(item)
            continue
        neighbour = _neighbour(item, found) if rank < MERGE_DEPTH else None
        if neighbour is not None:
            neighbour.others.append(item)
        else:
            found.append(Passage(item))
    return found[:k]


def _neighbour(item: Scored, found: Sequence[Passage]) -> Passage | None:
    for passage in found:
        if len(passage.others) + 1 < MAX_JOINED and _adjoin(item.chunk, passage.best.chunk):
            return passage
    return None


def _adjoin(one: StoredChunk, other: StoredChunk) -> bool:
    return (
        one.article == other.article
        and one.start <= other.end + _GAP_CHARACTERS
        and other.start <= one.end + _GAP_CHARACTERS
    )


def _twin(
    item: Scored, found: Sequence[Passage], known: dict[int, frozenset[int]]
) -> Passage | None:
    """The passage that a chunk repeats from another article."""
    for passage in found:
        for part in (passage.best, *passage.others):
            if part.chunk.article == item.chunk.article:
                continue
            if float(part.chunk.vector @ item.chunk.vector) < _REPRINT_COSINE:
                continue
            shorter, longer = sorted((_runs(item, known), _runs(part, known)), key=len)
            if repeats(shorter, longer):
                return passage
    return None


def _runs(item: Scored, known: dict[int, frozenset[int]]) -> frozenset[int]:
    if item.chunk.chunk_id not in known:
        known[item.chunk.chunk_id] = word_runs(item.text)
    return known[item.chunk.chunk_id]
