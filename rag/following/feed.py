"""News as an Atom feed (RFC 4287)."""

from __future__ import annotations

import datetime
import re
import uuid
from collections.abc import Sequence
from xml.etree import ElementTree

from rag.following.followed import News

CONTENT_TYPE = "application/atom+xml"
N_ENTRIES = 200
"""So many are in a feed, the newest ones; readers keep what they have read."""
_ATOM = "http://www.w3.org/2005/Atom"
# What XML 1.0 cannot hold, however it is written.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def atom(
    news: Sequence[News], *, index: str, name: str | None = None, at: str | None = None
) -> str:
    """The feed.

    Args:
        news: The newest first.
        index: Name of the index.
        name: Name of the question that it is about; None for all of the index.
        at: Address of the feed, where it has one.
    """
    feed = ElementTree.Element("feed", xmlns=_ATOM)
    told_of = uuid.uuid5(uuid.NAMESPACE_OID, "\0".join(filter(None, ("feed", index, name))))
    _add(feed, "id", told_of.urn)
    _add(feed, "title", f"{index}: {name}" if name else index)
    _add(feed, "updated", _moment(news[0].found if news else _EVER))
    _add(_add(feed, "author"), "name", "rag")
    if at:
        _add(feed, "link", rel="self", href=at)
    for one in news:
        _entry(feed, one)
    ElementTree.indent(feed)
    return ElementTree.tostring(feed, encoding="unicode", xml_declaration=True) + "\n"


_EVER = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def _entry(feed: ElementTree.Element, news: News) -> None:
    entry = _add(feed, "entry")
    _add(entry, "id", news.id)
    _add(entry, "title", news.title or news.article_id)
    _add(entry, "updated", _moment(news.found))
    if news.published is not None:
        _add(entry, "published", f"{news.published.isoformat()}T00:00:00Z")
    if news.source:
        _add(_add(entry, "author"), "name", news.source)
    if news.url and news.url.startswith(("http://", "https://")):
        _add(entry, "link", rel="alternate", href=news.url)
    _add(entry, "category", term=news.followed, label=news.question)
    _add(entry, "category", term=news.kind)
    _add(entry, "content", news.quote, type="text")


def _add(
    parent: ElementTree.Element, tag: str, text: str = "", **attributes: str
) -> ElementTree.Element:
    attributes = {key: _NOT_XML.sub("\ufffd", value) for key, value in attributes.items()}
    element = ElementTree.SubElement(parent, tag, attributes)
    element.text = _NOT_XML.sub("\ufffd", text) or None
    return element


def _moment(when: datetime.datetime) -> str:
    return when.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
