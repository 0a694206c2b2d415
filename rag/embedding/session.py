"""ONNX Runtime: a graph that runs, and reports on nobody."""

from __future__ import annotations

from typing import Any

from rag.settings import silence_telemetry


def open_session(graph: bytes, *, n_threads: int = 0) -> Any:
    """An `onnxruntime.InferenceSession` on the CPU.

    Args:
        graph: The model in ONNX.
        n_threads: Threads for one run; 0 takes every core.
    """
    # Ten seconds after its import it looks up a host of its maker and sends there what it has
    # queued; `disable_telemetry_events` stops neither (tests/test_network.py).
    silence_telemetry()
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
