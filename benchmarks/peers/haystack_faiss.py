"""Haystack: DocumentSplitter and SentenceTransformers embedders as they come, FAISS store."""

from common import K, run


def build(articles, model):
    from haystack import Document
    from haystack.components.preprocessors import DocumentSplitter
    from haystack_integrations.components.embedders.sentence_transformers import (
        SentenceTransformersDocumentEmbedder,
        SentenceTransformersTextEmbedder,
    )
    from haystack_integrations.components.retrievers.faiss import FAISSEmbeddingRetriever
    from haystack_integrations.document_stores.faiss import FAISSDocumentStore

    splitter = DocumentSplitter()
    embedder = SentenceTransformersDocumentEmbedder(
        model=model, local_files_only=True, progress_bar=False
    )
    store = FAISSDocumentStore(embedding_dim=384)
    documents = [
        Document(content=article["text"], meta={"article_id": article["id"]})
        for article in articles
    ]
    split = splitter.run(documents=documents)["documents"]
    store.write_documents(embedder.run(documents=split)["documents"])
    questions = SentenceTransformersTextEmbedder(
        model=model, local_files_only=True, progress_bar=False
    )
    retriever = FAISSEmbeddingRetriever(document_store=store, top_k=K)

    def search(question):
        embedding = questions.run(text=question)["embedding"]
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
        "Haystack",
        "DocumentSplitter() of 200 words, FAISSDocumentStore (Flat), dense",
        ["haystack-ai", "faiss-haystack", "sentence-transformers-haystack", "torch"],
        build,
    )
