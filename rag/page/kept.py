"""What the page keeps on this machine: conversations, each browser's own, and what was found wrong.

Below the folder:

    conversations/OWNER/KEY/about.json   name, index, when it began
    conversations/OWNER/KEY/turns.jsonl  its turns; of two lines of one turn the later one holds
    remarks.jsonl                        answers that somebody called wrong (`rag eval` reads it)

Only who runs the page can read these files; who asks sees what their own browser asked.
"""

from __future__ import annotations

import datetime
import logging
import re
import secrets
import shutil
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from rag import RagError
from rag.page.remark import Remark
from rag.page.turn import Phase, Turn

MAX_NAME = 120
_WAIT_SECONDS = 10
_KEY = re.compile(r"[\w-]{1,40}", re.ASCII)
_TURN = TypeAdapter(Turn)
_log = logging.getLogger(__name__)


class About(BaseModel):
    """What is known of a conversation without reading it.

    Attributes:
        key: Of its address.
        name: Its first question, or what its owner called it.
        index: Where that was asked.
        changed: When something was asked last (UTC).
    """

    model_config = ConfigDict(frozen=True)

    key: str
    name: str
    index: str
    changed: datetime.datetime


class Kept:
    """Reads and writes what is kept. Safe for threads.

    Args:
        folder: Where; made when something is kept first.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._guard = threading.Lock()

    def begin(self, owner: str, index: str, name: str) -> str:
        """A new conversation; its key.

        Raises:
            RagError: it cannot be written. So do the others that write.
        """
        about = About(
            key=secrets.token_urlsafe(9),
            name=_short(name),
            index=index,
            changed=datetime.datetime.now(datetime.UTC),
        )
        folder = self._of(owner) / about.key
        with self._writing():
            folder.mkdir(parents=True)
            (folder / "about.json").write_text(about.model_dump_json(), encoding="utf-8")
        return about.key

    def listed(self, owner: str) -> list[About]:
        """The conversations of an owner, the one asked last first."""
        found = [self._about(path) for path in self._of(owner).glob("*/about.json")]
        return sorted(
            (about for about in found if about is not None),
            key=lambda about: about.changed,
            reverse=True,
        )

    def read(self, owner: str, key: str) -> tuple[Turn, ...] | None:
        """The turns of a conversation, oldest first; None if this owner has none of that key."""
        folder = self._conversation(owner, key)
        if folder is None:
            return None
        turns: dict[str, Turn] = {}
        file = folder / "turns.jsonl"
        lines = file.read_bytes().splitlines() if file.exists() else []
        for number, line in enumerate(lines, start=1):
            try:
                turn = _TURN.validate_json(line)
            except ValidationError:  # cut while it was written, or of another version
                _log.warning("%s:%d is no turn of this version", file, number)
                continue
            turns[turn.key] = replace(turn, phase=Phase.STOPPED) if turn.running else turn
        return tuple(
            replace(turn, number=number, conversation=key)
            for number, turn in enumerate(turns.values(), start=1)
        )

    def add(self, owner: str, key: str, turn: Turn) -> None:
        """Keep a turn as it is now, unless the conversation was deleted meanwhile."""
        if self._conversation(owner, key) is None:
            return
        kept = replace(turn, hits=()) if turn.answer is not None else turn  # the answer has them
        with self._writing():
            self._append(self._of(owner) / key / "turns.jsonl", _TURN.dump_json(kept))

    def call(self, owner: str, key: str, name: str) -> None:
        """Call a conversation something else; an empty name leaves it as it is."""
        folder = self._conversation(owner, key)
        about = self._about(folder / "about.json") if folder else None
        if folder is None or about is None or not name.strip():
            return
        told = about.model_copy(update={"name": _short(name)}).model_dump_json()
        with self._writing():
            new = folder / "about.json.new"
            new.write_text(told, encoding="utf-8")
            new.replace(folder / "about.json")

    def delete(self, owner: str, key: str | None = None) -> None:
        """Delete a conversation, or all of an owner's."""
        folder = self._of(owner) if key is None else self._conversation(owner, key)
        if folder is not None and folder.exists():
            with self._writing():
                shutil.rmtree(folder)

    def has(self, owner: str, key: str) -> bool:
        """Whether an owner has a conversation of that key."""
        return self._conversation(owner, key) is not None

    def expire(self, after: datetime.timedelta) -> None:
        """Delete the conversations, of every owner, in which nothing was asked for so long."""
        before = datetime.datetime.now(datetime.UTC) - after
        for file in (self._folder / "conversations").glob("*/*/about.json"):
            about = self._about(file)
            if about is not None and about.changed < before:
                self.delete(file.parent.parent.name, about.key)

    @property
    def remarks_file(self) -> Path:
        """Where remarks stand, once there is one."""
        return self._folder / "remarks.jsonl"

    def note(self, remark: Remark) -> Path:
        """Keep what somebody found wrong; the file that has it."""
        with self._writing(), self._alone():
            line = remark.model_dump_json(exclude_none=True).encode()
            self._append(self.remarks_file, line)
        return self.remarks_file

    def remarks(self) -> list[Remark]:
        """What was found wrong, the newest first. Whoever runs the page may have edited it."""
        found = [remark for _, remark in self._remark_lines() if remark is not None]
        return found[::-1]

    def forget(self, id: str) -> None:
        """Delete a remark; the other lines stay as they are, whatever they are."""
        with self._writing(), self._alone():
            lines = [line for line, one in self._remark_lines() if one is None or one.id != id]
            new = self.remarks_file.with_suffix(".new")
            new.write_bytes(b"".join(line + b"\n" for line in lines))
            new.replace(self.remarks_file)

    def _remark_lines(self) -> Iterator[tuple[bytes, Remark | None]]:
        """Each line, with what it says; None for one that is no remark."""
        file = self.remarks_file
        for line in file.read_bytes().splitlines() if file.exists() else ():
            try:
                yield line, Remark.model_validate_json(line)
            except ValidationError:
                yield line, None

    def _alone(self) -> AbstractContextManager[object]:
        """While remarks are written: another process may add to the same file."""
        from filelock import FileLock

        return FileLock(self._folder / "remarks.lock", timeout=_WAIT_SECONDS)

    def _of(self, owner: str) -> Path:
        return self._folder / "conversations" / owner

    def _conversation(self, owner: str, key: str) -> Path | None:
        """Its folder, if this owner has it. A key from an address may be anything."""
        folder = self._of(owner) / key if _KEY.fullmatch(key) else None
        return folder if folder and (folder / "about.json").exists() else None

    def _about(self, file: Path) -> About | None:
        turns = file.with_name("turns.jsonl")
        try:
            about = About.model_validate_json(file.read_bytes())
            if not turns.exists():
                return about
            changed = datetime.datetime.fromtimestamp(turns.stat().st_mtime, datetime.UTC)
            return about.model_copy(update={"changed": changed})
        except (OSError, ValidationError):
            return None

    def _append(self, file: Path, line: bytes) -> None:
        """In one piece: another process may add to the same file."""
        with file.open("ab", buffering=0) as stream:
            stream.write(line + b"\n")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            with self._guard:
                self._folder.mkdir(parents=True, exist_ok=True)
                self._folder.chmod(0o700)
                yield
        except OSError as error:
            raise RagError(
                f"{self._folder}: nothing can be kept: {error.strerror}",
                mend="set RAG_PAGE_DIR to a folder that can be written",
            ) from error


def _short(name: str) -> str:
    words = " ".join(name.split())
    return words if len(words) <= MAX_NAME else f"{words[: MAX_NAME - 1].rstrip()}…"
