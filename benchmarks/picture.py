"""A picture of a comparison: `python benchmarks/picture.py results/comparison.json OUT.svg`.

Bars by library for what a user waits for and pays: build, update, first result, memory.
"""

from __future__ import annotations

import json
import sys
from html import escape
from pathlib import Path
from typing import Any

PANELS = (
    ("build_seconds", "Build, seconds"),
    ("update_seconds", "One article in 100 changed, seconds"),
    ("first_result_seconds", "Start of a process to first result, seconds"),
    ("build_peak_mb", "Memory of a build, MB"),
    ("search_peak_mb", "Memory of searching, MB"),
    ("hit@5", "Answer in the first 5 hits, share of questions"),
)
WIDTH, PANEL, ROW, LEFT, BAR = 1020, 510, 20, 230, 210
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#222}.head{font-weight:600}.bar{fill:#9aa5b1}"
    ".ours{fill:#1f6feb}@media(prefers-color-scheme:dark){text{fill:#ddd}.bar{fill:#66707c}}"
)


def draw(result: Path, out: Path) -> None:
    """Write the picture of a result."""
    report = json.loads(result.read_text(encoding="utf-8"))
    rows = [row for row in report["libraries"] if "medians" in row]
    height = ROW * (len(rows) + 2)
    parts = []
    for number, (key, title) in enumerate(PANELS):
        x, y = PANEL * (number % 2), height * (number // 2)
        parts.append(f'<g transform="translate({x} {y})">{panel(rows, key, title)}</g>')
    total = height * ((len(PANELS) + 1) // 2)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {total}" role="img">'
        f"<title>Libraries side by side, {report['corpus']['articles']:,} articles, medians of"
        f" {report['rounds']}</title><style>{STYLE}</style>\n" + "\n".join(parts) + "\n</svg>\n",
        encoding="utf-8",
    )


def panel(rows: list[dict[str, Any]], key: str, title: str) -> str:
    """A bar for each library, the least first where less is better."""
    rows = sorted(rows, key=lambda row: row["medians"][key], reverse=key.startswith("hit"))
    most = max(row["medians"][key] for row in rows) or 1
    lines = [f'<text class="head" x="12" y="16">{escape(title)}</text>']
    for number, row in enumerate(rows):
        value, y = row["medians"][key], ROW * (number + 1) + 4
        kind = "bar ours" if row["name"] == "rag" else "bar"
        shown = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
        width = BAR * value / most
        lines += [
            f'<text x="{LEFT}" y="{y + 13}" text-anchor="end">{escape(row["name"])}</text>',
            f'<rect class="{kind}" x="{LEFT + 8}" y="{y}" width="{width:.1f}" height="15"/>',
            f'<text x="{LEFT + 14 + width:.1f}" y="{y + 13}">{shown}</text>',
        ]
    return "\n".join(lines)


if __name__ == "__main__":
    draw(*map(Path, sys.argv[1:]))
