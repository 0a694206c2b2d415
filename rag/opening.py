"""The models that an engine reads and ranks with: one of each, for all engines that name it."""

from __future__ import annotations

from pathlib import Path

from rag import embedding
from rag.embedding import Embedder, EmbedderIdentity
from rag.lifetime import Shared
from rag.ranking import Ranker
from rag.ranking.minilm import FOLDER, MiniLMRanker
from rag.retrieval.reranking import CrossEncoderReranker, Reranker
from rag.settings import Settings

_embedders: Shared[tuple[EmbedderIdentity, Path, int], Embedder] = Shared()
_rankers: Shared[tuple[Path, int], Ranker] = Shared()
_rerankers: Shared[tuple[str, int], Reranker] = Shared()


def embedder_of(made: EmbedderIdentity, settings: Settings) -> Embedder:
    """The model that an index names. What lies there by now may be another: compare identities.

    Raises:
        ModelMissingError, ModelError: see `rag.embedding.load`.
    """
    key = (made, settings.models_dir, settings.threads)
    return _embedders.get(
        key,
        lambda: embedding.load(
            made.model,
            models_dir=settings.models_dir,
            n_threads=settings.threads,
            runtime=made.runtime,
        ),
    )


def ranker_of(settings: Settings) -> Ranker | None:
    """What reads a question together with each sentence; None where there is none.

    The settings may leave it out, and a package may come without the trained model
    (`tools/train_ranker.py` makes it).
    """
    if not settings.ranker or not FOLDER.is_dir():
        return None
    key = (settings.models_dir, settings.threads)
    return _rankers.get(key, lambda: MiniLMRanker(*key))


def reranker_of(settings: Settings) -> Reranker | None:
    """The cross-encoder that the settings name, if they name one."""
    if not (name := settings.reranker):
        return None
    n_threads = settings.threads
    return _rerankers.get(
        (name, n_threads), lambda: CrossEncoderReranker(name, n_threads=n_threads)
    )
