"""The body of a page: which of its paragraphs are the article.

trafilatura chooses. A second, cheaper look at the same page mends its choice: paragraphs in the
same place of the page as the chosen ones come in (an article cut in two by an advert, names in
markup that the library drops), and where the library took a menu for the article, the place with
most running text is the article.
"""

from __future__ import annotations

import functools
import logging
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rag.readers.html.paragraphs import Paragraph, Place, letters, name_words
from rag.readers.html.tree import without_needless

LONG = 80
"""Size of a paragraph that is more than a label."""
_OUTSIDE_TAGS = frozenset({"nav", "footer", "aside", "form", "menu", "figcaption"})
_OUTSIDE_ROLES = frozenset({"navigation", "complementary", "contentinfo", "banner", "search"})
_NEVER_OUTSIDE = frozenset({"article", "main", "body", "html"})
_MARKED_SHARE = 0.3  # of the article: more below an element, and its name says nothing
_HOME_SHARE = 0.15  # of the article in one place: so much, and the place is a home of it
_MIN_KEY = 12  # letters by which a paragraph is known in a text
_MIN_STANDFIRST = 40
_LOST_SHARE = 3  # times more running text than was chosen: then the choice was wrong


@functools.cache
def _names(kind: str) -> frozenset[str]:
    with open(Path(__file__).with_name("names.toml"), "rb") as file:
        return frozenset(tomllib.load(file)[kind])


def is_outside(element: Any) -> bool:
    """Whether an element says by its name that it is no part of an article."""
    tag = element.tag
    if tag in _NEVER_OUTSIDE:
        return False
    if tag in _OUTSIDE_TAGS:
        return True
    given = element.attrib
    if not given:
        return False
    if given.get("role") in _OUTSIDE_ROLES or "hidden" in given:
        return True
    style = given.get("style")
    if style and "none" in style and "display:none" in style.replace(" ", ""):
        return True
    return not _names("outside").isdisjoint(name_words(element))


def chosen(root: Any, parts: Sequence[Paragraph], description: str) -> list[Paragraph]:
    """The paragraphs of the article, in order.

    Args:
        root: The page.
        parts: Its paragraphs.
        description: What the page declares as its description.
    """
    return _Choice(parts, _extracted(root)).run(letters(description))


def _extracted(root: Any) -> str:
    """The letters of what trafilatura takes for the article."""
    from trafilatura import bare_extraction

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # the outcome is looked at here
    found = bare_extraction(without_needless(root), include_comments=False, favor_precision=True)
    text = getattr(found, "text", None)
    return letters(text) if text else ""


class _Choice:
    def __init__(self, parts: Sequence[Paragraph], extracted: str) -> None:
        self._parts = parts
        self._seen = [_stands_in(part.key, extracted) for part in parts]
        # A name such as "newsletter" that most of the article stands under says nothing.
        under: Counter[str] = Counter()
        for part in self._where(self._seen):
            under.update(dict.fromkeys(map(_kind_of, part.marked), part.size))
        n_seen = sum(part.size for part in self._where(self._seen))
        self._outside = [
            any(under[_kind_of(element)] <= _MARKED_SHARE * n_seen for element in part.marked)
            for part in parts
        ]
        self._taken = [
            seen and not out for seen, out in zip(self._seen, self._outside, strict=True)
        ]

    def run(self, description: str) -> list[Paragraph]:
        self._replace_if_wrong()
        self._take_from_homes()
        self._take_standfirst(description)
        return list(self._where(self._taken))

    def _where(self, chosen: Iterable[bool]) -> list[Paragraph]:
        return [part for part, is_chosen in zip(self._parts, chosen, strict=True) if is_chosen]

    def _replace_if_wrong(self) -> None:
        """Start from the place with most running text where the library lost nearly all of it."""
        running: Counter[Any] = Counter()
        for part, outside in zip(self._parts, self._outside, strict=True):
            if part.size >= LONG and part.link_share < 0.3 and not outside:
                parent = part.element.getparent()
                if parent is not None:
                    running[parent] += part.size
        if not running:
            return
        place, most = running.most_common(1)[0]
        taken = sum(part.size for part in self._where(self._taken) if part.size >= LONG)
        if most > _LOST_SHARE * taken:
            self._taken = [
                not outside and place in part.element.iterancestors()
                for part, outside in zip(self._parts, self._outside, strict=True)
            ]

    def _take_from_homes(self) -> None:
        homes, near = self._homes()
        for i, part in enumerate(self._parts):
            beside = self._seen[i] and self._outside[i] and part.place[:2] in near
            if beside and all(element.tag not in _OUTSIDE_TAGS for element in part.marked):
                self._outside[i], self._taken[i] = False, True
        at_home = [
            i for i, part in enumerate(self._parts) if self._taken[i] and part.place in homes
        ]
        if not at_home:
            return
        articles = {_article_of(self._parts[i]) for i in at_home}
        parents = {self._parts[i].element.getparent() for i in at_home}
        first, last = at_home[0], at_home[-1]
        for i, part in enumerate(self._parts):
            if i > last and part.kind == "h1":
                break  # another article
            if self._taken[i] or self._outside[i] or part.place not in homes:
                continue
            between = first < i < last
            if part.link_share >= (0.9 if between else 0.5) or (i < first and part.size < LONG):
                continue
            if _article_of(part) in articles:
                self._taken[i] = True
                parents.add(part.element.getparent())
                last = max(last, i)
        for i in range(first, last):
            part = self._parts[i]
            if self._taken[i] or self._outside[i] or part.link_share >= 0.3:
                continue
            if part.element.getparent() in parents:
                self._taken[i] = True
            elif part.size >= LONG or part.is_heading or part.kind in ("li", "row"):
                self._taken[i] = any(a in parents for a in part.element.iterancestors())

    def _homes(self) -> tuple[set[Place], set[Place]]:
        """Places that hold the article; with most of it, also by their innermost block alone."""
        sizes: Counter[Place] = Counter()
        for part in self._where(self._taken):
            if part.size >= LONG:
                sizes[part.place] += part.size
        near: Counter[Place] = Counter()
        for place, size in sizes.items():
            near[place[:2]] += size
        total = sum(sizes.values())
        return (
            {place for place, size in sizes.items() if size >= _HOME_SHARE * total},
            {
                place
                for place, size in near.items()
                if 2 * size >= total and len(place) > 1 and " " in place[1].strip()
            },
        )

    def _take_standfirst(self, description: str) -> None:
        """The summary above the article, by its name or because the page declares it as such."""
        ahead = 0
        while ahead < len(self._parts):
            if self._taken[ahead] and self._parts[ahead].size >= LONG:
                break
            ahead += 1
        else:
            return
        for i, part in enumerate(self._parts[:ahead]):
            if self._taken[i] or part.size < _MIN_STANDFIRST or part.link_share > 0.3:
                continue
            declared = len(description) >= 30 and part.key.startswith(description[:60])
            near = (part.element, part.element.getparent())
            named = not self._outside[i] and any(
                element is not None and not _names("standfirst").isdisjoint(name_words(element))
                for element in near
            )
            self._taken[i] = declared or named


def _stands_in(key: str, text: str) -> bool:
    """Whether a paragraph stands in a text, if need be with something left out in its middle."""
    if len(key) < _MIN_KEY:
        return False
    if key in text:
        return True
    return len(key) >= 60 and key[:30] in text and key[-30:] in text


def _kind_of(element: Any) -> str:
    return f"{element.tag} {element.attrib.get('class', '')}"


def _article_of(part: Paragraph) -> Any:
    return next(part.element.iterancestors("article"), None)
