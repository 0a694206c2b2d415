"""Quotation marks in an answer stay only around what a source says word for word."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.text.names import squeeze

_MARKED = re.compile(
    r"“(?P<curly>[^“”]+)”|\"(?P<straight>[^\"]+)\"|«(?P<angled>[^«»]+)»|„(?P<low>[^„“”]+)[“”]"
    r"|(?<!\w)[‘'](?P<single>[^‘’']{3,}(?:['’]\w[^‘’']*)*)[’'](?!\w)"
)


def keep_verbatim(sentence: str, sources: Sequence[str]) -> str:
    """A sentence whose quotation marks stand around verbatim text only.

    What is quoted must stand in one of the sources; the case of its first letter and a comma or
    full stop at its end are free. Other quotation marks are taken away, the words stay.
    """
    texts = [squeeze(source) for source in sources]

    def check(match: re.Match[str]) -> str:
        inner = next(group for group in match.groups() if group is not None)
        bare = squeeze(inner).strip(" .,;")
        forms = (bare, bare[:1].lower() + bare[1:], bare[:1].upper() + bare[1:])
        verbatim = bool(bare) and any(form in text for form in forms for text in texts)
        return match.group() if verbatim else inner

    return _MARKED.sub(check, sentence)
