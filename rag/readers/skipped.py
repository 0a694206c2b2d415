"""What is found and not taken in, and why."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Skipped(BaseModel):
    """Something that was found and not taken in.

    Attributes:
        path: The file or folder, as in `Article.path`.
        line: Number of the line of a JSON lines file, from 1; None for a whole file.
        reason: Why, in words for the user.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    line: int | None = None
    reason: str


class UnreadableError(Exception):
    """The reason why one file or line is skipped."""


def system_reason(error: OSError) -> str:
    """What the system says, in the form of the other reasons."""
    return (error.strerror or str(error)).lower()
