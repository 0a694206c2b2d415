"""What both tabs of the page are made with."""

from __future__ import annotations

from typing import Any

import gradio as gr

# Nothing pulses while an event runs (what runs says so itself), and no event is an open API.
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


def html(value: str = "", script: str | None = None, **options: Any) -> gr.HTML:
    """Content that `page` writes, without Gradio's own style; `script` is a function of page.js."""
    return gr.HTML(
        value,
        js_on_load=f"ragPage.{script}(element, trigger, watch)" if script else None,
        apply_default_css=False,
        elem_classes="page",
        **options,
    )
