"""Answering: from what was found to the checked answer, as a stream of events."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from rag.answering.answer import Answer, AnswerSentence, AnswerStatus, not_stated
from rag.answering.checking import Body, Checked, check, compose, extract, with_best
from rag.answering.confidence import Calibration, answer_signals, evidence_signals
from rag.answering.events import AnswerReady, Event, EvidenceFound, TextWritten
from rag.answering.evidence import Evidence, rank_sentences, select
from rag.answering.prompt import write_prompt
from rag.index.opened import OpenIndex
from rag.llm import LLM, Prompt, Token
from rag.retrieval import Filter, QuestionTerms, Retrieved
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
NOT_FITTED = (
    "Confidence is not fitted for the embedding model {embedding} with the language model {llm}:"
    " how likely this answer is right is not known, and neither min_evidence nor min_confidence"
    " holds."
)


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
    found: Sequence[Retrieved],
    *,
    index: OpenIndex,
    llm: LLM,
    settings: Settings,
    calibration: Calibration | None,
    filter: Filter,
    started: float,
    cancelled: threading.Event | None = None,
) -> Iterator[Event]:
    """What was found, then the text as it is written, last the checked answer.

    Args:
        question: The question.
        found: Its hits, best first.
        index: Where they were found.
        llm: Writes the answer; not asked when the evidence does not answer the question.
        settings: How many hits to show, how strict to be.
        calibration: What was fitted for the two models; without it there is no confidence, and
            every question for which anything was found goes to the language model.
        filter: What the search was narrowed to.
        started: When the search began, by `time.perf_counter`.
        cancelled: Stops the language model.
    """
    timings: dict[str, float] = {}

    def clock(name: str) -> None:
        timings.setdefault(name, round(time.perf_counter() - started, 4))

    hits = tuple(item.hit for item in found[: settings.k])
    ranked = rank_sentences(found, QuestionTerms(question, index.lexical))
    seen = evidence_signals(question, found, ranked, index.lexical) if ranked else {}
    likely = (calibration.likely(seen) if ranked else 0.0) if calibration else None
    clock("evidence")
    yield EvidenceFound(hits=hits, confidence=likely)

    draft = Draft()
    if ranked and _worth_asking(likely, settings, calibration):
        evidence = select(ranked, settings.evidence_sentences)
        prompt = _prompt(question, evidence, llm, settings)
        completion = Completion(settings.max_answer_tokens)
        for token in _written(prompt, completion, llm, cancelled):
            clock("first_token")
            yield TextWritten(text=token.text)
        checked = check(completion.text, question, ranked, index.lexical, cut=completion.cut)
        seen |= answer_signals(question, checked, completion.tokens, ranked, index.lexical)
        likely = calibration.confidence(seen) if calibration else None
        draft = replace(
            _draft(question, checked, completion, evidence, ranked, index),
            model=llm.name,
            n_prompt_tokens=llm.count_tokens(prompt.system) + llm.count_tokens(prompt.user),
            n_answer_tokens=len(completion.tokens),
        )
    elif calibration and likely is not None:
        likely = calibration.confidence_if_refused(likely)
    if likely is not None and likely < settings.min_confidence:
        draft = replace(draft, body=None, status=AnswerStatus.NO_ANSWER, note=None)
    if calibration is None:
        unfitted = NOT_FITTED.format(embedding=index.manifest.embedder.model, llm=llm.name)
        draft = replace(draft, note=f"{draft.note} {unfitted}" if draft.note else unfitted)
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


def _worth_asking(
    likely: float | None, settings: Settings, calibration: Calibration | None
) -> bool:
    """Whether what was found is likely enough to answer for the language model to be asked."""
    if calibration is None or likely is None:
        return True
    given = settings.min_evidence
    return likely >= (calibration.min_evidence if given is None else given)


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
    question: str,
    checked: Checked,
    completion: Completion,
    evidence: Sequence[Evidence],
    ranked: Sequence[Evidence],
    index: OpenIndex,
) -> Draft:
    if checked.n_written:
        kept = with_best(checked.kept, evidence[0])
        body = compose(question, kept, ranked, index.lexical)
        return Draft(body, AnswerStatus.ANSWERED, None, checked.withheld)
    body = compose(question, checked.kept or extract(evidence), ranked, index.lexical)
    note = NOTHING_SUPPORTED if completion.text.strip() else NOTHING_WRITTEN
    return Draft(body, AnswerStatus.EXTRACTED, note, checked.withheld)
