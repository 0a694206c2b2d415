"""What `rag show`, `rag rollback` and `rag prune` print: read without opening a model."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from rag.cleaning import CleanedArticle
from rag.errors import QuestionError
from rag.index.boilerplate import Boilerplate, boilerplate_of
from rag.index.layout import IndexFolder
from rag.index.manifest import Manifest
from rag.index.opened import OpenIndex
from rag.index.stories import Story, story_of
from rag.readers import Skipped


class LiveVersion(BaseModel):
    """What `rag rollback --json` and `rag prune --json` print.

    Attributes:
        index: Name of the index.
        version: Number of the live version.
        deleted: Numbers of the versions that were deleted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    index: str
    version: int
    deleted: tuple[int, ...] = ()


class IndexDetails(BaseModel):
    """The facts of an index.

    Attributes:
        name: Name of the index.
        version: Number of the live version.
        path: Its folder.
        manifest: What it consists of.
        n_undated: Articles without a date: filters by day leave them out.
        skipped: Inputs that the build did not take, with the reason.
        n_boilerplate: Sentences that are no evidence, as their publisher puts them into many
            articles.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: int
    path: Path
    manifest: Manifest
    n_undated: int
    skipped: tuple[Skipped, ...]
    n_boilerplate: int = 0


class ShownArticle(CleanedArticle):
    """An article as the index holds it.

    Attributes:
        story: Its story; None where no other article tells it.
        boilerplate: Lines of it that its publisher puts into many articles: no evidence.
    """

    story: Story | None = None
    boilerplate: tuple[Boilerplate, ...] = ()


def index_details(index_dir: Path, name: str) -> IndexDetails:
    """The facts of the live version, which is verified on the way.

    Raises:
        IndexMissingError, IndexCorruptError, IndexFormatError: it does not open.
    """
    folder = IndexFolder(index_dir, name)
    with OpenIndex(folder, n_threads=1) as index:
        return IndexDetails(
            name=name,
            version=index.version,
            path=folder.version_path(index.version),
            manifest=index.manifest,
            n_undated=index.catalog.n_undated(),
            skipped=tuple(index.catalog.skipped()),
            n_boilerplate=len(index.catalog.columns.boilerplate),
        )


def stored_article(index_dir: Path, name: str, article_id: str) -> ShownArticle:
    """An article as the index holds it, with what cleaning took out, and its story.

    Raises:
        QuestionError: the index has no such article.
        IndexMissingError, IndexCorruptError, IndexFormatError: it does not open.
    """
    with OpenIndex(IndexFolder(index_dir, name), n_threads=1) as index:
        article = index.catalog.article(article_id)
        if article is None:
            raise QuestionError(
                f"index {name!r} has no article {article_id!r}",
                mend=f"rag search --index {name} WORDS   (--json gives the ids)",
            )
        return ShownArticle(
            article=article,
            removed=index.catalog.removed(article_id),
            story=story_of(index.catalog, article_id),
            boilerplate=boilerplate_of(index.catalog, article_id),
        )
