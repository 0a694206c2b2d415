"""The manifest: what a version consists of. Written last, checked before anything is read."""

from __future__ import annotations

import datetime
import hashlib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from rag.embedding import EmbedderIdentity
from rag.errors import IndexCorruptError, IndexFormatError
from rag.index.config import IndexConfig

FORMAT = 1
FILE_NAME = "manifest.json"
CATALOG = "articles.sqlite"
VECTORS = "vectors.faiss"
LEXICAL = "lexical"
# tantivy leaves these empty lock files beside its segments; they are no part of the data.
_NO_DATA = {".tantivy-writer.lock", ".tantivy-meta.lock"}


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
        vector_index: FAISS index type, such as `Flat`.
        n_articles, n_chunks, n_skipped: Counts.
        files: Every file of the version but this one, by path relative to it.
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
    n_articles: int
    n_chunks: int
    n_skipped: int
    files: dict[str, FileEntry]


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write `manifest.json`; the caller syncs the folder."""
    (folder / FILE_NAME).write_text(manifest.model_dump_json(indent=1) + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a version.

    Raises:
        IndexFormatError: it was written in another format.
        IndexCorruptError: it is missing or damaged.
    """
    name = folder.parent.parent.name
    path = folder / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8")
        found = _Format.model_validate_json(text).format
        if found != FORMAT:
            raise IndexFormatError(
                f"{folder} has on-disk format {found}; this version of rag reads format {FORMAT}",
                mend=f"rag build {name} --full",
            )
        return Manifest.model_validate_json(text)
    except (OSError, ValidationError, UnicodeDecodeError) as error:
        raise IndexCorruptError(
            f"{path} is missing or damaged: {str(error).splitlines()[0]}", mend=_mend(name)
        ) from error


def describe_files(folder: Path) -> dict[str, FileEntry]:
    """Checksums of every file below a folder, the manifest left out."""
    entries = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name not in _NO_DATA and path != folder / FILE_NAME:
            entries[path.relative_to(folder).as_posix()] = FileEntry(
                sha256=file_sha256(path), n_bytes=path.stat().st_size
            )
    return entries


def verify_files(folder: Path, manifest: Manifest) -> None:
    """Compare every file with the manifest.

    Raises:
        IndexCorruptError: a file is missing, has another size or another checksum.
    """
    for relative, entry in manifest.files.items():
        problem = file_problem(folder / relative, entry)
        if problem:
            raise IndexCorruptError(f"{folder / relative}: {problem}", mend=_mend(manifest.index))


def file_problem(path: Path, entry: FileEntry) -> str | None:
    """What is wrong with a file; None when it is what the manifest says."""
    try:
        n_bytes = path.stat().st_size
        if n_bytes != entry.n_bytes:
            return f"has {n_bytes} bytes instead of {entry.n_bytes}"
        if file_sha256(path) != entry.sha256:
            return "has another sha256 than when it was built"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return None


def file_sha256(path: Path) -> str:
    """sha256 (hex) of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _mend(name: str) -> str:
    return f"rag build {name} --full   (or rag rollback {name}, if an older version is kept)"


class _Format(BaseModel):
    format: int
