"""A crash of llama.cpp with AMX, told before it happens.

GCC before 11.5, 12.4 and 13.3 drops the stores that fill an AMX tile configuration (GCC bug
114098), and on a processor with AMX the first prompt then ends in a segmentation fault, which
nobody can catch. `make` mends that while it builds llama.cpp (tools/amx.h); pip does not know of
it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rag.errors import ModelError

_FIXED_SINCE = {11: 5, 12: 4, 13: 3}  # minor version by major; 10 knows no AMX, 14 is right
# In the section .comment, where each compiler that had a part in a library leaves its name.
_GCC = re.compile(rb"GCC: \([^)\0]*\) (\d+)\.(\d+)\.\d+")
_CLANG = b"clang version "
_MENDED = b"rag: AMX tile configuration read whole"
_FLAGS = "-mno-amx-tile -mno-amx-int8 -mno-amx-bf16"
_PROCESSOR = Path("/proc/cpuinfo")


def check_build(llama_cpp: Any, *, processor: Path = _PROCESSOR) -> None:
    """Refuse to run a llama.cpp that would crash on this processor.

    Args:
        llama_cpp: The module; its libraries lie in the folder `lib` beside it.
        processor: What the kernel says of the processor.

    Raises:
        ModelError: it has AMX, built by a compiler that gets it wrong, and so has the processor.
    """
    try:
        words = set(processor.read_text(encoding="utf-8", errors="replace").split())
    except OSError:  # not Linux on x86: no AMX that is used
        return
    if "amx_int8" not in words or b"AMX_INT8 = 1" not in llama_cpp.llama_print_system_info():
        return
    libraries = sorted(Path(llama_cpp.__file__).parent.glob("lib/libggml-cpu*.so*"))
    compilers = [found for library in libraries for found in compilers_of(library.read_bytes())]
    if gets_amx_wrong(compilers):
        version = ".".join(map(str, max(compilers)))
        raise ModelError(
            f"llama.cpp was built by GCC {version}, whose code for AMX crashes on this processor",
            mend=f'CFLAGS="{_FLAGS}" CXXFLAGS="{_FLAGS}" pip install --force-reinstall --no-deps'
            " --no-cache-dir --no-binary llama-cpp-python"
            f" llama-cpp-python=={llama_cpp.__version__}   (or GCC 14)",
        )


def compilers_of(library: bytes) -> list[tuple[int, int]]:
    """Versions of GCC, (major, minor), that had a part in a library.

    None for one by clang, and for one that was built with tools/amx.h.
    """
    if _MENDED in library:
        return []
    if _CLANG in library:  # the lines of GCC are then those of the C library's start-up code
        return []
    return [(int(found[1]), int(found[2])) for found in _GCC.finditer(library)]


def gets_amx_wrong(compilers: Iterable[tuple[int, int]]) -> bool:
    """Whether all of these versions of GCC have the bug; False if none is known."""
    found = list(compilers)
    return bool(found) and all(
        major in _FIXED_SINCE and minor < _FIXED_SINCE[major] for major, minor in found
    )
