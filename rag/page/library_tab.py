"""The library: what stands where, and what happens when. What happens is in `library_events`."""

from __future__ import annotations

import gradio as gr

from rag import KNOWN_SUFFIXES
from rag.page import article, stock
from rag.page.library_events import LibraryEvents
from rag.page.markup import UNFORESEEN
from rag.page.parts import QUICK, QUIET, html

MAX_UPLOAD = 64 * 2**20


def library_tab(page: gr.Blocks, events: LibraryEvents, index: gr.Dropdown, tab: gr.Tab) -> None:
    """Everything in the tab.

    Args:
        page: The page.
        events: What happens.
        index: The chooser of the index.
        tab: The tab, open.
    """
    view, taken = gr.State(None), gr.State(None)
    as_of = gr.JSON(visible="hidden")  # when the index was looked at: the list follows
    with gr.Row(elem_id="shelf"):
        with gr.Column(elem_id="stock"):
            health = html(elem_id="health")
            with gr.Row(elem_id="adding"):
                files = _box("Add articles", "files")
                with gr.Column(elem_id="upkeep"):
                    replace = gr.Checkbox(label="Replace files of the same name", elem_id="replace")
                    rebuild = gr.Button("Rebuild the index", elem_id="rebuild")
                    check = gr.Button("Check the index", elem_id="check")
            html(stock.accepted(MAX_UPLOAD), elem_id="accepted")
            built = html(script="library", elem_id="built")
            _new_index(events, index)
            uploads = html(script="library", elem_id="uploads")
            skipped = html(elem_id="skipped")
            formats = html(elem_id="formats")
            query = gr.Textbox(
                label="Search the articles: text, titles, publishers, dates",
                elem_id="article-search",
                max_length=200,
            )
            groups = html(script="library", elem_id="groups")
            table = html(script="library", elem_id="articles")
        with gr.Column(elem_id="page-of-article"):
            text = html(article.NO_ARTICLE, script="article")

    listed, about = [table, view], [health, formats, uploads, skipped, groups, as_of]
    gr.on([tab.select, index.change], events.show, [index, view], about, **QUICK)
    # One event, and so one at a time, the last for the words that stand there at last: else a
    # list asked for earlier could come last, and stay.
    gr.on(
        [query.change, as_of.change],
        events.rows,
        [index, query, view],
        listed,
        trigger_mode="always_last",
        **QUICK,
    )
    table.apply(events.order, [index, view], listed, **QUICK)
    groups.apply(events.narrow, [index, view], [groups, table, view], **QUICK)
    gr.on([table.select, text.select], events.open, [index, view], text, **QUICK)
    text.clear(lambda: article.NO_ARTICLE, None, text, **QUICK)
    index.change(lambda: (article.NO_ARTICLE, ""), None, [text, built], **QUICK)

    # What comes while a build is under way waits for it: dropped, files would be lost unsaid.
    # tests/browser/test_uploads.py::test_files_handed_over_during_a_build_are_taken_too
    kept = files.upload(
        events.take, [files, replace, index], [built, files, taken],
        trigger_mode="multiple", **QUIET,
    )  # fmt: skip
    built_taken = kept.then(
        events.build_taken, [taken, index], built, trigger_mode="multiple", **QUIET
    )
    changes = [
        built_taken,
        rebuild.click(events.rebuild, index, built, **QUIET),
        uploads.apply(events.remove_file, index, built, **QUIET),
        text.apply(events.take_out, index, built, **QUIET),
        built.apply(events.let_go, index, built, **QUIET),
    ]
    for change in changes:
        # With the index and view of then: a build takes long enough to choose others.
        change.then(events.show, [index, view], about, trigger_mode="multiple", **QUICK)
    for event in (kept, check.click(events.check, index, built, **QUIET), *changes):
        event.failure(lambda: UNFORESEEN, None, built, **QUICK)


def _new_index(events: LibraryEvents, index: gr.Dropdown) -> None:
    with gr.Accordion("Make a new index", open=False, elem_id="new-index"):
        name = gr.Textbox(
            label="Its name",
            info="Letters, digits, “.”, “_” and “-”.",
            max_length=100,
            elem_id="new-name",
        )
        files = _box("Its first articles", "new-files")
        make = gr.Button("Make the index", elem_id="make-index")
        made = html(elem_id="made")
    done = make.click(events.create, [name, files], [made, index, name, files], **QUIET)
    done.failure(lambda: UNFORESEEN, None, made, **QUICK)


def _box(label: str, elem_id: str) -> gr.File:
    return gr.File(
        label=label,
        file_count="multiple",
        file_types=list(KNOWN_SUFFIXES),
        height=150,
        elem_id=elem_id,
    )
