"""Words of questions: which only hold a sentence together, which are names.

Function words are a closed class, and a capital or a digit makes a name. English.
"""

from __future__ import annotations

import re

DETERMINERS = frozenset("the a an this that these those its his her their my our any some".split())  # noqa: SIM905
PREPOSITIONS = frozenset(
    """
    in at to from near of into on with for by about against between over after before during under
    since until through as than without towards behind beyond around off out up per via
    """.split()  # noqa: SIM905
)
AUXILIARIES = frozenset(
    """
    do does did is are was were has have had will would can could should may might must
    """.split()  # noqa: SIM905
)
BE = frozenset("is are was were".split())  # noqa: SIM905
ASKING = frozenset("who whom whose what which when where why how".split())  # noqa: SIM905
PRONOUNS = frozenset(
    "i you he she it we they me him her us them his hers its their theirs there".split()  # noqa: SIM905
)
FUNCTION_WORDS = (
    DETERMINERS | PREPOSITIONS | AUXILIARIES | ASKING | PRONOUNS | {"and", "or", "but", "not"}
)
PARTICIPLE = re.compile(
    r"\w+(?:ed|[^e]en|ing)|begun|held|won|lost|made|built|found|met|cut|sold|paid|sent|put|set|shot"
    r"|brought|caught|done|felt|heard|hit|hurt|kept|led|left|read|run|said|seen|shut|sung|told"
)
# Verbs that say little of what it is about: the search is better without them.
LIGHT = frozenset(
    """
    do does did done doing be been being happen happens happened happening say says said saying tell
    tells told urge urges urged get gets got go goes went have has had make makes made take takes
    took give gives gave want wants wanted mean means meant think thinks thought ask asks asked
    """.split()  # noqa: SIM905
)
_EDGES = ' ?!.,;:“”"()'


def words_of(text: str) -> list[str]:
    """Its words without the marks around them."""
    return [word for word in (part.strip(_EDGES) for part in text.split()) if word]


def is_name(word: str) -> bool:
    """Whether a word is a name or a figure: "Lammy", "iPhone", "16e"."""
    return any(char.isupper() or char.isdigit() for char in word) and (
        word[1:].lower() != word[1:] or word.lower() not in FUNCTION_WORDS
    )


def is_content(word: str) -> bool:
    """Whether a word says what it is about: no function word."""
    return is_name(word) or word.lower() not in FUNCTION_WORDS
