"""Edits: what is to be removed from a text or replaced, and how a text comes out of them."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Edit(NamedTuple):
    """`[start, end)` of a text goes, for a reason; the replacement stands in its place."""

    start: int
    end: int
    reason: str
    replacement: str = ""


class Line(NamedTuple):
    """A line of the text: `[start, end)` without its newline, and its words."""

    start: int
    end: int
    words: str


def without_overlap(edits: Iterable[Edit]) -> list[Edit]:
    """Edits in order; of two that overlap the first takes in the second."""
    done: list[Edit] = []
    for edit in sorted(edits):
        if done and edit.start < done[-1].end:
            done[-1] = done[-1]._replace(end=max(done[-1].end, edit.end))
        else:
            done.append(edit)
    return done


def applied(text: str, edits: Iterable[Edit]) -> str:
    """The text with the edits made, which are in order and without overlap."""
    parts, last = [], 0
    for edit in edits:
        parts += [text[last : edit.start], edit.replacement]
        last = edit.end
    return "".join([*parts, text[last:]])


def moved_offsets(offsets: Sequence[int], edits: Sequence[Edit], length: int) -> tuple[int, ...]:
    """Offsets of a text, ascending, after the edits; one inside an edit moves behind it.

    Args:
        offsets: In the text as it was.
        edits: In order and without overlap.
        length: Of the text with the edits made.
    """
    moved: list[int] = []
    shift = at = 0
    for offset in offsets:
        while at < len(edits) and edits[at].start < offset:
            edit = edits[at]
            shift += edit.end - edit.start - len(edit.replacement)
            offset = max(offset, edit.end)
            at += 1
        moved.append(min(max(offset - shift, moved[-1] if moved else 0), length))
    return tuple(moved)


def in_raw(inline: Sequence[Edit], edits: Sequence[Edit]) -> list[Edit]:
    """All edits in offsets of the text as read; `edits` count in the text after `inline`."""
    shifts, starts, ends = [0], [], []  # of the inline edits, in the text after them
    for edit in inline:
        starts.append(edit.start - shifts[-1])
        ends.append(starts[-1] + len(edit.replacement))
        shifts.append(edit.end - ends[-1])
    done: list[Edit] = []
    next_inline = 0
    for edit in edits:
        first, behind = bisect.bisect_right(ends, edit.start), bisect.bisect_left(starts, edit.end)
        done += inline[next_inline:first]
        start, end = edit.start + shifts[first], edit.end + shifts[behind]
        done.append(edit._replace(start=start, end=end))
        next_inline = behind
    return [*done, *inline[next_inline:]]


def with_white_space(text: str, edits: Sequence[Edit]) -> list[Edit]:
    """The edits, of which runs of whole lines also take the white space that they leave behind."""
    done: list[Edit] = []
    run: list[Edit] = []
    for edit in without_overlap(edits):
        if not _is_whole_line(text, edit):
            done += [*_closed_run(text, run), edit]
            run = []
        elif run and _content_behind(text, run[-1].end) >= edit.start:
            run[-1] = run[-1]._replace(end=edit.start)
            run.append(edit)
        else:
            done += _closed_run(text, run)
            run = [edit]
    return [*done, *_closed_run(text, run)]


def _is_whole_line(text: str, edit: Edit) -> bool:
    starts = edit.start == 0 or text[edit.start - 1] == "\n"
    return starts and text[edit.end : edit.end + 1] in ("\n", "")


def _closed_run(text: str, run: list[Edit]) -> list[Edit]:
    """The run with the line ends around it of which the text no longer has need."""
    if not run:
        return run
    before, after = run[0].start, _content_behind(text, run[-1].end)
    while before > 0 and text[before - 1].isspace():
        before -= 1
    next_line = text.rfind("\n", run[-1].end, after) + 1
    if after == len(text):
        run[0], end = run[0]._replace(start=before), after
    elif before == 0 or text.count("\n", before, run[0].start) > 1:
        run[0], end = run[0]._replace(start=before if before == 0 else run[0].start), next_line
    else:
        end = run[-1].end + 1
    run[-1] = run[-1]._replace(end=end)
    return run


def _content_behind(text: str, offset: int) -> int:
    """Offset of the next character that is not white space; the length of the text if none."""
    while offset < len(text) and text[offset].isspace():
        offset += 1
    return offset
