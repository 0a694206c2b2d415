"""Evidence: the few sentences of the hits that bear on the question.

Reading the prompt is most of what an answer costs on a CPU, so the language model is given
sentences, not chunks. They are scored by cosine, by how much of the question's words they hold
(weighted by rarity), and by the score of their chunk.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from rag.article import Article
from rag.embedding import Vectors
from rag.retrieval import Found, Hit
from rag.text.instructions import speaks_to_a_machine
from rag.text.numbers import find_numbers
from rag.text.paragraphs import Paragraphs, Quotation, unwrapped
from rag.text.sentences import sentences_of

COSINE_WEIGHT = 1.0
COVERAGE_WEIGHT = 1.0
CHUNK_WEIGHT = 2.0
_LEANS = re.compile(
    r"[\W_]*(?:(?:and|but|yet|so|also|however|instead|then)\W+)?(?:he|she|it|they|this|that|these"
    r"|those|his|her|its|their|such|both|there|the latter|the former)\b",
    re.IGNORECASE,
)
SAME_SHARE = 0.8
"""Share of the word triples that two sentences have in common if they are one statement."""


@dataclass(frozen=True)
class Evidence:
    """One sentence of a source, with its bearing on the question.

    Attributes:
        article: Its article.
        paragraphs: Of the article's text.
        hit: The best hit it stands in.
        start, end: Span in the article's text.
        cosine: With the question, [-1, 1].
        coverage: Share of the question's words that it and its title hold, by rarity, [0, 1].
        score: Higher is better.
        vector: Of the sentence, shape (dimension,), unit length.
    """

    article: Article
    paragraphs: Paragraphs
    hit: Hit
    start: int
    end: int
    cosine: float
    coverage: float
    score: float
    vector: Vectors

    @cached_property
    def text(self) -> str:
        """The sentence, verbatim but on one line."""
        return unwrapped(self.article.text[self.start : self.end])

    @cached_property
    def quotation(self) -> Quotation | None:
        """The quotation that it begins inside of."""
        return self.paragraphs.quotation(self.start)


def rank_sentences(found: Found) -> list[Evidence]:
    """Every sentence of the hits that speaks to readers, once, best first."""
    terms = found.terms
    ranked: dict[tuple[str, int, int], Evidence] = {}
    paragraphs: dict[str, Paragraphs] = {}
    for item in found.passages:
        text = item.article.text
        if item.hit.article_id not in paragraphs:
            paragraphs[item.hit.article_id] = Paragraphs(text)
        spans = item.chunk.sentences.tolist()
        held = terms.look_in(item.article.title, [text[start:end] for start, end in spans])
        for row, (start, end) in enumerate(spans):
            if speaks_to_a_machine(text[start:end]):
                continue
            cosine, coverage = float(item.sentence_cosines[row]), held.by_sentence[row]
            score = (
                COSINE_WEIGHT * cosine + COVERAGE_WEIGHT * coverage + CHUNK_WEIGHT * item.hit.score
            )
            # Chunks overlap by a sentence: the better hit came first.
            ranked.setdefault(
                (item.hit.article_id, start, end),
                Evidence(
                    item.article,
                    paragraphs[item.hit.article_id],
                    item.hit,
                    start,
                    end,
                    cosine,
                    coverage,
                    score,
                    item.chunk.sentence_vectors[row],
                ),
            )
    return sorted(ranked.values(), key=lambda sentence: (-sentence.score, sentence.start))


def select(ranked: Sequence[Evidence], n: int) -> list[Evidence]:
    """The n best sentences that say different things, best first.

    A sentence that repeats a better one (a reprint, a caption) is passed over.
    """
    chosen: list[Evidence] = []
    for sentence in ranked:
        if len(chosen) == n:
            break
        if not any(same_statement(sentence, other) for other in chosen):
            chosen.append(sentence)
    return chosen


def sentence_before(item: Evidence) -> str:
    """The sentence that one leans on, if it begins with "he" or in the middle of a quotation.

    Returns:
        The one before it in its paragraph; empty if it stands by itself.
    """
    if not _LEANS.match(item.text) and item.quotation is None:
        return ""
    around = item.paragraphs.around(item.start)
    before = [span for span in sentences_of(item.paragraphs, around) if span.end <= item.start]
    return unwrapped(item.article.text[before[-1].start : before[-1].end]) if before else ""


def same_statement(one: Evidence, other: Evidence) -> bool:
    """Whether two sentences are the same but for a few words: a reprint, edited.

    Other figures make it another statement.
    """
    ours, theirs = one.text.casefold().split(), other.text.casefold().split()
    if ours == theirs:
        return True
    if {n.key for n in find_numbers(one.text)} != {n.key for n in find_numbers(other.text)}:
        return False
    runs, other_runs = _shingles(ours), _shingles(theirs)
    return len(runs & other_runs) >= SAME_SHARE * max(len(runs), len(other_runs), 1)


def _shingles(words: Sequence[str]) -> set[tuple[str, ...]]:
    # Broder, "On the Resemblance and Containment of Documents", 1997.
    return set(zip(words, words[1:], words[2:], strict=False))
