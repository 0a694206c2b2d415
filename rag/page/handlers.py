"""What happens on the page: each method is the function of one event in blocks."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import gradio as gr
from pydantic import ValidationError

from rag import RagError
from rag.page import article, conditions, timeline, welcome
from rag.page.conversation import Conversation
from rag.page.engines import Engines, Readiness
from rag.page.following_events import FollowingEvents
from rag.page.kept import Kept
from rag.page.markup import UNFORESEEN, message, text
from rag.page.remark_events import RemarkEvents
from rag.page.talking import Talking

_log = logging.getLogger(__name__)
_READINESS = {
    Readiness.OPENING: "Opening the index …",
    Readiness.LOADING: "Loading the language model …",
    Readiness.READY: "Ready",
}


class Handlers:
    """The functions of the events.

    Args:
        engines: Whom to ask.
        feed: Whether this server has news as an Atom feed.

    Attributes:
        talking: Those of asking and of conversations.
        remarks: Those of remarks.
        following: Those of followed questions.
    """

    def __init__(self, engines: Engines, *, feed: bool = False) -> None:
        self._engines = engines
        kept = Kept(engines.settings.page_dir)
        self.talking = Talking(engines, kept, self.picture)
        self.remarks = RemarkEvents(kept)
        self.following = FollowingEvents(engines, feed=feed)

    # Opening an index

    def indexes(self, index: str) -> Any:
        """The chooser with every index that is ready now, also those made meanwhile."""
        return gr.update(choices=list(dict.fromkeys([*self._engines.names(), index])))

    def open_index(self, index: str) -> Iterator[tuple[Any, ...]]:
        """Readiness, timeline, sources, first words and examples, as they become known."""
        self._engines.warm_up(index)
        shown = False
        greeting: Any = welcome.hello(index)  # at once: the rest needs the index
        while True:
            state, error = self._engines.readiness(index)
            rest: tuple[Any, ...] = (gr.skip(), gr.skip(), greeting, gr.skip())
            greeting = gr.skip()
            if state in (Readiness.LOADING, Readiness.READY) and not shown:
                found = self._engines.overview(index)
                sources = gr.update(choices=found.sources, value=[])
                picture = timeline.show(timeline.buckets(found.days), found.n_undated)
                tried = welcome.examples(found.examples)
                rest = (picture, sources, welcome.hello(index, found), tried)
                shown = True
            yield _ready(state, error, self._engines.settings.sends_to), *rest
            if state in (Readiness.READY, Readiness.FAILED):
                return
            self._engines.wait(index, 0.3)

    def failed(self) -> str:
        """What is shown when something happened that nobody foresaw; Gradio logs it."""
        return UNFORESEEN

    # Reading

    def open_place(self, event: gr.EventData) -> str:
        """The article at the passage that was chosen."""
        try:
            place = article.Place.model_validate_json(event.place)
            return article.cited(self._engines.get(place.index).article(place.article_id), place)
        except ValidationError:
            return message("error", "This link does not say what it leads to.")
        except RagError as error:
            return _told(error)

    # Narrowing

    def picture(
        self, index: str, since: str | None, until: str | None, talk: Conversation | None
    ) -> str:
        """The timeline, with the passages found last and the days chosen."""
        found = self._engines.overview(index)
        last = talk.turns[-1] if talk and talk.turns else None
        days = [h.published for h in last.hits if h.published] if last else []
        bars = timeline.buckets(found.days, days)
        day = conditions.day_typed
        return timeline.show(bars, found.n_undated, day(since), day(until))

    def without(
        self, since: str | None, until: str | None, sources: list[str], event: gr.EventData
    ) -> tuple[Any, ...]:
        """The filter without a part of it: days, publishers, and whether undated articles pass."""
        taken = conditions.Taken.model_validate_json(event.taken)
        if taken.part == "all":
            return None, None, [], False
        if taken.part == "source":
            left = [source for source in sources if source != taken.source]
            return gr.skip(), gr.skip(), left, gr.skip()
        if taken.part == "undated":
            return gr.skip(), gr.skip(), gr.skip(), False
        return None, None, gr.skip(), False

    def choose_days(
        self, index: str, talk: Conversation | None, event: gr.EventData
    ) -> tuple[str, str, str]:
        """First and last day of the stretch chosen, and the timeline with it."""
        return event.since, event.until, self.picture(index, event.since, event.until, talk)

    def all_days(self, index: str, talk: Conversation | None) -> tuple[None, None, str]:
        """No first and no last day, and the timeline without."""
        return None, None, self.picture(index, None, None, talk)


def example(event: gr.EventData) -> str:
    """The question of an example that was chosen."""
    return str(event.question)


def _told(error: RagError) -> str:
    return message("error", error.message, mend=error.mend)


def _ready(state: Readiness, error: RagError | None, sends_to: str | None = None) -> str:
    """What is being opened, or that all is; and what leaves the machine, where anything does."""
    if error is not None:
        return _told(error)
    sent = (
        f'<p class="sent">Questions and sentences of articles are sent to {text(sends_to)}: the'
        " language model runs there.</p>"
        if sends_to
        else ""
    )
    return f'<p class="ready {state}" role="status">{_READINESS[state]}</p>{sent}'
