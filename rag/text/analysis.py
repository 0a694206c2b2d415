"""Analysis: how texts become terms: words in small letters, stemmed."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from rag.text.language import Language
from rag.text.language import language as rules_of

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
_LONGEST_WORD = 80


class Analyzer:
    """Makes terms of texts in one language, as they stand in a lexical index.

    Safe for several threads. `analyzer` gives the one of a language.

    Attributes:
        language: Its rules; a language without a stemmer here is not stemmed.
    """

    def __init__(self, language: Language) -> None:
        self.language = language
        self._all = text_analyzer(language.code)
        self._content = text_analyzer(language.code, stop_words=True)

    def terms(self, text: str) -> list[str]:
        """The terms of a text: lower case, stemmed, in order."""
        return list(self._all.analyze(text))

    def content_terms(self, text: str) -> list[str]:
        """The terms of a text without stop words and words that only ask, in order."""
        return list(self._content.analyze(text))


@cache
def analyzer(language: str) -> Analyzer:
    """What makes terms of texts in a language (ISO 639-1 code)."""
    return Analyzer(rules_of(language))


def text_analyzer(language: str, *, stop_words: bool = False) -> tantivy.TextAnalyzer:
    """The same as tantivy takes it.

    Args:
        language: ISO 639-1 code; a language without a stemmer here is not stemmed.
        stop_words: Leave them out, and words that only ask.
    """
    import tantivy

    builder = (
        tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
        .filter(tantivy.Filter.remove_long(_LONGEST_WORD))
        .filter(tantivy.Filter.lowercase())
        .filter(tantivy.Filter.ascii_fold())
    )
    if stop_words and language in _STOP_WORDS:
        builder = builder.filter(tantivy.Filter.stopword(_STEMMERS[language]))
        asking = rules_of(language).listed("analysis.question_words")
        if asking:
            builder = builder.filter(tantivy.Filter.custom_stopword(list(asking)))
    if language in _STEMMERS:
        builder = builder.filter(tantivy.Filter.stemmer(_STEMMERS[language]))
    return builder.build()
