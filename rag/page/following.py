"""What is followed in an index, and the new stories that were told about it, as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from rag import Followed, News
from rag.page.article import Place
from rag.page.markup import byline, day, first_words, number, text

N_STORIES = 100
"""So many are shown, the newest."""


def show(index: str, followed: Sequence[Followed], *, feed: bool) -> str:
    """The questions that are followed, each with a way to stop.

    Args:
        index: Name of the index.
        followed: In their order.
        feed: Whether this server has the news as an Atom feed.
    """
    if not followed:
        return (
            f'<p class="facts">Nothing is followed in “{text(index)}” yet. Follow a question or'
            " words here, or the question of an answer below it: what comes into the index from"
            " then on is searched at the end of each build, and a new story that fits is told"
            " here, once.</p>"
        )
    items = "".join(map(_followed, followed))
    address = feed_address(index)
    told = f'<p class="feed"><a href=".{address}">Atom feed</a> of the news below</p>'
    return (
        f'<h2>Followed in “{text(index)}”</h2><ul class="followed">{items}</ul>'
        f"{told if feed else ''}"
    )


def stories(index: str, told: Sequence[News]) -> str:
    """The new stories, each a button that opens its article; nothing where there are none."""
    if not told:
        return ""
    grouped: dict[tuple[str, str], list[News]] = {}
    for one in told:
        grouped.setdefault((one.article_id, one.quote), []).append(one)
    n_told = number(len(grouped), "new story", "new stories")
    if len(told) >= N_STORIES:
        n_told = f"The newest stories ({len(grouped)})"
    items = "".join(_story(index, found) for found in grouped.values())
    return f'<section class="evidence"><h2>{n_told}</h2><ol class="hits">{items}</ol></section>'


def feed_address(index: str) -> str:
    """Where this server has the news about an index as a feed."""
    return f"/news/{quote(index, safe='')}.atom"


def button(turn: int) -> str:
    """A button at an answer that follows its question."""
    return f'<button type="button" class="follow" data-follow="{turn}">Follow</button>'


def _followed(one: Followed) -> str:
    narrowed = f"{text(one.filter)} · " if not one.filter.passes_all else ""
    return (
        f'<li><span>{text(one.question)}<span class="byline">{narrowed}since'
        f' {day(one.kept.date())}</span></span><button type="button" data-unfollow='
        f'"{text(one.name)}" data-name="{text(one.question)}"'
        f' aria-label="Stop following “{text(one.question)}”">Stop following</button></li>'
    )


def _story(index: str, told: Sequence[News]) -> str:
    """A story, once, with each question that it was told for."""
    one = told[0]
    questions = ", ".join(f"“{text(each.question)}”" for each in told)
    place = Place(
        index=index, article_id=one.article_id, start=one.start, end=one.end, quote=one.quote
    )
    what = "" if one.kind == "new story" else "New version · "
    return (
        f'<li class="passage"><button type="button" class="hit" {place.attribute}>'
        f'<span class="title">{text(one.title or first_words(one.quote))}</span>'
        f'<span class="byline">{byline(one.published, one.source)}</span>'
        f'<span class="best">{text(" ".join(one.quote.split()))}</span>'
        f'<span class="byline">{what}found {day(one.found.date())} for {questions}</span>'
        "</button></li>"
    )
