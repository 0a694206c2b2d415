"""LlamaIndex: VectorStoreIndex with its own splitter, FAISS store, refresh_ref_docs."""

from common import DIMENSION, K, Peer, read, run


def set_up(model):
    from llama_index.core import Settings
    from llama_index.core.llms import MockLLM
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding

    Settings.llm = MockLLM()  # none is asked
    Settings.embed_model = HuggingFaceEmbedding(model_name=model)


def documents(articles):
    from llama_index.core import Document

    return [
        Document(
            text=article["text"], metadata={"article_id": article["id"]}, id_=str(article["id"])
        )
        for article in articles
    ]


def build(sources, model, store):
    import faiss
    from llama_index.core import StorageContext, VectorStoreIndex
    from llama_index.vector_stores.faiss import FaissMapVectorStore

    set_up(model)
    vectors = FaissMapVectorStore(faiss_index=faiss.IndexIDMap2(faiss.IndexFlatL2(DIMENSION)))
    index = VectorStoreIndex.from_documents(
        documents(read(sources)), storage_context=StorageContext.from_defaults(vector_store=vectors)
    )
    index.storage_context.persist(persist_dir=str(store))


def loaded(model, store):
    from llama_index.core import StorageContext, load_index_from_storage
    from llama_index.vector_stores.faiss import FaissMapVectorStore

    set_up(model)
    vectors = FaissMapVectorStore.from_persist_dir(str(store))
    context = StorageContext.from_defaults(vector_store=vectors, persist_dir=str(store))
    return load_index_from_storage(context)


def update(sources, model, store):
    index = loaded(model, store)
    new = documents(read(sources))
    for document in new:
        known = index.docstore.get_document_hash(document.id_)
        if known not in (None, document.hash):
            # refresh_ref_docs alone leaves the old vectors: this store deletes by node.
            nodes = index.docstore.get_ref_doc_info(document.id_).node_ids
            index.delete_nodes(nodes, delete_from_docstore=False)
    index.refresh_ref_docs(new)
    index.storage_context.persist(persist_dir=str(store))


def open_(model, store):
    retriever = loaded(model, store).as_retriever(similarity_top_k=K)

    def search(question):
        return [
            (found.node.metadata["article_id"], found.node.start_char_idx, found.node.end_char_idx)
            for found in retriever.retrieve(question)
        ]

    return search


if __name__ == "__main__":
    run(
        Peer(
            name="LlamaIndex",
            settings="SentenceSplitter() of 1024 tokens, 200 overlapping, FaissMapVectorStore"
            " (Flat), dense; delete_nodes and refresh_ref_docs",
            packages=(
                "llama-index-core",
                "llama-index-vector-stores-faiss",
                "llama-index-embeddings-huggingface",
                "torch",
            ),
            build=build,
            update=update,
            open=open_,
        )
    )
