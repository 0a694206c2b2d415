"""Answering: from what was found to the checked answer, as a stream of events."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from rag.answering.answer import Answer, AnswerSentence, AnswerStatus, not_stated
from rag.answering.checking import Body, Checked, check, compose, extract, with_best
from rag.answering.confidence import (
    answer_signals,
    confidence,
    confidence_if_refused,
    evidence_signals,
)
from rag.answering.events import AnswerReady, Event, EvidenceFound, TextWritten
from rag.answering.evidence import Evidence, rank_sentences, select
from rag.answering.prompt import write_prompt
from rag.index.opened import OpenIndex
from rag.llm import LLM, Prompt, Token
from rag.retrieval import Filter, Found, QuestionTerms
from rag.settings import Settings

# Room for the tokens of the chat template and of joins between texts counted one by one.
_TEMPLATE_TOKENS = 64
# A model that has written the same so often writes nothing else any more.
_LOOP_CHARACTERS, _LOOP_TIMES = 40, 3

NOTHING_SUPPORTED = (
    "The language model wrote nothing that the sources fully support; these are sentences of the"
    " articles."
)
NOTHING_WRITTEN = "The language model wrote nothing; these are sentences of the articles."


@dataclass(slots=True)
class Completion:
    """What the language model has written so far.

    Attributes:
        tokens: In order.
        max_tokens: It is stopped after so many.
        looped: Whether it was stopped because it repeated itself.
    """

    max_tokens: int
    tokens: list[Token] = field(default_factory=list)
    looped: bool = False

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(token.text for token in self.tokens)

    @property
    def cut(self) -> bool:
        """Whether it was stopped before it had ended by itself."""
        return self.looped or len(self.tokens) >= self.max_tokens


def answer_events(
    question: str,
    found: Found,
    *,
    index: OpenIndex,
    llm: LLM,
    settings: Settings,
    filter: Filter,
    started: float,
    cancelled: threading.Event | None = None,
) -> Iterator[Event]:
    """What was found, then the text as it is written, last the checked answer.

    Args:
        question: The question.
        found: What was found for it.
        index: Where.
        llm: Writes the answer; not asked when the evidence does not answer the question.
        settings: How many hits to show, how strict to be.
        filter: What the search was narrowed to.
        started: When the search began, by `time.perf_counter`.
        cancelled: Stops the language model.
    """
    timings: dict[str, float] = {}

    def clock(name: str) -> None:
        timings.setdefault(name, round(time.perf_counter() - started, 4))

    hits = tuple(item.hit for item in found.passages[: settings.k])
    ranked = rank_sentences(found)
    seen = evidence_signals(found, ranked) if ranked else {}
    likely = confidence("evidence", seen) if ranked else 0.0
    clock("evidence")
    yield EvidenceFound(hits=hits, confidence=likely)

    draft = Draft()
    if ranked and likely >= settings.min_evidence:
        evidence = select(ranked, settings.evidence_sentences)
        prompt = _prompt(question, evidence, llm, settings)
        completion = Completion(settings.max_answer_tokens)
        for token in _written(prompt, completion, llm, cancelled):
            clock("first_token")
            yield TextWritten(text=token.text)
        checked = check(completion.text, found.terms, ranked, cut=completion.cut)
        seen |= answer_signals(found.terms, checked, completion.tokens, ranked)
        likely = confidence("answer", seen)
        draft = replace(
            _draft(found.terms, checked, completion, evidence, ranked),
            model=llm.name,
            n_prompt_tokens=llm.count_tokens(prompt.system) + llm.count_tokens(prompt.user),
            n_answer_tokens=len(completion.tokens),
        )
    else:
        likely = confidence_if_refused(likely)
    if likely < settings.min_confidence:
        draft = replace(draft, body=None, status=AnswerStatus.NO_ANSWER, note=None)
    clock("total")
    body = draft.body
    yield AnswerReady(
        answer=Answer(
            question=question,
            searched=question,
            text=body.text if body else not_stated(index.manifest.n_articles, index.name, filter),
            sentences=body.sentences if body else (),
            citations=body.citations if body else (),
            disagreements=body.disagreements if body else (),
            hits=hits,
            status=draft.status,
            note=draft.note,
            withheld=draft.withheld,
            confidence=likely,
            signals={name: round(value, 4) for name, value in seen.items()},
            index=index.name,
            version=index.version,
            model=draft.model,
            n_prompt_tokens=draft.n_prompt_tokens,
            n_answer_tokens=draft.n_answer_tokens,
            timings=timings,
        )
    )


@dataclass(frozen=True, slots=True)
class Draft:
    """What an answer will say; as it is made, that there is none."""

    body: Body | None = None
    status: AnswerStatus = AnswerStatus.NO_ANSWER
    note: str | None = None
    withheld: tuple[AnswerSentence, ...] = ()
    model: str | None = None
    n_prompt_tokens: int = 0
    n_answer_tokens: int = 0


def _prompt(question: str, evidence: Sequence[Evidence], llm: LLM, settings: Settings) -> Prompt:
    return write_prompt(
        question,
        evidence,
        count_tokens=llm.count_tokens,
        max_tokens=llm.context_tokens - settings.max_answer_tokens - _TEMPLATE_TOKENS,
    )


def _written(
    prompt: Prompt, completion: Completion, llm: LLM, cancelled: threading.Event | None
) -> Iterator[Token]:
    tokens = llm.complete(prompt, max_tokens=completion.max_tokens, cancelled=cancelled)
    for token in tokens:
        completion.tokens.append(token)
        yield token
        text = completion.text
        if len(text) > _LOOP_CHARACTERS and text.count(text[-_LOOP_CHARACTERS:]) >= _LOOP_TIMES:
            completion.looped = True
            return


def _draft(
    terms: QuestionTerms,
    checked: Checked,
    completion: Completion,
    evidence: Sequence[Evidence],
    ranked: Sequence[Evidence],
) -> Draft:
    if checked.n_written:
        kept = with_best(checked.kept, evidence[0])
        body = compose(terms, kept, ranked)
        return Draft(body, AnswerStatus.ANSWERED, None, checked.withheld)
    body = compose(terms, checked.kept or extract(evidence), ranked)
    note = NOTHING_SUPPORTED if completion.text.strip() else NOTHING_WRITTEN
    return Draft(body, AnswerStatus.EXTRACTED, note, checked.withheld)
