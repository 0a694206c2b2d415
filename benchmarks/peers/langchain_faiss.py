"""LangChain: the pieces and numbers of its tutorial on retrieval, kept up by its indexing API."""

from common import DIMENSION, K, Peer, read, run


def documents(articles):
    from langchain_core.documents import Document
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    splitter = RecursiveCharacterTextSplitter(
        chunk_size=1000, chunk_overlap=200, add_start_index=True
    )
    return splitter.split_documents(
        [
            Document(page_content=article["text"], metadata={"article_id": article["id"]})
            for article in articles
        ]
    )


def embeddings(model):
    from langchain_huggingface import HuggingFaceEmbeddings

    return HuggingFaceEmbeddings(model_name=model)


def keep_up(found, articles, store):
    from langchain_classic.indexes import SQLRecordManager, index

    records = SQLRecordManager("articles", db_url=f"sqlite:///{store / 'records.sqlite'}")
    records.create_schema()
    index(
        documents(articles), records, found, cleanup="full", source_id_key="article_id",
        batch_size=1000, key_encoder="sha256",
    )  # fmt: skip
    found.save_local(str(store / "faiss"))


def loaded(model, store):
    from langchain_community.vectorstores import FAISS

    return FAISS.load_local(
        str(store / "faiss"), embeddings(model), allow_dangerous_deserialization=True
    )


def build(sources, model, store):
    import faiss
    from langchain_community.docstore.in_memory import InMemoryDocstore
    from langchain_community.vectorstores import FAISS

    empty = FAISS(embeddings(model), faiss.IndexFlatL2(DIMENSION), InMemoryDocstore(), {})
    keep_up(empty, read(sources), store)


def update(sources, model, store):
    keep_up(loaded(model, store), read(sources), store)


def open_(model, store):
    found = loaded(model, store)

    def search(question):
        return [
            (
                document.metadata["article_id"],
                document.metadata["start_index"],
                document.metadata["start_index"] + len(document.page_content),
            )
            for document in found.similarity_search(question, k=K)
        ]

    return search


if __name__ == "__main__":
    run(
        Peer(
            name="LangChain",
            settings="RecursiveCharacterTextSplitter(1000, 200), FAISS, dense; index() with a"
            " SQLRecordManager",
            packages=(
                "langchain-community",
                "langchain-huggingface",
                "langchain-text-splitters",
                "torch",
            ),
            build=build,
            update=update,
            open=open_,
        )
    )
