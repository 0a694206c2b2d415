"""Words in tantivy: BM25 over title and text, with filters evaluated inside the search."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.article import Article
from rag.errors import IndexCorruptError

if TYPE_CHECKING:
    import tantivy

_STEMMERS = {
    "ar": "arabic", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "es": "spanish", "fi": "finnish", "fr": "french", "hu": "hungarian", "it": "italian",
    "nl": "dutch", "no": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian",
    "sv": "swedish", "ta": "tamil", "tr": "turkish",
}  # fmt: skip
# Languages for which tantivy has a list of stop words.
_STOP_WORDS = {"da", "de", "en", "es", "fi", "fr", "hu", "it", "nl", "no", "pt", "ru", "sv"}
# Words that ask and do not say of what, beyond tantivy's own English stop words.
_QUESTION_WORDS = """
    what who whom whose which when where why how did do does done doing has have had having
    were been being am can could would should shall may might must will many much s t
    i me my we us our you your he him his she her hers its them those any about from
"""
_ANALYZER = "news"
_LONGEST_WORD = 80
_HEAP_BYTES = 64_000_000
_UNDATED = 0  # day number of an article without a date; real days start at 1


def write_lexical(
    folder: Path, language: str, chunks: Iterable[tuple[int, Article, str]], *, n_threads: int
) -> None:
    """Build and write the lexical index of a version.

    Args:
        folder: The folder to make.
        language: ISO 639-1 code of the articles; one without a stemmer here is not stemmed.
        chunks: Chunk id, article and text of every chunk.
        n_threads: Threads to use.
    """
    import tantivy

    folder.mkdir()
    index = tantivy.Index(_schema(), os.fspath(folder))
    index.register_tokenizer(_ANALYZER, _analyzer(language))
    writer = index.writer(_HEAP_BYTES * n_threads, n_threads)
    for chunk_id, article, text in chunks:
        document = tantivy.Document()
        document.add_integer("chunk_id", chunk_id)
        document.add_text("title", article.title)
        document.add_text("text", text)
        document.add_integer("day", article.published.toordinal() if article.published else 0)
        document.add_text("source", article.source or "")
        for key, value in article.metadata.items():
            document.add_text("field", _field_term(key, value))
        writer.add_document(document)
    writer.commit()
    writer.wait_merging_threads()


class LexicalIndex:
    """The words of one version, opened for searching. Safe for several threads."""

    def __init__(self, folder: Path, language: str) -> None:
        import tantivy

        self._tantivy = tantivy
        self._analyzer = _analyzer(language)
        self._query_analyzer = _analyzer(language, stop_words=True)
        try:
            index = tantivy.Index.open(os.fspath(folder))
        except ValueError as error:
            raise IndexCorruptError(f"{folder} is not a tantivy index: {error}") from error
        index.register_tokenizer(_ANALYZER, self._analyzer)
        self._schema = index.schema
        self._searcher = index.searcher()

    @property
    def n_chunks(self) -> int:
        """Number of chunks in it."""
        return int(self._searcher.num_docs)

    def terms(self, text: str) -> list[str]:
        """The terms of a text, as they stand in the index: lower case, stemmed, in order."""
        return list(self._analyzer.analyze(text))

    def query_terms(self, question: str) -> list[str]:
        """Distinct terms of a question without its stop words, unless it has no others."""
        terms = list(dict.fromkeys(self.content_terms(question)))
        return terms or list(dict.fromkeys(self.terms(question)))

    def content_terms(self, text: str) -> list[str]:
        """The terms of a text without stop words, in order."""
        return list(self._query_analyzer.analyze(text))

    def document_frequency(self, term: str) -> int:
        """In how many chunks' texts a term stands."""
        return int(self._searcher.doc_freq("text", term))

    def search(
        self, terms: Sequence[str], k: int, *, where: tantivy.Query | None = None
    ) -> list[tuple[int, float]]:
        """The k best chunks by BM25 as (chunk id, score), best first.

        Args:
            terms: From `terms`; syntax characters have no meaning here.
            k: Chunks wanted.
            where: From `filter`.
        """
        query_type, occur = self._tantivy.Query, self._tantivy.Occur
        if not terms or k < 1:
            return []
        words = [
            (occur.Should, query_type.term_query(self._schema, field, term))
            for term in dict.fromkeys(terms)
            for field in ("text", "title")
        ]
        query = query_type.boolean_query(words)
        if where is not None:
            query = query_type.boolean_query([(occur.Must, query), (occur.Must, where)])
        found = self._searcher.search(query, k, count=False).hits
        ids = self._searcher.fast_field_values("chunk_id", [address for _, address in found])
        return [
            (int(chunk_id), float(score))
            for chunk_id, (score, _) in zip(ids, found, strict=True)
            if chunk_id is not None
        ]

    def filter(
        self,
        *,
        since: datetime.date | None = None,
        until: datetime.date | None = None,
        undated: bool = False,
        sources: Sequence[str] = (),
        metadata: Mapping[str, str] | None = None,
        chunk_ids: Sequence[int] | None = None,
    ) -> tantivy.Query | None:
        """A condition for `search`; it adds nothing to the score. None lets everything pass.

        The arguments are those of `Catalog.chunk_ids_where`; `chunk_ids` allows only these.
        """
        query_type, occur = self._tantivy.Query, self._tantivy.Occur
        conditions: list[Any] = []
        if since is not None or until is not None:
            days = query_type.range_query(
                self._schema,
                "day",
                self._tantivy.FieldType.Integer,
                since.toordinal() if since else 1,
                until.toordinal() if until else datetime.date.max.toordinal(),
            )
            if undated:
                none = query_type.term_query(self._schema, "day", _UNDATED)
                days = query_type.boolean_query([(occur.Should, days), (occur.Should, none)])
            conditions.append(days)
        if sources:
            conditions.append(query_type.term_set_query(self._schema, "source", list(sources)))
        for key, value in (metadata or {}).items():
            term = _field_term(key, value)
            conditions.append(query_type.term_query(self._schema, "field", term))
        if chunk_ids is not None:
            ids = [int(chunk_id) for chunk_id in chunk_ids]
            conditions.append(query_type.term_set_query(self._schema, "chunk_id", ids))
        if not conditions:
            return None
        every = query_type.boolean_query([(occur.Must, condition) for condition in conditions])
        return query_type.const_score_query(every, 0.0)


def _field_term(key: str, value: object) -> str:
    # The same text that SQLite gives for the value, so that both filters agree.
    text = {True: "1", False: "0"}[value] if isinstance(value, bool) else str(value)
    return f"{key}={text}"


def _schema() -> tantivy.Schema:
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_integer_field("chunk_id", stored=False, indexed=True, fast=True)
    builder.add_text_field("title", tokenizer_name=_ANALYZER)
    builder.add_text_field("text", tokenizer_name=_ANALYZER)
    builder.add_integer_field("day", indexed=True, fast=True)
    builder.add_text_field("source", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("field", tokenizer_name="raw", index_option="basic")
    return builder.build()


def _analyzer(language: str, *, stop_words: bool = False) -> tantivy.TextAnalyzer:
    import tantivy

    builder = (
        tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
        .filter(tantivy.Filter.remove_long(_LONGEST_WORD))
        .filter(tantivy.Filter.lowercase())
        .filter(tantivy.Filter.ascii_fold())
    )
    if stop_words and language in _STOP_WORDS:
        builder = builder.filter(tantivy.Filter.stopword(_STEMMERS[language]))
        if language == "en":
            builder = builder.filter(tantivy.Filter.custom_stopword(_QUESTION_WORDS.split()))
    if language in _STEMMERS:
        builder = builder.filter(tantivy.Filter.stemmer(_STEMMERS[language]))
    return builder.build()
