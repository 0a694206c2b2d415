"""Builds in the background: one at a time, with their progress."""

from __future__ import annotations

import datetime
import logging
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from rag.building.report import BuildProgress, BuildReport
from rag.errors import CancelledError, FullError, IndexLockedError, NotFoundError, RagError
from rag.serving.problems import Problem, problem_of

_log = logging.getLogger(__name__)
_MAX_WAITING = 8
_MAX_KEPT = 100
_RETRY_SECONDS = 30.0
_UNFORESEEN = Problem(
    title="Internal error", status=500, detail="nobody foresaw it; the server's log has it"
)
Build = Callable[..., BuildReport]


class Job(BaseModel):
    """A build that was asked for.

    Attributes:
        id: What it is asked about by.
        index: Name of the index.
        state: `waiting`, `running`, `done` or `failed`.
        asked, ended: When.
        progress: How far it is; None before it begins.
        report: What it did, when it is done.
        problem: Why it failed.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    index: str
    state: Literal["waiting", "running", "done", "failed"] = "waiting"
    asked: datetime.datetime
    ended: datetime.datetime | None = None
    progress: BuildProgress | None = None
    report: BuildReport | None = None
    problem: Problem | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens to it."""
        return self.state in ("done", "failed")


class Jobs:
    """The builds that were asked for, the last ones kept. Safe to use from several threads.

    Args:
        build: Like `rag.build`, but for its settings.
        on_end: Told each job that is over.
    """

    def __init__(self, build: Build, on_end: Callable[[Job], None] = lambda job: None) -> None:
        self._build = build
        self._on_end = on_end
        self._jobs: dict[str, Job] = {}
        self._guard = threading.Lock()
        self._stopping = threading.Event()
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="rag-build")

    def add(self, index: str, *, full: bool = False, allow_removal: bool = False) -> Job:
        """Ask for a build. It begins when those before it have ended.

        Raises:
            IndexLockedError: one of this index is waiting or running.
            FullError: too many are waiting.
        """
        with self._guard:
            open_ = [job for job in self._jobs.values() if not job.is_over]
            for job in open_:
                if job.index == index:
                    raise IndexLockedError(
                        f"index {index!r} is being built already", mend=f"follow /jobs/{job.id}"
                    )
            if len(open_) > _MAX_WAITING:
                raise FullError(f"{len(open_)} builds are under way or waiting", _RETRY_SECONDS)
            job = Job(id=secrets.token_hex(8), index=index, asked=_now())
            self._jobs[job.id] = job
            over = [known for known in self._jobs.values() if known.is_over]
            for known in over[: max(0, len(self._jobs) - _MAX_KEPT)]:
                del self._jobs[known.id]
        self._threads.submit(self._run, job, full, allow_removal)
        return job

    def get(self, job_id: str) -> Job:
        """A job as it is now.

        Raises:
            NotFoundError: there is none, or it was too long ago.
        """
        try:
            return self._jobs[job_id]
        except KeyError:
            raise NotFoundError(
                f"there is no job {job_id!r}", mend="GET /jobs lists them"
            ) from None

    def all(self) -> list[Job]:
        """All that are kept, the newest first."""
        with self._guard:
            return list(self._jobs.values())[::-1]

    def close(self) -> None:
        """Stop the build that runs at its next step; the next one goes on where it was."""
        self._stopping.set()
        self._threads.shutdown(cancel_futures=True)

    def _run(self, job: Job, full: bool, allow_removal: bool) -> None:
        def told(progress: BuildProgress) -> None:
            if self._stopping.is_set():
                raise CancelledError("the server stops", mend="build again; it goes on from there")
            self._change(job.id, progress=progress)

        self._change(job.id, state="running")
        end: dict[str, Any] = {"state": "failed", "problem": _UNFORESEEN}
        try:
            report = self._build(job.index, full=full, allow_removal=allow_removal, progress=told)
            end = {"state": "done", "report": report}
        except RagError as error:
            _log.warning("build of %r failed: %s", job.index, error.message)
            end = {"state": "failed", "problem": problem_of(error)}
        except Exception:
            _log.exception("build of %r failed", job.index)
            raise
        finally:
            self._on_end(self._change(job.id, ended=_now(), **end))

    def _change(self, job_id: str, **values: Any) -> Job:
        with self._guard:
            self._jobs[job_id] = self._jobs[job_id].model_copy(update=values)
            return self._jobs[job_id]


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0)
