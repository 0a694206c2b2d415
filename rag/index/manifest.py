"""The manifest: what a version consists of. Written last, checked before anything is read."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from rag.embedding import EmbedderIdentity
from rag.errors import IndexFormatError
from rag.index.config import IndexConfig
from rag.index.layout import CATALOG, damaged

FORMAT = 4
READABLE = (3, 4)
"""Formats that open; 3 has no stories until it is built again."""
FILE_NAME = "manifest.json"
_EARLIER = "earlier.sqlite"  # of versions that once shared a catalog with the one before
# A catalog that is larger is not hashed at each opening, which would take seconds: its rows and
# columns carry checksums of their own (`rag.index.rows`). `rag check` and builds hash all of it.
HASHED_CATALOG_BYTES = 128 * 2**20
_N_THREADS = 4


class FileEntry(BaseModel):
    """Checksum and size of one file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str
    n_bytes: int


class Manifest(BaseModel):
    """What a version of an index consists of.

    Attributes:
        format: Version of the on-disk format.
        index: Name of the index.
        created: When the build ended (UTC).
        rag_version: Version of this package that built it.
        config: `index.toml` as it was.
        embedder: Which model made the vectors.
        recipe: Hash of everything that decides how an article becomes chunks and vectors; an
            incremental build goes on from a version only if its recipe is the same.
        vector_index: FAISS index type, such as `Flat`; Milvus index type for chunks kept there.
        collection: Of Milvus, where the chunks are kept there.
        n_articles, n_chunks, n_skipped: Counts.
        files: Every file of the version but this one, by path relative to it.
        seal: sha256 of this file's JSON without the seal, keys sorted, no white space.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = FORMAT
    index: str
    created: datetime.datetime
    rag_version: str
    config: IndexConfig
    embedder: EmbedderIdentity
    recipe: str
    vector_index: str
    collection: str | None = None
    n_articles: int
    n_chunks: int
    n_skipped: int
    files: dict[str, FileEntry]
    seal: str = ""


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Seal and write `manifest.json`; the caller syncs the folder."""
    values = manifest.model_dump(mode="json")
    text = json.dumps({**values, "seal": _seal(values)}, indent=1, ensure_ascii=False)
    # Without a line break at the end: a byte that could go without being missed.
    (folder / FILE_NAME).write_text(text, encoding="utf-8")


def _seal(values: dict[str, Any]) -> str:
    # Over the JSON as it stands in the file: a later version of the package reads the same.
    unsealed = {key: value for key, value in values.items() if key != "seal"}
    text = json.dumps(unsealed, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a version.

    Raises:
        IndexFormatError: it was written in another format.
        IndexCorruptError: it is missing or damaged.
    """
    path = folder / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8")
        found = _Format.model_validate_json(text).format
        if found not in READABLE:
            known = " and ".join(map(str, READABLE))
            problem = f"has on-disk format {found}; this version of rag reads formats {known}"
            raise _other_format(folder, problem)
        manifest = Manifest.model_validate_json(text)
        seal = _seal(json.loads(text))
    except (OSError, ValidationError, UnicodeDecodeError) as error:
        problem = f"{FILE_NAME} is missing or damaged: {str(error).splitlines()[0]}"
        raise damaged(folder, problem) from error
    if manifest.seal != seal:
        raise damaged(folder, f"{FILE_NAME} is damaged: it does not fit its own seal")
    if _EARLIER in manifest.files:
        problem = f"shares its catalog with an earlier version ({_EARLIER})"
        raise _other_format(folder, f"{problem}, which this version of rag does not read")
    return manifest


def describe_files(folder: Path, known: Mapping[str, FileEntry]) -> dict[str, FileEntry]:
    """Checksums of every file below a folder, the manifest left out.

    Args:
        folder: The folder.
        known: Entries by relative path of files that need no hashing any more.
    """
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    names = [path.relative_to(folder).as_posix() for path in paths if path.name != FILE_NAME]
    with ThreadPoolExecutor(_N_THREADS) as pool:
        described = pool.map(lambda name: known.get(name) or describe_file(folder / name), names)
        return dict(zip(names, described, strict=True))


def describe_file(path: Path) -> FileEntry:
    """Checksum and size of a file."""
    return FileEntry(sha256=file_sha256(path), n_bytes=path.stat().st_size)


def verify_files(folder: Path, manifest: Manifest, *, hashed_catalog_bytes: int | None) -> None:
    """Compare the files of a version with its manifest.

    Args:
        folder: The version.
        manifest: What it should consist of.
        hashed_catalog_bytes: Of a catalog larger than this only the size is compared; None
            hashes it whatever its size.

    Raises:
        IndexCorruptError: a file is missing, has another size or another checksum.
    """

    def problem(item: tuple[str, FileEntry]) -> str | None:
        relative, entry = item
        limit = hashed_catalog_bytes if relative == CATALOG else None
        only_size = limit is not None and entry.n_bytes > limit
        return file_problem(folder / relative, entry, only_size=only_size)

    # The large files first: the threads end at about the same time.
    items = sorted(manifest.files.items(), key=lambda item: -item[1].n_bytes)
    with ThreadPoolExecutor(_N_THREADS) as pool:
        problems = list(pool.map(problem, items))
    for (relative, _), found in zip(items, problems, strict=True):
        if found:
            raise damaged(folder, f"{relative} {found}")


def file_problem(path: Path, entry: FileEntry, *, only_size: bool = False) -> str | None:
    """What is wrong with a file; None when it is what the manifest says."""
    try:
        n_bytes = path.stat().st_size
        if n_bytes != entry.n_bytes:
            return f"has {n_bytes} bytes instead of {entry.n_bytes}"
        if not only_size and file_sha256(path) != entry.sha256:
            return "has another sha256 than when it was built"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return None


def file_sha256(path: Path) -> str:
    """sha256 (hex) of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _other_format(folder: Path, problem: str) -> IndexFormatError:
    mend = f"rag build {folder.parent.parent.name} --full"
    return IndexFormatError(f"{folder} {problem}", mend=mend)


class _Format(BaseModel):
    format: int
