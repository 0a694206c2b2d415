"""Capitals: which words of a question are names, by how the articles write them.

A question typed in small letters has names too, and a word that begins one has a capital anyway.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from rag.index.opened import OpenIndex

_WORD = re.compile(r"[^\W\d_]+")
_FIRST_WORD = re.compile(r"(?:^|[.!?][\"”’']?\s)\W*([^\W\d_]+)")
_N_CHUNKS = 16
"""Chunks that are looked through for a word."""
_N_CHUNKS_CASED = 32
"""Chunks that are looked through for all words of a question, those with most of them first."""
_MIN_NAMED = 2
_NAMED_SHARE = 0.8
"""A name has its capital so often in those chunks, and this share of the times at least."""


def with_capitals(question: str, index: OpenIndex) -> str:
    """A question typed in small letters, its names written as the articles write them.

    Args:
        question: As it is searched. With a capital behind its first word it is left as it is.
        index: What will be searched.
    """
    words = list(_WORD.finditer(question))
    if any(not word.group().islower() for word in words[1:]):
        return question
    known = {word.group(): index.analyzer.content_terms(word.group()) for word in words}
    terms = list(dict.fromkeys(term for found in known.values() for term in found))
    found = index.search_words(terms, _N_CHUNKS_CASED)
    texts = list(texts_of([chunk_id for chunk_id, _ in found], index))
    made = question
    for word in reversed(words):
        found_once = any(index.document_frequency(term) == 1 for term in known[word.group()])
        least = 1 if found_once else _MIN_NAMED
        if known[word.group()] and (name := _as_name(word.group().lower(), texts, least)):
            made = f"{made[: word.start()]}{name}{made[word.end() :]}"
    return made


def _as_name(word: str, texts: Sequence[str], least: int) -> str | None:
    """A word as texts mostly write it behind others, if that is with a capital so often."""
    anywhere = re.compile(rf"(?<=[\w,;’'”)] ){re.escape(word)}\b", re.IGNORECASE)
    written: Counter[str] = Counter()
    for text in texts:
        written.update(anywhere.findall(text))
    named = {form: n for form, n in written.items() if not form.islower()}
    n_named = sum(named.values())
    if n_named < least or n_named < _NAMED_SHARE * written.total():
        return None
    return max(named, key=lambda form: (named[form], form))


def written_small(question: str, index: OpenIndex) -> frozenset[str]:
    """The words with which sentences of a question begin that the index mostly writes small.

    Their capital says nothing: "Along with Healey, who …?"; in "Healey said what?" it does.

    Args:
        question: As it is searched.
        index: What will be searched.

    Returns:
        Those words, in small letters.
    """
    first = {
        match.group(1) for match in _FIRST_WORD.finditer(question) if match.group(1)[0].isupper()
    }
    return frozenset(word.lower() for word in first if _mostly_small(word, index))


def _mostly_small(word: str, index: OpenIndex) -> bool:
    terms = index.analyzer.content_terms(word)
    if len(terms) != 1:
        return True
    texts = list(
        texts_of([chunk_id for chunk_id, _ in index.search_words(terms, _N_CHUNKS)], index)
    )
    n_small = sum(re.search(rf"\b{re.escape(word.lower())}\b", text) is not None for text in texts)
    n_names = sum(is_name(word, text) for text in texts)
    return n_small > n_names


def is_name(word: str, text: str) -> bool:
    """Whether a capital is a name's and not the sentence's."""
    return re.search(rf"[\w,;’'”)] {re.escape(word)}\b", text) is not None


def texts_of(chunk_ids: Sequence[int], index: OpenIndex) -> Iterator[str]:
    """The texts of chunks, each with the title of its article."""
    chunks = index.catalog.chunks(sorted(chunk_ids))
    articles = index.catalog.articles(sorted({chunk.article for chunk in chunks.values()}))
    for chunk in chunks.values():
        article = articles[chunk.article]
        yield f"{article.title}\n{article.text[chunk.start : chunk.end]}"
