"""The import report: what was read of each format, and why the rest was not."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rag.cli.output import line, out

if TYPE_CHECKING:
    from rag.building.report import BuildReport

_MOST_REASONS = 3
_PLAIN = ({"text"}, {"json lines"}, set[str]())


def show_import(report: BuildReport) -> None:
    """A line for each format; nothing where all articles are plain text and none was skipped."""
    from rich.table import Table

    from rag.readers import format_of_path

    reasons: dict[str, Counter[str]] = {}
    for item in report.skipped:
        format_ = format_of_path(item.path) or "other"
        reasons.setdefault(format_, Counter())[item.reason] += 1
    formats = sorted(set(report.n_read) | set(reasons))
    if not reasons and set(formats) in _PLAIN:
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("format", "read", "skipped", "why"):
        table.add_column(name, justify="right" if name in ("read", "skipped") else "left")
    for format_ in formats:
        found = reasons.get(format_, Counter())
        told = [f"{line(reason)} ({n:,})" for reason, n in found.most_common(_MOST_REASONS)]
        if len(found) > _MOST_REASONS:
            told.append(f"and {len(found) - _MOST_REASONS:,} more reasons")
        n_read = report.n_read.get(format_, 0)
        table.add_row(format_, f"{n_read:,}", f"{found.total():,}", "; ".join(told))
    out().print(table)
