"""sentence-transformers and FAISS by hand: pieces of 1,000 characters, 200 of them shared."""

import json

from common import DIMENSION, K, Peer, changed, keep_digests, read, run, windows


def loaded(model):
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(model, local_files_only=True)


def add(index, spans, articles, model):
    """Pieces go under numbers that were not given yet."""
    import numpy as np

    new = [(one["id"], *span) for one in articles for span in windows(one["text"])]
    texts = {one["id"]: one["text"] for one in articles}
    first = max(map(int, spans), default=-1) + 1
    numbers = range(first, first + len(new))
    vectors = model.encode([texts[name][a:b] for name, a, b in new], normalize_embeddings=True)
    index.add_with_ids(vectors, np.array(numbers, dtype=np.int64))
    spans.update({str(number): span for number, span in zip(numbers, new, strict=True)})


def save(index, spans, articles, store):
    import faiss

    faiss.write_index(index, str(store / "vectors.faiss"))
    (store / "spans.json").write_text(json.dumps(spans))
    keep_digests(articles, store)


def build(sources, model, store):
    import faiss

    articles = read(sources)
    index, spans = faiss.IndexIDMap2(faiss.IndexFlatIP(DIMENSION)), {}
    add(index, spans, articles, loaded(model))
    save(index, spans, articles, store)


def update(sources, model, store):
    import faiss
    import numpy as np

    index = faiss.read_index(str(store / "vectors.faiss"))
    spans = json.loads((store / "spans.json").read_text())
    articles = read(sources)
    now, old = changed(articles, store)
    gone = [number for number, span in spans.items() if span[0] in set(old)]
    index.remove_ids(np.array(gone, dtype=np.int64))
    for number in gone:
        del spans[number]
    add(index, spans, now, loaded(model))
    save(index, spans, articles, store)


def open_(model, store):
    import faiss

    index = faiss.read_index(str(store / "vectors.faiss"))
    spans = json.loads((store / "spans.json").read_text())
    encoder = loaded(model)

    def search(question):
        _, (numbers,) = index.search(encoder.encode([question], normalize_embeddings=True), K)
        return [spans[str(number)] for number in numbers]

    def together(questions):
        _, rows = index.search(encoder.encode(questions, normalize_embeddings=True), K)
        return [[spans[str(number)] for number in numbers] for numbers in rows]

    search.together = together
    return search


if __name__ == "__main__":
    run(
        Peer(
            name="sentence-transformers + FAISS",
            settings="1,000 characters, 200 shared; IndexFlatIP, dense; changed articles by a hash",
            packages=("sentence-transformers", "faiss-cpu", "torch"),
            build=build,
            update=update,
            open=open_,
            together=lambda search: search.together,
        )
    )
