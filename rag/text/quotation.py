"""Quotations that run over several sentences."""

from __future__ import annotations


def open_quotation(text: str, at: int) -> int | None:
    """Where the quotation begins that is open at an offset of a text; None if none is.

    Only the paragraph is looked at: quotations do not run over it.
    """
    start = text.rfind("\n", 0, at) + 1
    opened: int | None = None
    for place in range(start, at):
        mark = text[place]
        if mark in "“„«" or (mark == '"' and opened is None):
            opened = place
        elif mark in "”»" or mark == '"':
            opened = None
    return opened
