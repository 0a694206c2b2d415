"""Every error that `rag` raises on purpose.

    RagError
    ├── SettingsError         a setting is unknown, or its value does not fit
    ├── MissingExtraError     it needs libraries that were not installed along
    ├── SourceError           the sources of an index cannot be read at all
    │   └── RemovalError          a build would take most articles out of an index
    ├── ModelError            a model's file does not load or does not work
    │   └── ModelMissingError     it is not on this machine yet
    ├── IndexError_           the index does not open
    │   ├── IndexMissingError     no such index, or nothing built yet
    │   ├── IndexCorruptError     a file is not what the manifest says
    │   ├── IndexFormatError      made by another version of `rag`
    │   ├── IndexLockedError      another process is building it
    │   ├── IndexWriteError       a file of a new version cannot be written, as on a full disk
    │   └── IndexStoreError       the server that holds its chunks does not answer, or refuses
    ├── QuestionError         the question is empty, or a filter does not fit
    ├── DatasetError          an evaluation dataset is wrong, or is not what the index holds
    ├── BusyError             the queue to the language model is full
    │   └── FullError             the server has as much to do as it takes on
    ├── NotFoundError         there is no such article, job or question
    ├── ExistsError           there is one of that name already
    ├── TooLongError          it took longer than the server lets it
    ├── ClosedError           what is asked was closed, or was opened by another process
    └── CancelledError        the answer was stopped: by the caller, or by closing what was asked

A message says what is wrong, where, and the command that mends it. That the articles do not
answer a question is a result (`Answer.status == "no_answer"`), never an exception.
"""

from __future__ import annotations

import importlib.util

DISTRIBUTION = "cited-news-rag"
"""What pip installs; the import is `rag`."""


class RagError(Exception):
    """Base of all errors of this package.

    Args:
        message: What is wrong, and where.
        mend: The command or action that mends it; printed after the message.
    """

    def __init__(self, message: str, *, mend: str | None = None) -> None:
        self.message = message
        self.mend = mend
        super().__init__(f"{message}\n  To mend it: {mend}" if mend else message)


class SettingsError(RagError):
    """A setting is unknown, or its value does not fit."""


class MissingExtraError(RagError):
    """What was asked for needs libraries of an extra that is not installed.

    Args:
        what: What needs them, such as "the page".
        extra: Name of the extra, such as "ui".
        missing: The module that was not found.
    """

    def __init__(self, what: str, *, extra: str, missing: str) -> None:
        super().__init__(
            f"{what} needs {missing}, which is not installed",
            mend=f'pip install "{DISTRIBUTION}[{extra}]"',
        )


def check_extra(what: str, *, extra: str, library: str) -> None:
    """Make sure that the library of an extra is installed, before it is needed.

    Args:
        what: What needs it, such as "the page".
        extra: Name of the extra that brings it.
        library: Name of the module; it is not imported.

    Raises:
        MissingExtraError: it is not installed.
    """
    if importlib.util.find_spec(library) is None:
        raise MissingExtraError(what, extra=extra, missing=library)


class SourceError(RagError):
    """The sources of an index cannot be read at all."""


class RemovalError(SourceError):
    """A build would take most articles out of an index, and was not told that it may."""


class ModelError(RagError):
    """A model's file does not load or does not work."""


class ModelMissingError(ModelError):
    """A model is not on this machine yet."""


class IndexError_(RagError):
    """An index does not open. (The underscore keeps Python's own IndexError apart.)"""


class IndexMissingError(IndexError_):
    """There is no such index, or nothing was built for it yet."""


class IndexCorruptError(IndexError_):
    """A file of the index is not what its manifest says."""


class IndexFormatError(IndexError_):
    """The index was made by another version of `rag`, or with other settings."""


class IndexLockedError(IndexError_):
    """Another process is building this index."""


class IndexWriteError(IndexError_):
    """A file of a new version cannot be written, for instance because the disk is full."""


class IndexStoreError(IndexError_):
    """The server that holds the chunks of an index does not answer, or refuses what it is asked."""


class QuestionError(RagError, ValueError):
    """The question is empty, or a filter does not fit."""


class DatasetError(RagError):
    """An evaluation dataset is wrong, or is not what the index holds."""


class BusyError(RagError):
    """The queue to the language model is full."""


class FullError(BusyError):
    """The server has as much to do as it takes on.

    Args:
        message: What is full.
        seconds: When it is worth trying again.
    """

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message, mend="try again in a moment")
        self.seconds = seconds


class NotFoundError(RagError):
    """There is no such article, job or question."""


class ExistsError(RagError):
    """There is one of that name already."""


class TooLongError(RagError):
    """It took longer than the server lets it."""


class ClosedError(RagError):
    """What is asked was closed, or was opened by the process that this one is a copy of."""


class CancelledError(RagError):
    """The answer was stopped before it was complete: by the caller, or by `close`."""
