"""An article as HTML: beside its answer with the cited span highlighted, and in the library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from rag import Article, DatedPhrase
from rag.page.markup import byline, days_meant, headline, message, number, original, text
from rag.page.overview import Row


class Place(BaseModel):
    """A passage that a link on the page stands for.

    Attributes:
        index: Name of the index.
        article_id: The article.
        start, end: The span in its text.
        quote: What stood there when the link was made; None if that was not noted.
        dates: What the relative days in the quote mean.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    index: str
    article_id: str
    start: int
    end: int
    quote: str | None = None
    dates: tuple[DatedPhrase, ...] = ()

    @property
    def attribute(self) -> str:
        """The attribute of a link that says which passage it opens; page.js sends it back."""
        return f'data-place="{text(self.model_dump_json(exclude_defaults=True))}"'


class RemovedPiece(Protocol):
    """What cleaning took out of a text."""

    @property
    def text(self) -> str:
        """The piece."""
        ...

    @property
    def reason(self) -> str:
        """Why it went."""
        ...


NO_PASSAGE = (
    '<div class="blank"><p>Choose a citation or a passage:'
    " its article opens here, at that sentence.</p></div>"
)
NO_ARTICLE = (
    '<div class="blank"><p>Choose an article: it opens here, with what cleaning removed.</p></div>'
)


def cited(article: Article | None, place: Place) -> str:
    """The article, the passage highlighted where it stands.

    An index may have been built anew since the link was made: then the passage is looked for by
    its words, and if they are gone it says so instead of highlighting something else.
    """
    if article is None:
        return message("empty", f"The index no longer holds the article {place.article_id}.")
    start, end = max(place.start, 0), max(place.end, 0)
    changed, dates = "", place.dates
    if place.quote is not None and article.text[start:end] != place.quote:
        start = article.text.find(place.quote)
        end = start + len(place.quote)
    if start < 0:
        changed = message("empty", "The article was changed since: this passage is gone.")
        start, end, dates = 0, 0, ()
    before, quote, after = article.text[:start], article.text[start:end], article.text[end:]
    mark = f'<mark id="cited" tabindex="-1">{text(quote)}</mark>' if quote else ""
    return (
        f'<div class="reader">{_head(article, dates)}{changed}'
        f'<div class="text" lang="">{text(before)}{mark}{text(after)}</div>{_file(article)}</div>'
    )


def whole(
    article: Article,
    removed: Sequence[RemovedPiece],
    others: Sequence[Row] = (),
    body: str | None = None,
    lines: Sequence[str] = (),
) -> str:
    """The cleaned article, what was removed from it, and what else tells its story.

    Args:
        article: The article.
        removed: What cleaning took out.
        others: The other articles of its story.
        body: Its text as HTML, where something in it is marked.
        lines: Sentences of it that its publisher puts into many articles.
    """
    pieces = "".join(
        f"<li><code>{text(piece.text.strip() or '(white space)')}</code>"
        f'<span class="reason">{text(piece.reason)}</span></li>'
        for piece in removed
    )
    taken = (
        f'<details class="removed" open><summary>{number(len(removed), "piece")} removed'
        f" by cleaning</summary><ul>{pieces}</ul></details>"
        if removed
        else '<p class="removed none">Nothing was removed: the text is as found.</p>'
    )
    return (
        f'<div class="reader">{_head(article)}{_story(others)}{taken}{_boilerplate(lines)}'
        f'<div class="text" lang="">{text(article.text) if body is None else body}</div>'
        f"{_file(article)}"
        f'<p class="taking-out"><button type="button" data-take-out="{text(article.article_id)}"'
        f' data-title="{text(headline(article))}">Take this article out of the index</button></p>'
        "</div>"
    )


def _boilerplate(lines: Sequence[str]) -> str:
    """What stays in the text, and is no evidence."""
    if not lines:
        return ""
    items = "".join(f"<li><code>{text(one)}</code></li>" for one in lines)
    return (
        f'<details class="removed"><summary>{number(len(lines), "sentence")} that stand in many'
        f" articles of this publisher: no evidence</summary><ul>{items}</ul></details>"
    )


def _story(others: Sequence[Row]) -> str:
    """Where else the same is told, each to be opened."""
    if not others:
        return ""
    items = "".join(
        f'<li><button type="button" data-article="{text(one.article_id)}">'
        f"{text(one.source or one.title)}</button> {byline(one.published, None)} · {one.told}</li>"
        for one in others
    )
    return (
        '<section class="story"><h3>The same text as in'
        f" {number(len(others), 'other article')}</h3><ul>{items}</ul></section>"
    )


def _head(article: Article, dates: Sequence[DatedPhrase] = ()) -> str:
    address = original(article.url)
    where = f'<p class="where">{address}</p>' if address else ""
    return (
        '<header><button type="button" class="close-article" aria-label="Close the article">Close'
        "</button>"
        f'<h2 id="article-title" tabindex="-1">{text(headline(article))}'
        f'</h2><p class="byline">{byline(article.published, article.source, article.author)}</p>'
        f"{where}{days_meant(dates)}</header>"
    )


def _file(article: Article) -> str:
    """The file that it was read from, below its text: who keeps many wants to find it."""
    name = (article.path or "").rsplit("/", 1)[-1]
    return f'<p class="where">From the file {text(name)}</p>' if name else ""
