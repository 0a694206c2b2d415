"""JSON: one article, a list of them, or an object with one list of them (`{"articles": […]}`)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from rag.readers.decoding import text_of
from rag.readers.json_lines import article_of, line_articles
from rag.readers.reader import Found, Origin
from rag.readers.skipped import UnreadableError
from rag.readers.text_files import MAX_TEXT_BYTES

_FIELDS = frozenset({"text", "html"})


class JsonReader:
    """`.json`: its objects with the fields of JSON lines; lines of JSON under that name too."""

    name = "json"
    suffixes = (".json",)
    max_bytes = MAX_TEXT_BYTES

    def fits(self, start: bytes) -> bool:
        """Never: what begins as JSON may be data of any kind."""
        return False

    def read(self, data: bytes, origin: Origin) -> Iterator[Found]:
        """Its articles, each with its number where there are several."""
        text = text_of(data)
        if not text.strip():
            raise UnreadableError("only white space" if text else "empty file")
        try:
            value = json.loads(text, parse_constant=lambda _: None)
        except RecursionError as error:
            raise UnreadableError("nested too deeply") from error
        except ValueError as error:
            lines = text.splitlines()
            if not _is_object(lines[0]):
                raise UnreadableError(f"not JSON: {error}") from error
            yield from line_articles(lines, 1, origin.path)
            return
        found = _articles(value)
        for number, fields in enumerate(found, start=1):
            try:
                article: Any = article_of(fields, origin.path)
            except UnreadableError as error:
                article = str(error)
            yield number if len(found) > 1 else None, article


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _articles(value: Any) -> list[Any]:
    """The objects that may be articles."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict) and not _FIELDS & value.keys():
        lists = [one for one in value.values() if isinstance(one, list) and one]
        if len(lists) == 1 and all(isinstance(item, dict) for item in lists[0]):
            return lists[0]
    return [value]
