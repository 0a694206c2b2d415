"""haiku.rag: its own cutting (docling) and hybrid search (LanceDB), by its client."""

import asyncio

from common import DIMENSION, K, Peer, changed, keep_digests, read, run

BATCH = 64  # articles given to `import_documents` at once


def client(model, store, **options):
    from haiku.rag.client import HaikuRAG
    from haiku.rag.config.models import (
        AppConfig,
        EmbeddingModelConfig,
        EmbeddingsConfig,
        ProcessingConfig,
    )

    embedding = EmbeddingModelConfig(
        provider="sentence-transformers", name=model, vector_dim=DIMENSION
    )
    config = AppConfig(
        embeddings=EmbeddingsConfig(model=embedding),
        processing=ProcessingConfig(chunking_tokenizer=model),  # its default asks the network
    )
    return HaikuRAG(store / "haiku.lancedb", config=config, **options)


async def add(rag, articles):
    from haiku.rag.client.documents import DocumentImport

    for at in range(0, len(articles), BATCH):
        batch = []
        for article in articles[at : at + BATCH]:
            document = await rag.convert(article["text"])
            chunks = await rag.chunk(document)
            batch.append(DocumentImport(document, chunks, uri=str(article["id"])))
        await rag.import_documents(batch)


def build(sources, model, store):
    async def work():
        async with client(model, store, create=True) as rag:
            await add(rag, articles)

    articles = read(sources)
    asyncio.run(work())
    keep_digests(articles, store)


def update(sources, model, store):
    async def work():
        async with client(model, store) as rag:
            for name in old:
                document = await rag.get_document_by_uri(str(name))
                await rag.delete_document(document.id)
            await add(rag, now)

    articles = read(sources)
    now, old = changed(articles, store)
    asyncio.run(work())
    keep_digests(articles, store)


def open_(model, store):
    runner = asyncio.Runner()
    rag = runner.run(client(model, store, read_only=True).__aenter__())

    def search(question):
        found = runner.run(rag.search(question, limit=K))
        return [(one.document_uri, one.content) for one in found]

    return search


if __name__ == "__main__":
    run(
        Peer(
            name="haiku.rag",
            settings="its defaults: chunks of 256 tokens, hybrid; import_documents, 64 at a time;"
            " changed articles, told by a hash, deleted and imported again",
            packages=("haiku.rag-slim", "lancedb", "docling", "torch"),
            build=build,
            update=update,
            open=open_,
        )
    )
