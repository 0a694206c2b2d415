"""What is followed, and remarks: what stands where, and what happens when."""

from __future__ import annotations

import gradio as gr

from rag.page import article
from rag.page.following_events import FollowingEvents
from rag.page.handlers import Handlers
from rag.page.markup import UNFORESEEN
from rag.page.parts import QUICK, html
from rag.page.remark_events import RemarkEvents


def following_tab(
    events: FollowingEvents, handlers: Handlers, index: gr.Dropdown, tab: gr.Tab
) -> None:
    """Everything in the tab: what is followed, the new stories, and an article beside them."""
    with gr.Row(elem_id="watch"):
        with gr.Column(elem_id="watched"):
            with gr.Row(elem_id="follow-more"):
                words = gr.Textbox(
                    label="Follow a question or words", max_length=500, elem_id="follow-words"
                )
                add = gr.Button("Follow", elem_id="follow", min_width=80)
            became = html(elem_id="follow-became")
            listed = html(script="followed", elem_id="followed")
            stories = html(script="followed", elem_id="stories")
        with gr.Column(elem_id="page-of-story"):
            text = html(article.NO_PASSAGE, script="article")

    about = [listed, stories]
    gr.on([tab.select, index.change], events.show, index, about, **QUICK)
    index.change(lambda: (article.NO_PASSAGE, ""), None, [text, became], **QUICK)
    opened = stories.select(handlers.open_place, None, text, **QUICK)
    opened.failure(handlers.failed, None, text, **QUICK)
    text.clear(lambda: article.NO_PASSAGE, None, text, **QUICK)
    changes = [
        gr.on([words.submit, add.click], events.add, [index, words], [became, words], **QUICK),
        listed.delete(events.stop, index, became, **QUICK),
    ]
    for change in changes:
        change.then(events.show, index, about, **QUICK)
        change.failure(lambda: UNFORESEEN, None, became, **QUICK)


def remarks_tab(events: RemarkEvents, index: gr.Dropdown, tab: gr.Tab) -> None:
    """The remarks on answers from the index."""
    listed = html(script="remarks", elem_id="remarks")
    gr.on([tab.select, index.change], events.show, index, listed, **QUICK)
    listed.delete(events.forget, index, listed, **QUICK)
