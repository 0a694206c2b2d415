"""LangChain: the pieces and numbers of its tutorial on retrieval."""

from common import K, run


def build(articles, model):
    from langchain_community.vectorstores import FAISS
    from langchain_core.documents import Document
    from langchain_huggingface import HuggingFaceEmbeddings
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    splitter = RecursiveCharacterTextSplitter(
        chunk_size=1000, chunk_overlap=200, add_start_index=True
    )
    documents = splitter.split_documents(
        [
            Document(page_content=article["text"], metadata={"article_id": article["id"]})
            for article in articles
        ]
    )
    store = FAISS.from_documents(documents, HuggingFaceEmbeddings(model_name=model))

    def search(question):
        return [
            (
                found.metadata["article_id"],
                found.metadata["start_index"],
                found.metadata["start_index"] + len(found.page_content),
            )
            for found in store.similarity_search(question, k=K)
        ]

    return search


if __name__ == "__main__":
    run(
        "LangChain",
        "RecursiveCharacterTextSplitter(1000, 200), FAISS, dense",
        ["langchain-community", "langchain-huggingface", "langchain-text-splitters", "torch"],
        build,
    )
