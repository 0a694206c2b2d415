"""Attribution: which spans of the sources support a sentence, decided by code.

Modules:
    wording      a sentence in the words of its sources
    verbatim     quotation marks around what is verbatim only
    speech       who said it
    faithful     names, roles, days, denials and reasons
    figures_held figures
    support      the source sentences that support a sentence
"""

from rag.answering.attribution.support import Attribution as Attribution
from rag.answering.attribution.support import Status as Status
from rag.answering.attribution.support import attribute as attribute
from rag.answering.attribution.support import strip_marks as strip_marks
from rag.answering.attribution.verbatim import keep_verbatim as keep_verbatim
from rag.answering.attribution.wording import in_their_words as in_their_words
