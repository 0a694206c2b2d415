"""What is open until it is closed: engines and language models, which hold native memory."""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Callable, Generator, Iterator
from typing import Generic, TypeVar

from rag.errors import CancelledError, ClosedError

Item = TypeVar("Item")
Key = TypeVar("Key")
Value = TypeVar("Value")


class Lifetime:
    """Whether something open may be used: not after it was closed, nor in a copy of the process.

    A process made by `os.fork()` has the memory of its parent but none of its threads: whoever
    waits there for the thread that runs a model waits for ever.

    Args:
        what: Which thing, as it begins a message.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._process = os.getpid()
        self._closed = False
        self._n_users = 0
        self._changed = threading.Condition()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    @property
    def copied(self) -> bool:
        """Whether this is the copy in a process made by `os.fork()`."""
        return os.getpid() != self._process

    def check(self) -> None:
        """Do nothing while it is open.

        Raises:
            ClosedError: it was closed, or is a copy.
        """
        if self.copied:
            raise ClosedError(
                f"{self._what} was opened by process {self._process}, and this one is a copy of it"
                " (os.fork) without the threads that run the models",
                mend="open it in the new process, best one that was started afresh"
                " (multiprocessing: the method “spawn”)",
            )
        if self._closed:
            raise ClosedError(f"{self._what} was closed", mend="open it again")

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """While this lasts, `wait_until_unused` waits.

        Raises:
            ClosedError: it was closed, or is a copy.
        """
        self.check()
        with self._changed:
            self.check()
            self._n_users += 1
        try:
            yield
        finally:
            with self._changed:
                self._n_users -= 1
                self._changed.notify_all()

    def steps(self, items: Generator[Item, None, None]) -> Iterator[Item]:
        """The items, each made while it is in use; between them it may be closed.

        Raises:
            ClosedError: it was closed before the first item was asked for, or is a copy.
            CancelledError: it was closed before the last one.
        """
        begun = False
        try:
            while True:
                try:
                    with self.in_use():
                        begun = True
                        item = next(items)
                except StopIteration:
                    return
                except ClosedError as error:
                    if begun and self._closed and not self.copied:
                        raise CancelledError(f"{self._what} was closed meanwhile") from error
                    raise
                yield item
        finally:
            items.close()

    def close(self) -> bool:
        """Note that it is closed; whether the caller is the one to free it: first, and no copy."""
        if self.copied:  # the lock may be held by a thread that is not here
            self._closed = True
            return False
        with self._changed:
            first = not self._closed
            self._closed = True
            return first

    def wait_until_unused(self, seconds: float) -> bool:
        """Wait until nobody is within `in_use`, but not longer than some seconds; whether so."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._n_users, timeout=seconds)


class Shared(Generic[Key, Value]):
    """Things by key: each is made once, and kept as long as anybody has it.

    A process made by `os.fork()` makes its own: it has not the threads of its parent's.
    """

    def __init__(self) -> None:
        self._process = os.getpid()
        self._making = threading.Lock()
        self._made: weakref.WeakValueDictionary[Key, Value] = weakref.WeakValueDictionary()

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        """The thing of a key, made now if nobody has it. What `make` raises is raised."""
        if os.getpid() != self._process:
            self._process = os.getpid()
            self._making = threading.Lock()  # a thread that is not here may have held the old one
            self._made = weakref.WeakValueDictionary()
        with self._making:
            made = self._made.get(key)
            if made is None:
                made = make()
                self._made[key] = made
            return made
