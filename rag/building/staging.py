"""Staging: what a build starts from.

The catalog of a killed build, or that of the newest version that is whole and made by the same
recipe, or an empty one. A catalog is copied as long as it is small, so that damage to one version
stays in it. A large one is shared by a link as `earlier.sqlite`, and what changes since is written
beside it, until that has become so much that both are merged into a copy.
"""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rag.building.draft import DraftCatalog
from rag.errors import IndexCorruptError, IndexError_
from rag.index.catalog import Catalog
from rag.index.layout import CATALOG, EARLIER, IndexFolder, Step, damaged, shared_catalog
from rag.index.manifest import (
    HASHED_CATALOG_BYTES,
    FileEntry,
    Manifest,
    file_problem,
    read_manifest,
)

SHARED_BYTES = HASHED_CATALOG_BYTES
"""A larger catalog is shared by the versions that follow it."""
MAX_CHANGED = 0.2
"""Past this share of the earlier catalog, what changed is merged with it."""
_RECIPE, _BASE, _COPY = "recipe", "base", "copy"


@dataclass(frozen=True, slots=True)
class Base:
    """The version that a build goes on from: unchanged parts of its files are taken over.

    Attributes:
        path: Its folder.
        manifest: What it consists of.
    """

    path: Path
    manifest: Manifest


def open_staging(folder: IndexFolder, recipe: str, *, full: bool, step: Step) -> DraftCatalog:
    """The catalog to build in.

    Args:
        folder: The index; its lock is held.
        recipe: Hash of everything that decides how an article becomes chunks and vectors.
        full: Start from nothing.
        step: Told each step.

    Raises:
        IndexWriteError: it cannot be written.
    """
    path = folder.staging / CATALOG
    if not full and path.exists():
        catalog = _resume(folder, recipe)
        if catalog is not None:
            step("staging resumed")
            return catalog
    folder.clear_staging()
    folder.staging.mkdir(parents=True)
    step("staging made")
    base = None if full else _taken_over(folder, recipe, step)
    changes_only = base is not None and not path.exists()
    catalog = DraftCatalog.create_changes(path) if changes_only else DraftCatalog.create(path)
    try:
        with catalog.transaction():
            catalog.set_meta(_RECIPE, recipe)
            if base is not None:
                catalog.set_meta(_BASE, f"{base.path.name} {base.manifest.seal}")
                catalog.set_meta("embedder", base.manifest.embedder.model_dump_json())
        step("staging ready")
    except BaseException:
        catalog.close()
        raise
    return catalog


def _resume(folder: IndexFolder, recipe: str) -> DraftCatalog | None:
    try:
        catalog = DraftCatalog.create(folder.staging / CATALOG)
        if catalog.meta(_RECIPE) == recipe:
            # What an earlier step derived from the catalog is made anew.
            for entry in folder.staging.iterdir():
                if not entry.name.startswith((CATALOG, EARLIER)):
                    shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
            return catalog
        catalog.close()
    except IndexCorruptError:
        pass  # a torn staging folder is nobody's data
    return None


def _taken_over(folder: IndexFolder, recipe: str, step: Step) -> Base | None:
    """Copy or link the catalog of the newest version that is whole and fits; that version."""
    # Above the live one: what a build killed just before it went live had already embedded.
    for number in reversed(folder.versions()):
        path = folder.version_path(number)
        try:
            manifest = read_manifest(path)
            if manifest.recipe != recipe:
                continue
            _take_over(path, manifest, folder.staging, step)
        except IndexError_:
            folder.clear_staging()
            folder.staging.mkdir()
            continue
        step("catalog taken over")
        return Base(path, manifest)
    return None


def _take_over(version: Path, manifest: Manifest, staging: Path, step: Step) -> None:
    own, earlier = manifest.files[CATALOG], manifest.files.get(EARLIER)
    if earlier is None and own.n_bytes > SHARED_BYTES:
        _link(version / CATALOG, own, staging)
        step("catalog linked")
        return
    if earlier is None:
        _copy(version / CATALOG, own, staging)
        step("catalog copied")
    elif own.n_bytes <= MAX_CHANGED * earlier.n_bytes:
        _copy(version / CATALOG, own, staging)
        step("catalog copied")
        _link(version / EARLIER, earlier, staging)
        step("catalog linked")
    else:
        _copy(version / EARLIER, earlier, staging)
        step("catalog copied")
        _raise_if(file_problem(version / CATALOG, own), version / CATALOG)
        with DraftCatalog.create(staging / _COPY) as merged:
            merged.merge(version / CATALOG)
            merged.finish()
        step("changes merged")
    (staging / _COPY).rename(staging / CATALOG)


def _copy(path: Path, entry: FileEntry, staging: Path) -> None:
    _raise_if(file_problem(path, entry, only_size=True), path)
    with ThreadPoolExecutor(1) as thread:
        checked = thread.submit(file_problem, path, entry)
        shutil.copyfile(path, staging / _COPY)
    _raise_if(checked.result(), path)


def _link(path: Path, entry: FileEntry, staging: Path) -> None:
    """Share a catalog. It is not hashed, as at opening: its rows carry checksums of their own."""
    _raise_if(file_problem(path, entry, only_size=True), path)
    with Catalog.open(path) as catalog:
        _ = catalog.columns  # they are whole, or this raises
    try:
        os.link(path, staging / EARLIER)
    except OSError:  # a file system without links
        shutil.copyfile(path, staging / EARLIER)
        _raise_if(file_problem(staging / EARLIER, entry), path)


def _raise_if(problem: str | None, path: Path) -> None:
    if problem:
        raise damaged(path.parent, f"{path.name} {problem}")


def shared_files(folder: IndexFolder, base: Base | None) -> dict[str, FileEntry]:
    """Entries of what the staging folder shares with the version it was made from."""
    name = base and shared_catalog(folder.staging, base.path)
    return {EARLIER: base.manifest.files[name]} if base and name else {}


def base_of(folder: IndexFolder, catalog: DraftCatalog) -> Base | None:
    """The version that the staging catalog was copied from, if it is still there."""
    name, _, seal = (catalog.meta(_BASE) or "").partition(" ")
    if not name:
        return None
    try:
        base = Base(folder.versions_path / name, read_manifest(folder.versions_path / name))
    except IndexError_:
        return None
    return base if base.manifest.seal == seal else None
