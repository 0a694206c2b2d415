"""This library, run as the others are."""

import json

from common import K, Peer, run

INDEX = "news"


def settings(store):
    from rag import Settings

    return Settings(index_dir=store)


def build(sources, model, store):
    (store / INDEX).mkdir()
    (store / INDEX / "index.toml").write_text(f"sources = {json.dumps(sources)}\n")
    return update(sources, model, store)


def update(sources, model, store):
    from rag import build

    return build(INDEX, settings=settings(store)).model_dump(mode="json")


def open_(model, store):
    from rag import Rag

    engine = Rag.open(INDEX, settings=settings(store))

    def search(question):
        return [(hit.article_id, hit.start, hit.end) for hit in engine.search(question, k=K)]

    search.together = lambda questions: engine.search_many(questions, k=K)
    return search


if __name__ == "__main__":
    run(
        Peer(
            name="rag",
            settings="default settings",
            packages=("cited-news-rag", "torch", "onnxruntime"),
            build=build,
            update=update,
            open=open_,
            together=lambda search: search.together,
        )
    )
