"""What a build tells: how far it is, and in the end what it did."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import BaseModel, ConfigDict

from rag.readers import Skipped


class BuildProgress(BaseModel):
    """How far a build is.

    Attributes:
        index: Name of the index.
        phase: `read`, `embed`, `derive` or `publish`.
        n_done: Articles looked at so far (in `read` and `embed`).
        n_chunks: Chunks embedded so far.
        n_expected: About how many articles there are to look at; None if nobody knows.
        note: Something that the user should know, such as that all is embedded anew and why.
    """

    model_config = ConfigDict(frozen=True)

    index: str
    phase: str
    n_done: int = 0
    n_chunks: int = 0
    n_expected: int | None = None
    note: str | None = None


class BuildReport(BaseModel):
    """What a build did.

    Attributes:
        index: Name of the index.
        version: The live version after the build.
        published: False when nothing had changed and the live version was left as it is.
        added, changed, removed, unchanged: Numbers of articles against the version before.
        n_articles, n_chunks: What the live version holds.
        skipped: Inputs that were not taken, with the reason.
        n_read: Numbers of articles by the format that they were read from.
        seconds: Seconds by phase, and `total`; phases that run side by side overlap.
        note: What the user should know, such as why everything was embedded anew, or that the
            embedding model could not be exported.
        news: By the names of the questions that are followed, numbers of new stories; only those
            with any (`rag.news` has them).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    index: str
    version: int
    published: bool
    added: int
    changed: int
    removed: int
    unchanged: int
    n_articles: int
    n_chunks: int
    skipped: tuple[Skipped, ...]
    n_read: dict[str, int] = {}
    seconds: dict[str, float]
    note: str | None = None
    news: dict[str, int] = {}


Progress = Callable[[BuildProgress], None]
