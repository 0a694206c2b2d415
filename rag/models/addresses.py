"""Language models by their address on the hub: `hf:OWNER/REPOSITORY[@REVISION][:FILE]`.

FILE is the name of a GGUF file, with or without its suffix, or only its quantization ("Q8_0").
Without it the repository's only GGUF file is meant, or the one that is quantized as Q4_K_M.

What was pulled is recorded beside it, with commit and sha256: from then on it is found, verified
and listed like the models that are known by name, and without the hub.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Self

from pydantic import ValidationError

from rag.errors import ModelError
from rag.models.hub import repository_info
from rag.models.known import ModelFile, ModelSpec
from rag.models.partial import SourceFailed

_FOLDER = "hf"
_RECORD = ".model.json"
_DEFAULT_QUANTIZATION = "Q4_K_M"
_ADDRESS = re.compile(
    r"hf:(?P<repository>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?(?::(?P<file>[^:]+))?",
    re.ASCII,
)
_SHARD = re.compile(r"-(\d{5})-of-(\d{5})(?=\.gguf$)", re.IGNORECASE)


@dataclass(frozen=True)
class Address:
    """A language model on the hub.

    Attributes:
        repository: As "owner/name".
        revision: Branch, tag or commit; None for the newest.
        file: Name of the file, or its quantization; None for the usual one.
    """

    repository: str
    revision: str | None = None
    file: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The address that a text is; None if it is none, such as a model's name or a path.

        Raises:
            ModelError: it begins with "hf:" but is no address.
        """
        if not text.startswith("hf:"):
            return None
        match = _ADDRESS.fullmatch(text)
        if not match:
            raise ModelError(
                f"{text!r} is no address of a model",
                mend="write it as hf:OWNER/REPOSITORY or hf:OWNER/REPOSITORY:FILE.gguf",
            )
        return cls(match["repository"], match["revision"], match["file"])

    def __str__(self) -> str:
        revision = f"@{self.revision}" if self.revision else ""
        file = f":{self.file}" if self.file else ""
        return f"hf:{self.repository}{revision}{file}"


def resolve(address: Address, endpoint: str | None) -> ModelSpec:
    """What an address means on the hub now.

    Raises:
        ModelError: the hub cannot be reached, has no such repository or revision, or the file
            that is meant is not there or not clear.
    """
    try:
        info = repository_info(address.repository, address.revision, endpoint)
    except SourceFailed as error:
        raise ModelError(
            f"{address} was not found on the hub: {error}",
            mend="check the address and the network, or give the path of a GGUF file",
        ) from error
    sizes = {item.rfilename: item.size or 0 for item in info.siblings or []}
    digests = {item.rfilename: item.lfs.sha256 for item in info.siblings or [] if item.lfs}
    chosen = choose(sizes, address)
    if not _is_plain(chosen):
        raise ModelError(f"{address}: the file name {chosen!r} leads elsewhere")
    shards = _with_shards(chosen, sizes)
    if not all(name in digests for name in shards):
        raise ModelError(f"{address}: the hub does not tell the sha256 of {chosen}")
    licenses = [tag.removeprefix("license:") for tag in info.tags or [] if "license:" in tag]
    return ModelSpec(
        name=str(Address(address.repository, address.revision, chosen)),
        kind="llm",
        license=licenses[0] if licenses else "not stated",
        repository=address.repository,
        revision=info.sha or "main",
        files=tuple(
            ModelFile(name=name, n_bytes=sizes[name], sha256=digests[name]) for name in shards
        ),
        folder=f"{_FOLDER}/{address.repository.replace('/', '--')}",
    )


def choose(sizes: Mapping[str, int], address: Address) -> str:
    """The GGUF file that an address means; of one that was split the first part.

    Args:
        sizes: Bytes by the name of each file in the repository.
        address: Where `file` is a name, a quantization or None.

    Raises:
        ModelError: none fits, or several do; the message lists what there is.
    """
    models = [name for name in sorted(sizes) if _is_model(name)]
    wanted = (address.file or _DEFAULT_QUANTIZATION).lower()
    named = [n for n in models if n.lower() in (wanted, f"{wanted}.gguf")]
    quantized = [n for n in models if re.search(rf"(^|[-._/]){re.escape(wanted)}$", _stem(n))]
    fitting = named or quantized
    if not fitting and not address.file and len(models) == 1:
        return models[0]
    if len(fitting) == 1:
        return fitting[0]
    listed = "".join(f"\n  {name} ({sizes[name] / 1e6:,.0f} MB)" for name in fitting or models)
    problem = "holds no GGUF file" if not models else "which of its files is meant is not clear"
    if models and not fitting and address.file:
        problem = f"holds no GGUF file {address.file!r}"
    raise ModelError(
        f"{address.repository} {problem}{':' if listed else ''}{listed}",
        mend=f"rag models pull hf:{address.repository}:FILE" if models else None,
    )


def recorded(models_dir: Path) -> dict[str, ModelSpec]:
    """The models that were pulled by their address, by name; sorted."""
    found = {}
    for path in sorted((models_dir / _FOLDER).glob(f"*/**/*{_RECORD}")):
        try:
            spec = ModelSpec.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):  # as if it had not been pulled
            continue
        found[spec.name] = spec
    return found


def recorded_as(address: Address, models_dir: Path) -> ModelSpec | None:
    """The model pulled under that address before; None if there is none, or if it is not clear."""
    mine = {
        spec.files[0].name: spec
        for spec in recorded(models_dir).values()
        if spec.repository.lower() == address.repository.lower()
        and _is_revision(address.revision, spec)
    }
    try:
        return mine[choose({name: spec.n_bytes for name, spec in mine.items()}, address)]
    except ModelError:
        return None


def record(spec: ModelSpec, models_dir: Path) -> None:
    """Notes what was pulled; `recorded` finds it from then on."""
    path = spec.path(models_dir)
    target = path.with_name(f"{path.name}{_RECORD}")
    temporary = target.with_name(f".{target.name}.part")
    temporary.write_text(spec.model_dump_json(indent=2), encoding="utf-8")
    temporary.replace(target)


def _is_revision(wanted: str | None, spec: ModelSpec) -> bool:
    """Whether a model that was pulled is of a revision: what was asked for then, or its commit."""
    asked_for = Address.parse(spec.name)
    named = asked_for.revision if asked_for else None
    return wanted in (None, named) or spec.revision.startswith(str(wanted))


def _is_model(name: str) -> bool:
    """Whether a file is a language model: not the eyes of one, nor a later part of one."""
    shard = _SHARD.search(name)
    base = PurePosixPath(name).name.lower()
    return base.endswith(".gguf") and "mmproj" not in base and (not shard or int(shard[1]) == 1)


def _stem(name: str) -> str:
    """A file's name without what says that it is a part, and without its suffix; lower case."""
    return _SHARD.sub("", name).lower().removesuffix(".gguf")


def _with_shards(name: str, names: Mapping[str, int]) -> Sequence[str]:
    """A file, or all the parts that it was split into."""
    shard = _SHARD.search(name)
    if not shard:
        return [name]
    parts = [
        _SHARD.sub(f"-{number:05d}-of-{shard[2]}", name) for number in range(1, int(shard[2]) + 1)
    ]
    absent = [part for part in parts if part not in names]
    if absent:
        raise ModelError(f"the repository lacks {absent[0]}, a part of {name}")
    return parts


def _is_plain(name: str) -> bool:
    """Whether a name from the hub stays below the folder that it is put in."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in name
