"""The models this project knows, how they get onto this machine, and what identifies them.

`pull` brings one here, one that is known by name or any GGUF file by its address on the hub;
`find` gives its path, `fingerprint` its identity. Nothing in this
package loads a model, reads the environment or prints.
"""

from rag.models.download import Progress, pull
from rag.models.known import KNOWN, ModelFile, ModelKind, ModelSpec, WheelPart, lookup
from rag.models.stored import (
    ModelState,
    ModelStatus,
    examine,
    find,
    fingerprint,
    spec_of,
    status,
    verify,
)

__all__ = [
    "KNOWN",
    "ModelFile",
    "ModelKind",
    "ModelSpec",
    "ModelState",
    "ModelStatus",
    "Progress",
    "WheelPart",
    "examine",
    "find",
    "fingerprint",
    "lookup",
    "pull",
    "spec_of",
    "status",
    "verify",
]
