"""What the commands work with. Tests put in fakes; the real ones load when they are used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import typer

    from rag.building.report import BuildReport
    from rag.embedding import Embedder
    from rag.engine import Rag
    from rag.models import ModelSpec


def _open(*arguments: Any, **options: Any) -> Rag:
    from rag.engine import Rag

    return Rag.open(*arguments, **options)


def _build(*arguments: Any, **options: Any) -> BuildReport:
    from rag.api import build

    return build(*arguments, **options)


def _embedder(*arguments: Any) -> Embedder:
    from rag.opening import embedder_of

    return embedder_of(*arguments)


def _known() -> Mapping[str, ModelSpec]:
    from rag.models import KNOWN

    return KNOWN


@dataclass(frozen=True)
class Parts:
    """Where the commands get engines, builds and models from.

    Attributes:
        open: Like `Rag.open`.
        build: Like `rag.build`.
        known: The models known by name.
        embedder: Like `rag.opening.embedder_of`.
    """

    open: Callable[..., Rag] = _open
    build: Callable[..., BuildReport] = _build
    known: Callable[[], Mapping[str, ModelSpec]] = field(default=_known)
    embedder: Callable[..., Embedder] = _embedder


def parts_of(ctx: typer.Context) -> Parts:
    """The parts of this run."""
    parts = ctx.obj
    assert isinstance(parts, Parts)
    return parts
