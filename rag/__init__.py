"""`rag` answers questions from your own news articles and shows where each sentence stands.

    from rag import ask
    print(ask("What did Healey urge in Israel?").text)

Importing it loads no heavy library and opens no file: names load when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.answering.answer import Answer as Answer
    from rag.answering.answer import AnswerItem as AnswerItem
    from rag.answering.answer import AnswerSentence as AnswerSentence
    from rag.answering.answer import AnswerStatus as AnswerStatus
    from rag.answering.answer import Citation as Citation
    from rag.answering.answer import Claim as Claim
    from rag.answering.answer import Disagreement as Disagreement
    from rag.answering.attribution import Status as Status
    from rag.answering.confidence import Calibration as Calibration
    from rag.answering.events import AnswerReady as AnswerReady
    from rag.answering.events import EvidenceFound as EvidenceFound
    from rag.answering.events import TextWritten as TextWritten
    from rag.answering.question import Kind as Kind
    from rag.api import ask as ask
    from rag.api import build as build
    from rag.api import check as check
    from rag.api import search as search
    from rag.api import summarize as summarize
    from rag.api import timeline as timeline
    from rag.article import Article as Article
    from rag.building.left_out import leave_out as leave_out
    from rag.building.left_out import take_back as take_back
    from rag.building.report import BuildProgress as BuildProgress
    from rag.building.report import BuildReport as BuildReport
    from rag.building.sources import add_sources as add_sources
    from rag.building.uploads import Upload as Upload
    from rag.building.uploads import add_files as add_files
    from rag.building.uploads import list_files as list_files
    from rag.building.uploads import remove_files as remove_files
    from rag.chat import Chat as Chat
    from rag.engine import Rag as Rag
    from rag.errors import BusyError as BusyError
    from rag.errors import CancelledError as CancelledError
    from rag.errors import ClosedError as ClosedError
    from rag.errors import RagError as RagError
    from rag.errors import RemovalError as RemovalError
    from rag.following.follow import feed as feed
    from rag.following.follow import follow as follow
    from rag.following.follow import followed as followed
    from rag.following.follow import look_for_news as look_for_news
    from rag.following.follow import news as news
    from rag.following.follow import unfollow as unfollow
    from rag.following.followed import Followed as Followed
    from rag.following.followed import News as News
    from rag.index.check import CheckReport as CheckReport
    from rag.index.opened import IndexInfo as IndexInfo
    from rag.index.opened import list_indexes as list_indexes
    from rag.index.stories import Story as Story
    from rag.pool import EnginePool as EnginePool
    from rag.readers import KNOWN_SUFFIXES as KNOWN_SUFFIXES
    from rag.readers import format_of_path as format_of_path
    from rag.retrieval import AlsoIn as AlsoIn
    from rag.retrieval import Filter as Filter
    from rag.retrieval import Hit as Hit
    from rag.retrieval.spelling import Correction as Correction
    from rag.settings import Settings as Settings
    from rag.text.days import DatedPhrase as DatedPhrase

__version__ = "0.1.0"

_HOME = {
    "AlsoIn": "rag.retrieval",
    "Answer": "rag.answering.answer",
    "AnswerItem": "rag.answering.answer",
    "AnswerReady": "rag.answering.events",
    "AnswerSentence": "rag.answering.answer",
    "AnswerStatus": "rag.answering.answer",
    "Article": "rag.article",
    "BuildProgress": "rag.building.report",
    "BuildReport": "rag.building.report",
    "BusyError": "rag.errors",
    "Calibration": "rag.answering.confidence",
    "CancelledError": "rag.errors",
    "Chat": "rag.chat",
    "CheckReport": "rag.index.check",
    "Citation": "rag.answering.answer",
    "Claim": "rag.answering.answer",
    "ClosedError": "rag.errors",
    "Correction": "rag.retrieval.spelling",
    "DatedPhrase": "rag.text.days",
    "Disagreement": "rag.answering.answer",
    "EnginePool": "rag.pool",
    "EvidenceFound": "rag.answering.events",
    "Filter": "rag.retrieval",
    "Followed": "rag.following.followed",
    "Hit": "rag.retrieval",
    "IndexInfo": "rag.index.opened",
    "KNOWN_SUFFIXES": "rag.readers",
    "Kind": "rag.answering.question",
    "News": "rag.following.followed",
    "Rag": "rag.engine",
    "RagError": "rag.errors",
    "RemovalError": "rag.errors",
    "Settings": "rag.settings",
    "Status": "rag.answering.attribution",
    "Story": "rag.index.stories",
    "TextWritten": "rag.answering.events",
    "Upload": "rag.building.uploads",
    "add_files": "rag.building.uploads",
    "add_sources": "rag.building.sources",
    "ask": "rag.api",
    "build": "rag.api",
    "check": "rag.api",
    "feed": "rag.following.follow",
    "follow": "rag.following.follow",
    "followed": "rag.following.follow",
    "format_of_path": "rag.readers",
    "leave_out": "rag.building.left_out",
    "list_files": "rag.building.uploads",
    "list_indexes": "rag.index.opened",
    "look_for_news": "rag.following.follow",
    "news": "rag.following.follow",
    "remove_files": "rag.building.uploads",
    "search": "rag.api",
    "summarize": "rag.api",
    "take_back": "rag.building.left_out",
    "timeline": "rag.api",
    "unfollow": "rag.following.follow",
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
