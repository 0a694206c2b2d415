"""Haystack: DocumentSplitter and SentenceTransformers embedders as they come, FAISS store."""

from common import DIMENSION, K, Peer, changed, keep_digests, read, run


def opened(store):
    from haystack_integrations.document_stores.faiss import FAISSDocumentStore

    return FAISSDocumentStore(index_path=str(store / "faiss"), embedding_dim=DIMENSION)


def write(documents, articles, model):
    """Split, embed, write: the pipeline of its tutorials."""
    from haystack import Document
    from haystack.components.preprocessors import DocumentSplitter
    from haystack.document_stores.types import DuplicatePolicy
    from haystack_integrations.components.embedders.sentence_transformers import (
        SentenceTransformersDocumentEmbedder,
    )

    embedder = SentenceTransformersDocumentEmbedder(
        model=model, local_files_only=True, progress_bar=False
    )
    whole = [
        Document(content=article["text"], meta={"article_id": article["id"]})
        for article in articles
    ]
    split = DocumentSplitter().run(documents=whole)["documents"]
    embedded = embedder.run(documents=split)["documents"]
    documents.write_documents(embedded, policy=DuplicatePolicy.OVERWRITE)


def build(sources, model, store):
    articles = read(sources)
    documents = opened(store)
    write(documents, articles, model)
    documents.save(str(store / "faiss"))
    keep_digests(articles, store)


def update(sources, model, store):
    documents = opened(store)
    articles = read(sources)
    now, old = changed(articles, store)
    documents.delete_by_filter({"field": "meta.article_id", "operator": "in", "value": old})
    write(documents, now, model)
    documents.save(str(store / "faiss"))
    keep_digests(articles, store)


def open_(model, store):
    from haystack_integrations.components.embedders.sentence_transformers import (
        SentenceTransformersTextEmbedder,
    )
    from haystack_integrations.components.retrievers.faiss import FAISSEmbeddingRetriever

    embedder = SentenceTransformersTextEmbedder(
        model=model, local_files_only=True, progress_bar=False
    )
    retriever = FAISSEmbeddingRetriever(document_store=opened(store), top_k=K)

    def search(question):
        embedding = embedder.run(text=question)["embedding"]
        found = retriever.run(query_embedding=embedding)["documents"]
        return [
            (
                document.meta["article_id"],
                document.meta["split_idx_start"],
                document.meta["split_idx_start"] + len(document.content),
            )
            for document in found
        ]

    return search


if __name__ == "__main__":
    run(
        Peer(
            name="Haystack",
            settings="DocumentSplitter() of 200 words, FAISSDocumentStore (Flat), dense; changed"
            " articles deleted by a filter and written again",
            packages=("haystack-ai", "faiss-haystack", "sentence-transformers-haystack", "torch"),
            build=build,
            update=update,
            open=open_,
        )
    )
