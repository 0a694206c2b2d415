"""Ray and Milvus from where they are not installed; with them see tests/cluster."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import rag
from rag.building.intake import DIGEST_CHARACTERS, read_block
from rag.building.on_ray import _Embedding, _jobs, _read, _unpacked
from rag.building.prepare import Prepared, cut, embed
from rag.chunking import ChunkingSettings
from rag.errors import IndexCorruptError, MissingExtraError, ModelError, SettingsError, SourceError
from rag.index.config import IndexConfig, StoreConfig, read_config
from rag.index.filter import Filter
from rag.index.milvus import expression, key_of
from rag.index.vocabulary import Term, Vocabulary, write_vocabulary
from rag.readers import Block
from rag.settings import Settings
from rag.testing import FakeEmbedder
from tests.support import ARTICLES, build, keep_in_milvus, write_articles


def config(tmp_path: Path, store: str) -> IndexConfig:
    path = tmp_path / "index.toml"
    path.write_text(f"sources = []\n[store]\n{store}\n")
    return read_config(path)


@pytest.mark.parametrize(
    "uri", ["http://milvus:19530", "https://milvus.example.org", "chunks.db", "/data/chunks.db"]
)
def test_stores(tmp_path: Path, uri: str) -> None:
    made = config(tmp_path, f'kind = "milvus"\nuri = "{uri}"\nalias = "news_live"')
    assert made.store == StoreConfig(kind="milvus", uri=uri, alias="news_live")
    assert config(tmp_path, "").store == StoreConfig()


@pytest.mark.parametrize(
    ("store", "told"),
    [
        ('kind = "milvus"', "takes a uri"),
        ('uri = "chunks.db"', "takes a uri"),
        ('kind = "other"', "'local' or 'milvus'"),
        ('kind = "milvus"\nuri = "http://root:secret@milvus"', "should match pattern"),
        ('kind = "milvus"\nuri = "chunks"', "should match pattern"),
        ('kind = "milvus"\nuri = "c.db"\nalias = "a b"', "should match pattern"),
        ('kind = "milvus"\nurl = "c.db"', "unknown key 'store.url'; the nearest is 'uri'"),
    ],
)
def test_stores_that_cannot_be(tmp_path: Path, store: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        config(tmp_path, store)


def test_a_filter_in_the_language_of_milvus() -> None:
    made = Filter.make(since="2024-01-05", undated=True, source='a" or 1', where={"desk": "far"})
    assert expression(made) == (
        "((day >= 738890 and day <= 3652059) or day == 0)"
        f" and source in [{key_of('a' + chr(34) + ' or 1')}]"
        f" and array_contains(fields, {key_of('desk=far')})"
    )
    assert expression(Filter()) == ""


def test_a_vocabulary_numbers_terms_and_finds_those_alike(tmp_path: Path) -> None:
    n_chunks = {"ferri": 3, "healey": 7, "healei": 1, "harbour": 2}
    numbers = write_vocabulary(tmp_path / "vocabulary", n_chunks)
    assert sorted(numbers.values()) == [1, 2, 3, 4]
    vocabulary = Vocabulary(tmp_path / "vocabulary")
    assert vocabulary.terms(["healey", "zebra", "ferri", "ferri"]) == [
        Term(numbers["healey"], 7),
        Term(numbers["ferri"], 3),
    ]
    assert {term.number for term in vocabulary.like("heaely", 1, 10)} == {numbers["healey"]}
    assert {term.n_chunks for term in vocabulary.like("healeyi", 1, 10)} == {7, 1}
    assert not list((tmp_path / "vocabulary").glob("*.lock"))
    (tmp_path / "vocabulary" / "meta.json").unlink()
    with pytest.raises(IndexCorruptError, match="vocabulary does not open"):
        Vocabulary(tmp_path / "vocabulary")


def test_what_workers_make_of_a_row_is_what_a_build_makes(tmp_path: Path) -> None:
    articles = [*ARTICLES, {"id": "blank", "text": " "}, {"id": "again", "text": "One. Two."}]
    lines = tuple(json.dumps(article).encode() for article in articles)
    blocks = [Block("news.jsonl", 1, lines[:3]), Block("news.jsonl", 4, (*lines[3:], b"broken"))]
    embedder, chunking = FakeEmbedder(), ChunkingSettings(words=10)
    stored = {read_block(blocks[0], ())[0].digest[:DIGEST_CHARACTERS]}
    (job,) = _jobs(blocks)
    row = _Embedding(lambda _: embedder, embedder.identity, chunking)(_read({"job": job}, stored))
    found = list(_unpacked(row, embedder.identity.dimension))
    assert [[read.line for read in reads] for reads in found] == [[1, 2, 3], [4, 5, 6]]
    assert [read.embedded is not None for reads in found for read in reads] == [
        *(False, True, True),
        *(False, True, False),
    ]
    for read in (*found[0][1:], found[1][1]):
        assert read.cleaned is not None
        assert read.embedded is not None
        chunks = cut(read.cleaned.article, read.sentences, embedder, chunking)
        (made,) = embed([Prepared(read.cleaned, read.digest, chunks)], embedder)
        assert list(read.embedded.chunks) == chunks
        np.testing.assert_array_equal(read.embedded.vectors, made.vectors)
        assert len(read.embedded.sentence_vectors) == len(made.sentence_vectors)
        for one, other in zip(read.embedded.sentence_vectors, made.sentence_vectors, strict=True):
            np.testing.assert_array_equal(one, other)
    # A row with nothing new, and a machine with another model.
    nothing = _read({"job": job}, {read.digest[:16] for reads in found for read in reads})
    row = _Embedding(lambda _: embedder, embedder.identity, chunking)(nothing)
    assert not any(read.embedded for reads in _unpacked(row, 64) for read in reads)
    foreign = _Embedding(lambda _: FakeEmbedder(32), embedder.identity, chunking)
    with pytest.raises(ModelError, match="model of a machine of the cluster") as error:
        list(_unpacked(foreign(_read({"job": job}, ())), 64))
    assert error.value.mend == "rag models pull fake, on every machine of the cluster"


@pytest.mark.parametrize("on", ["spark", "ray:", "ray://", "http://ray"])
def test_what_a_build_cannot_run_on(tmp_path: Path, on: str) -> None:
    index_dir = write_articles(tmp_path, ARTICLES)
    with pytest.raises(SourceError, match="a build runs on ray or ray://HOST:PORT"):
        rag.build("news", on=on, settings=Settings(index_dir=index_dir))


def test_what_is_not_installed_is_named_with_what_installs_it(tmp_path: Path) -> None:
    if importlib.util.find_spec("ray") is not None:
        pytest.skip("it is installed here")
    index_dir = write_articles(tmp_path, ARTICLES)
    with pytest.raises(MissingExtraError, match="a build on Ray needs ray") as error:
        rag.build("news", on="ray", settings=Settings(index_dir=index_dir))
    assert error.value.mend == 'pip install "cited-news-rag[cluster]"'
    keep_in_milvus(index_dir)
    with pytest.raises(MissingExtraError, match="a store in Milvus needs pymilvus"):
        build(index_dir)
