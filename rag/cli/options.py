"""Options that several commands share, and what is made of them."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rag.retrieval import Filter
    from rag.settings import Settings


def day(text: str) -> datetime.date:
    """A day such as 2024-08-31."""
    try:
        return datetime.date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a day such as 2024-08-31") from error


def _unicode(text: str) -> str:
    """Refuse arguments that are no UTF-8: Python hands their bytes on as lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise typer.BadParameter("it is not valid UTF-8") from error
    return text


Question = Annotated[str, typer.Argument(parser=_unicode, metavar="QUESTION")]
Query = Annotated[str, typer.Argument(parser=_unicode, metavar="QUERY")]
Index = Annotated[str, typer.Option("--index", "-i", metavar="NAME", help="Name of the index.")]
K = Annotated[
    int | None,
    typer.Option("-k", min=1, max=1000, metavar="N", help="Hits wanted; the setting k without it."),
]
Since = Annotated[
    datetime.date | None,
    typer.Option(parser=day, metavar="DAY", help="First day of publication, as 2024-08-31."),
]
Until = Annotated[
    datetime.date | None,
    typer.Option(parser=day, metavar="DAY", help="Last day of publication."),
]
Source = Annotated[
    list[str] | None,
    typer.Option("--source", metavar="NAME", help="Only this publisher; may be repeated."),
]
Undated = Annotated[
    bool, typer.Option("--undated", help="Let articles without a date pass --since and --until.")
]
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where", metavar="KEY=VALUE", help="Only articles with this field; may be repeated."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on stdout.")]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="MODEL",
        help="Language model: a known name, the path of a GGUF file, or openai:URL#NAME for one on"
        " a server.",
    ),
]


def settings_with(**given: Any) -> Settings:
    """The settings, with the flags that were given."""
    from rag.settings import Settings

    return Settings(**{name: value for name, value in given.items() if value is not None})


def filter_from(
    since: datetime.date | None,
    until: datetime.date | None,
    source: Sequence[str] | None,
    undated: bool,
    where: Sequence[str] | None,
) -> Filter:
    """What the options of narrowing say."""
    from rag.retrieval import Filter

    fields = {}
    for pair in where or ():
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise typer.BadParameter(f"{pair!r} is not KEY=VALUE", param_hint="'--where'")
        fields[key] = value
    return Filter.make(since=since, until=until, source=source, undated=undated, where=fields)
