"""Models from this disk."""

from __future__ import annotations

from pathlib import Path

from rag.models.known import ModelSpec
from rag.models.partial import CHUNK_BYTES, Report, SourceFailed, StagedFile


def fetch_from_disk(spec: ModelSpec, staging: Path, report: Report, origin: Path) -> None:
    """Copies the files of a model from a folder, or from a file if it has only one.

    Raises:
        SourceFailed: a file is missing or not what its sha256 says.
    """
    for file in spec.files:
        path = origin / file.name if origin.is_dir() else origin
        if not path.is_file() or (len(spec.files) > 1 and not origin.is_dir()):
            raise SourceFailed(f"there is no {file.name} in {origin}")
        with StagedFile(staging / "files" / file.name, report) as staged:
            with path.open("rb") as original:
                while chunk := original.read(CHUNK_BYTES):
                    staged.write(chunk, file.name)
            staged.finish(file)
