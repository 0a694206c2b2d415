"""A Ray cluster of two nodes on this machine."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from rag.settings import silence_telemetry

_SECONDS = 300
_TRIES = 4
_PORTS = ("metrics_agent_port", "dashboard_agent_listen_port", "runtime_env_agent_port")

T = TypeVar("T")


@contextlib.contextmanager
def two_nodes() -> Iterator[str]:
    """The address of its head; each node has a core. It may start slowly, as on a busy machine."""
    silence_telemetry()
    from ray.cluster_utils import Cluster

    patient = {
        "worker_register_timeout_seconds": _SECONDS,
        "agent_register_timeout_ms": 1000 * _SECONDS,
    }
    cluster = _tried(
        lambda: Cluster(
            initialize_head=True,
            head_node_args={**_node(), "include_dashboard": False, "_system_config": patient},
        )
    )
    try:
        _tried(lambda: cluster.add_node(**_node()))
        yield cluster.address
    finally:
        cluster.shutdown()


def _tried(start: Callable[[], T]) -> T:
    """Start a node, again where it took longer than Ray waits: half a minute, by no setting."""
    for _ in range(_TRIES - 1):
        try:
            return start()
        except Exception as error:  # Ray raises plain ones
            if "timed out during startup" not in str(error):
                raise
    return start()


def _node() -> dict[str, Any]:
    # With ports that are given, a node does not wait until its agents have found some.
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(socket.create_server(("", 0))) for _ in _PORTS]
        ports = {
            name: server.getsockname()[1] for name, server in zip(_PORTS, servers, strict=True)
        }
    return {"num_cpus": 1, "object_store_memory": 100 * 2**20, **ports}
