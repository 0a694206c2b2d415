"""`rag` answers questions from your own news articles and shows where each sentence stands.

    from rag import ask
    print(ask("What did Healey urge in Israel?").text)

Importing it loads no heavy library and opens no file: names load when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.answer import Answer as Answer
    from rag.answer import AnswerSentence as AnswerSentence
    from rag.answer import AnswerStatus as AnswerStatus
    from rag.answer import Citation as Citation
    from rag.answer import Claim as Claim
    from rag.answer import Disagreement as Disagreement
    from rag.api import ask as ask
    from rag.api import build as build
    from rag.api import check as check
    from rag.api import search as search
    from rag.article import Article as Article
    from rag.attribution import Status as Status
    from rag.chat import Chat as Chat
    from rag.dates import DatedPhrase as DatedPhrase
    from rag.engine import Rag as Rag
    from rag.errors import BusyError as BusyError
    from rag.errors import CancelledError as CancelledError
    from rag.errors import RagError as RagError
    from rag.events import AnswerReady as AnswerReady
    from rag.events import EvidenceFound as EvidenceFound
    from rag.events import TextWritten as TextWritten
    from rag.index.check import CheckReport as CheckReport
    from rag.index.reader import IndexInfo as IndexInfo
    from rag.index.reader import list_indexes as list_indexes
    from rag.index.report import BuildProgress as BuildProgress
    from rag.index.report import BuildReport as BuildReport
    from rag.index.uploads import add_files as add_files
    from rag.retrieval import Hit as Hit
    from rag.settings import Settings as Settings

__version__ = "0.1.0"

_HOME = {
    "Answer": "rag.answer",
    "AnswerReady": "rag.events",
    "AnswerSentence": "rag.answer",
    "AnswerStatus": "rag.answer",
    "Article": "rag.article",
    "BuildProgress": "rag.index.report",
    "BuildReport": "rag.index.report",
    "BusyError": "rag.errors",
    "CancelledError": "rag.errors",
    "Chat": "rag.chat",
    "CheckReport": "rag.index.check",
    "Citation": "rag.answer",
    "Claim": "rag.answer",
    "DatedPhrase": "rag.dates",
    "Disagreement": "rag.answer",
    "EvidenceFound": "rag.events",
    "Hit": "rag.retrieval",
    "IndexInfo": "rag.index.reader",
    "Rag": "rag.engine",
    "RagError": "rag.errors",
    "Settings": "rag.settings",
    "Status": "rag.attribution",
    "TextWritten": "rag.events",
    "add_files": "rag.index.uploads",
    "ask": "rag.api",
    "build": "rag.api",
    "check": "rag.api",
    "list_indexes": "rag.index.reader",
    "search": "rag.api",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'rag' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
