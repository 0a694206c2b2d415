"""Attribution: which spans of the sources support a sentence, decided by code.

Modules:
    words        names, numbers and negation of a text
    quotations   quotation marks around what is verbatim only
    speech       who said it
    support      the source sentences that support a sentence
"""

from rag.attribution.quotations import keep_verbatim as keep_verbatim
from rag.attribution.support import Attribution as Attribution
from rag.attribution.support import Status as Status
from rag.attribution.support import attribute as attribute
from rag.attribution.support import strip_marks as strip_marks
