"""What the processor can do, measured: products of matrices and reading of memory.

    python benchmarks/limits.py

The best of several tries each, since a limit is looked for, with all cores.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from rag import Rag

SIZE = 2048
TRIES = 12
BYTES = 2**29


def limits() -> dict[str, Any]:
    """GFLOP/s (GOP/s of int8) of square products, and GB/s of reading."""
    import torch

    a = torch.randn(SIZE, SIZE)
    told = {"torch_threads": torch.get_num_threads()}
    work = 2 * SIZE**3 / 1e9
    for name, dtype in (("float32", torch.float32), ("bf16", torch.bfloat16)):
        x = a.to(dtype)
        told[f"{name}_gflop_per_second"] = round(work / best(lambda x=x: x @ x))
    x = torch.randint(-127, 127, (SIZE, SIZE), dtype=torch.int8)
    try:
        told["int8_gop_per_second"] = round(work / best(lambda: torch._int_mm(x, x)))
    except (RuntimeError, NotImplementedError):  # a name that torch does not promise
        told["int8_gop_per_second"] = None
    data = torch.zeros(BYTES // 8, dtype=torch.int64)
    told["read_gb_per_second"] = round(BYTES / 1e9 / best(data.sum), 1)
    return told


def best(work: Callable[[], object]) -> float:
    """Seconds of the quickest try."""
    seconds = []
    for _ in range(TRIES):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def work_of_build(rag: Rag) -> dict[str, float]:
    """Tokens that the embedding model read for an index, and what it calculated for them.

    Products of MiniLM-L6 alone: 6 layers of 384, inner ones of 1536; attention of a text with L
    tokens adds 4 · 384 · L for each of them. Normalizations and the like are left out.
    """
    layers, hidden, inner = 6, 384, 1536
    texts = [f"{one.title or ''}\n{one.text}" for one in rag.index.catalog.chunk_texts()]
    counts = rag.embedder.count_tokens(texts)
    by_token = 2 * (4 * hidden**2 + 2 * hidden * inner)
    work = sum(n * layers * (by_token + 4 * hidden * n) for n in counts)
    return {"embedding_tokens": sum(counts), "embedding_gflop": round(work / 1e9, 1)}


if __name__ == "__main__":
    print(json.dumps(limits(), indent=1))
