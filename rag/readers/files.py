"""Files: which ones a source stands for."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.errors import SourceError
from rag.readers.formats import LINES, ROWS, format_by_name, format_of
from rag.readers.reader import START_BYTES
from rag.readers.skipped import Skipped, system_reason

_PAGE_FILES = "_files"
_PAGE_SUFFIXES = (".html", ".htm")


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
        return format_by_name(self.path) in (LINES, ROWS)


def files_of(sources: Sequence[str], base: Path) -> Iterator[SourceFile | Skipped]:
    """Every file of the sources, once, in a fixed order, and what is none.

    Raises:
        SourceError: a source does not exist. Raised at once, before anything is yielded.
    """
    return _each_once([path for source in sources for path in expand(source, base)], base)


def _each_once(paths: Sequence[str], base: Path) -> Iterator[SourceFile | Skipped]:
    seen: set[str] = set()
    for file in (file for path in paths for file in _Walk(path, base).run()):
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


class _Walk:
    """Readable files at and below a path, in sorted order; what is none of them as `Skipped`."""

    def __init__(self, path: str, base: Path) -> None:
        self._path = path
        self._base = base
        self._root = os.path.realpath(path)

    def run(self) -> Iterator[str | Skipped]:
        yield from self._below(self._path, frozenset())

    def _below(self, path: str, open_folders: frozenset[str]) -> Iterator[str | Skipped]:
        if os.path.isdir(path):
            yield from self._folder(path, open_folders)
        elif not os.path.isfile(path):
            what = "not a regular file" if os.path.exists(path) else "a link to nothing"
            yield self._skipped(path, what)
        elif self._leads_out(path):
            yield self._skipped(path, "a link that leads out of the source")
        elif (unknown := _unknown(path)) is not None:
            yield self._skipped(path, unknown)
        else:
            yield path

    def _folder(self, path: str, open_folders: frozenset[str]) -> Iterator[str | Skipped]:
        real = os.path.realpath(path)
        if real in open_folders:
            yield self._skipped(path, "a link back to a folder above it")
            return
        if self._leads_out(path):
            yield self._skipped(path, "a link that leads out of the source")
            return
        try:
            names = sorted(os.listdir(path))
        except OSError as error:
            yield self._skipped(path, system_reason(error))
            return
        pages = {os.path.splitext(name)[0] for name in names if name.endswith(_PAGE_SUFFIXES)}
        for name in names:
            below = os.path.join(path, name)
            if name.startswith("."):
                continue
            if name.removesuffix(_PAGE_FILES) in pages and os.path.isdir(below):
                # What browsers save beside a page: its pictures, scripts and adverts.
                yield self._skipped(below, "belongs to a saved page")
                continue
            yield from self._below(below, open_folders | {real})

    def _leads_out(self, path: str) -> bool:
        """Whether a link below the source points to somewhere else."""
        real = os.path.realpath(path)
        return real != self._root and not real.startswith(self._root.rstrip(os.sep) + os.sep)

    def _skipped(self, path: str, reason: str) -> Skipped:
        return Skipped(path=shown_path(path, self._base), reason=reason)


def _unknown(path: str) -> str | None:
    """Why a file is of no kind that is read; None if it is of one."""
    if format_by_name(path) is not None:
        return None
    try:
        with open(path, "rb") as file:
            found = format_of(path, file.read(START_BYTES))
    except OSError as error:
        return system_reason(error)
    return None if found is not None else unknown_kind(path)


def unknown_kind(path: str) -> str:
    """The reason why a file of an unknown kind is skipped."""
    return f"unknown kind of file {suffix(path)!r}"


def suffix(path: str) -> str:
    """End of a file name that tells its kind: ".txt"."""
    return os.path.splitext(path)[1].lower()


def shown_path(path: str, base: Path) -> str:
    """Path relative to `base` in posix form; bytes that are no UTF-8 are replaced."""
    relative = Path(os.path.relpath(path, base)).as_posix()
    return os.fsencode(relative).decode("utf-8", "replace")
