"""What a page declares of itself: title, day, author, publisher, address.

Looked for in JSON-LD first, then in the meta elements, then in the text that the page shows.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rag.readers.html.dates import Stated, day_in_url, stated_day
from rag.readers.html.paragraphs import letters
from rag.readers.html.tree import texts

_ARTICLE_TYPE = re.compile(r"(?:Article|Posting|Report|Review|NewsItem|Story)$", re.IGNORECASE)
# What stands below these is about other articles.
_OTHER_ARTICLES = frozenset({"itemListElement", "hasPart", "relatedLink", "mentions", "citation"})
_MAX_DEPTH = 12
# Names of meta elements, without their punctuation.
_PUBLISHED = re.compile(
    r"^(?!.*(?:modif|updat|lastmod|lastpub|revis|first))"
    r"(?:.*(?:publish|pubdate|publication|(?:date|terms)issued|datecreated|dateoriginal"
    r"|originaldate|releasedate)|(?:dc|dcterms|sailthru|article|news)?(?:date|timestamp)$)"
)
_FIRST_PUBLISHED = re.compile(r"firstpublish")
_UPDATED = re.compile(r"modif|updat|lastmod|lastpub|revis")
_NO_DATE = re.compile(r"publisher|name$|premium|expir|end$|embargo|section|status|id$|url$")
_SEPARATOR = re.compile(r"\s+[|•·–—»«-]+\s+|\s*[|｜：]\s*|\s*--\s*")
_MAX_SITE_CHARACTERS = 40


@dataclass(slots=True)
class Declared:
    """What a page says about itself.

    Attributes:
        title: Without the name of the site; empty if there is none.
        titles: Every title that it gives, in letters only (see `letters`).
        description: Its summary; empty if there is none.
        published, updated: None if it does not say.
        author, source, url, language: None if it does not say.
    """

    title: str = ""
    titles: set[str] = field(default_factory=set)
    description: str = ""
    published: Stated | None = None
    updated: Stated | None = None
    author: str | None = None
    source: str | None = None
    url: str | None = None
    language: str | None = None


def declared(root: Any, url: str | None = None) -> Declared:
    """What a page declares.

    Args:
        root: The page.
        url: Where it was found, if that is known.
    """
    metas = _metas(root)
    item = _article_item(root)
    headings = list(texts(root, "//h1"))[:4]
    site = _first(_name(item.get("publisher")), metas.content("ogsitename", "applicationname"))
    address = _first(
        url,
        next(texts(root, "//link[@rel='canonical']/@href"), None),
        metas.content("ogurl"),
        _name(item.get("url")),
    )
    address = address if address and address.startswith(("http://", "https://")) else None
    title, titles = _title(root, metas, item, headings, site)
    return Declared(
        title=title,
        titles=titles,
        description=_first(
            _text(item.get("description")), metas.content("ogdescription", "description")
        )
        or "",
        published=_published(root, metas, item, address),
        updated=_updated(metas, item),
        author=_author(root, metas, item),
        source=site,
        url=address,
        language=next(texts(root, "/html/@lang"), None) or metas.content("oglocale"),
    )


def _first(*values: str | None) -> str | None:
    return next((value for value in values if value), None)


def _text(value: Any) -> str | None:
    if isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, str):
        return None
    return " ".join(html.unescape(value).split()) or None


def _name(value: Any) -> str | None:
    """The name of a thing in JSON-LD, or its address; of several things their names."""
    if isinstance(value, list):
        names = [name for name in map(_name, value) if name]
        return ", ".join(dict.fromkeys(names)) or None
    if isinstance(value, dict):
        value = value.get("name") or value.get("@id")
    return _text(value)


class _Meta(NamedTuple):
    name: str
    content: str


class _Metas(dict[str, _Meta]):
    """The meta elements by their names, without punctuation and case."""

    def content(self, *names: str) -> str | None:
        return _first(*(_text(self[name].content) for name in names if name in self))


def _metas(root: Any) -> _Metas:
    found = _Metas()
    for element in root.iter("meta"):
        given = element.attrib
        content = " ".join((given.get("content") or "").split())
        name = given.get("property") or given.get("name") or given.get("itemprop")
        if content and name:
            found.setdefault(letters(name), _Meta(name, content))
    return found


def _article_item(root: Any) -> dict[str, Any]:
    """The article in the page's JSON-LD; empty if there is none."""
    found = [
        item
        for script in root.iter("script")
        if "ld+json" in (script.get("type") or "")
        for item in _items(_loaded(script.text or ""), 0)
    ]
    # A page may declare other articles too, and show their headings.
    for title in texts(root, "//meta[@property='og:title']/@content | //h1"):
        for item in found:
            if letters(_text(item.get("headline")) or "") == letters(title):
                return item
    dated = [item for item in found if item.get("datePublished")]
    return (dated or found or [{}])[0]


def _loaded(text: str) -> Any:
    text = text.strip().removeprefix("<!--").removesuffix("-->").strip().rstrip(";")
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None


def _items(value: Any, depth: int) -> Iterator[dict[str, Any]]:
    """Every article in a JSON-LD value, the outermost first."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, list):
        for part in value:
            yield from _items(part, depth + 1)
    elif isinstance(value, dict):
        types = value.get("@type")
        names = types if isinstance(types, list) else [types]
        if any(isinstance(name, str) and _ARTICLE_TYPE.search(name) for name in names):
            yield value
        for key, part in value.items():
            if isinstance(part, list | dict) and key not in _OTHER_ARTICLES:
                yield from _items(part, depth + 1)


def _title(
    root: Any, metas: _Metas, item: dict[str, Any], headings: list[str], site: str | None
) -> tuple[str, set[str]]:
    head = next(texts(root, "//head/title"), None)
    given = [_text(item.get("headline")), metas.content("ogtitle"), metas.content("twittertitle")]
    stated = [_without_site(title, site) for title in given if title]
    rest = [*headings, *([head, _without_site(head, site)] if head else [])]
    titles = {key for title in (*filter(None, given), *stated, *rest) if (key := letters(title))}
    keys = [letters(title) for title in stated]
    for heading in headings:
        if letters(heading) in keys:
            return heading, titles  # as the page shows it
    if stated:
        agreed = max(keys, key=keys.count)
        return stated[keys.index(agreed)], titles
    longest = max(headings, key=len, default="")
    return longest or (_without_site(head, site) if head else ""), titles


def _without_site(title: str, site: str | None) -> str:
    """A title without the name of the site before or behind it."""
    name = letters(site or "")
    for _ in range(2):
        parts = list(_SEPARATOR.finditer(title))
        if not parts:
            break
        before, behind = title[: parts[-1].start()], title[parts[-1].end() :]
        key = letters(behind)
        known = bool(name) and (key in name or name in key)
        bar = parts[-1][0].strip() in ("|", "｜", "：", "--")
        if not (known or bar) or len(behind) > _MAX_SITE_CHARACTERS or not before:
            break
        title = before
    return title.strip()


def _published(root: Any, metas: _Metas, item: dict[str, Any], url: str | None) -> Stated | None:
    stated = stated_day(_text(item.get("datePublished")), "JSON-LD datePublished")
    if stated is not None:
        return stated
    declared = list(_dated(metas, _PUBLISHED))
    if declared:
        return declared[0]
    for value in root.xpath("//*[@itemprop='datePublished']"):
        stated = stated_day(value.get("datetime") or value.text_content(), "itemprop datePublished")
        if stated is not None:
            return stated
    stated = _time_element(root)
    if stated is not None:
        return stated
    day = day_in_url(url) if url else None
    if day is not None:
        return Stated(day, day.isoformat(), "address")
    return next(_dated(metas, _FIRST_PUBLISHED), None)


def _dated(metas: _Metas, names: re.Pattern[str]) -> Iterator[Stated]:
    for key, meta in metas.items():
        if names.search(key) and not _NO_DATE.search(key):
            stated = stated_day(meta.content, f"meta {meta.name}")
            if stated is not None:
                yield stated


def _time_element(root: Any) -> Stated | None:
    """The first time element beside the title, or the only day that such elements name."""
    headings = root.xpath("//h1")
    if headings:
        for element in headings[0].xpath(
            "(ancestor::article//time | ancestor::header//time | following::time)[position() < 4]"
        ):
            stated = stated_day(element.get("datetime") or element.text_content(), "time element")
            if stated is not None:
                return stated
    return None


def _updated(metas: _Metas, item: dict[str, Any]) -> Stated | None:
    stated = stated_day(_text(item.get("dateModified")), "JSON-LD dateModified")
    if stated is not None:
        return stated
    return next(_dated(metas, _UPDATED), None)


def _author(root: Any, metas: _Metas, item: dict[str, Any]) -> str | None:
    for name in (
        _name(item.get("author")),
        metas.content("author"),
        metas.content("articleauthor"),
    ):
        if name and "://" not in name and len(name) <= 200:
            return name
    for name in texts(root, "//*[@rel='author' or @itemprop='author']"):
        if len(name) <= 100:
            return name.removeprefix("By ").strip() or None
    return None
