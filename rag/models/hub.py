"""Models from a Hugging Face repository, by its own library.

The library downloads a file whole or not at all; here what a stopped download left is kept and
continued, which its `http_get` can do, and every file is compared with its sha256.
"""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rag.models.known import ModelFile, ModelSpec
from rag.models.partial import Report, SourceFailed, wrong_file
from rag.settings import silence_telemetry

if TYPE_CHECKING:
    from huggingface_hub.hf_api import ModelInfo

REACH_SECONDS = 2.0  # where there is a mirror, that is how long the hub may be silent
_METADATA_SECONDS = 30.0


def fetch_from_hub(
    spec: ModelSpec,
    staging: Path,
    report: Report,
    *,
    endpoint: str | None = None,
    reach_seconds: float | None = None,
) -> None:
    """Downloads the files of a model from its repository; a download cut short is continued.

    Args:
        spec: What to download.
        staging: Where: what is complete in `files`, what is not in `hub`.
        report: Told of every byte.
        endpoint: Address of the hub; None takes the library's (`HF_ENDPOINT`).
        reach_seconds: How long the hub may take to answer at all; None waits as the library does.

    Raises:
        SourceFailed: the hub cannot be reached, refuses, or a file is not what its sha256 says.
    """
    silence_telemetry()
    partial = [(staging / "hub" / file.name, file) for file in spec.files]
    missing = [file for path, file in partial if _size(path) < file.n_bytes]
    if missing and reach_seconds is not None:
        _reach(spec, missing[0], endpoint, reach_seconds)
    for path, file in partial:
        report(_size(path), file.name)
        if _size(path) < file.n_bytes:
            _download(spec, file, path, report, endpoint)
        _check(path, file, report)
        final = staging / "files" / file.name
        final.parent.mkdir(parents=True, exist_ok=True)
        path.replace(final)


def repository_info(repository: str, revision: str | None, endpoint: str | None) -> ModelInfo:
    """The commit of a repository, and its files with their sizes and digests.

    Raises:
        SourceFailed: the hub cannot be reached, or has no such repository or revision.
    """
    silence_telemetry()
    import httpx2
    from huggingface_hub import HfApi

    try:
        return HfApi(endpoint=endpoint).model_info(
            repository, revision=revision, files_metadata=True, timeout=_METADATA_SECONDS
        )
    except (httpx2.HTTPError, OSError, ValueError) as error:
        raise SourceFailed(_reason(error)) from error


def _url(spec: ModelSpec, file: ModelFile, endpoint: str | None) -> str:
    from huggingface_hub import hf_hub_url

    return hf_hub_url(spec.repository, file.name, revision=spec.revision, endpoint=endpoint)


def _headers(spec: ModelSpec) -> dict[str, str]:
    """What a request says: a token only for what may need one, a repository that a user named."""
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    known_by_name = any(file.parts for file in spec.files)
    headers: dict[str, str] = build_hf_headers(token=False if known_by_name else None)
    return headers


def _reach(spec: ModelSpec, file: ModelFile, endpoint: str | None, seconds: float) -> None:
    """Asks the hub for a file's size. In a thread: a look-up of its name may block for long."""
    from huggingface_hub import get_hf_file_metadata, get_session

    get_session()  # made here: reading the certificates is no waiting for the hub
    url, headers = _url(spec, file, endpoint), _headers(spec)
    failed: list[Exception] = []

    def ask() -> None:
        try:
            get_hf_file_metadata(url, timeout=seconds, headers=headers, token=False)
        except Exception as error:  # noqa: BLE001 - told by the thread that waits
            failed.append(error)

    asking = threading.Thread(target=ask, name="rag-hub", daemon=True)
    asking.start()
    asking.join(seconds)
    if asking.is_alive():
        raise SourceFailed(f"{url}: no answer within {seconds:g} seconds")
    if failed:
        raise SourceFailed(f"{url}: {_reason(failed[0])}") from failed[0]


def _download(
    spec: ModelSpec, file: ModelFile, path: Path, report: Report, endpoint: str | None
) -> None:
    """Appends what is missing of a file; begins anew where the server cannot continue."""
    import httpx2
    from huggingface_hub.file_download import http_get

    received = 0

    class Told:
        """What the library takes for a progress bar."""

        def __init__(self, **_: object) -> None:
            pass

        def __enter__(self) -> Self:
            return self

        def __exit__(
            self,
            kind: type[BaseException] | None,
            error: BaseException | None,
            traceback: TracebackType | None,
        ) -> None:
            pass

        def update(self, n_bytes: int) -> None:
            nonlocal received
            received += n_bytes
            report(n_bytes, file.name)

    url = _url(spec, file, endpoint)
    path.parent.mkdir(parents=True, exist_ok=True)
    bar: Any = Told
    try:
        with path.open("ab") as target:
            before = target.tell()
            http_get(
                url,
                target,
                resume_size=before,
                headers=_headers(spec),
                expected_size=file.n_bytes,
                displayed_filename=file.name,
                tqdm_class=bar,
            )
            target.flush()
            os.fsync(target.fileno())
            report(target.tell() - before - received, file.name)  # below 0 if it began anew
    except httpx2.HTTPError as error:
        raise SourceFailed(f"{url}: {_reason(error)}; what came is kept") from error
    except OSError as error:
        if error.errno is not None:  # the disk
            raise
        raise SourceFailed(f"{url}: {_reason(error)}; what came is kept") from error


def _check(path: Path, file: ModelFile, report: Report) -> None:
    """Compares the sha256; a wrong file is deleted."""
    with path.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != file.sha256:
        n_bytes = _size(path)
        path.unlink()
        report(-n_bytes, file.name)
        raise wrong_file(file, found, n_bytes)


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _reason(error: Exception) -> str:
    """Why the hub did not deliver, in a line."""
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

    if isinstance(error, GatedRepoError):
        return "its terms must be accepted on its page; then set HF_TOKEN"
    if isinstance(error, RepositoryNotFoundError):
        return "no such repository, or a private one (for that set HF_TOKEN)"
    if isinstance(error, HfHubHTTPError) and error.response is not None:
        return f"the hub says {error.response.status_code}"
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
