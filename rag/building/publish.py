"""Publishing: the catalog of a build to a version that is whole, and live."""

from __future__ import annotations

import datetime
import json

from rag import __version__
from rag.building.derive import Derived, derive, derive_into
from rag.building.draft import DraftCatalog
from rag.building.known_lines import find_boilerplate
from rag.building.known_stories import find_stories
from rag.building.staging import COLLECTION, Base, base_of
from rag.building.tally import Tally
from rag.index.config import IndexConfig
from rag.index.layout import CATALOG, IndexFolder, Step
from rag.index.manifest import Manifest, describe_files, write_manifest
from rag.index.milvus import drop_collection, new_collection


def publish(
    folder: IndexFolder,
    recipe: str,
    config: IndexConfig,
    catalog: DraftCatalog,
    tally: Tally,
    step: Step,
) -> Manifest:
    """Finish the version in staging and make it the live one.

    Args:
        folder: The index; its lock is held.
        recipe: Hash of everything that decides how an article becomes chunks and vectors.
        config: What it was built by.
        catalog: Every article with its chunks and vectors.
        tally: Told each phase and its time.
        step: Told each step.

    Raises:
        IndexWriteError: it cannot be written.
    """
    staging = folder.staging
    identity = json.loads(catalog.meta("embedder") or "null")
    base = base_of(folder, catalog)
    collection = _new_collection(folder, config, catalog)
    tally.tell("derive")
    with tally.timed("stories"):
        stories = find_stories(catalog.database)
        step("stories found")
    with tally.timed("lines"):
        boilerplate = find_boilerplate(catalog.database, stories.members)
    with tally.timed("store"):
        columns = catalog.finish(stories, boilerplate)
    step("catalog finished")
    with tally.timed("derive"):
        derived = _derive(folder, config, collection, identity["dimension"], base, step)
    tally.seconds |= derived.seconds
    tally.tell("publish")
    with tally.timed("publish"):
        files = describe_files(staging, {CATALOG: derived.catalog})
        step("files hashed")
        manifest = Manifest(
            index=folder.name,
            created=datetime.datetime.now(datetime.UTC).replace(microsecond=0),
            rag_version=__version__,
            config=config,
            embedder=identity,
            recipe=recipe,
            vector_index=derived.vector_index,
            collection=collection,
            n_articles=len(columns.article_numbers),
            n_chunks=len(columns.chunk_ids),
            n_skipped=len(tally.skipped),
            files=files,
        )
        write_manifest(staging, manifest)
        step("manifest written")
        folder.publish(step)
    return manifest


def _derive(
    folder: IndexFolder,
    config: IndexConfig,
    collection: str | None,
    dimension: int,
    base: Base | None,
    step: Step,
) -> Derived:
    if collection is not None:
        return derive_into(config.store, collection, folder.staging, config.language, step)
    return derive(folder.staging, config.language, dimension, base, step)


def _new_collection(folder: IndexFolder, config: IndexConfig, catalog: DraftCatalog) -> str | None:
    """Where the chunks go, if not into files; noted, so that whoever goes on can delete it."""
    store = config.store
    if store.kind == "local":
        return None
    if begun := catalog.meta(COLLECTION):
        drop_collection(store, begun, folder.path)
    with catalog.transaction():
        catalog.set_meta(COLLECTION, name := new_collection(folder.name))
    return name
