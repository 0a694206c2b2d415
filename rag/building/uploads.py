"""Files that people hand over: kept in the folder of the index, read with its other sources.

None of them is lost: one whose name is taken gets a name of its own, unless it is to replace the
other, and each says what became of it.
"""

from __future__ import annotations

import contextlib
import filecmp
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from rag.errors import IndexWriteError, SourceError
from rag.index.layout import UPLOADS, IndexFolder
from rag.readers import KNOWN_SUFFIXES
from rag.readers.formats import known_suffix
from rag.settings import Settings

_UNFIT = re.compile(r"[^\w .()-]+")
_MAX_NAME_BYTES = 200  # file systems take 255
Outcome = Literal["added", "renamed", "replaced", "unchanged"]
_PARTS, _LOCK = ".*.part", ".lock"  # hidden: a build under way leaves them out


class Upload(BaseModel):
    """A file that was handed over, and what became of it.

    Attributes:
        name: Its name as given.
        path: Where it lies now.
        outcome: `added`; `renamed`, where another file has its name and both are kept; `replaced`,
            where it took the place of that; `unchanged`, where the same file was there already.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    path: Path
    outcome: Outcome


def add_files(
    index: str,
    files: Sequence[Path | str],
    *,
    replace: bool = False,
    move: bool = False,
    settings: Settings | None = None,
) -> list[Upload]:
    """Copy files into the `uploads/` folder of an index; its next build takes them in.

    All of them or none. Files of the same name, or of names that become the same, are all kept.

    Args:
        index: Name of the index.
        files: Of any format that is read: text, pages, PDF, Word, mail, feeds, archives …
        replace: Whether a file takes the place of an upload of the same name that was there before.
        move: Whether the files given are gone afterwards, whatever became of them.
        settings: None takes them from `rag.toml` and the environment.

    Returns:
        What became of each, in the order given.

    Raises:
        IndexMissingError: there is no such index.
        SourceError: a file does not exist, or is of another kind.
        IndexWriteError: a file cannot be copied.
    """
    paths = [Path(file) for file in files]
    try:
        return _added(_folder(index, settings), paths, replace)
    finally:
        if move:
            for path in paths:
                path.unlink(missing_ok=True)


def _added(folder: IndexFolder, paths: Sequence[Path], replace: bool) -> list[Upload]:
    for path in paths:
        if not path.is_file():
            raise SourceError(f"{path} does not exist, or is no file")
        if known_suffix(path.name) is None:
            raise SourceError(
                f"{path.name}: files of this kind are not read",
                mend=f"give files that end in {', '.join(KNOWN_SUFFIXES)}",
            )
    with _alone(folder) as target:
        replaceable = {path.name for path in _uploads(target)} if replace else set()
        fresh = [target / f".{number}.part" for number in range(len(paths))]
        try:
            for path, part in zip(paths, fresh, strict=True):
                shutil.copyfile(path, part)
            return [
                _placed(path.name, part, target, replaceable)
                for path, part in zip(paths, fresh, strict=True)
            ]
        finally:
            for part in fresh:
                part.unlink(missing_ok=True)


def list_files(index: str, *, settings: Settings | None = None) -> list[Path]:
    """The files that were handed over to an index, by name.

    Raises:
        IndexMissingError: there is no such index.
    """
    return _uploads(_folder(index, settings).path / UPLOADS)


def remove_files(
    index: str, names: Sequence[str], *, settings: Settings | None = None
) -> list[Path]:
    """Delete files that were handed over; the next build takes their articles out.

    All of them or none.

    Args:
        index: Name of the index.
        names: Names as `list_files` has them, without folders.
        settings: None takes them from `rag.toml` and the environment.

    Returns:
        Where they lay.

    Raises:
        IndexMissingError: there is no such index.
        SourceError: there is no such file.
        IndexWriteError: a file cannot be deleted.
    """
    folder = _folder(index, settings)
    with _alone(folder) as target:
        there = {path.name: path for path in _uploads(target)}
        missing = [name for name in names if name not in there]
        if missing:
            shown = ", ".join(there) or "none"
            raise SourceError(
                f"index {index!r} has no uploaded file {missing[0]!r}",
                mend=f"name one of those in {target}: {shown}",
            )
        for name in dict.fromkeys(names):
            there[name].unlink()
    return [there[name] for name in names]


def _folder(index: str, settings: Settings | None) -> IndexFolder:
    folder = IndexFolder((settings or Settings()).index_dir, index)
    folder.config()
    return folder


def _uploads(target: Path) -> list[Path]:
    if not target.is_dir():
        return []
    return [p for p in sorted(target.iterdir()) if p.is_file() and not p.name.startswith(".")]


@contextlib.contextmanager
def _alone(folder: IndexFolder) -> Iterator[Path]:
    """The folder of uploads, changed by nobody else meanwhile; others wait."""
    from filelock import FileLock  # it takes a tenth of a second

    target = folder.path / UPLOADS
    try:
        target.mkdir(exist_ok=True)
        with FileLock(target / _LOCK, fallback_to_soft=False):
            for left in target.glob(_PARTS):  # by a process that was killed
                left.unlink()
            yield target
    except OSError as error:
        raise IndexWriteError(f"{target} cannot be changed: {error}") from error


def _placed(given: str, part: Path, target: Path, replaceable: set[str]) -> Upload:
    """Give a file that was copied its name, the first one that is free.

    Args:
        given: Its name as given.
        part: The copy.
        target: The folder of uploads.
        replaceable: Names whose files it may replace; what it takes is taken out, so that of
            several files in one call none replaces another.
    """
    stem, suffix = _name(given)
    wanted = stem + suffix
    path = target / wanted
    outcome: Outcome = "added"
    number = 1
    while path.exists():
        if filecmp.cmp(part, path, shallow=False):
            replaceable.discard(path.name)
            return Upload(name=given, path=path, outcome="unchanged")
        if path.name == wanted and wanted in replaceable:
            replaceable.discard(wanted)
            outcome = "replaced"
            break
        number += 1
        path = target / f"{stem} ({number}){suffix}"
        outcome = "renamed"
    part.replace(path)
    return Upload(name=given, path=path, outcome=outcome)


def _name(given: str) -> tuple[str, str]:
    """Stem and end of a name that is one on any system and leads nowhere else."""
    suffix = known_suffix(given) or ""
    stem = _UNFIT.sub("_", given[: len(given) - len(suffix)]).strip(" ._")
    return stem.encode()[:_MAX_NAME_BYTES].decode(errors="ignore") or "article", suffix
