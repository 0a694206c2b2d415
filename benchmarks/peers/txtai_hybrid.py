"""txtai: hybrid search (BM25 and vectors, equal weights) as it comes.

txtai cuts nothing by itself; its Textractor pipeline documents `paragraphs`, which is what news
articles have.
"""

import json
import re

from common import K, Peer, changed, keep_digests, read, run

_PARAGRAPH = re.compile(r"[^\n]+")


def paragraphs(articles):
    return [
        (json.dumps([article["id"], *found.span()]), found.group(), None)
        for article in articles
        for found in _PARAGRAPH.finditer(article["text"])
    ]


def save(embeddings, ids, articles, store):
    embeddings.save(str(store / "txtai"))
    (store / "ids.json").write_text(json.dumps(ids))
    keep_digests(articles, store)


def build(sources, model, store):
    from txtai import Embeddings

    embeddings = Embeddings(path=model, hybrid=True)
    articles = read(sources)
    rows = paragraphs(articles)
    embeddings.index(rows)
    save(embeddings, [row[0] for row in rows], articles, store)


def loaded(store):
    from txtai import Embeddings

    embeddings = Embeddings()
    embeddings.load(str(store / "txtai"))
    return embeddings


def update(sources, model, store):
    embeddings = loaded(store)
    ids = json.loads((store / "ids.json").read_text())
    articles = read(sources)
    now, old = changed(articles, store)
    gone = {name for name in ids if json.loads(name)[0] in set(old)}
    rows = paragraphs(now)
    embeddings.delete(sorted(gone))
    embeddings.upsert(rows)
    save(embeddings, [*(set(ids) - gone), *(row[0] for row in rows)], articles, store)


def open_(model, store):
    embeddings = loaded(store)

    def search(question):
        return [json.loads(name) for name, _ in embeddings.search(question, K)]

    def together(questions):
        return [
            [json.loads(name) for name, _ in found]
            for found in embeddings.batchsearch(questions, K)
        ]

    search.together = together
    return search


if __name__ == "__main__":
    run(
        Peer(
            name="txtai",
            settings="Embeddings(hybrid=True) of paragraphs; delete and upsert of changed articles",
            packages=("txtai", "faiss-cpu", "torch"),
            build=build,
            update=update,
            open=open_,
            together=lambda search: search.together,
        )
    )
