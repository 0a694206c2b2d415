"""The page as a table of contents: what stands where, and what happens when.

What happens is in `rag.page.handlers`; how answers and articles look is in the other modules.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from rag import KNOWN_SUFFIXES
from rag.page import article
from rag.page.handlers import Handlers, example

MAX_UPLOAD = 64 * 2**20
MAX_WAITING = 64
# Nothing pulses while an event runs (what runs says so itself), and no event is an open API.
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
FILE_TYPES = list(KNOWN_SUFFIXES)


def build_page(handlers: Handlers, indexes: Sequence[str], n_asking: int) -> gr.Blocks:
    """The page.

    Args:
        handlers: What happens.
        indexes: Names to choose from; the first is chosen.
        n_asking: How many may ask at the same time; more wait.
    """
    # The parameter, and not GRADIO_ANALYTICS_ENABLED: it holds whatever the environment says.
    page: gr.Blocks
    with gr.Blocks(title="rag", analytics_enabled=False, fill_width=True) as page:
        with gr.Row(elem_id="top"):
            _html('<p class="brand">rag <span>answers from your articles</span></p>')
            ready = _html(elem_id="ready")
            index = gr.Dropdown(
                list(indexes), value=indexes[0], label="Index", elem_id="index", min_width=120
            )
        with gr.Tabs():
            with gr.Tab("Ask"):
                _ask_tab(page, handlers, index, ready, n_asking)
            with gr.Tab("Library") as tab:
                _library_tab(page, handlers, index, tab)
    page.queue(max_size=MAX_WAITING, default_concurrency_limit=16, api_open=False)
    return page


def _ask_tab(
    page: gr.Blocks, handlers: Handlers, index: gr.Dropdown, ready: gr.HTML, n_asking: int
) -> None:
    talk = gr.State(None)
    file, noted, arrival = (gr.JSON(visible="hidden") for _ in range(3))
    with gr.Row(elem_id="desk"):
        with gr.Column(elem_id="talk"):
            talks = _html(script="conversations", elem_id="talks")
            timeline = _html(script="timeline", elem_id="timeline")
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
            hello = _html(script="conversation", elem_id="hello")
            past = _html(script="conversation", elem_id="past")
            current = _html(script="conversation", elem_id="current")
            with gr.Row(elem_id="composer"):
                question = gr.Textbox(
                    label="Question",
                    placeholder="Ask, then Enter",
                    lines=1,
                    max_lines=5,
                    max_length=2000,
                    autofocus=True,
                    show_label=False,
                    container=False,
                    elem_id="question",
                    html_attributes=gr.InputHTMLAttributes(autocomplete="off"),
                )
                ask = gr.Button("Ask", variant="primary", elem_id="ask", min_width=80)
                stop = gr.Button("Stop", elem_id="stop", min_width=80)
        with gr.Column(elem_id="panel"):
            panel = _html(article.NO_PASSAGE, script="article")

    opened = [ready, timeline, source, hello]
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
        handlers.talking.arrive, arrival, shown, js="() => [ragPage.arrival()]", **QUIET
    )
    arrived.then(**opening)  # not before: the index may be another one
    talks.select(handlers.talking.change_talk, talk, shown, **QUIET)
    asking: dict[str, Any] = {
        "fn": handlers.talking.ask,
        "inputs": [question, index, since, until, source, undated, talk],
        "outputs": [past, current, timeline, question, talk, talks],
        "concurrency_limit": n_asking,
        "concurrency_id": "ask",
        **QUIET,
    }
    asked = gr.on([question.submit, ask.click], **asking)
    tried = hello.example_select(example, None, question, **QUIET).then(**asking)
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
        done.failure(handlers.talking.failed_to_answer, None, current, queue=False, **QUIET)
    stop.click(handlers.talking.stop, queue=False, **QUIET)
    page.unload(handlers.talking.stop)

    chosen = gr.on([past.select, current.select], handlers.open_place, None, panel, **QUIET)
    chosen.failure(handlers.failed, None, panel, **QUIET)
    panel.clear(lambda: article.NO_PASSAGE, None, panel, **QUIET)

    narrow.click(None, None, None, js="ragPage.toggleFilters")
    timeline.select(handlers.choose_days, [index, talk], [since, until, timeline], **QUIET)
    timeline.clear(handlers.all_days, [index, talk], [since, until, timeline], **QUIET)
    days = [index, since, until, talk]
    gr.on(
        [since.change, until.change],
        handlers.picture,
        days,
        timeline,
        trigger_mode="always_last",
        **QUIET,
    )

    made = gr.on(
        [past.download, current.download], handlers.talking.make_dossier, talk, file, **QUIET
    )
    made.then(None, file, None, js="(file) => ragPage.save(file)", **QUIET)
    told = gr.on([past.edit, current.edit], handlers.talking.note, talk, noted, **QUIET)
    told.then(None, noted, None, js="(noted) => ragPage.noted(noted)", **QUIET)


def _library_tab(page: gr.Blocks, handlers: Handlers, index: gr.Dropdown, tab: gr.Tab) -> None:
    view = gr.State(None)
    with gr.Row(elem_id="shelf"):
        with gr.Column(elem_id="stock"):
            health = _html(elem_id="health")
            with gr.Row(elem_id="adding"):
                files = gr.File(
                    label="Add articles",
                    file_count="multiple",
                    file_types=FILE_TYPES,
                    height=150,
                    elem_id="files",
                )
                with gr.Column(elem_id="upkeep"):
                    replace = gr.Checkbox(label="Replace files of the same name", elem_id="replace")
                    rebuild = gr.Button("Rebuild the index", elem_id="rebuild")
                    check = gr.Button("Check the index", elem_id="check")
            built = _html(script="library", elem_id="built")
            uploads = _html(script="library", elem_id="uploads")
            skipped = _html(elem_id="skipped")
            query = gr.Textbox(
                label="Search titles, sources and dates", elem_id="article-search", max_length=200
            )
            table = _html(script="library", elem_id="articles")
        with gr.Column(elem_id="page-of-article"):
            text = _html(article.NO_ARTICLE, script="article")

    stock = [health, uploads, skipped, table, view]
    gr.on([tab.select, index.change], handlers.show_library, [index, view], stock, **QUIET)
    query.change(
        handlers.search_articles, [index, query, view], [table, view],
        trigger_mode="always_last", **QUIET,
    )  # fmt: skip
    table.apply(handlers.order_articles, [index, view], [table, view], **QUIET)
    table.select(handlers.open_article, index, text, **QUIET)
    text.clear(lambda: article.NO_ARTICLE, None, text, **QUIET)
    index.change(lambda: "", None, built, **QUIET)
    added = files.upload(handlers.add, [files, replace, index, view], [built, *stock], **QUIET)
    added.then(lambda: None, None, files, **QUIET)
    checked = check.click(handlers.check, index, built, **QUIET)
    rebuilt = rebuild.click(handlers.rebuild, [index, view], [built, *stock], **QUIET)
    removed = uploads.apply(handlers.remove, [index, view], [built, *stock], **QUIET)
    let_go = built.apply(handlers.let_go, [index, view], [built, *stock], **QUIET)
    for done in (checked, added, rebuilt, removed, let_go):
        done.failure(handlers.failed, None, built, **QUIET)


def _html(value: str = "", script: str | None = None, **options: Any) -> gr.HTML:
    """Content that `page` writes, without Gradio's own style; `script` is a function of page.js."""
    return gr.HTML(
        value,
        js_on_load=f"ragPage.{script}(element, trigger, watch)" if script else None,
        apply_default_css=False,
        elem_classes="page",
        **options,
    )
