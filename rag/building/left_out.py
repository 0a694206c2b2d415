"""Articles that the sources hold and the index is not to have: `without` in its `index.toml`."""

from __future__ import annotations

from collections.abc import Sequence

import tomlkit

from rag.building.sources import edited_config
from rag.errors import SourceError
from rag.index.config import read_config
from rag.index.layout import IndexFolder
from rag.settings import Settings


def leave_out(
    index: str, article_ids: Sequence[str], *, settings: Settings | None = None
) -> list[str]:
    """Leave articles out of an index from its next build on; their files stay as they are.

    Args:
        index: Name of the index.
        article_ids: Their ids; one that the sources do not hold does nothing.
        settings: None takes them from `rag.toml` and the environment.

    Returns:
        All that are left out now.

    Raises:
        IndexMissingError, SettingsError: there is no `index.toml`, or a wrong one.
        IndexWriteError: it cannot be written.
    """
    folder = _folder(index, settings)
    known = read_config(folder.config_path).without
    return _written(folder, list(dict.fromkeys([*known, *article_ids])))


def take_back(
    index: str, article_ids: Sequence[str], *, settings: Settings | None = None
) -> list[str]:
    """The opposite of `leave_out`: the next build takes these articles in again.

    Raises:
        SourceError: one is not left out; and what `leave_out` raises.
    """
    folder = _folder(index, settings)
    known = read_config(folder.config_path).without
    missing = [one for one in article_ids if one not in known]
    if missing:
        raise SourceError(
            f"index {index!r} does not leave out {missing[0]!r}",
            mend=f"name one of those in `without` of {folder.config_path}",
        )
    return _written(folder, [one for one in known if one not in article_ids])


def _folder(index: str, settings: Settings | None) -> IndexFolder:
    folder = IndexFolder((settings or Settings()).index_dir, index)
    folder.config()
    return folder


def _written(folder: IndexFolder, article_ids: Sequence[str]) -> list[str]:
    with edited_config(folder) as document:
        array = tomlkit.array()
        array.extend(article_ids)
        document["without"] = array.multiline(len(article_ids) > 1)
    return list(article_ids)
