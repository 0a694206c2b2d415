"""Answering: from what was found to the checked answer, as a stream of events."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from rag.answering.answer import (
    Answer,
    AnswerItem,
    AnswerSentence,
    AnswerStatus,
    Citation,
)
from rag.answering.broad import BROAD, FREE_NAMES, choose_items
from rag.answering.checking import (
    Checked,
    check,
    current,
    extract,
    with_best,
    with_day,
    with_more,
)
from rag.answering.choosing import left_out, nearest, rank_sentences, select
from rag.answering.composing import Body, cited_beside, compose, compose_items
from rag.answering.confidence import Calibration, answer_signals, evidence_signals
from rag.answering.events import AnswerReady, Event, EvidenceFound, TextWritten
from rag.answering.evidence import Evidence
from rag.answering.gathering import Gathered
from rag.answering.items import Item
from rag.answering.listed import list_that_answers
from rag.answering.notes import (
    NO_RULES,
    NOT_FITTED,
    NOTHING_SUPPORTED,
    NOTHING_WRITTEN,
    OLD,
    as_of,
    may_answer,
    no_reason,
    no_verdict,
    of_items,
    old_day,
    refusal,
)
from rag.answering.prompt import write_prompt
from rag.answering.question import Kind, Question
from rag.index.opened import OpenIndex
from rag.llm import LLM, Prompt, Token
from rag.ranking import Ranker
from rag.retrieval import Filter, Found, QuestionTerms
from rag.settings import Settings
from rag.text.days import spelled

DOUBTFUL = 0.5
"""Confidence below which the best sentence of the sources is shown beside what the model wrote."""
N_CLOSEST = 3
"""Passages that are shown where there is no answer."""
# Room for the tokens of the chat template and of joins between texts counted one by one.
_TEMPLATE_TOKENS = 64
# A model that has written the same so often writes nothing else any more.
_LOOP_CHARACTERS, _LOOP_TIMES = 40, 3


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
    def refused(self) -> bool:
        """Whether it wrote the refusal and nothing else, which only a model on a server may."""
        return bool(self.tokens) and self.tokens[0].refusal >= 1 and not self.text.strip()

    @property
    def cut(self) -> bool:
        """Whether it was stopped before it had ended by itself."""
        return self.looped or len(self.tokens) >= self.max_tokens


@dataclass(frozen=True, slots=True)
class Means:
    """What answers are made with.

    Attributes:
        index: What is searched.
        llm: Writes the answers; not asked when the evidence does not answer the question.
        ranker: Reads the question together with each sentence; None leaves that out.
        settings: How many hits to show, how strict to be.
        calibration: What was fitted for the two models; without it there is no confidence, and
            every question for which anything was found goes to the language model.
    """

    index: OpenIndex
    llm: LLM
    ranker: Ranker | None
    settings: Settings
    calibration: Calibration | None


def answer_events(
    question: Question,
    gathered: Gathered,
    means: Means,
    *,
    filter: Filter,
    started: float,
    cancelled: threading.Event | None = None,
) -> Iterator[Event]:
    """What was found, then the text as it is written, last the checked answer.

    Args:
        question: The question.
        gathered: What was found for it.
        means: What the answer is made with.
        filter: What the search was narrowed to.
        started: When the search began, by `time.perf_counter`.
        cancelled: Stops the language model.
    """
    index, settings, calibration = means.index, means.settings, means.calibration
    timings: dict[str, float] = {}

    def clock(name: str) -> None:
        timings.setdefault(name, round(time.perf_counter() - started, 4))

    found = gathered.found
    hits = tuple(item.hit for item in found[: settings.k])
    terms = gathered.terms
    is_broad = question.kind in BROAD
    ranked = rank_sentences(
        gathered, question, None if is_broad or question.foreign else means.ranker
    )
    # An item of a summary need not have every name of the question beside it.
    n_free = FREE_NAMES if is_broad else 0
    usable = [sentence for sentence in ranked if may_answer(sentence, gathered, n_free)]
    if question.kind is Kind.LIST:  # other things of the kind are not those asked for
        usable = [sentence for sentence in usable if sentence.holds()] or usable
    seen = evidence_signals(Found(terms, tuple(found)), usable) if usable else {}
    likely = (calibration.likely(seen) if usable else 0.0) if calibration else None
    clock("evidence")
    yield EvidenceFound(hits=hits, confidence=likely)

    draft = Draft()
    if question.foreign or question.ahead:
        likely = 0.0 if calibration else None
    elif is_broad:
        draft, likely = (
            _broad_draft(question, ranked, usable, gathered),
            None,
        )  # nothing is fitted for these
    elif usable and _worth_asking(likely, settings, calibration):
        evidence = select(usable, settings.evidence_sentences)
        prompt = _prompt(question, evidence, means.llm, settings)
        completion = Completion(settings.max_answer_tokens)
        for token in _written(prompt, completion, means.llm, cancelled):
            clock("first_token")
            yield TextWritten(text=token.text)
        checked = check(
            completion.text,
            terms,
            usable,
            kind=question.kind,
            time_words=gathered.time_words,
            cut=completion.cut,
        )
        seen |= answer_signals(terms, checked, completion.tokens, usable)
        likely = calibration.confidence(seen) if calibration else None
        draft = replace(
            _draft(question, terms, checked, completion, evidence, usable, likely),
            model=means.llm.name,
            n_prompt_tokens=means.llm.count_tokens(prompt.system)
            + means.llm.count_tokens(prompt.user),
            n_answer_tokens=len(completion.tokens),
        )
    elif calibration and likely is not None:
        likely = calibration.confidence_if_refused(likely)
    beside: Sequence[Citation] = ()
    if likely is not None and calibration and likely < _least(settings, calibration):
        beside = draft.body.citations if draft.body else ()
        draft = replace(draft, body=None, status=AnswerStatus.NO_ANSWER, note=None)
    notes = [draft.note]
    if calibration is None and not is_broad:
        embedding = index.manifest.embedder.model
        notes.append(NOT_FITTED.format(embedding=embedding, llm=means.llm.name))
    if not index.language.is_known:
        notes.append(NO_RULES.format(language=index.language.code))
    clock("total")
    body = draft.body
    if body and not is_broad:
        notes += [no_verdict(question, body), no_reason(question, body)]
        if old := old_day(question, body):
            notes.append(OLD.format(day=spelled(old)))
            # Where newer articles are asked too, nobody expects an old one to answer.
            body = as_of(old, body) if gathered.window else body
    draft = replace(draft, note=" ".join(note for note in notes if note) or None)
    window = gathered.window if gathered.window and gathered.window.words else None
    yield AnswerReady(
        answer=Answer(
            question=question.written or question.text,
            searched=question.text,
            corrections=question.corrections,
            asked_on=question.asked_on,
            kind=question.kind,
            window=(window.since, window.until) if window else None,
            text=body.text if body else refusal(question, gathered, ranked, index, filter),
            sentences=body.sentences if body else (),
            citations=body.citations if body else (),
            items=draft.items,
            closest=() if body else _closest(beside, cited_beside(nearest(ranked, N_CLOSEST))),
            left_out=cited_beside(left_out(found[: settings.k], terms.question.analyzer)),
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


def _closest(beside: Sequence[Citation], near: Sequence[Citation]) -> tuple[Citation, ...]:
    """What an answer rested on that is not given, then what comes nearest; each once, numbered."""
    every = {(one.article_id, one.start): one for one in (*beside, *near)}
    first = list(every.values())[:N_CLOSEST]
    return tuple(one.model_copy(update={"number": n}) for n, one in enumerate(first, start=1))


def _least(settings: Settings, calibration: Calibration) -> float:
    given = settings.min_confidence
    return calibration.min_confidence if given is None else given


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
    items: tuple[AnswerItem, ...] = ()
    status: AnswerStatus = AnswerStatus.NO_ANSWER
    note: str | None = None
    withheld: tuple[AnswerSentence, ...] = ()
    model: str | None = None
    n_prompt_tokens: int = 0
    n_answer_tokens: int = 0


def _broad_draft(
    question: Question, ranked: Sequence[Evidence], usable: Sequence[Evidence], gathered: Gathered
) -> Draft:
    """The items of a broad answer; none where nothing found bears on the question."""
    lines: Sequence[Evidence] = ()
    if question.kind is Kind.LIST:
        of_the_time = [one for one in ranked if gathered.may_tell(one.article.published)]
        lines = list_that_answers(question, gathered.terms, of_the_time)
    items = [Item(line, None, False, ()) for line in lines] or choose_items(question, usable)
    if not items:
        return Draft()
    body, made = compose_items(question, gathered.terms, items, usable)
    note = of_items(gathered, body, of_article=question.of_article)
    return Draft(body, made, AnswerStatus.EXTRACTED, note)


def _prompt(
    question: Question, evidence: Sequence[Evidence], llm: LLM, settings: Settings
) -> Prompt:
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
    question: Question,
    terms: QuestionTerms,
    checked: Checked,
    completion: Completion,
    evidence: Sequence[Evidence],
    ranked: Sequence[Evidence],
    likely: float | None,
) -> Draft:
    if checked.declined or completion.refused:
        return Draft()
    if checked.n_written:
        doubtful = likely is None or likely < DOUBTFUL or question.kind is Kind.WHEN
        kept = with_best(checked.kept, evidence[0]) if doubtful else checked.kept
        if question.kind is Kind.WHEN:
            kept = with_day(kept, ranked)
        if question.kind is Kind.WHY:
            kept = with_more(kept, ranked, asks_why=question.asks_why)
        body = compose(terms, kept, ranked)
        return Draft(body, (), AnswerStatus.ANSWERED, None, checked.withheld)
    # What decides a question of yes or no need not have the words of the draft.
    beside = () if question.kind is Kind.YESNO else current(checked.kept, evidence)
    if beside:
        kept = with_best(beside, evidence[0])
    else:
        kept = extract(terms.question, evidence, kind=question.kind)
    if not kept:
        return Draft(withheld=checked.withheld)
    if question.kind is Kind.WHEN:
        kept = with_day(kept, ranked)
    if question.kind is Kind.WHY:
        kept = with_more(kept, ranked, asks_why=question.asks_why)
    body = compose(terms, kept, ranked)
    note = NOTHING_SUPPORTED if completion.text.strip() else NOTHING_WRITTEN
    return Draft(body, (), AnswerStatus.EXTRACTED, note, checked.withheld)
