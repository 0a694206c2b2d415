"""txtai: hybrid search (BM25 and vectors, equal weights) as it comes.

txtai cuts nothing by itself; its Textractor pipeline documents `paragraphs`, which is what news
articles have.
"""

import re

from common import K, run

_PARAGRAPH = re.compile(r"[^\n]+")


def build(articles, model):
    from txtai import Embeddings

    spans = [
        (article["id"], found.start(), found.end(), found.group())
        for article in articles
        for found in _PARAGRAPH.finditer(article["text"])
    ]
    embeddings = Embeddings(path=model, hybrid=True)
    embeddings.index((number, span[3], None) for number, span in enumerate(spans))

    def search(question):
        return [spans[int(number)][:3] for number, _ in embeddings.search(question, K)]

    return search


if __name__ == "__main__":
    run(
        "txtai",
        "Embeddings(hybrid=True) of paragraphs",
        ["txtai", "faiss-cpu", "torch"],
        build,
    )
