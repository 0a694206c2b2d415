"""Checking: what the language model wrote, sentence by sentence, against the sources.

A sentence that the sources support stays, with citations to exact spans. One that they support in
part is replaced by the source sentences themselves; one that they do not support is withheld.
Where other sources contradict an answer, it says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.answering.answer import AnswerSentence
from rag.answering.attribution import (
    Attribution,
    Status,
    attribute,
    in_their_words,
    keep_verbatim,
    strip_marks,
)
from rag.answering.attribution.faithful import outcome_held
from rag.answering.composing import Kept, once, standing, verbatim
from rag.answering.evidence import Evidence, same_statement
from rag.answering.figures import counts_things, shared
from rag.answering.gathering import STANDS_FOR
from rag.answering.question import Kind
from rag.answering.verdict import Verdict, decides, names_one, read_verdict
from rag.answering.wanted import holds_wanted
from rag.retrieval import QuestionTerms
from rag.text.analysed import Analysed
from rag.text.days import names_a_day, spelled
from rag.text.language import Language
from rag.text.paragraphs import SENTENCE_END
from rag.text.sentences import split

MAX_EXTRACTED = 2
"""Verbatim sentences shown when the model wrote nothing that the sources support."""
SENSE_WEIGHT = 2.0
"""For the cosine with a question of yes or no, besides what is in the score."""
_SECOND_SHARE = 0.9  # a second one must bear on the question nearly as much
MAX_REASONS = 4
"""Sentences of an answer to why or how."""
REASON_COSINE = 0.5
"""Cosine with the question that a further reason has at least."""
_CAUSE_COSINE = 0.45
"""The same of one that names a cause outright."""
_REPEATED_SHARE = 0.65  # of a sentence's words: so many in another, and it tells nothing more
_REASONS_AMONG = 20  # the best ones, of all articles
_DATED_AMONG = 10  # a sentence further down speaks of something else
_STANDS = (Status.QUOTED, Status.SUPPORTED)


@dataclass(frozen=True, slots=True)
class Checked:
    """What is left of a completion.

    Attributes:
        kept: The sentences to show, each with what supports it.
        withheld: Sentences of the model that are not shown.
        n_written: How many of those kept the model wrote.
        declined: Whether all that it wrote is that the passages do not say.
    """

    kept: Kept
    withheld: tuple[AnswerSentence, ...]
    n_written: int
    declined: bool = False


def check(
    completion: str,
    terms: QuestionTerms,
    evidence: Sequence[Evidence],
    *,
    kind: Kind = Kind.FACT,
    time_words: str = "",
    cut: bool = False,
) -> Checked:
    """Hold each sentence that a model wrote against the evidence.

    Args:
        completion: What it wrote. Marks of citations in it mean nothing, and are removed.
        terms: The question's.
        evidence: Source sentences, best first.
        kind: Of the question; a verdict is looked for where it wants yes or no.
        time_words: For the time of the question, if only articles of that time are evidence.
        cut: Whether the model was stopped; then an unfinished last sentence does not count.
    """
    text = strip_marks(" ".join(completion.split()))
    spans = split(text)
    if cut and spans and not SENTENCE_END.search(text):
        spans = spans[:-1]
    kept: Kept = []
    withheld: list[AnswerSentence] = []
    n_written = 0
    question = terms.question
    not_stated = question.language.pattern("prompt.not_stated")
    n_declined = 0
    for written in dict.fromkeys(text[span.start : span.end] for span in spans):
        sentence = _of_the_news(written, question.language)
        found: Attribution | None = None
        if kind is Kind.YESNO and (verdict := read_verdict(sentence, question.language)):
            if found := decides(verdict, question, evidence):
                sentence, found = _with_rest(verdict, found, sentence, question, evidence)
                if sentence == verdict.word and verdict.rest:
                    rest = AnswerSentence(text=verdict.rest, status=Status.PARTLY, citations=())
                    withheld.append(rest)
            else:
                found = attribute(verdict.rest, question, evidence)
                if found.status not in _STANDS or not names_one(verdict, question):
                    sentence = verdict.rest
        found = found or _attributed(sentence, question, evidence, time_words)
        if found.status in _STANDS:
            sources = [source.text for source in (*found.sources, *found.further)]
            kept.append((keep_verbatim(sentence, sources), found))
            n_written += 1
            continue
        if not_stated.search(written):
            n_declined += 1
            continue
        withheld.append(AnswerSentence(text=written, status=found.status, citations=()))
        if found.status is Status.PARTLY:
            kept += [standing(source) for source in found.sources]
    if kept and not any(holds_wanted(Analysed(t, question.analyzer), question) for t, _ in kept):
        beside = [AnswerSentence(text=t, status=Status.PARTLY, citations=()) for t, _ in kept]
        return Checked([], (*withheld, *beside), 0)
    declined = n_declined > 0 and not kept and not withheld
    return Checked(once(kept), tuple(withheld), n_written, declined)


def _attributed(
    sentence: str, question: Analysed, evidence: Sequence[Evidence], time_words: str
) -> Attribution:
    """What supports a sentence, or the same in the words of its sources."""
    found = attribute(sentence, question, evidence)
    if found.status in _STANDS:
        return found
    reworded = in_their_words(sentence, time_words, evidence)
    again = attribute(reworded, question, evidence) if reworded else found
    # It stands there in other words.
    return replace(again, status=Status.SUPPORTED) if again.status in _STANDS else found


def _with_rest(
    verdict: Verdict,
    decided: Attribution,
    sentence: str,
    question: Analysed,
    evidence: Sequence[Evidence],
) -> tuple[str, Attribution]:
    """A verdict that a source bears out, with what follows it if that is borne out too."""
    if verdict.only_repeats(question):
        return sentence, decided
    rest = attribute(verdict.rest, question, evidence)
    if rest.status not in _STANDS:
        return verdict.word, decided
    sources = [*decided.sources, *(one for one in rest.sources if one is not decided.sources[0])]
    return sentence, replace(decided, sources=tuple(sources), further=rest.further)


def _of_the_news(sentence: str, language: Language) -> str:
    """A sentence without what it says of the passages: "According to the passage, …"."""
    match = language.pattern("prompt.of_passages").match(sentence)
    if not match or match.end() == len(sentence):
        return sentence
    rest = sentence[match.end() :]
    return rest[:1].upper() + rest[1:]


def extract(question: Analysed, evidence: Sequence[Evidence], *, kind: Kind = Kind.FACT) -> Kept:
    """The best sentences of the sources that hold what is asked for, verbatim; there may be none.

    Of a question of yes or no those come first that are near in sense: what decides it need not
    have its words ("A shutdown won't disrupt those payments").

    Args:
        question: The question.
        evidence: What the language model was given, best first.
        kind: Of the question.
    """
    sense = SENSE_WEIGHT if kind is Kind.YESNO else 0.0
    fits = {id(source): source.score + sense * source.cosine for source in evidence}
    holding = [
        source
        for source in evidence
        if holds_wanted(source.read, question) and outcome_held(question, question, [source])
    ]
    holding = [source for source in holding if _is_current(source, holding)]
    counts = [source for source in holding if counts_things(source.read, question)]
    holding = counts or holding
    holding.sort(key=lambda source: -fits[id(source)])
    chosen: list[Evidence] = []
    for source in holding:
        best = fits[id(holding[0])]
        if len(chosen) == MAX_EXTRACTED or fits[id(source)] < _SECOND_SHARE * best:
            break
        if not any(_says_as_much(source, other) for other in chosen):
            chosen.append(source)
    kept: Kept = []
    for source in chosen:
        text, found = standing(source)
        if not any(text in before for before, _ in kept):  # it may lean on the other
            kept.append((text, found))
    return kept


def current(kept: Kept, evidence: Sequence[Evidence]) -> Kept:
    """The sentences of an answer that rest on what may still be so."""
    return [one for one in kept if all(_is_current(s, evidence) for s in one[1].sources)]


def _is_current(source: Evidence, others: Sequence[Evidence]) -> bool:
    """Whether an article is no more than a year older than the newest of others of the window.

    What is older may be so no more; where nothing is of the window, it is all there is.
    """
    published = source.article.published
    days = [other.article.published for other in others if other.in_window]
    newest = max((day for day in days if day), default=None)
    return published is None or newest is None or published + STANDS_FOR >= newest


def _says_as_much(one: Evidence, other: Evidence) -> bool:
    """Whether one of two sentences has most words of the other, and its figures: one report."""
    ours, theirs = one.read.values, other.read.values
    return (ours <= theirs or theirs <= ours) and max(
        shared(one.read, other.read), shared(other.read, one.read)
    ) >= _REPEATED_SHARE


def with_best(kept: Kept, best: Evidence) -> Kept:
    """With the sentence that fits the question best, if the answer does not rest on it.

    Then the model may have taken another one for it: both are shown.
    """
    cited = [source for _, found in kept for source in (*found.sources, *found.further)]
    if any(same_statement(source, best) or _says_as_much(source, best) for source in cited):
        return kept
    return once([*kept, standing(best)])


def with_day(kept: Kept, evidence: Sequence[Evidence]) -> Kept:
    """With a sentence that says when, if the answer to a question of time says no day.

    Where no sentence does, the answer tells of which day its article is.

    Args:
        kept: Sentences of the answer.
        evidence: Those that may support it, best first, at least one.
    """
    language = evidence[0].analyzer.language
    if any(names_a_day(text, language) for text, _ in kept):
        return kept
    among = evidence[:_DATED_AMONG]
    dated = next((item for item in among if names_a_day(item.text, language)), None)
    if dated is not None:
        return once([*kept, verbatim(dated)])
    text, found = kept[0]
    published = found.sources[0].article.published
    told = f"{text} [reported on {spelled(published)}]" if published else text
    return [(told, found), *kept[1:]]


def with_more(kept: Kept, ranked: Sequence[Evidence], *, asks_why: bool) -> Kept:
    """With what else the same article says of it, in its order: a reason is more than a sentence.

    Args:
        kept: Sentences of the answer, at least one.
        ranked: Sentences that may support it, best first.
        asks_why: Whether a reason is asked for; sentences that name a cause come first then.
    """
    cited = [source for _, found in kept for source in (*found.sources, *found.further)]
    cause = ranked[0].analyzer.language.pattern("questions.cause")
    told: list[Evidence] = []
    more: list[Evidence] = []
    for n, s in enumerate(ranked):
        if s.article is not cited[0].article or s.is_caption:
            continue
        if not any(same_statement(s, o) for o in cited):
            if asks_why and s.cosine >= _CAUSE_COSINE and cause.search(s.text):
                told.append(s)
            elif n < _REASONS_AMONG and s.cosine >= REASON_COSINE:
                more.append(s)
    more = [*told, *more]
    chosen = more[: max(0, MAX_REASONS - len(kept))]
    return once([*kept, *(standing(s) for s in sorted(chosen, key=lambda s: s.start))])
