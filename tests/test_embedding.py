"""Embedding: one contract for every embedder, and the quick one held against the reference."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag import embedding, models
from rag.embedding import Embedder, bert, export
from rag.embedding.bf16 import Bf16Encoder, has_bf16_products, runs
from rag.embedding.onnx import OnnxEmbedder, has_int8_products
from rag.embedding.reference import SentenceTransformersEmbedder
from rag.errors import ModelError, ModelMissingError
from rag.settings import Settings
from rag.testing import FakeEmbedder
from tests.tiny_bert import WORDS, write_model

# Those that open the reference are slow: torch takes many seconds to import.
MODEL = "all-MiniLM-L6-v2"
DATASET = Path(__file__).parents[2] / "shared" / "eval" / "wiki"
LONG = " ".join(f"{WORDS[n % 13]} {WORDS[n % 7]}" for n in range(400))
TEXTS = [
    "The bridge closes on Monday.",
    "Crews of the ferry vote on a strike, and the mayor is not amused at all.",
    "",
    "A museum",
    "The bridge closes on Monday.",
    LONG,
]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / "small")


def quick(path: Path, n_threads: int = 2) -> OnnxEmbedder:
    folder = export.export(path, models_dir=path.parent)
    return OnnxEmbedder(folder, model=path.name, n_threads=n_threads)


def reference(path: Path) -> SentenceTransformersEmbedder:
    return SentenceTransformersEmbedder(path, model=path.name, n_threads=2)


def cosines(a: embedding.Vectors, b: embedding.Vectors) -> embedding.Vectors:
    product: embedding.Vectors = np.einsum("ij,ij->i", a, b)
    return product


# The contract


@pytest.fixture(
    scope="module", params=["fake", "onnx", pytest.param("reference", marks=pytest.mark.slow)]
)
def embedder(request: pytest.FixtureRequest, small: Path) -> Embedder:
    made: dict[str, Callable[[], Embedder]] = {
        "fake": lambda: FakeEmbedder(max_tokens=46),
        "onnx": lambda: quick(small),
        "reference": lambda: reference(small),
    }
    return made[request.param]()


def test_vectors_are_unit_float32_in_the_order_of_the_texts(embedder: Embedder) -> None:
    for embed in (embedder.embed_documents, embedder.embed_queries):
        vectors = embed(TEXTS)
        assert vectors.shape == (len(TEXTS), embedder.identity.dimension)
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
        np.testing.assert_allclose(vectors[0], vectors[4], atol=1e-6)
        alone = np.concatenate([embed([text]) for text in TEXTS])
        np.testing.assert_allclose(cosines(vectors, alone), 1, atol=1e-5)
        assert cosines(vectors[:1], vectors[1:2])[0] < 0.999


@pytest.mark.slow
def test_bfloat16_as_on_a_gpu_gives_nearly_the_same_float32_vectors(small: Path) -> None:
    half = SentenceTransformersEmbedder(small, model=small.name, n_threads=2, half=True)
    vectors = half.embed_documents(TEXTS)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    alike = cosines(vectors, reference(small).embed_documents(TEXTS))
    assert (alike > 0.999).all()
    assert (alike < 1 - 1e-7).any()  # it was another way of computing
    assert half.identity == reference(small).identity


def test_no_texts(embedder: Embedder) -> None:
    assert embedder.count_tokens([]) == []
    assert embedder.embed_documents([]).shape == (0, embedder.identity.dimension)
    assert embedder.embed_queries([]).shape == (0, embedder.identity.dimension)


def test_tokens_are_counted_without_special_ones_and_without_a_limit(embedder: Embedder) -> None:
    assert embedder.max_tokens == 46
    assert embedder.count_tokens(["bridge ferry mayor", "", LONG])[:2] == [3, 0]
    assert embedder.count_tokens([LONG])[0] >= 800


def test_the_end_of_a_long_text_is_read(embedder: Embedder) -> None:
    one, other = embedder.embed_documents([LONG + " museum" * 40, LONG + " strike" * 40])
    assert float(one @ other) < 0.9999


def test_threads_at_once_give_the_same_vectors(embedder: Embedder) -> None:
    texts = [f"{WORDS[n % 13]} {WORDS[n % 5]} " * (n % 9 + 1) for n in range(60)]
    expected = embedder.embed_documents(texts)
    with ThreadPoolExecutor(4) as threads:
        for vectors in threads.map(embedder.embed_documents, [texts] * 8):
            np.testing.assert_allclose(vectors, expected, atol=1e-5)


SPANNED = "Bridge. 2024-01-05\nThe bridge closes on Monday. Crews of the ferry vote on a strike."
SPANS = [(19, 47), (48, len(SPANNED)), (18, 19)]


def test_spans_of_a_passage_have_vectors_of_their_own(embedder: Embedder) -> None:
    texts, spans = [SPANNED, "", "A museum", LONG], [SPANS, [], [(2, 8)], [(0, 20)]]
    vectors, parts = embedder.embed_passages(texts, spans)
    np.testing.assert_allclose(vectors, embedder.embed_documents(texts), atol=1e-5)
    dimension = embedder.identity.dimension
    assert [part.shape for part in parts] == [(len(own), dimension) for own in spans]
    for part in parts:
        assert part.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(part[:2], axis=1), 1, atol=1e-5)
    assert float(parts[0][0] @ parts[0][1]) < 0.999
    alone = embedder.embed_passages([SPANNED], [SPANS])[1][0]
    np.testing.assert_allclose(alone[:2], parts[0][:2], atol=1e-5)


def test_no_passages(embedder: Embedder) -> None:
    vectors, parts = embedder.embed_passages([], [])
    assert vectors.shape == (0, embedder.identity.dimension)
    assert parts == []


# The export against the reference


@pytest.mark.slow
def test_a_span_is_the_mean_of_its_tokens(small: Path) -> None:
    import torch

    theirs = reference(small)
    encoded = theirs._tokenizer([SPANNED], return_offsets_mapping=True, return_tensors="pt")
    offsets = encoded.pop("offset_mapping")[0].tolist()
    transformer: Any = theirs._model[0]
    with torch.inference_mode():
        states = transformer.auto_model(**encoded).last_hidden_state[0].numpy()
    _, (ours,) = quick(small).embed_passages([SPANNED], [SPANS])
    for row, (start, end) in enumerate(SPANS[:2]):
        held = [at for at, (a, b) in enumerate(offsets) if a < end and b > start and b > a]
        mean = states[held].mean(axis=0)
        assert float(ours[row] @ (mean / np.linalg.norm(mean))) > 0.999


@pytest.mark.slow
@pytest.mark.parametrize("pooling", ["mean_tokens", "cls_token"])
def test_the_export_computes_what_the_model_does(tmp_path: Path, pooling: str) -> None:
    path = write_model(tmp_path / "model", pooling=pooling)
    ours, theirs = quick(path), reference(path)
    assert ours.max_tokens == theirs.max_tokens
    assert ours.identity.dimension == theirs.identity.dimension
    assert ours.identity.sha256 == theirs.identity.sha256
    assert ours.count_tokens(TEXTS) == theirs.count_tokens(TEXTS)
    expected = theirs.embed_documents(TEXTS)
    np.testing.assert_allclose(ours.embed_queries(TEXTS), expected, atol=2e-5)
    rounded = cosines(ours.embed_documents(TEXTS), expected)
    assert rounded.min() > 0.999
    if has_int8_products():
        assert rounded.max() < 1 - 1e-7  # else nothing was quantised
    else:
        np.testing.assert_allclose(ours.embed_documents(TEXTS), expected, atol=2e-5)


def test_a_vector_does_not_depend_on_the_texts_beside_it(small: Path) -> None:
    ours = quick(small)
    texts = [f"{word} {other}" for word in WORDS for other in WORDS]
    together = ours.embed_documents(texts)
    for n in (0, 77, len(texts) - 1):
        np.testing.assert_allclose(ours.embed_documents([texts[n]])[0], together[n], atol=1e-6)


@pytest.mark.slow
@pytest.mark.skipif(not has_bf16_products(), reason="a processor without AMX")
def test_bf16_computes_what_the_model_does(small: Path) -> None:
    ours = Bf16Encoder(bert.read(small))
    texts = [text for text in TEXTS if text != LONG] + [f"{a} {b}" for a in WORDS for b in WORDS]
    ids = [text.ids for text in quick(small)._tokenizer.encode_batch(texts)]
    vectors, states = ours.run(ids)
    assert [own.shape for own in states] == [(len(own), 32) for own in ids]
    expected = reference(small).embed_documents(texts)
    assert cosines(vectors, expected).min() > 0.9995
    assert cosines(vectors, expected).max() < 1 - 1e-7  # else it was not bfloat16
    (alone,), _ = ours.run(ids[-1:])
    np.testing.assert_allclose(alone, vectors[-1], atol=0.01)


def test_bf16_runs_hold_every_text_once() -> None:
    assert runs([2_000, 100, 1_500, 600, 7]) == [[0, 1], [2, 3], [4]]
    assert runs([]) == []


@pytest.mark.slow
@pytest.mark.skipif(not has_bf16_products(), reason="a processor without AMX")
def test_many_passages_are_read_in_bf16(small: Path) -> None:
    folder = export.export(small, models_dir=small.parent)
    ours = OnnxEmbedder(folder, model="m", n_threads=2, weights=small)
    texts = [f"{SPANNED} {a} {b}" for a in WORDS for b in WORDS]
    texts = (texts * 3)[:256]
    few, _ = ours.embed_passages(texts[:255], [SPANS] * 255)
    assert ours._encoder is None  # importing torch would not pay
    many, parts = ours.embed_passages(texts, [SPANS] * 256)
    assert ours._encoder is not None
    exact, exact_parts = reference(small).embed_passages(texts, [SPANS] * 256)
    assert cosines(many, exact).min() > 0.9995
    assert 0.999 < cosines(many[:255], few).min() < 1 - 1e-7
    assert [part.shape for part in parts] == [part.shape for part in exact_parts]


def test_equal_texts_are_run_once(small: Path) -> None:
    ours = quick(small)
    rows: list[int] = []

    class Counting:
        def run(self, outputs: list[str], inputs: dict[str, Any]) -> list[Any]:
            rows.append(len(inputs["input_ids"]))
            results: list[Any] = session.run(outputs, inputs)
            return results

    session = ours._documents
    ours._embed(Counting(), ["bridge", "ferry", "bridge", "bridge"])
    assert sum(rows) == 2


def test_an_export_is_made_once_and_found_again(small: Path) -> None:
    folder = export.export(small, models_dir=small.parent)
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert sorted(before) == ["documents.onnx", "meta.json", "queries.onnx", "tokenizer.json"]
    assert export.export(small, models_dir=small.parent) == folder
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_what_a_killed_export_left_goes(tmp_path: Path) -> None:
    path = write_model(tmp_path / "models" / "model")
    final = export.folder(path, models_dir=path.parent)
    left, other = (path.parent / f".{name}-x1" for name in (final.name, "another.onnx-int8-0"))
    for folder in (left, other):
        folder.mkdir()
        (folder / "queries.onnx").write_bytes(b"half")
    export.export(path, models_dir=path.parent)
    assert sorted(path.parent.iterdir()) == sorted(
        [path, final, other, path.parent / ".export.lock"]
    )


def test_exports_at_the_same_time_leave_one_whole(tmp_path: Path) -> None:
    path = write_model(tmp_path / "models" / "model")
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: export.export(path, models_dir=path.parent), range(4)))
    assert len(set(made)) == 1
    assert sorted(path.parent.iterdir()) == sorted([path, made[0], path.parent / ".export.lock"])
    assert OnnxEmbedder(made[0], model="m", n_threads=1).embed_queries(["ferry"]).shape == (1, 32)


@pytest.mark.parametrize("name", [export.DOCUMENTS, export.QUERIES, export.TOKENIZER, export.META])
@pytest.mark.parametrize("damage", ["flipped", "cut", "gone"])
def test_a_damaged_export_is_refused(tmp_path: Path, name: str, damage: str) -> None:
    if name == export.DOCUMENTS and not has_int8_products():
        pytest.skip("this processor reads documents with the graph for questions")
    path = write_model(tmp_path / "model")
    file = export.export(path, models_dir=tmp_path) / name
    content = file.read_bytes()
    if damage == "gone":
        file.unlink()
    else:
        flipped = bytes([content[0] ^ 255]) + content[1:]
        file.write_bytes(content[: len(content) // 2] if damage == "cut" else flipped)

    def use() -> None:
        ours = OnnxEmbedder(file.parent, model="m", n_threads=1)
        ours.embed_documents(["ferry"])
        ours.embed_queries(["ferry"])

    with pytest.raises(ModelError, match=name) as caught:
        use()
    assert "rm -r" in (caught.value.mend or "")


# Which one is opened


@pytest.mark.slow
def test_the_quick_one_is_opened_unless_the_index_names_the_other(small: Path) -> None:
    def runtime(wanted: str | None) -> str:
        opened = embedding.load(str(small), models_dir=small.parent, n_threads=1, runtime=wanted)
        return opened.identity.runtime

    assert runtime("onnx-int8-3") == "onnx-int8-3"
    assert runtime("sentence-transformers") == "sentence-transformers"
    assert runtime(None) == "onnx-int8-3" or Path("/proc/driver/nvidia").exists()
    with pytest.raises(ModelError, match="onnx-int4"):
        runtime("onnx-int4")


@pytest.mark.slow
@pytest.mark.parametrize(
    "config", [{"hidden_act": "relu"}, {"position_embedding_type": "relative_key"}]
)
def test_what_cannot_be_exported_is_left_to_the_reference(
    tmp_path: Path, config: dict[str, str]
) -> None:
    path = write_model(tmp_path / "model", **config)
    with pytest.raises(ModelError, match="cannot be exported"):
        export.export(path, models_dir=tmp_path)
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(ModelError, match="cannot be exported"):
        embedding.load(str(path), models_dir=tmp_path, n_threads=1, runtime="onnx-int8-3")
    opened = embedding.load(str(path), models_dir=tmp_path, n_threads=1)
    assert opened.identity.runtime == "sentence-transformers"


@pytest.mark.slow
def test_a_folder_that_cannot_be_written_is_left_to_the_reference(tmp_path: Path) -> None:
    path = write_model(tmp_path / "model")
    (blocked := tmp_path / "a file").touch()
    opened = embedding.load(str(path), models_dir=blocked, n_threads=1)
    assert opened.identity.runtime == "sentence-transformers"
    with pytest.raises(ModelError, match="cannot be exported to"):
        embedding.load(str(path), models_dir=blocked, n_threads=1, runtime="onnx-int8-3")


def test_no_torch_where_the_export_is_there(small: Path) -> None:
    quick(small)
    code = f"""if True:
        import sys
        from pathlib import Path
        from rag import embedding
        embedder = embedding.load(
            {str(small)!r}, models_dir=Path({str(small.parent)!r}), n_threads=1,
            runtime="onnx-int8-3",
        )
        embedder.embed_queries(["ferry"])
        heavy = {{"torch", "transformers", "sentence_transformers", "onnx", "safetensors"}}
        print(sorted(heavy & set(sys.modules)))
    """
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


# The real model


@pytest.fixture(scope="module")
def real() -> tuple[Embedder, Embedder]:
    settings = Settings()
    try:
        path = models.find(MODEL, models_dir=settings.models_dir, kind="embedding")
    except ModelMissingError as error:
        pytest.skip(str(error))
    folder = export.export(path, models_dir=settings.models_dir)
    n_threads = settings.threads
    return (
        OnnxEmbedder(folder, model=MODEL, n_threads=n_threads),
        SentenceTransformersEmbedder(path, model=MODEL, n_threads=n_threads),
    )


@pytest.mark.models
def test_real_questions_find_the_same_chunks(real: tuple[Embedder, Embedder]) -> None:
    """Bounds of the export: recall@10 against the reference, and hit@5 beside it."""
    if not DATASET.exists():
        pytest.skip(f"no evaluation data at {DATASET}")
    articles, questions = (
        [json.loads(line) for line in (DATASET / name).read_text("utf-8").splitlines()]
        for name in ("articles.jsonl", "questions.jsonl")
    )
    questions = [each for each in questions if each["kind"] == "answerable"][::6]
    spans = [
        (article["id"], *span) for article in articles for span in word_windows(article["text"])
    ]
    text_of = {article["id"]: article["text"] for article in articles}
    texts = [text_of[article_id][start:end] for article_id, start, end in spans]
    tops = []
    for each in real:
        scores = each.embed_queries([q["question"] for q in questions])
        tops.append(np.argsort(-scores @ each.embed_documents(texts).T, axis=1)[:, :10])
    ours, theirs = tops

    recall = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(ours, theirs, strict=True)])
    hits = [
        np.mean(
            [is_hit(q, [spans[n] for n in row[:5]]) for q, row in zip(questions, top, strict=True)]
        )
        for top in tops
    ]
    assert recall >= 0.98
    assert abs(hits[0] - hits[1]) <= 0.005
    assert hits[1] > 0.7  # else the comparison says nothing


def word_windows(text: str, n_words: int = 140) -> list[tuple[int, int]]:

    words = [match.span() for match in re.finditer(r"\S+", text)]
    return [
        (words[first][0], words[min(first + n_words, len(words)) - 1][1])
        for first in range(0, len(words), n_words)
    ]


def is_hit(question: dict[str, Any], found: list[tuple[str, int, int]]) -> bool:
    return any(
        article_id == question["article_id"] and start <= answer["start"] and answer["end"] <= end
        for article_id, start, end in found
        for answer in question["answers"]
    )
