"""Checking a version, and going back to an older one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from rag.errors import IndexError_, IndexMissingError, IndexStoreError
from rag.index.catalog import FALLBACK, Catalog
from rag.index.layout import CATALOG, LEXICAL, VECTORS, VOCABULARY, IndexFolder, damaged
from rag.index.lexical import LexicalIndex
from rag.index.manifest import FORMAT, Manifest, file_problem, read_manifest, verify_files
from rag.index.milvus import MilvusStore, connected, set_alias
from rag.index.vectors import VectorIndex
from rag.index.vocabulary import Vocabulary
from rag.text.language import language

_BATCH = 5_000
Kind = Literal[
    "pointer",
    "manifest",
    "file",
    "extra file",
    "catalog",
    "vectors",
    "words",
    "model",
    "leftover",
    "language",
    "stories",
]


class Finding(BaseModel):
    """Something that is not as it should be.

    Attributes:
        kind: What it is about.
        severity: `error` if the index does not open or answers wrongly, else `warning`.
        message: What is wrong, and where.
        mend: The command that mends it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    severity: Literal["error", "warning"]
    message: str
    mend: str


class CheckReport(BaseModel):
    """What `rag check` found about the live version of an index.

    Attributes:
        index: Name of the index.
        version: Number of the live version; None if there is none.
        ok: Whether there is no error; warnings may remain.
        findings: What is not as it should be.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    index: str
    version: int | None
    ok: bool
    findings: tuple[Finding, ...]


def check_index(
    folder: IndexFolder, fingerprint: Callable[[str], str | None] | None = None
) -> CheckReport:
    """Verify everything about the live version: every file, every row, every id.

    Args:
        folder: The index.
        fingerprint: Gives the fingerprint of an embedding model on this machine, None if it is
            not there; without it the model is not compared.

    Raises:
        IndexMissingError: there is no such index, or nothing was built yet.
    """
    number = None
    try:
        number = folder.live()
        found = list(_findings(folder, number, fingerprint))
    except IndexMissingError:
        raise
    except IndexError_ as error:  # the pointer, or a manifest that does not open
        kind: Kind = "pointer" if number is None else "manifest"
        found = [_from(error, kind)]
    ok = all(finding.severity != "error" for finding in found)
    return CheckReport(index=folder.name, version=number, ok=ok, findings=tuple(found))


def roll_back(folder: IndexFolder, to: int | None = None) -> int:
    """Make an older version the live one again.

    Args:
        folder: The index.
        to: Its number; None takes the newest whole one before the live version, or before
            the newest where `CURRENT` is damaged.

    Returns:
        The number that is live now.

    Raises:
        IndexLockedError: the index is being built.
        IndexMissingError: there is no such version that is whole.
    """
    with folder.lock():
        try:
            live = folder.current()
        except IndexError_:
            live = None  # a damaged pointer is what this mends
        versions = folder.versions()
        if to is not None:
            wanted = [number for number in versions if number == to]
        else:
            wanted = [number for number in reversed(versions) if live is None or number < live]
        problem = ""
        for number in wanted:
            path = folder.version_path(number)
            try:
                verify_files(path, read_manifest(path), hashed_catalog_bytes=None)
            except IndexError_ as error:
                problem = f" ({error.message})"
                continue
            folder.set_current(number)
            set_alias(folder)
            return number
    what = f"no version {to}" if to is not None else "no older version"
    kept = ", ".join(map(str, versions)) or "none"
    raise IndexMissingError(
        f"index {folder.name!r} has {what} that is whole{problem}; kept: {kept}, live: {live}",
        mend=f"rag build {folder.name}" + (" --full" if problem else ""),
    )


def _findings(
    folder: IndexFolder, number: int, fingerprint: Callable[[str], str | None] | None
) -> Iterator[Finding]:
    path = folder.version_path(number)
    manifest = read_manifest(path)
    broken = list(_file_findings(path, manifest))
    yield from broken
    if not any(finding.severity == "error" for finding in broken):
        yield from _id_findings(path, manifest)
    rebuild = f"rag build {folder.name}"
    model_sha256 = fingerprint(manifest.embedder.model) if fingerprint else None
    if model_sha256 is not None and model_sha256 != manifest.embedder.sha256:
        yield Finding(
            kind="model",
            severity="error",
            message=f"{manifest.embedder.model} on this machine is not the model that made version"
            f" {number}: sha256 {model_sha256[:12]} instead of {manifest.embedder.sha256[:12]}",
            mend=f"rag models pull {manifest.embedder.model}, or {rebuild}",
        )
    if not language(manifest.config.language).is_known:
        yield Finding(
            kind="language",
            severity="warning",
            message=f"there are no rules for the language {manifest.config.language!r}: who said"
            " it, negations, days, numbers in words and what a question takes for granted are not"
            " checked, and follow-ups stand alone",
            mend=f'where the articles are English: language = "en" in index.toml, then {rebuild}',
        )
    if manifest.format != FORMAT:
        yield Finding(
            kind="stories",
            severity="warning",
            message=f"version {number} has on-disk format {manifest.format}: reprints and earlier"
            " versions of its articles are not known, and count as sources of their own",
            mend=rebuild,
        )
    newer = [other for other in folder.versions() if other > number]
    if newer:
        yield Finding(
            kind="leftover",
            severity="warning",
            message=f"version {newer[-1]} is newer than the live one: left by a build that was"
            " killed, or by a rollback",
            mend=rebuild,
        )
    if folder.staging.exists():
        yield Finding(
            kind="leftover",
            severity="warning",
            message=f"{folder.staging} holds what a build that was stopped had done, or one that"
            " is running",
            mend=rebuild,
        )


def _file_findings(path: Path, manifest: Manifest) -> Iterator[Finding]:
    for relative, entry in manifest.files.items():
        problem = file_problem(path / relative, entry)
        if problem:
            yield _from(damaged(path, f"{relative} {problem}"), "file")
    known = {path / relative for relative in manifest.files} | {path / "manifest.json"}
    for file in sorted(path.rglob("*")):
        if file.is_file() and file not in known:
            yield Finding(
                kind="extra file",
                severity="warning",
                message=f"{file} is no part of the version",
                mend=f"delete {file}",
            )


def _id_findings(path: Path, manifest: Manifest) -> Iterator[Finding]:
    """The same chunks in all three parts, every row whole, the counts as stated."""
    with Catalog.open(path / CATALOG) as catalog:
        try:
            ids = catalog.columns.chunk_ids
            counts = (len(catalog.columns.article_numbers), len(ids), len(catalog.skipped()))
            if counts != (manifest.n_articles, manifest.n_chunks, manifest.n_skipped):
                stated = (manifest.n_articles, manifest.n_chunks, manifest.n_skipped)
                problem = f"articles, chunks, skipped are {counts}, the manifest says {stated}"
                yield _from(damaged(path, problem), "catalog")
            for at in range(0, len(ids), _BATCH):
                chunks = catalog.chunks(ids[at : at + _BATCH].tolist())
                catalog.articles(sorted({chunk.article for chunk in chunks.values()}))
            yield from _boilerplate_findings(path, catalog)
            if reason := catalog.meta(FALLBACK):
                yield Finding(
                    kind="model",
                    severity="warning",
                    message=f"{manifest.embedder.runtime} stood in for the export of the embedding"
                    f" model, which takes longer: {reason}",
                    mend=f"rag build {manifest.index}",
                )
        except IndexError_ as error:
            yield _from(error, "catalog")
            return
    if manifest.collection is not None:
        yield from _store_findings(path, manifest, ids)
        return
    vectors = VectorIndex(path / VECTORS, n_threads=1).ids
    if not np.array_equal(vectors, ids):
        yield _from(damaged(path, f"{VECTORS} holds other chunks than the catalog"), "vectors")
    words = LexicalIndex(path / LEXICAL).chunk_ids_where({})
    if not np.array_equal(words, ids):
        yield _from(damaged(path, f"{LEXICAL} holds other chunks than the catalog"), "words")


def _boilerplate_findings(path: Path, catalog: Catalog) -> Iterator[Finding]:
    """Each span lies in the text of its article."""
    for number, start, end in catalog.columns.boilerplate.tolist():
        if not 0 <= start < end <= len(catalog.articles([number])[number].text):
            problem = f"boilerplate {start}-{end} of article {number} is not in its text"
            yield _from(damaged(path, problem), "catalog")


def _store_findings(path: Path, manifest: Manifest, ids: NDArray[np.int64]) -> Iterator[Finding]:
    vocabulary = Vocabulary(path / VOCABULARY)
    try:
        with connected(manifest.config.store, path.parent.parent) as client:
            store = MilvusStore(client, manifest, vocabulary)
            if not store.count() or not np.array_equal(store.ids, ids):
                problem = f"collection {manifest.collection} holds other chunks than the catalog"
                yield _from(damaged(path, problem), "vectors")
    except IndexStoreError as error:
        yield _from(error, "vectors")


def _from(error: IndexError_, kind: Kind) -> Finding:
    return Finding(kind=kind, severity="error", message=error.message, mend=error.mend or "")
