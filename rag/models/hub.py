"""Models from a Hugging Face repository, or from this disk."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from rag.models.known import ModelFile, ModelSpec
from rag.models.partial import CHUNK_BYTES, Report, SourceFailed, StagedFile

HUB_URL = "https://huggingface.co"
_TIMEOUT_SECONDS = 60
_PARTIAL_CONTENT = 206


def fetch_from_hub(spec: ModelSpec, staging: Path, report: Report, base_url: str) -> None:
    """Downloads the files of a model from its repository; a download cut short is continued.

    Raises:
        SourceFailed: the hub cannot be reached, refuses, or a file is not what its sha256 says.
    """
    for file in spec.files:
        name = urllib.parse.quote(file.name)
        url = f"{base_url}/{spec.repository}/resolve/{spec.revision}/{name}"
        with StagedFile(staging / "files" / file.name, report, resume=True) as staged:
            try:
                _download(url, staged, file)
            except (urllib.error.URLError, http.client.HTTPException) as error:
                raise SourceFailed(f"{url}: {error}") from error
            except (ConnectionError, TimeoutError) as error:
                raise SourceFailed(f"{url}: {error or type(error).__name__}") from error
            staged.finish(file)


def fetch_from_disk(spec: ModelSpec, staging: Path, report: Report, origin: Path) -> None:
    """Copies the files of a model from a folder, or from a file if it has only one.

    Raises:
        SourceFailed: a file is missing or not what its sha256 says.
    """
    for file in spec.files:
        path = origin / file.name if origin.is_dir() else origin
        if not path.is_file() or (spec.kind == "embedding" and not origin.is_dir()):
            raise SourceFailed(f"there is no {file.name} in {origin}")
        with StagedFile(staging / "files" / file.name, report) as staged:
            with path.open("rb") as original:
                while chunk := original.read(CHUNK_BYTES):
                    staged.write(chunk, file.name)
            staged.finish(file)


def _download(url: str, staged: StagedFile, file: ModelFile) -> None:
    """Appends what is missing of a file; begins anew where the server cannot continue."""
    if staged.n_bytes >= file.n_bytes:
        return
    request = urllib.request.Request(url, headers={"Range": f"bytes={staged.n_bytes}-"})
    with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as response:
        if response.status != _PARTIAL_CONTENT:
            staged.restart()
        while chunk := response.read(CHUNK_BYTES):
            staged.write(chunk, file.name)
    if staged.n_bytes < file.n_bytes:
        raise SourceFailed(
            f"{url}: ended after {staged.n_bytes:,} of {file.n_bytes:,} bytes; "
            "run it again to go on from there"
        )
