"""`rag build`, `rag list` and `rag show`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli.imports import show_import
from rag.cli.options import Json, settings_with
from rag.cli.output import line, log, out, paragraph, print_json, printable, show_error
from rag.cli.parts import parts_of
from rag.cli.progress import build_progress
from rag.errors import IndexMissingError, RagError

if TYPE_CHECKING:
    from rag.building.report import BuildReport
    from rag.cli.details import IndexDetails, ShownArticle
    from rag.index.stories import Story
    from rag.readers import Skipped

_MAX_SKIPPED = 10


def build(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Names of indexes.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every index there is.")] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Embed everything anew; without it only what changed.")
    ] = False,
    allow_removal: Annotated[
        bool,
        typer.Option("--allow-removal", help="Even if more than half of the articles are gone."),
    ] = False,
    on: Annotated[
        str | None,
        typer.Option(
            "--on",
            metavar="ray[://HOST:PORT]",
            help="Read and embed on a Ray cluster that this machine is part of, or alone.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Bring indexes up to date with their sources."""
    from rag.index.layout import index_names

    settings = settings_with()
    known = index_names(settings.index_dir)
    if bool(names) == all_:
        there = ", ".join(known) or f"none yet, in {settings.index_dir}"
        raise typer.BadParameter(f"name indexes, or give --all. There are: {there}")
    if not names and not known:
        raise IndexMissingError(
            f"there is no index in {settings.index_dir}",
            mend=f"write {settings.index_dir}/NAME/index.toml with a line such as:"
            ' sources = ["../../my-articles"]',
        )
    reports, failed = [], False
    for name in dict.fromkeys(names or known):
        try:
            with build_progress(line(name)) as progress:
                report = parts_of(ctx).build(
                    name,
                    full=full,
                    allow_removal=allow_removal,
                    **({"on": on} if on else {}),
                    progress=progress,
                    settings=settings,
                )
        except RagError as error:  # one broken index does not stop the others
            show_error(error)
            failed = True
            continue
        reports.append(report)
        if not as_json:
            show_report(report)
            show_import(report)
    if as_json:
        print_json(reports)
    if failed:
        raise typer.Exit(1)


def list_(as_json: Json = False) -> None:
    """List the indexes, with their state."""
    from rag.index.opened import list_indexes

    settings = settings_with()
    found = list_indexes(settings.index_dir)
    if as_json:
        print_json(found)
        return
    if not found:
        log().print(f"No index in {line(str(settings.index_dir))}.")
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("index", "state", "version", "articles", "chunks", "built", "embedding model"):
        table.add_column(name, justify="right" if name in ("articles", "chunks") else "left")
    for info in found:
        numbers = [info.version, info.n_articles, info.n_chunks]
        built = f"{info.created:%Y-%m-%d %H:%M}" if info.created else ""
        table.add_row(
            line(info.name),
            line(info.state),
            *("" if number is None else f"{number:,}" for number in numbers),
            built,
            line(info.model or ""),
        )
    out().print(table)


def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the index.")],
    article_id: Annotated[
        str | None, typer.Argument(metavar="ARTICLE_ID", help="Show this article of it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the facts of an index, or an article of it.

    Of an index also what the build skipped, and of an article what cleaning removed, with reasons.
    """
    from rag.cli.details import index_details, stored_article

    settings = settings_with()
    if article_id is None:
        details = index_details(settings.index_dir, name)
        if as_json:
            print_json(details)
        else:
            _show_details(details)
        return
    cleaned = stored_article(settings.index_dir, name, article_id)
    if as_json:
        print_json(cleaned)
    else:
        _show_article(cleaned)


def show_report(report: BuildReport) -> None:
    """What a build did, and what it left out."""
    changes = [
        f"{number:,} {word}"
        for word, number in (
            ("added", report.added),
            ("changed", report.changed),
            ("removed", report.removed),
            ("unchanged", report.unchanged),
        )
        if number
    ]
    done = "" if report.published else "nothing to do, "
    paragraph(
        f"{line(report.index)}: {done}version {report.version}, {report.n_articles:,} articles"
        f" ({', '.join(changes)}), {report.n_chunks:,} chunks, {report.seconds['total']:.1f} s"
    )
    for name, n_stories in report.news.items():
        paragraph(f"news about {name}: {n_stories:,} (rag follow news {name})", indent=2)
    _show_skipped(report.skipped, report.index)


def _show_skipped(
    skipped: tuple[Skipped, ...], index: str, most: int | None = _MAX_SKIPPED
) -> None:
    for item in skipped[:most]:
        place = item.path if item.line is None else f"{item.path}, line {item.line}"
        paragraph(f"skipped {line(place)}: {line(item.reason)}", indent=2)
    if most is not None and len(skipped) > most:
        paragraph(f"and {len(skipped) - most:,} more: rag show {line(index)}", indent=2)


def _show_details(details: IndexDetails) -> None:
    manifest, config = details.manifest, details.manifest.config
    size = sum(entry.n_bytes for entry in manifest.files.values())
    facts = {
        "index": details.name,
        "version": f"{details.version}, built {manifest.created:%Y-%m-%d %H:%M} UTC"
        f" by rag {manifest.rag_version}",
        "folder": f"{details.path} ({size / 1e6:,.1f} MB)",
        "sources": ", ".join(config.sources),
        "articles": f"{manifest.n_articles:,}"
        + (f", {details.n_undated:,} without a date" if details.n_undated else ""),
        "chunks": f"{manifest.n_chunks:,}, of {config.chunking.words} words",
        "embeddings": f"{manifest.embedder.model} ({manifest.embedder.runtime},"
        f" {manifest.embedder.dimension} dimensions)",
        "language": config.language,
        "boilerplate": f"{details.n_boilerplate:,} sentences, which are no evidence",
        "skipped": f"{manifest.n_skipped:,}",
    }
    for name, value in facts.items():
        paragraph(f"{name:<12}{line(value)}")
    _show_skipped(details.skipped, details.name, most=None)


def _others(article_id: str, story: Story) -> list[str]:
    """The other articles of a story, each with what it is."""
    newest = story.superseded.get(article_id, article_id)
    told = []
    for other in story.articles:
        if other == article_id:
            continue
        what = ""
        if other == newest:
            what = " (newer version)"
        elif other in story.superseded:
            what = f" (earlier version of {story.superseded[other]})"
        elif other == story.shown:
            what = " (first report)"
        told.append(f"{other}{what}")
    return told


def _show_article(cleaned: ShownArticle) -> None:
    article, story = cleaned.article, cleaned.story
    facts = {
        "article": article.article_id,
        "title": article.title,
        "published": article.published,
        "source": article.source,
        "author": article.author,
        "url": article.url,
        "path": article.path,
        **article.metadata,
        "also in": story and ", ".join(_others(article.article_id, story)),
    }
    for name, value in facts.items():
        if value is not None:
            paragraph(f"{line(name):<12}{line(str(value))}")
    paragraph("")
    paragraph(printable(article.text))
    if cleaned.removed:
        paragraph("\nRemoved from the text as read:")
    for piece in cleaned.removed:
        paragraph(f"{piece.start}-{piece.end} {line(piece.reason)}: {line(piece.text)!r}", indent=4)
    if cleaned.boilerplate:
        paragraph("\nNo evidence, as it stands in many articles of its publisher:")
    for own in cleaned.boilerplate:
        paragraph(f"{own.start}-{own.end} {line(own.text)!r}", indent=4)
