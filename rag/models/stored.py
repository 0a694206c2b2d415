"""Models on this disk: where they stand, whether they are whole, and what identifies them.

Beside a pulled model lies a stamp (`<file or folder>.stamp.json`) with size, modification time
and sha256 of its files. As long as size and time agree the digest is trusted, so that opening a
model of a gigabyte does not read it twice.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from rag.errors import ModelError, ModelMissingError
from rag.models.addresses import Address, recorded, recorded_as
from rag.models.known import KNOWN, ModelKind, ModelSpec, lookup

ModelState = Literal["present", "missing", "corrupted", "partial"]

# What decides the vectors of a sentence-transformers folder: weights, tokenizer, configuration.
_WEIGHTY_SUFFIXES = {".safetensors", ".bin", ".model", ".json", ".txt"}
_WEIGHTLESS_NAMES = {"data_config.json", "readme.txt", "license.txt", "requirements.txt"}
_CONVERTED = {"onnx", "openvino"}  # other formats of the same weights


class ModelStatus(BaseModel):
    """How a model stands on this disk.

    Attributes:
        state: "present" (whole and verified), "missing", "partial" (a pull was interrupted) or
            "corrupted" (not what its sha256 says).
        n_bytes: Size of the whole model.
        path: Where it stands, or would stand.
        problem: What is wrong; None unless corrupted.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    kind: ModelKind
    license: str
    n_bytes: int
    state: ModelState
    path: Path
    problem: str | None = None


class FileStamp(BaseModel):
    """Size, modification time and sha256 (hex) of one file."""

    model_config = ConfigDict(frozen=True)

    n_bytes: int
    mtime_ns: int
    sha256: str


class Stamp(BaseModel):
    """What lies beside a model: `FileStamp` by name below the folder (or the file's own name)."""

    model_config = ConfigDict(frozen=True)

    files: dict[str, FileStamp] = {}


def staging_dir(spec: ModelSpec, models_dir: Path) -> Path:
    """Folder that holds the model while it is pulled; gone once it is whole."""
    return models_dir / ".staging" / spec.name.replace("/", "--")


def find(
    name_or_path: str | Path,
    *,
    models_dir: Path,
    kind: ModelKind,
    known: Mapping[str, ModelSpec] = KNOWN,
) -> Path:
    """Finds a model by its name, its address on the hub, or the path of its file or folder.

    Returns:
        The file (llm) or folder (embedding). A model that was pulled is verified: by its stamp
        when size and time of its files agree with it, else by sha256.

    Raises:
        ModelMissingError: the model is not pulled yet, or there is nothing of that name.
        ModelError: the model is corrupted, or of the other kind.
    """
    spec = lookup(str(name_or_path), known)
    if spec is None and (address := Address.parse(str(name_or_path))):
        spec = _pulled(address, models_dir)
    if spec is None:
        return _find_path(Path(name_or_path).expanduser(), kind, known)
    if spec.kind != kind:
        raise ModelError(
            f"{spec.name} is a model of kind {spec.kind!r}, not {kind!r}",
            mend=f"name one of: {_names(known, kind)}",
        )
    status = examine(spec, models_dir)
    if status.state == "corrupted":
        raise ModelError(
            f"model {spec.name} is corrupted: {status.problem}",
            mend=f"rag models pull {spec.name} --force",
        )
    if status.state != "present":
        raise ModelMissingError(
            f"model {spec.name} is not in {models_dir}", mend=f"rag models pull {spec.name}"
        )
    return status.path


def status(models_dir: Path, *, known: Mapping[str, ModelSpec] = KNOWN) -> list[ModelStatus]:
    """The state of every known model and of all that was pulled by address; quick by stamps."""
    specs = [*known.values(), *recorded(models_dir).values()]
    return [examine(spec, models_dir) for spec in specs]


def verify(name: str, models_dir: Path, *, known: Mapping[str, ModelSpec] = KNOWN) -> ModelStatus:
    """Reads a model whole and compares every sha256, whatever its stamp says.

    Raises:
        ModelError: no model is known by that name, or pulled under that address.
    """
    return examine(spec_of(name, models_dir, known), models_dir, trust_stamp=False)


def fingerprint(path: Path) -> str:
    """sha256 (hex) that identifies a model: equal fingerprints, equal results.

    For a file its own digest. For a folder the digest over the sorted names and digests of the
    files that decide its vectors (weights, tokenizer, configuration): a README may change. The
    stamp of a pulled model makes it quick; any other model is read whole, once per process.

    Raises:
        ModelMissingError: there is nothing at `path`, or the folder holds no model.
    """
    stamp = _read_stamp(path)
    if path.is_file():
        return _digest(path, stamp.files.get(path.name)).sha256
    digest = hashlib.sha256()
    names = _weighty_names(path)
    if not names:
        raise ModelMissingError(f"no model at {path}")
    for name in names:
        sha256 = _digest(path / name, stamp.files.get(name)).sha256
        digest.update(f"{name}\0{sha256}\n".encode())
    return digest.hexdigest()


def spec_of(name: str, models_dir: Path, known: Mapping[str, ModelSpec] = KNOWN) -> ModelSpec:
    """The model of that name, or the one pulled under that address.

    Raises:
        ModelMissingError: nothing was pulled under that address.
        ModelError: there is no such name; the message lists those that are known.
    """
    spec = lookup(name, known)
    if spec is None and (address := Address.parse(name)):
        return _pulled(address, models_dir)
    if spec is None:
        raise ModelError(
            f"no model is known as {name!r}",
            mend=f"name one of: {_names(known)}; or an address as hf:OWNER/REPOSITORY",
        )
    return spec


def examine(spec: ModelSpec, models_dir: Path, *, trust_stamp: bool = True) -> ModelStatus:
    """The state of one model; writes a stamp when the files are right and it was out of date."""
    path = spec.path(models_dir)
    staged = staging_dir(spec, models_dir).exists()
    state: ModelState = "partial" if staged else "missing"
    problem = None
    if path.exists():
        problem = _problem(spec, models_dir, trust_stamp)
        state = "corrupted" if problem else "present"
    return ModelStatus(
        name=spec.name,
        kind=spec.kind,
        license=spec.license,
        n_bytes=spec.n_bytes,
        state=state,
        path=path,
        problem=problem,
    )


def write_stamp(path: Path, files: Mapping[str, FileStamp]) -> None:
    """Writes the stamp of the model at `path`; a folder that cannot be written goes without."""
    target = _stamp_path(path)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        try:
            temporary.write_text(Stamp(files=dict(files)).model_dump_json(), encoding="utf-8")
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)


def file_stamp(path: Path, sha256: str) -> FileStamp:
    """The stamp of a file whose digest is known."""
    stat = path.stat()
    return FileStamp(n_bytes=stat.st_size, mtime_ns=stat.st_mtime_ns, sha256=sha256)


def _problem(spec: ModelSpec, models_dir: Path, trust_stamp: bool) -> str | None:
    """What is wrong with the files of a model that is there; None when nothing is."""
    path = spec.path(models_dir)
    stamp = _read_stamp(path) if trust_stamp else Stamp()
    found = {}
    for file in spec.files:
        where = spec.file_path(models_dir, file)
        if not where.is_file():
            return f"{where} is missing"
        if where.stat().st_size != file.n_bytes:
            return f"{where} has {where.stat().st_size:,} bytes, not {file.n_bytes:,}"
        found[file.name] = _digest(where, stamp.files.get(file.name), cached=trust_stamp)
        if found[file.name].sha256 != file.sha256:
            return f"{where} has sha256 {found[file.name].sha256}, not {file.sha256}"
    if found != stamp.files:
        write_stamp(path, found)
    return None


def _digest(path: Path, stamp: FileStamp | None, *, cached: bool = True) -> FileStamp:
    """Size, time and digest of a file: from its stamp if that is current, else by reading it."""
    stat = path.stat()
    if stamp and (stamp.n_bytes, stamp.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
        return stamp
    read = _read_digest if cached else _read_digest.__wrapped__
    sha256 = read(path.absolute(), stat.st_size, stat.st_mtime_ns)
    return FileStamp(n_bytes=stat.st_size, mtime_ns=stat.st_mtime_ns, sha256=sha256)


@functools.lru_cache(maxsize=256)
def _read_digest(path: Path, n_bytes: int, mtime_ns: int) -> str:
    """sha256 of a file; size and time are there so that a changed file is read anew."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _stamp_path(path: Path) -> Path:
    return path.parent / f"{path.name}.stamp.json"


def _read_stamp(path: Path) -> Stamp:
    try:
        return Stamp.model_validate_json(_stamp_path(path).read_bytes())
    except (OSError, ValidationError):  # none yet, or unreadable: the files are read instead
        return Stamp()


def _weighty_names(folder: Path) -> list[str]:
    """Names below `folder`, sorted, of the files that decide a model's vectors."""
    names = []
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith(".") or part in _CONVERTED for part in parts)
        weighty = path.suffix in _WEIGHTY_SUFFIXES and path.name.lower() not in _WEIGHTLESS_NAMES
        if weighty and not hidden and path.is_file():
            names.append("/".join(parts))
    return sorted(names)


def _pulled(address: Address, models_dir: Path) -> ModelSpec:
    spec = recorded_as(address, models_dir)
    if spec is None:
        raise ModelMissingError(
            f"model {address} is not in {models_dir}", mend=f"rag models pull {address}"
        )
    return spec


def _find_path(path: Path, kind: ModelKind, known: Mapping[str, ModelSpec]) -> Path:
    if not os.path.exists(path):  # False, and no error, for what cannot be a path
        raise ModelMissingError(
            f"no model {str(path)!r}: neither the name of a known model nor a path that exists",
            mend=f"name one of: {_names(known, kind)}; or give the path of a model",
        )
    if kind == "embedding":
        if not (path / "config.json").is_file() and not (path / "modules.json").is_file():
            raise ModelError(f"{path} is not the folder of a sentence-transformers model")
        return path
    if not path.is_file():
        raise ModelError(f"{path} is not a GGUF file")
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise ModelError(f"{path} is not a GGUF file: it does not begin with 'GGUF'")
    return path


def _names(known: Mapping[str, ModelSpec], kind: ModelKind | None = None) -> str:
    return ", ".join(spec.name for spec in known.values() if kind in (None, spec.kind))
