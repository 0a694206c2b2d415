"""One embedding model for all who use it: a second index by the same model costs no second one."""

from __future__ import annotations

import os
import threading
import weakref
from pathlib import Path

from rag.embedding import Embedder, EmbedderIdentity, load

# Held by who uses them; gone with the last. A process made by `os.fork()` loads its own: it has not
# the threads of its parent's.
_loaded: weakref.WeakValueDictionary[tuple[int, EmbedderIdentity, Path, int], Embedder] = (
    weakref.WeakValueDictionary()
)
_loading = threading.Lock()


def load_shared(made: EmbedderIdentity, *, models_dir: Path, n_threads: int) -> Embedder:
    """The embedding model that an index names; see `rag.embedding.load` for arguments and errors.

    What stands under its name now may be another model: who takes it compares identities.
    """
    key = (os.getpid(), made, models_dir, n_threads)
    with _loading:
        embedder = _loaded.get(key)
        if embedder is None:
            embedder = load(
                made.model, models_dir=models_dir, n_threads=n_threads, runtime=made.runtime
            )
            if embedder.identity == made:
                _loaded[key] = embedder
        return embedder
