"""Sources of an index: named in its `index.toml`, which is written when there is none yet."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import tomlkit
from tomlkit.exceptions import TOMLKitError

from rag.errors import IndexWriteError, SettingsError, SourceError
from rag.index.config import FILE_NAME, read_config
from rag.index.layout import UPLOADS, IndexFolder
from rag.readers import source_paths
from rag.settings import Settings

_editing = threading.Lock()  # it is read, changed and written anew


def add_sources(
    index: str, paths: Sequence[Path | str], *, settings: Settings | None = None
) -> list[Path]:
    """Name files and folders as sources of an index; its next build takes them in.

    They stay where they are. An index that does not exist yet is made, with an `index.toml` that
    has nothing but them; of one that exists, the rest of its `index.toml` stays as it is.

    Args:
        index: Name of the index.
        paths: Files and folders.
        settings: None takes them from `rag.toml` and the environment.

    Returns:
        Those that were no source before, in the order given.

    Raises:
        QuestionError: the name could not be that of an index.
        SourceError: a path does not exist.
        SettingsError: `index.toml` is no TOML.
        IndexWriteError: it cannot be written.
    """
    folder = IndexFolder((settings or Settings()).index_dir.expanduser().absolute(), index)
    given = [Path(os.path.abspath(Path(path).expanduser())) for path in paths]
    for path in given:
        if not path.exists():
            raise SourceError(f"{path} does not exist", mend="give files or folders that are there")
    known = {os.path.realpath(path) for path in _sources(folder)}
    fresh = [path for path in given if os.path.realpath(path) not in known]
    if fresh or not folder.config_path.exists():
        _write(folder, fresh)
    return fresh


def watched_paths(index: str, *, settings: Settings | None = None) -> list[Path]:
    """Files and folders that hold what an index is built from, its uploads among them.

    Raises:
        IndexMissingError, SettingsError: there is no `index.toml`, or a wrong one.
    """
    folder = IndexFolder((settings or Settings()).index_dir.expanduser().absolute(), index)
    folder.config()
    found = [*_sources(folder), folder.path / UPLOADS]
    return [path for path in dict.fromkeys(found) if path.exists()]


def _sources(folder: IndexFolder) -> list[Path]:
    if not folder.config_path.exists():
        return []
    return source_paths(read_config(folder.config_path).sources, folder.path)


def _write(folder: IndexFolder, paths: Sequence[Path]) -> None:
    relative = [Path(os.path.relpath(path, folder.path)).as_posix() for path in paths]
    with edited_config(folder) as document:
        sources = document.get("sources", tomlkit.array())
        for path in relative:
            sources.append(path)
        document["sources"] = sources.multiline(len(sources) > 1)


@contextlib.contextmanager
def edited_config(folder: IndexFolder) -> Iterator[tomlkit.TOMLDocument]:
    """`index.toml` to be changed, made where there is none; what is not changed stays as it is.

    Raises:
        SettingsError: it is no TOML.
        IndexWriteError: it cannot be written.
    """
    target = folder.path / FILE_NAME
    try:
        with _editing:
            folder.path.mkdir(parents=True, exist_ok=True)
            document = (
                tomlkit.parse(target.read_text(encoding="utf-8")) if target.exists() else None
            )
            if document is None:
                document = tomlkit.document()
                document.add(tomlkit.comment("Sources are relative to this file."))
            yield document
            fresh = target.with_name(f".{FILE_NAME}.part")
            fresh.write_text(tomlkit.dumps(document), encoding="utf-8")
            os.replace(fresh, target)
    except (TOMLKitError, UnicodeDecodeError) as error:
        raise SettingsError(f"{target}: {error}", mend=f"edit {target}") from error
    except OSError as error:
        raise IndexWriteError(f"{target} cannot be written: {error.strerror}") from error
