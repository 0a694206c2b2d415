"""`rag check`, `rag rollback` and `rag prune`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli.options import Json, settings_with
from rag.cli.output import line, paragraph, print_json, show_error
from rag.errors import RagError

if TYPE_CHECKING:
    from rag.index.check import CheckReport

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the index.")]


def check(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Names of indexes; all without any.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Verify indexes: files, checksums, counts, ids and the embedding model.

    Exits with 1 if there is an error; a warning says what is left over.
    """
    from rag.api import check as verify
    from rag.index.layout import index_names

    settings = settings_with()
    reports: list[CheckReport] = []
    failed = False
    for name in dict.fromkeys(names or index_names(settings.index_dir)):
        try:
            reports.append(verify(name, settings=settings))
        except RagError as error:  # one missing index does not stop the others
            show_error(error)
            failed = True
            continue
        if not as_json:
            _show(reports[-1])
    if as_json:
        print_json(reports)
    if failed or not all(report.ok for report in reports):
        raise typer.Exit(1)


def rollback(
    name: Name,
    to: Annotated[
        int | None, typer.Option("--to", min=1, metavar="N", help="Version; else the one before.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make an older version of an index the live one again."""
    from rag.index.check import roll_back
    from rag.index.layout import IndexFolder

    number = roll_back(IndexFolder(settings_with().index_dir, name), to)
    if as_json:
        from rag.cli.details import LiveVersion

        print_json(LiveVersion(index=name, version=number))
    else:
        paragraph(f"{line(name)}: version {number} is live")


def prune(
    name: Name,
    keep: Annotated[
        int, typer.Option("--keep", min=1, metavar="N", help="Versions to keep, the live one too.")
    ] = 2,
    as_json: Json = False,
) -> None:
    """Delete old versions of an index."""
    from rag.index.layout import IndexFolder
    from rag.index.milvus import drop_chunks

    folder = IndexFolder(settings_with().index_dir, name)
    live = folder.live()
    with folder.lock():
        deleted = tuple(folder.prune(keep, before=drop_chunks))
    if as_json:
        from rag.cli.details import LiveVersion

        print_json(LiveVersion(index=name, version=live, deleted=deleted))
    else:
        gone = (
            f"deleted versions {', '.join(map(str, deleted))}" if deleted else "nothing to delete"
        )
        paragraph(f"{line(name)}: {gone}; version {live} is live")


def _show(report: CheckReport) -> None:
    state = "is whole" if report.ok else "is damaged"
    paragraph(f"{line(report.index)}: version {report.version} {state}")
    for finding in report.findings:
        paragraph(f"{finding.severity}, {finding.kind}: {line(finding.message)}", indent=2)
        paragraph(f"To mend it: {line(finding.mend)}", indent=4)
