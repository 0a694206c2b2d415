"""Files: which ones a source stands for."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from pathlib import Path

from rag.errors import SourceError
from rag.readers.skipped import Skipped, system_reason

TEXT_SUFFIXES = (".txt",)
LINES_SUFFIXES = (".jsonl", ".ndjson")


def expand(source: str, base: Path) -> list[str]:
    """Paths that a source stands for."""
    path = os.path.join(base, source)
    if os.path.lexists(path):
        return [path]
    found = glob.glob(source, root_dir=base, recursive=True) if glob.has_magic(source) else []
    matches = [os.path.join(base, name) for name in sorted(found)]
    if not matches:
        what = "matches no file" if glob.has_magic(source) else "does not exist"
        raise SourceError(
            f"source {source!r} {what} (looked for {path})",
            mend=f"correct `sources` in {base / 'index.toml'}, or put the file there",
        )
    return matches


def walk(path: str, base: Path, open_folders: set[str]) -> Iterator[str | Skipped]:
    """Readable files at and below a path, in sorted order; what is none of them as `Skipped`."""
    if os.path.isdir(path):
        real = os.path.realpath(path)
        if real in open_folders:
            yield Skipped(path=shown_path(path, base), reason="a link back to a folder above it")
            return
        try:
            names = sorted(os.listdir(path))
        except OSError as error:
            yield Skipped(path=shown_path(path, base), reason=system_reason(error))
            return
        for name in names:
            if not name.startswith("."):
                yield from walk(os.path.join(path, name), base, open_folders | {real})
    elif not os.path.isfile(path):
        reason = "not a regular file" if os.path.exists(path) else "a link to nothing"
        yield Skipped(path=shown_path(path, base), reason=reason)
    elif suffix(path) not in TEXT_SUFFIXES + LINES_SUFFIXES:
        known = ", ".join(TEXT_SUFFIXES + LINES_SUFFIXES)
        reason = f"unknown kind of file {suffix(path)!r} (known: {known})"
        yield Skipped(path=shown_path(path, base), reason=reason)
    else:
        yield path


def suffix(path: str) -> str:
    """End of a file name that tells its kind: ".txt"."""
    return os.path.splitext(path)[1].lower()


def shown_path(path: str, base: Path) -> str:
    """Path relative to `base` in posix form; bytes that are no UTF-8 are replaced."""
    relative = Path(os.path.relpath(path, base)).as_posix()
    return os.fsencode(relative).decode("utf-8", "replace")
