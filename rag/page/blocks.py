"""The page as a table of contents: what stands where, and what happens when.

What happens is in `rag.page.handlers`; how answers and articles look is in the other modules.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from rag.page import article, conditions, welcome
from rag.page.handlers import Handlers, example
from rag.page.library_events import LibraryEvents
from rag.page.library_tab import library_tab
from rag.page.more_tabs import following_tab, remarks_tab
from rag.page.parts import QUICK, QUIET, html

MAX_WAITING = 64
_OLD_SECONDS = 24 * 60 * 60  # of files that were uploaded and left


def build_page(
    handlers: Handlers, library: LibraryEvents, indexes: Sequence[str], n_asking: int
) -> gr.Blocks:
    """The page.

    Args:
        handlers: What happens.
        library: What happens in the library.
        indexes: Names to choose from; the first is chosen.
        n_asking: How many may ask at the same time; more wait.
    """
    # The parameter, and not GRADIO_ANALYTICS_ENABLED: it holds whatever the environment says.
    page: gr.Blocks
    with gr.Blocks(
        title="rag",
        analytics_enabled=False,
        fill_width=True,
        delete_cache=(_OLD_SECONDS, _OLD_SECONDS),
    ) as page:
        with gr.Row(elem_id="top"):
            html('<p class="brand">rag <span>answers from your articles</span></p>')
            ready = html(elem_id="ready")
            index = gr.Dropdown(
                list(indexes), value=indexes[0], label="Index", elem_id="index", min_width=120
            )
        with gr.Tabs():
            with gr.Tab("Ask"):
                _ask_tab(page, handlers, index, ready, n_asking)
            with gr.Tab("Library") as tab:
                library_tab(page, library, index, tab)
            with gr.Tab("Following") as tab:
                following_tab(handlers.following, handlers, index, tab)
            with gr.Tab("Remarks") as tab:
                remarks_tab(handlers.remarks, index, tab)
        index.focus(handlers.indexes, index, index, **QUICK)
    page.queue(max_size=MAX_WAITING, default_concurrency_limit=16, api_open=False)
    return page


def _ask_tab(
    page: gr.Blocks, handlers: Handlers, index: gr.Dropdown, ready: gr.HTML, n_asking: int
) -> None:
    talk = gr.State(None)
    file, noted, arrival = (gr.JSON(visible="hidden") for _ in range(3))
    with gr.Row(elem_id="desk"):
        with gr.Column(elem_id="talk"):
            talks = html(script="conversations", elem_id="talks")
            # At once, of the index chosen at first; another one's follow when that is chosen.
            hello = html(welcome.hello(str(index.value)), elem_id="hello")
            past = html(script="conversation", elem_id="past")
            current = html(script="conversation", elem_id="current")
            html('<p role="status"></p>', script="limit", elem_id="limit")
            with gr.Row(elem_id="composer"):
                active = html(script="narrowed", elem_id="active")
                question = gr.Textbox(
                    label="Question",
                    placeholder="Ask, then Enter",
                    lines=1,
                    max_lines=5,
                    autofocus=True,
                    show_label=False,
                    container=False,
                    elem_id="question",
                    html_attributes=gr.InputHTMLAttributes(autocomplete="off"),
                )
                ask = gr.Button("Ask", variant="primary", elem_id="ask", min_width=80)
                stop = gr.Button("Stop", elem_id="stop", min_width=80)
            examples = html(script="conversation", elem_id="examples")
            narrow = gr.Button("Narrow by day and source", elem_id="narrow", size="sm")
            # Not in a gr.Accordion: what is closed there is not on the page at all, and days that
            # the timeline sets would reach nobody.
            with gr.Row(elem_id="filters"):
                since = gr.DateTime(
                    label="From", include_time=False, type="string", elem_id="since", min_width=150
                )
                until = gr.DateTime(
                    label="To", include_time=False, type="string", elem_id="until", min_width=150
                )
                source = gr.Dropdown(
                    [], label="Sources", multiselect=True, elem_id="source", min_width=180
                )
                undated = gr.Checkbox(label="Also articles without a date", elem_id="undated")
            timeline = html(script="timeline", elem_id="timeline")
        with gr.Column(elem_id="panel"):
            panel = html(article.NO_PASSAGE, script="article")

    opened = [ready, timeline, source, hello, examples]
    opening: dict[str, Any] = {
        "fn": handlers.open_index,
        "inputs": index,
        "outputs": opened,
        "concurrency_limit": None,
        **QUIET,
    }
    index.change(**opening)
    index.change(None, index, None, js="(name) => ragPage.remember(name)")
    shown = [past, current, talks, talk, index]
    arrived = page.load(
        handlers.talking.arrive,
        [arrival, index],
        shown,
        js="(_, index) => ragPage.arrival(index)",
        **QUICK,
    )
    arrived.then(**opening)  # not before: the index may be another one
    talks.select(handlers.talking.change_talk, talk, shown, **QUICK)
    asking: dict[str, Any] = {
        "fn": handlers.talking.ask,
        "inputs": [question, index, since, until, source, undated, talk],
        "outputs": [past, current, timeline, question, talk, talks],
        "concurrency_limit": n_asking,
        "concurrency_id": "ask",
        **QUIET,
    }
    asked = gr.on([question.submit, ask.click], **asking)
    tried = examples.example_select(example, None, question, **QUICK).then(**asking)
    again = gr.on(
        [past.retry, current.retry],
        **asking
        | {
            "fn": handlers.talking.ask_again,
            "inputs": talk,
            "outputs": [*asking["outputs"], since, until, source],
        },
    )
    for done in (asked, tried, again):
        # Past the queue: where that is full, this too would be refused.
        done.failure(handlers.talking.failed_to_answer, None, current, **QUICK)
    stop.click(handlers.talking.stop, **QUICK)
    page.unload(handlers.talking.stop)

    chosen = gr.on([past.select, current.select], handlers.open_place, None, panel, **QUICK)
    chosen.failure(handlers.failed, None, panel, **QUICK)
    gr.on([panel.clear, index.change], lambda: article.NO_PASSAGE, None, panel, **QUICK)

    narrow.click(None, None, None, js="ragPage.toggleFilters")
    timeline.select(handlers.choose_days, [index, talk], [since, until, timeline], **QUICK)
    timeline.clear(handlers.all_days, [index, talk], [since, until, timeline], **QUICK)
    days = [index, since, until, talk]
    gr.on(
        [since.change, until.change],
        handlers.picture,
        days,
        timeline,
        trigger_mode="always_last",
        **QUICK,
    )

    filters = [since, until, source, undated]
    gr.on(
        [since.change, until.change, source.change, undated.change],
        conditions.active,
        filters,
        active,
        trigger_mode="always_last",
        **QUICK,
    )
    active.clear(handlers.without, [since, until, source], filters, **QUICK)

    made = gr.on(
        [past.download, current.download], handlers.talking.make_dossier, talk, file, **QUICK
    )
    made.then(None, file, None, js="(file) => ragPage.save(file)", **QUICK)
    told = gr.on([past.edit, current.edit], handlers.remarks.note, talk, noted, **QUICK)
    also = gr.on([past.like, current.like], handlers.following.follow_turn, talk, noted, **QUICK)
    for one in (told, also):
        one.then(None, noted, None, js="(noted) => ragPage.noted(noted)", **QUICK)
