"""Theme, style sheet and script. Nothing is loaded from anywhere else."""

from __future__ import annotations

import gradio as gr

from rag.page import sheets
from rag.page.guard import TOKEN

# Fonts of the system only: Gradio's own themes may load theirs from the network.
_SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif")
_MONO = ("ui-monospace", "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", "monospace")


def theme() -> gr.themes.Base:
    """Plain, with fonts of the system; colours come from page.css."""
    return gr.themes.Base(
        primary_hue="teal", neutral_hue="stone", font=_SANS, font_mono=_MONO, radius_size="md"
    )


def head(token: str) -> str:
    """What goes into the head of the page: its style sheets, its script and its token.

    Not by Gradio's own `css`: that puts a selector of its own before each of ours, and a rule
    for the state of `body` never holds.
    """
    meta = f'<meta name="{TOKEN}" content="{token}">'
    style = f'<link rel="stylesheet" href=".{sheets.address("css")}">'
    return f'{meta}{style}<script src=".{sheets.address("js")}"></script>'
