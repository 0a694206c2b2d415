"""A build on Ray that kills itself: `python -m tests.cluster.killed_build INDEX_DIR ADDRESS N`.

It ends by SIGKILL when it has stored its Nth batch.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from rag.building.builder import build_index
from rag.building.on_ray import Ray
from rag.index.layout import IndexFolder
from rag.testing import FakeEmbedder
from tests.cluster.killing import plain


def main(index_dir: str, address: str, n_batches: str) -> None:
    left = int(n_batches)

    def on_step(name: str) -> None:
        nonlocal left
        left -= name == "batch stored"
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    build_index(
        IndexFolder(Path(index_dir), "news"),
        model_sha256=FakeEmbedder().identity.sha256,
        load_embedder=plain,
        on_step=on_step,
        ray=Ray(address),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
