"""What somebody called wrong in an index, as a list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from rag.page.markup import day, number, text
from rag.page.remark import Remark


def show(
    index: str, remarks: Sequence[Remark], address: Callable[[Remark], str], file: Path | None
) -> str:
    """The remarks, each with a way to its answer and one to delete it.

    Args:
        index: Name of the index.
        remarks: The newest first.
        address: Where the answer of one opens again; empty where it does not.
        file: Where they stand; None if that is not for whoever looks.
    """
    where = (
        f'<p class="facts">They stand in <code>{text(file)}</code>; <code>rag eval {text(file)}'
        f" --index {text(index)}</code> asks these questions again.</p>"
        if file
        else ""
    )
    if not remarks:
        return (
            f'<p class="facts">No answer from “{text(index)}” was called wrong. “This is wrong”'
            " below an answer keeps it here, with a remark.</p>"
        )
    items = "".join(_item(one, address(one)) for one in remarks)
    return (
        f"<h2>{number(len(remarks), 'answer')} from “{text(index)}” called wrong</h2>"
        f'{where}<ol class="remarks">{items}</ol>'
    )


def _item(one: Remark, address: str) -> str:
    right = f"<dt>Right would be</dt><dd>{text(one.right)}</dd>" if one.right else ""
    wrong = f"<dt>What is wrong</dt><dd>{text(one.remark)}</dd>" if one.remark else ""
    opened = f'<a class="address" href="{text(address)}">Open the answer</a>' if address else ""
    return (
        f'<li><h3>{text(one.question)}</h3><p class="byline">{day(one.noted_at.date())}</p>'
        f"<dl>{wrong}{right}<dt>The answer was</dt><dd>{text(one.said)}</dd></dl>"
        f'<p class="row">{opened}<button type="button" data-forget="{text(one.id)}"'
        f' data-name="{text(one.question)}" aria-label="Delete the remark on'
        f' “{text(one.question)}”">Delete</button></p></li>'
    )
