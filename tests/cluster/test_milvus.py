"""Chunks in a file of Milvus Lite: versions, their alias, and the same answers as without."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import rag
from rag.building.builder import build_index
from rag.errors import IndexCorruptError, IndexStoreError, RagError
from rag.following.follow import follow, look_for_news
from rag.index.check import check_index, roll_back
from rag.index.config import StoreConfig
from rag.index.layout import IndexFolder
from rag.index.manifest import read_manifest
from rag.index.milvus import connected, drop_chunks, drop_collection
from rag.index.opened import OpenIndex
from rag.retrieval import Filter, Hit
from rag.settings import Settings
from rag.testing import FakeEmbedder, FakeLLM
from tests.support import ARTICLES, build, keep_in_milvus, open_index, write_articles

pytest.importorskip("pymilvus", reason="`make cluster` installs it and runs this")
ROOT = Path(__file__).parents[2]
STORE = StoreConfig(kind="milvus", uri="chunks.db")
QUESTIONS = [
    "What did Healey urge in Israel?",
    "Who accompanied Healey to Qatar?",
    "Who met Lamy?",  # misspelt
    "When did Healy visit Qatar?",
    "What is the capital of Mongolia?",
]


@pytest.fixture
def news(tmp_path: Path) -> IndexFolder:
    """An index of one version."""
    index_dir = write_articles(tmp_path, ARTICLES[:1])
    keep_in_milvus(index_dir)
    build(index_dir)
    return IndexFolder(index_dir, "news")


def update(news: IndexFolder, n_articles: int) -> None:
    write_articles(news.path.parents[1], ARTICLES[:n_articles])
    build(news.path.parent)


def collections(news: IndexFolder) -> set[str]:
    """What there is in Milvus."""
    with connected(STORE, news.path) as client:
        return set(client.list_collections())


def live(news: IndexFolder) -> str:
    """What the alias names."""
    with connected(STORE, news.path) as client:
        return str(client.describe_alias("rag_news")["collection_name"])


def named(news: IndexFolder, version: int) -> str:
    name = read_manifest(news.version_path(version)).collection
    assert name is not None
    return name


def found(index: OpenIndex, *terms: str) -> set[int]:
    vector = FakeEmbedder().embed_queries([" ".join(terms)])[0]
    return set(index.candidates(terms, vector, Filter(), 10).chunk_ids.tolist())


def test_versions_have_a_collection_each_and_the_alias_names_the_live_one(
    news: IndexFolder,
) -> None:
    assert collections(news) == {named(news, 1)}
    assert live(news) == named(news, 1)
    with open_index(news.path.parent) as before:
        assert found(before, "ferri") == {1}
        update(news, 2)
        assert live(news) == named(news, 2) != named(news, 1)
        assert found(before, "ferri", "strike") == {1}  # one version throughout
        with open_index(news.path.parent) as after:
            assert found(after, "ferri", "strike") == {1, 2}
    assert roll_back(news) == 1
    assert live(news) == named(news, 1)
    with open_index(news.path.parent) as back:
        assert found(back, "ferri", "strike") == {1}
    update(news, 3)  # version 2 was newer than the live one, and is kept beside the new one
    assert collections(news) == {named(news, 2), named(news, 3)}
    assert live(news) == named(news, 3)
    assert news.prune(1, before=drop_chunks) == [2]
    assert collections(news) == {live(news)}


def test_a_build_that_was_stopped_leaves_nothing_in_milvus(news: IndexFolder) -> None:
    write_articles(news.path.parents[1], ARTICLES)
    embedder = FakeEmbedder()

    def stop(step: str) -> None:
        if step == "manifest written":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_index(
            news,
            model_sha256=embedder.identity.sha256,
            load_embedder=lambda _: embedder,
            on_step=stop,
        )
    assert len(collections(news)) == 2
    assert live(news) == named(news, 1)
    update(news, 3)
    assert collections(news) == {named(news, 1), named(news, 2)}
    assert check_index(news).findings == ()


def test_moving_there_and_back_embeds_nothing_again(tmp_path: Path) -> None:
    index_dir = write_articles(tmp_path, ARTICLES)
    build(index_dir)
    keep_in_milvus(index_dir)
    toml = (index_dir / "news" / "index.toml").read_text()
    for text in (toml, toml.partition("[store]")[0]):
        (index_dir / "news" / "index.toml").write_text(text)
        report = build_index(
            IndexFolder(index_dir, "news"),
            model_sha256=FakeEmbedder().identity.sha256,
            load_embedder=lambda _: pytest.fail("the model was loaded"),
        )
        assert (report.published, report.unchanged) == (True, 3)
        with open_index(index_dir) as index:
            assert found(index, "ferri", "strike") == {1, 2, 3}


def test_what_is_missing_in_milvus_is_noticed(news: IndexFolder) -> None:
    drop_collection(STORE, named(news, 1), news.path)
    (finding,) = check_index(news).findings
    assert (finding.kind, finding.severity) == ("vectors", "error")
    assert finding.mend == "rag build news --full"
    with pytest.raises(IndexCorruptError, match=r"hold \(1, 0\) chunks, the manifest says 1"):
        open_index(news.path.parent)


def test_a_server_that_does_not_answer(news: IndexFolder) -> None:
    config = news.path / "index.toml"
    config.write_text(config.read_text().replace("chunks.db", "http://127.0.0.1:1"))
    with pytest.raises(IndexStoreError, match=r"the store http://127\.0\.0\.1:1 does not") as error:
        build(news.path.parent)
    assert error.value.mend is not None
    assert error.value.mend.startswith("start it, or correct [store] in index.toml")
    assert isinstance(error.value, RagError)
    assert news.live() == 1


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[rag.Rag]]:
    """The seeds by the real embedding model: in files, and in Milvus."""
    engines = []
    for name in ("local", "milvus"):
        folder = tmp_path_factory.mktemp(name)
        index = folder / "indexes" / "seeds"
        index.mkdir(parents=True)
        shutil.copytree(ROOT / "seeds", folder / "seeds")
        shutil.copy(ROOT / "indexes" / "seeds" / "index.toml", index)
        if name == "milvus":
            with (index / "index.toml").open("a", encoding="utf-8") as file:
                file.write('[store]\nkind = "milvus"\nuri = "chunks.db"\n')
        settings = Settings(index_dir=index.parent)
        rag.build("seeds", settings=settings)
        engine = rag.Rag.open("seeds", settings=settings)
        engines.append(rag.Rag(engine.index, engine.embedder, FakeLLM(), settings))
    yield engines
    for engine in engines:
        engine.close()


def told(hit: Hit) -> tuple[object, ...]:
    return hit.article_id, hit.start, hit.end, hit.sentence_start, round(hit.score, 2)


@pytest.mark.models
@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("since", [None, "2024-08-01"])
def test_the_same_answers_on_the_seeds(
    both: list[rag.Rag], question: str, since: str | None
) -> None:
    here, there = (engine.ask(question, since=since, undated=True) for engine in both)
    assert [told(hit) for hit in there.hits] == [told(hit) for hit in here.hits]
    assert (there.status, there.text) == (here.status, here.text)
    assert [c.quote for c in there.citations] == [c.quote for c in here.citations]
    assert there.corrections == here.corrections


def test_news_is_looked_for_among_the_new_articles(news: IndexFolder) -> None:
    settings = Settings(index_dir=news.path.parent)

    def opened(*_: object) -> FakeEmbedder:
        return FakeEmbedder()

    follow("Osterby ferry", "news", min_score=0.1, settings=settings, open_embedder=opened)
    update(news, 3)
    found = look_for_news("news", settings=settings, open_embedder=opened)
    assert [one.article_id for one in found] == ["ferry"]  # "harbour" has both words, and was there
