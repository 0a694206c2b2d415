"""What was found for a question: one list, in which what the answer cites is marked.

It stands from the moment of finding, and stays in its order and place when the answer comes: a
passage is not shown once as found and once more as cited.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag import AlsoIn, Citation, Hit
from rag.page.article import Place
from rag.page.markup import byline, days_meant, headline, number, text

CLOSEST = "Closest passages; none of them is an answer"


def place_of(index: str, citation: Citation) -> Place:
    """The passage that a citation points to."""
    return Place(
        index=index,
        article_id=citation.article_id,
        start=citation.start,
        end=citation.end,
        quote=citation.quote,
        dates=citation.dates,
    )


def found(
    index: str, hits: Sequence[Hit], cited: Sequence[Citation] = (), *, closest: bool = False
) -> str:
    """The hits, each with the quotes that lie in it; then what is cited from elsewhere.

    Args:
        index: Where they were found.
        hits: In their order.
        cited: Citations of the answer, or the passages that come closest to one.
        closest: Whether they are the latter, and have no number.
    """
    left = list(cited)
    items = ""
    for hit in hits:
        inside = [one for one in left if _holds(hit, one)]
        left = [one for one in left if one not in inside]
        items += _hit(index, hit, inside, closest)
    articles = dict.fromkeys(citation.article_id for citation in left)
    for article_id in articles:
        items += _cited(index, [one for one in left if one.article_id == article_id], closest)
    told = f"{number(len(hits) + len(articles), 'passage')} found"
    if cited:
        told = CLOSEST if closest else f"{told}, {number(len(cited), 'quote')} cited"
    return f'<section class="evidence"><h3>{told}</h3><ol class="hits">{items}</ol></section>'


def quotes(index: str, citations: Sequence[Citation], label: str, *, numbered: bool = True) -> str:
    """Quotes as buttons that open them."""
    items = "".join(
        f'<li><button type="button" class="source" {place_of(index, citation).attribute}>'
        f"{f'<b>{citation.number}</b>' if numbered else ''}"
        f'<q class="quote">{text(" ".join(citation.quote.split()).strip("“”"))}</q>'
        f"{days_meant(citation.dates)}</button></li>"
        for citation in citations
    )
    return f'<ol class="sources" aria-label="{label}">{items}</ol>'


def _holds(hit: Hit, citation: Citation) -> bool:
    return (
        hit.article_id == citation.article_id
        and hit.start <= citation.start
        and citation.end <= hit.end
    )


def _hit(index: str, hit: Hit, cited: Sequence[Citation], closest: bool) -> str:
    start, end = hit.sentence_start - hit.start, hit.sentence_end - hit.start
    best = hit.text[start:end]
    place = Place(
        index=index,
        article_id=hit.article_id,
        start=hit.sentence_start,
        end=hit.sentence_end,
        quote=best,
    )
    if cited:
        shown = quotes(index, cited, "Quotes", numbered=not closest)
        return _card(place, headline(hit), hit, "", f"{shown}{_also_in(index, hit)}", cited=True)
    inside = f'<span class="best">{text(" ".join(best.split()))}</span>'
    return _card(place, headline(hit), hit, inside, _also_in(index, hit))


def _cited(index: str, citations: Sequence[Citation], closest: bool) -> str:
    first = citations[0]
    shown = quotes(index, citations, "Quotes", numbered=not closest)
    return _card(place_of(index, first), headline(first), first, "", shown, cited=True)


def _card(
    place: Place, title: str, where: Hit | Citation, inside: str, below: str, *, cited: bool = False
) -> str:
    return (
        f'<li class="passage{" cited" if cited else ""}">'
        f'<button type="button" class="hit" {place.attribute}>'
        f'<span class="title">{text(title)}</span>'
        f'<span class="byline">{byline(where.published, where.source)}</span>{inside}</button>'
        f"{below}</li>"
    )


def _also_in(index: str, hit: Hit) -> str:
    """Where else the same stands: one origin, not several witnesses."""
    told = ""
    if hit.superseded_by:
        newest = Place(index=index, article_id=hit.superseded_by, start=0, end=0)
        told = (
            '<p class="reprints">No longer in '
            f'<button type="button" class="reprint" {newest.attribute}>the newest version of the'
            " article</button></p>"
        )
    if not hit.also_in:
        return told
    links = ", ".join(
        f'<button type="button" class="reprint" {place.attribute}>'
        f"{text(other.source or other.title or 'another article')}</button>{_beside(other)}"
        for other in hit.also_in
        for place in [
            Place(
                index=index,
                article_id=other.article_id,
                start=other.start or 0,
                end=other.end or 0,
            )
        ]
    )
    return f'{told}<p class="reprints">Also in: {links}</p>'


def _beside(other: AlsoIn) -> str:
    """What the other article is, where it is not merely a reprint."""
    return "" if other.relation == "reprint" else f" ({text(other.relation)})"
