"""What is told beside an answer, and why there is none: plainly, as far as it is known."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import replace

from rag.answering.answer import not_stated, not_understood
from rag.answering.composing import Body
from rag.answering.evidence import Evidence
from rag.answering.gathering import Gathered
from rag.answering.question import Kind, Question
from rag.answering.verdict import read_verdict
from rag.index.opened import OpenIndex
from rag.retrieval import Filter
from rag.text.days import spelled

OLD_AFTER = datetime.timedelta(120)
"""After so long an answer says of which day its newest source is."""
OLD_NOW_AFTER = datetime.timedelta(7)
"""The same where a question asks for how things stand right now."""
NOTHING_SUPPORTED = (
    "The language model wrote nothing that the sources fully support; these are sentences of the"
    " articles."
)
NOTHING_WRITTEN = "The language model wrote nothing; these are sentences of the articles."
ITEMS = (
    "Sentences of the articles, word for word, put together without the language model."
    " Of {looked} that were looked at, {cited} are cited."
)
ITEMS_OF_ONE = "Sentences of the article, word for word, put together without the language model."
NOT_FITTED = (
    "Confidence is not fitted for the embedding model {embedding} with the language model {llm}:"
    " how likely this answer is right is not known, and neither min_evidence nor min_confidence"
    " holds."
)
AHEAD = (
    "“{when}” lies after the day of the question, {asked_on}: no article can tell what happened"
    " then."
)
OLD = "The newest article cited is of {day}; things may have changed since."
AS_OF = "As of {day}:"
NO_VERDICT = "No sentence of the articles says yes or no in so many words."
NO_REASON = "None of these sentences gives a reason in so many words."
NO_RULES = (
    "There are no rules for the language of the articles ({language}): who said it, negations,"
    " days, numbers in words and what a question takes for granted are not checked."
)


def may_answer(sentence: Evidence, gathered: Gathered, n_free: int = 0) -> bool:
    """Whether a sentence may support an answer: of the time asked for, its premises borne out."""
    is_of_the_time = gathered.may_tell(sentence.article.published) or (
        gathered.looks_back(sentence.article.published) and sentence.in_window
    )
    return sentence.holds(n_free) and is_of_the_time


def refusal(
    question: Question,
    gathered: Gathered,
    ranked: Sequence[Evidence],
    index: OpenIndex,
    filter: Filter,
) -> str:
    """Why there is no answer, as plainly as it is known."""
    if question.foreign:
        return not_understood(question.foreign, index.name, index.manifest.config.language)
    if question.ahead:
        return AHEAD.format(when=question.ahead, asked_on=spelled(question.asked_on))
    text = not_stated(index.manifest.n_articles, index.name, filter)
    window = gathered.window
    if window and window.bound and not any(sentence.in_window for sentence in ranked):
        since, until = (spelled(day) for day in (window.since, window.until))
        return f"{text} Nothing that was found was published between {since} and {until}."
    not_before = gathered.not_before
    if not_before and not any(gathered.may_tell(item.article.published) for item in ranked):
        return f"{text} Nothing that was found since {spelled(not_before)} tells how things stand."
    lacking = ranked and not any(may_answer(item, gathered) for item in ranked)
    if lacking:
        # What came nearest lacks least; and what is wrong tells more than what is not there.
        nearest = min(ranked, key=lambda one: (len(one.lacking), one.holds(len(one.lacking))))
        told = dict.fromkeys(premise.text for premise in nearest.lacking)
        if told:
            words = ", ".join(f"“{word}”" for word in told)
            return f"{text} What was found does not bear out {words}."
    return text


def of_items(gathered: Gathered, body: Body, *, of_article: bool) -> str:
    """How an answer of items was made, and of how many articles."""
    if of_article:
        return ITEMS_OF_ONE
    n_looked = len({item.hit.article_id for item in gathered.found})
    n_cited = len({citation.article_id for citation in body.citations})
    looked = "1 article" if n_looked == 1 else f"{n_looked} articles"
    return ITEMS.format(looked=looked, cited=n_cited)


def no_verdict(question: Question, body: Body) -> str | None:
    """That an answer to a question of yes or no says neither."""
    if question.kind is not Kind.YESNO or read_verdict(body.text, question.language):
        return None
    return NO_VERDICT


def no_reason(question: Question, body: Body) -> str | None:
    """That an answer to a question for a reason names none."""
    gives = question.language.pattern("questions.reason")
    if not question.asks_why or gives.search(body.text):
        return None
    return NO_REASON


def old_day(question: Question, body: Body) -> datetime.date | None:
    """The newest day cited, if it is long before a question that speaks of no time of its own."""
    days = [citation.published for citation in body.citations]
    newest = max((day for day in days if day), default=None)
    if newest is None or any(period.strength != "present" for period in question.periods):
        return None
    asks_now = question.language.pattern("questions.now").search(question.text)
    if newest + (OLD_NOW_AFTER if asks_now else OLD_AFTER) >= question.asked_on:
        return None
    return newest


def as_of(day: datetime.date, body: Body) -> Body:
    """An answer that begins by telling of which day it is."""
    lead = AS_OF.format(day=spelled(day))
    first, *others = body.sentences
    dated = first.model_copy(update={"text": f"{lead} {first.text}"})
    return replace(body, text=f"{lead} {body.text}", sentences=(dated, *others))
