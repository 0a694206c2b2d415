"""LangChain's usual pipeline: 1,000-character pieces, the four nearest stuffed into one prompt.

Started by benchmarks/answers.py in an environment of its own; knows nothing of `rag`. Reads a
question per line as JSON from standard input and writes a line with the answer and its seconds.
The prompt is that of LangChain's "stuff" question answering chain. Of its defaults three are
changed in its favour: all cores, prompts read in batches of 512 tokens (its default is 8), and no
sampling.
"""

import argparse
import json
import sys
import time
from pathlib import Path

K = 4
MAX_TOKENS = 256  # LangChain's own
PROMPT = (
    "Use the following pieces of context to answer the user's question. \nIf you don't know the"
    " answer, just say that you don't know, don't try to make up an answer.\n----------------\n"
)


def store(articles, model, folder):
    from langchain_community.vectorstores import FAISS
    from langchain_core.documents import Document
    from langchain_huggingface import HuggingFaceEmbeddings
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    embeddings = HuggingFaceEmbeddings(model_name=model)
    if Path(folder).exists():
        return FAISS.load_local(folder, embeddings, allow_dangerous_deserialization=True)
    splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200)
    documents = splitter.split_documents(
        [
            Document(page_content=article["text"], metadata={"article_id": article["id"]})
            for path in articles
            for article in map(json.loads, Path(path).read_text(encoding="utf-8").splitlines())
        ]
    )
    made = FAISS.from_documents(documents, embeddings)
    made.save_local(folder)
    return made


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--articles", nargs="+", required=True)
    parser.add_argument("--model", required=True, help="folder of the embedding model")
    parser.add_argument("--llm", required=True, help="GGUF file")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--store", required=True, help="folder that keeps its FAISS store")
    parser.add_argument("--only-index", action="store_true")
    args = parser.parse_args()
    found = store(args.articles, args.model, args.store)
    if args.only_index:
        return
    from langchain_community.chat_models import ChatLlamaCpp

    llm = ChatLlamaCpp(
        model_path=args.llm, n_ctx=4096, n_batch=512, n_threads=args.threads, temperature=0.0,
        max_tokens=MAX_TOKENS, verbose=False,
    )  # fmt: skip
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        question = json.loads(line)["question"]
        started = time.perf_counter()
        documents = found.similarity_search(question, k=K)
        searched = time.perf_counter() - started
        context = "\n\n".join(document.page_content for document in documents)
        text, first = "", None
        for piece in llm.stream([("system", PROMPT + context), ("human", question)]):
            if piece.content and first is None:
                first = time.perf_counter() - started
            text += piece.content
        total = time.perf_counter() - started
        tokens = len(llm.client.tokenize((PROMPT + context + question).encode()))
        print(
            json.dumps(
                {
                    "text": text,
                    "seconds_to_evidence": searched,
                    "seconds_to_first_token": first or total,
                    "seconds_total": total,
                    "prompt_tokens": tokens,
                    "articles": [document.metadata["article_id"] for document in documents],
                }
            ),
            flush=True,
        )


if __name__ == "__main__":
    main()
