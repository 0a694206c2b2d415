"""Staging: what a build starts from.

The catalog of a killed build, or that of the newest version that is whole and made by the same
recipe, or an empty one.
"""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rag.building.draft import DraftCatalog
from rag.errors import IndexCorruptError, IndexError_
from rag.index.layout import CATALOG, IndexFolder, Step, damaged
from rag.index.manifest import FileEntry, Manifest, file_problem, read_manifest

_RECIPE, _BASE, _COPY = "recipe", "base", "copy"
COLLECTION = "collection"
"""Key of `Catalog.meta`: what a build that was killed may have left in Milvus."""
# Of a catalog that holds only what had changed since another one, as `rag` once wrote them.
_SHARED = "has_earlier"


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
    catalog = DraftCatalog.create(path)
    try:
        with catalog.transaction():
            catalog.set_meta(_RECIPE, recipe)
            catalog.set_meta(COLLECTION, "")  # that one is the base's
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
        if catalog.meta(_RECIPE) == recipe and not catalog.meta(_SHARED):
            # What an earlier step derived from the catalog is made anew.
            for entry in folder.staging.iterdir():
                if not entry.name.startswith(CATALOG):
                    shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
            return catalog
        catalog.close()
    except IndexCorruptError:
        pass  # a torn staging folder is nobody's data
    return None


def _taken_over(folder: IndexFolder, recipe: str, step: Step) -> Base | None:
    """Copy the catalog of the newest version that is whole and fits; that version."""
    # Above the live one: what a build killed just before it went live had already embedded.
    for number in reversed(folder.versions()):
        path = folder.version_path(number)
        try:
            manifest = read_manifest(path)
            if manifest.recipe != recipe:
                continue
            _copy(path / CATALOG, manifest.files[CATALOG], folder.staging / _COPY)
        except IndexError_:
            (folder.staging / _COPY).unlink(missing_ok=True)
            continue
        step("catalog copied")
        (folder.staging / _COPY).rename(folder.staging / CATALOG)
        step("catalog taken over")
        return Base(path, manifest)
    return None


def _copy(path: Path, entry: FileEntry, copy: Path) -> None:
    """Copy a catalog, hashing it meanwhile: damage to one version stays in it."""
    problem = file_problem(path, entry, only_size=True)
    if not problem:
        with ThreadPoolExecutor(1) as thread:
            checked = thread.submit(file_problem, path, entry)
            shutil.copyfile(path, copy)
        problem = checked.result()
    if problem:
        raise damaged(path.parent, f"{path.name} {problem}")


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
