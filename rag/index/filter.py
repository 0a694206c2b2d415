"""Which articles may be found."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from rag.errors import QuestionError


def _written_as_day(value: object) -> object:
    """What is a day, or written as one: pydantic would take numbers for seconds since 1970."""
    if isinstance(value, datetime.date) or (isinstance(value, str) and _DAY.fullmatch(value)):
        return value
    raise ValueError("a day is written as 2024-08-31")


_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
Day = Annotated[datetime.date, BeforeValidator(_written_as_day)]
"""A day, or an ISO 8601 day as a text."""


class Filter(BaseModel):
    """Which articles may be found.

    Attributes:
        since, until: First and last day of publication, both included.
        undated: Whether articles without a date pass `since` and `until`; without those two every
            article passes, dated or not.
        source: Any of these publishers; empty lets every one pass.
        where: Metadata fields that must equal these texts, such as {"section": "sport"}.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    since: Day | None = None
    until: Day | None = None
    undated: Annotated[bool, Field(strict=True)] = False
    source: tuple[str, ...] = ()
    where: Mapping[str, str] = Field(default_factory=dict)

    @classmethod
    def make(
        cls,
        *,
        since: datetime.date | str | None = None,
        until: datetime.date | str | None = None,
        source: str | Sequence[str] | None = None,
        undated: bool = False,
        where: Mapping[str, str] | None = None,
        filter: Filter | None = None,
    ) -> Filter:
        """A filter from what people write, or the one that is ready.

        Raises:
            QuestionError: a day that is none, `since` after `until`, or a ready filter and others.
        """
        if filter is not None:
            if since or until or source or undated or where:
                raise QuestionError("give either a filter or its parts, not both")
            return filter
        sources = (source,) if isinstance(source, str) else tuple(source or ())
        try:
            made = cls(
                since=since,  # pydantic reads ISO days
                until=until,
                undated=undated,
                source=sources,
                where=dict(where or {}),
            )
        except ValidationError as error:
            first = error.errors()[0]
            raise QuestionError(
                f"filter {first['loc'][0]}={first['input']!r}: {first['msg']}",
                mend="write days as 2024-08-31",
            ) from error
        return made.checked()

    def checked(self) -> Filter:
        """The same filter.

        Raises:
            QuestionError: its days are in the wrong order.
        """
        if self.since and self.until and self.since > self.until:
            raise QuestionError(f"since={self.since} is after until={self.until}")
        return self

    @property
    def passes_all(self) -> bool:
        """Whether it leaves nothing out."""
        return not (self.since or self.until or self.source or self.where)

    def __str__(self) -> str:
        """In words: "published since 2024-01-01, by the Herald"."""
        days = [f"since {self.since}"] if self.since else []
        days += [f"until {self.until}"] if self.until else []
        parts = ["published " + " ".join(days)] if days else []
        if days and self.undated:
            parts.append("or without a date")
        if self.source:
            parts.append("by " + " or ".join(self.source))
        parts += [f"with {key} “{value}”" for key, value in self.where.items()]
        return ", ".join(parts)
