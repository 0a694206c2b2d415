"""Evidence: the few sentences of the hits that bear on the question.

Reading the prompt is most of what an answer costs on a CPU, so the language model is given
sentences, not chunks. They are scored by cosine, by how much of the question's words they hold
(weighted by rarity), and by the score of their chunk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.article import Article
from rag.retrieval import Hit, QuestionTerms, Retrieved

COSINE_WEIGHT = 1.0
COVERAGE_WEIGHT = 1.0
CHUNK_WEIGHT = 1.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """One sentence of a source, with its bearing on the question.

    Attributes:
        article: Its article.
        hit: The best hit it stands in.
        start, end: Span in the article's text.
        cosine: With the question, [-1, 1].
        coverage: Share of the question's words that it and its title hold, by rarity, [0, 1].
        score: Higher is better.
    """

    article: Article
    hit: Hit
    start: int
    end: int
    cosine: float
    coverage: float
    score: float

    @property
    def text(self) -> str:
        """The sentence, verbatim."""
        return self.article.text[self.start : self.end]


def rank_sentences(found: Sequence[Retrieved], terms: QuestionTerms) -> list[Evidence]:
    """Every sentence of the hits, once, best first."""
    ranked: dict[tuple[str, int, int], Evidence] = {}
    for item in found:
        text = item.article.text
        spans = item.chunk.sentences.tolist()
        held = terms.look_in(item.article.title, [text[start:end] for start, end in spans])
        for row, (start, end) in enumerate(spans):
            cosine, coverage = float(item.sentence_cosines[row]), held.by_sentence[row]
            score = (
                COSINE_WEIGHT * cosine + COVERAGE_WEIGHT * coverage + CHUNK_WEIGHT * item.hit.score
            )
            # Chunks overlap by a sentence: the better hit came first.
            ranked.setdefault(
                (item.hit.article_id, start, end),
                Evidence(item.article, item.hit, start, end, cosine, coverage, score),
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


def same_statement(one: Evidence, other: Evidence) -> bool:
    """Whether two sentences are the same but for spaces and letters' case."""
    return " ".join(one.text.lower().split()) == " ".join(other.text.lower().split())
