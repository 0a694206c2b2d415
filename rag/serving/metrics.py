"""Counts and seconds of what the server did, in the form that Prometheus reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.process_collector import ProcessCollector

from rag.answering.answer import Answer
from rag.index.opened import IndexInfo

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)


class Metrics:
    """What is counted. Safe to use from several threads.

    Args:
        n_busy: How many questions are under way, when it is read.
        indexes: The indexes there are, when it is read.
    """

    def __init__(
        self, n_busy: Callable[[], float], indexes: Callable[[], Iterable[IndexInfo]]
    ) -> None:
        self._indexes = indexes
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = self._counter("rag_requests", "Requests.", "route", "status")
        self._request_seconds = self._histogram("rag_request_seconds", "Of a request.", "route")
        self._questions = self._counter(
            "rag_questions", "Questions that got an answer.", "index", "status"
        )
        self._question_seconds = self._histogram(
            "rag_question_seconds",
            "From a question to its evidence, first_token and total.",
            "phase",
        )
        self._refusals = self._counter("rag_refusals", "Requests not served.", "why")
        self._builds = self._counter("rag_builds", "Builds that ended.", "index", "state")
        busy = Gauge("rag_questions_busy", "Questions under way.", registry=self._registry)
        busy.set_function(n_busy)
        self._version = self._gauge("rag_index_version", "Number of the live version.", "index")
        self._articles = self._gauge("rag_index_articles", "Articles in it.", "index")

    def request(self, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        self._requests.labels(route, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    def answered(self, answer: Answer) -> None:
        """A question was answered."""
        self._questions.labels(answer.index, str(answer.status)).inc()
        for phase, seconds in answer.timings.items():
            self._question_seconds.labels(phase).observe(seconds)

    def refused(self, why: str) -> None:
        """Something was not served: the name of the error."""
        self._refusals.labels(why).inc()

    def built(self, index: str, state: str) -> None:
        """A build ended."""
        self._builds.labels(index, state).inc()

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        for info in self._indexes():
            if info.version is not None:
                self._version.labels(info.name).set(info.version)
                self._articles.labels(info.name).set(info.n_articles or 0)
        return generate_latest(self._registry)

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(name, what, labels, registry=self._registry)

    def _gauge(self, name: str, what: str, *labels: str) -> Gauge:
        return Gauge(name, what, labels, registry=self._registry)

    def _histogram(self, name: str, what: str, *labels: str) -> Histogram:
        return Histogram(name, what, labels, buckets=_SECONDS, registry=self._registry)
