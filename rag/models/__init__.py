"""The models this project knows, how they get onto this machine, and what identifies them.

`pull` brings one here, `find` gives its path, `fingerprint` its identity. Nothing in this
package loads a model, reads the environment or prints.
"""

from rag.models.download import Progress, pull
from rag.models.known import KNOWN, ModelFile, ModelKind, ModelSpec, WheelPart, lookup
from rag.models.stored import ModelState, ModelStatus, find, fingerprint, status, verify

__all__ = [
    "KNOWN",
    "ModelFile",
    "ModelKind",
    "ModelSpec",
    "ModelState",
    "ModelStatus",
    "Progress",
    "WheelPart",
    "find",
    "fingerprint",
    "lookup",
    "pull",
    "status",
    "verify",
]
