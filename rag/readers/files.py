"""Files: which ones a source stands for."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.errors import SourceError
from rag.readers.skipped import Skipped, system_reason

TEXT_SUFFIXES = (".txt",)
LINES_SUFFIXES = (".jsonl", ".ndjson")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to be read.

    Attributes:
        path: Where it is.
        shown: How articles name it: relative to the folder of `index.toml`, in posix form.
    """

    path: str
    shown: str

    @property
    def is_lines(self) -> bool:
        """Whether it holds an article a line."""
        return suffix(self.path) in LINES_SUFFIXES


def files_of(sources: Sequence[str], base: Path) -> Iterator[SourceFile | Skipped]:
    """Every file of the sources, once, in a fixed order, and what is none.

    Raises:
        SourceError: a source does not exist. Raised at once, before anything is yielded.
    """
    return _each_once([path for source in sources for path in expand(source, base)], base)


def _each_once(paths: Sequence[str], base: Path) -> Iterator[SourceFile | Skipped]:
    seen: set[str] = set()
    for file in (file for path in paths for file in walk(path, base, set())):
        if isinstance(file, Skipped):
            yield file
            continue
        shown, real = shown_path(file, base), os.path.realpath(file)
        if real in seen:
            yield Skipped(path=shown, reason="already read from another source")
            continue
        seen.add(real)
        yield SourceFile(file, shown)


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
