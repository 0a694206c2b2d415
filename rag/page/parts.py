"""What the tabs of the page are made with."""

from __future__ import annotations

from typing import Any

import gradio as gr

# Nothing pulses while an event runs (what runs says so itself), and no event is an open API.
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
# What takes a moment: one request and its reply, past the queue. The results of queued events
# come over one stream per visitor, which Gradio's server closes as soon as none is under way: the
# result of an event that begins at that moment is not read until the next event. The queue is for
# what takes long: answers, builds, checks.
QUICK: dict[str, Any] = {"queue": False, **QUIET}


def html(value: str = "", script: str | None = None, **options: Any) -> gr.HTML:
    """Content that `page` writes, without Gradio's own style; `script` is a function of page.js."""
    return gr.HTML(
        value,
        js_on_load=f"ragPage.{script}(element, trigger, watch)" if script else None,
        apply_default_css=False,
        elem_classes="page",
        **options,
    )
