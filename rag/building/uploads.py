"""Files that people hand over: kept in the folder of the index, read with its other sources."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from rag.errors import IndexWriteError, SourceError
from rag.index.layout import UPLOADS, IndexFolder
from rag.readers import KNOWN_SUFFIXES
from rag.settings import Settings

_UNFIT = re.compile(r"[^\w .()-]+")
_MAX_NAME = 120


def add_files(
    index: str, files: Sequence[Path | str], *, settings: Settings | None = None
) -> list[Path]:
    """Copy files into the `uploads/` folder of an index; its next build takes them in.

    A file of the same name is replaced. All are looked at before the first is copied.

    Args:
        index: Name of the index.
        files: `.txt` files (an article each) or `.jsonl` files (an article a line).
        settings: None takes them from `rag.toml` and the environment.

    Returns:
        Where they lie now, in the order given.

    Raises:
        IndexMissingError: there is no such index.
        SourceError: a file is of another kind.
        IndexWriteError: a file cannot be copied.
    """
    folder = IndexFolder((settings or Settings()).index_dir, index)
    folder.config()
    paths = [Path(file) for file in files]
    for path in paths:
        if path.suffix.lower() not in KNOWN_SUFFIXES:
            raise SourceError(
                f"{path.name}: files of this kind are not read",
                mend=f"give files that end in {', '.join(KNOWN_SUFFIXES)}",
            )
    target = folder.path / UPLOADS
    return [_copy(path, target / _name(path)) for path in paths]


def _copy(source: Path, target: Path) -> Path:
    fresh = target.with_name(f".{target.name}.part")  # hidden: a build under way leaves it out
    try:
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(source, fresh)
        os.replace(fresh, target)
    except OSError as error:
        raise IndexWriteError(f"{target} cannot be written: {error.strerror}") from error
    return target


def _name(path: Path) -> str:
    """A name that is one on any system and leads nowhere else."""
    stem = _UNFIT.sub("_", path.stem).strip(" ._")[:_MAX_NAME] or "article"
    return stem + path.suffix.lower()
