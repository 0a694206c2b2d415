"""Choosing evidence: the few sentences of what was found that bear on the question.

Reading the prompt is most of what an answer costs on a CPU, so the language model is given
sentences, not chunks. Each is scored by the ranker, which reads it in its passage together with the
question, by cosine, by how much of the question's words it holds (weighted by rarity), by the score
of its chunk, and by whether its article is of the time that the question speaks of. A sentence
around which a premise of the question does not hold comes behind all others.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import replace

from rag.answering.evidence import Evidence, same_statement
from rag.answering.gathering import Gathered, Window
from rag.answering.premises import STRICT, Premise
from rag.answering.premises_held import missing
from rag.answering.question import Kind, Question
from rag.embedding import Vectors
from rag.ranking import Ranker
from rag.ranking.passages import cut
from rag.retrieval import Retrieved
from rag.text.analysis import Analyzer
from rag.text.asides import is_aside
from rag.text.days import names_a_day
from rag.text.instructions import speaks_to_a_machine
from rag.text.language import Language
from rag.text.paragraphs import Paragraphs

# Without a ranker.
COSINE_WEIGHT = 1.0
COVERAGE_WEIGHT = 1.0
CHUNK_WEIGHT = 2.0
# With one: log-odds, fitted (docs/decisions.md).
RANKED_WEIGHTS = {"logit": 0.45, "cosine": 1.5, "coverage": 1.5, "chunk": 3.0}
WINDOW_WEIGHT, IMPLIED_WINDOW_WEIGHT = 1.5, 1.25
"""For standing in the window that the question names; in the last month where it names none."""
YEAR_WEIGHT = 0.6
"""For being of the year before the question, where it names no time and some article is recent."""
POSITION_WEIGHT, LENGTH_WEIGHT = 0.4, 0.4
"""Taken away for standing at the very end of its article; given for 40 words or more."""
NAME_WEIGHT = 1.0
"""Taken away for each name or amount of the question that does not stand near."""
STRICT_WEIGHT = 8.0
DAY_WEIGHT = 1.0
"""For naming a day where a day is asked for, or the day that the question names."""
NEXT_DAY_WEIGHT = 0.5
"""Taken away from an article of the day after the question: it may know what came of it."""
HEADING_WEIGHT = 0.5
"""For standing below a heading that asks nearly the same."""
_HEADING_COSINE = 0.65
_BELOW_HEADING = 2  # sentences
CAPTION_WEIGHT = 0.5
"""Taken away from what stands below a picture: it tells what is seen."""
N_CHECKED = 160
"""Sentences, the best ones, whose premises are looked at; the others are no evidence."""
_YEAR = datetime.timedelta(365)
_MIN_WORDS = 4
_LONG_WORDS = 40
_QUESTION_END = re.compile(r"\?[\"'”’)\]]*$")


def rank_sentences(gathered: Gathered, question: Question, ranker: Ranker | None) -> list[Evidence]:
    """Every sentence of what was found that states something to readers, once, best first.

    Args:
        gathered: What was found.
        question: The question.
        ranker: Reads question and sentences together; None leaves that out.
    """
    logits = _logits(gathered.found, question.text, ranker)
    analyzer = gathered.terms.question.analyzer
    ranked: dict[tuple[str, int, int], Evidence] = {}
    paragraphs: dict[str, Paragraphs] = {}
    for item, own in zip(gathered.found, logits, strict=True):
        if item.hit.superseded_by:  # the newest version says so no longer
            continue
        text = item.article.text
        if item.hit.article_id not in paragraphs:
            paragraphs[item.hit.article_id] = Paragraphs(text)
        spans = item.chunk.sentences.tolist()
        in_window = gathered.in_window(item.article.published)
        looks_back = gathered.looks_back(item.article.published)
        asked_above = _asked_above(text, spans, item.sentence_cosines)
        for row, (start, end) in enumerate(spans):
            if start in item.boilerplate or not _states(text[start:end], analyzer.language):
                continue
            sentence = _sentence(item, row, paragraphs[item.hit.article_id], analyzer)
            tells = in_window or (looks_back and _tells_of(gathered.window, sentence))
            sentence = replace(
                sentence, logit=own[row], in_window=tells, answers_heading=row in asked_above
            )
            # Chunks overlap by a sentence: the better hit came first.
            ranked.setdefault((item.hit.article_id, start, end), sentence)
    scored = [
        replace(sentence, score=_score(sentence, question, gathered, ranker is not None))
        for sentence in ranked.values()
    ]
    scored.sort(key=_best_first)
    checked = [_with_premises(sentence, question) for sentence in scored[:N_CHECKED]]
    return sorted(checked, key=_best_first)


def _asked_above(text: str, spans: Sequence[Sequence[int]], cosines: Vectors) -> set[int]:
    """The rows of sentences that follow a heading which asks what the question asks."""
    return {
        below
        for row, (start, end) in enumerate(spans)
        if cosines[row] >= _HEADING_COSINE
        and _QUESTION_END.search(text[start:end])
        and (start == 0 or text[start - 1] == "\n")
        and (end >= len(text) or text[end] == "\n")
        for below in range(row + 1, min(row + 1 + _BELOW_HEADING, len(spans)))
    }


def left_out(found: Sequence[Retrieved], analyzer: Analyzer) -> list[Evidence]:
    """The sentences that speak to a machine, in order: they are no evidence, and it is told.

    Args:
        found: What was found, as far as it is shown.
        analyzer: Of the index.
    """
    kept: dict[tuple[str, int], Evidence] = {}
    for item in found:
        text = item.article.text
        for row, (start, end) in enumerate(item.chunk.sentences.tolist()):
            if speaks_to_a_machine(text[start:end], analyzer.language):
                kept[item.hit.article_id, start] = _sentence(item, row, Paragraphs(text), analyzer)
    return list(kept.values())


def _sentence(item: Retrieved, row: int, paragraphs: Paragraphs, analyzer: Analyzer) -> Evidence:
    """A sentence of a hit, not yet scored."""
    start, end = item.chunk.sentences[row].tolist()
    return Evidence(
        item.article,
        paragraphs,
        analyzer,
        item.hit,
        start,
        end,
        cosine=float(item.sentence_cosines[row]),
        coverage=float(item.sentence_words[row]),
        score=0.0,
        vector=item.chunk.sentence_vectors[row],
    )


def _best_first(sentence: Evidence) -> tuple[float, int]:
    return -sentence.score, sentence.start


def _states(sentence: str, language: Language) -> bool:
    """Whether a sentence states something: no question, no heading of a word, no order."""
    return (
        len(sentence.split()) >= _MIN_WORDS
        and not _QUESTION_END.search(sentence)
        and not speaks_to_a_machine(sentence, language)
        and not is_aside(sentence, language)
    )


def _logits(found: Sequence[Retrieved], question: str, ranker: Ranker | None) -> list[list[float]]:
    """What the ranker says of each sentence of each hit."""
    made = [[0.0] * len(item.chunk.sentences) for item in found]
    if ranker is None:
        return made
    passages, places = [], []
    for number, item in enumerate(found):
        article = item.article
        spans = item.chunk.sentences.tolist()
        for passage, rows in cut(article.title, article.published, article.text, spans):
            passages.append(passage)
            places.append((number, rows))
    for (number, rows), values in zip(places, ranker.logits(question, passages), strict=True):
        for row, value in zip(rows, values.tolist(), strict=True):
            made[number][row] = value
    return made


def _score(sentence: Evidence, question: Question, gathered: Gathered, has_ranker: bool) -> float:
    if has_ranker:
        w = RANKED_WEIGHTS
        score = w["logit"] * sentence.logit + w["cosine"] * sentence.cosine
        score += w["coverage"] * sentence.coverage + w["chunk"] * sentence.hit.score
    else:
        score = COSINE_WEIGHT * sentence.cosine + COVERAGE_WEIGHT * sentence.coverage
        score += CHUNK_WEIGHT * sentence.hit.score
    window = gathered.window
    if window and sentence.in_window:
        score += WINDOW_WEIGHT if window.words else IMPLIED_WINDOW_WEIGHT
    elif window and not window.words and _within_a_year(sentence, question):
        score += YEAR_WEIGHT
    score -= POSITION_WEIGHT * sentence.start / max(len(sentence.article.text), 1)
    score += LENGTH_WEIGHT * min(len(sentence.text.split()), _LONG_WORDS) / _LONG_WORDS
    if question.kind is Kind.WHEN and names_a_day(sentence.text, question.language):
        score += DAY_WEIGHT
    if sentence.article.published and sentence.article.published > question.asked_on:
        score -= NEXT_DAY_WEIGHT
    if sentence.answers_heading:
        score += HEADING_WEIGHT
    if sentence.is_caption:
        score -= CAPTION_WEIGHT
    if question.days and not question.days.isdisjoint(sentence.told_days):
        score += DAY_WEIGHT
    return score


def _tells_of(window: Window | None, sentence: Evidence) -> bool:
    """Whether a sentence names days of a window: "on Saturday", "last month"."""
    return window is not None and window.holds(sentence.told_stretches)


def _within_a_year(sentence: Evidence, question: Question) -> bool:
    published = sentence.article.published
    return published is not None and published + _YEAR >= question.asked_on


def _with_premises(sentence: Evidence, question: Question) -> Evidence:
    lacking = missing(
        question.premises,
        sentence.article,
        sentence.start,
        sentence.end,
        question.language,
        before_tells=question.kind is not Kind.WHEN,
    )
    return replace(sentence, lacking=tuple(lacking), score=sentence.score - _taken(lacking))


def _taken(lacking: Sequence[Premise]) -> float:
    """What premises that do not hold take away from a score."""
    n_strict = sum(premise.kind in STRICT for premise in lacking)
    return STRICT_WEIGHT * n_strict + NAME_WEIGHT * (len(lacking) - n_strict)


def nearest(ranked: Sequence[Evidence], n: int) -> list[Evidence]:
    """The n sentences that bear most on the question, also where its premises do not hold.

    Those are shown where there is no answer: what was found says what is wrong with the question.
    """
    bearing = sorted(ranked, key=lambda one: -(one.score + _taken(one.lacking)))
    return select(bearing, n)


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
