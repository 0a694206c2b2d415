"""LlamaIndex: VectorStoreIndex with its own splitter, FAISS store."""

from common import K, run


def build(articles, model):
    import faiss
    from llama_index.core import Document, Settings, StorageContext, VectorStoreIndex
    from llama_index.core.llms import MockLLM
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding
    from llama_index.vector_stores.faiss import FaissVectorStore

    Settings.llm = MockLLM()  # none is asked
    Settings.embed_model = HuggingFaceEmbedding(model_name=model)
    store = FaissVectorStore(faiss_index=faiss.IndexFlatL2(384))
    index = VectorStoreIndex.from_documents(
        [
            Document(text=article["text"], metadata={"article_id": article["id"]})
            for article in articles
        ],
        storage_context=StorageContext.from_defaults(vector_store=store),
    )
    retriever = index.as_retriever(similarity_top_k=K)

    def search(question):
        return [
            (found.node.metadata["article_id"], found.node.start_char_idx, found.node.end_char_idx)
            for found in retriever.retrieve(question)
        ]

    return search


if __name__ == "__main__":
    run(
        "LlamaIndex",
        "SentenceSplitter() of 1024 tokens, 200 overlapping, FaissVectorStore (Flat), dense",
        [
            "llama-index-core",
            "llama-index-vector-stores-faiss",
            "llama-index-embeddings-huggingface",
            "torch",
        ],
        build,
    )
