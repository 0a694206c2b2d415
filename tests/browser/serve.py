"""The page with fakes, in a process of its own: python -m tests.browser.serve PORT FOLDER [AUTH].

Gradio leaves event loops open, and warnings are errors in the tests' own process. FOLDER holds
`indexes/`; files in it steer the fakes (tests/steered.py).

Addresses outside of this machine that anything here wants to speak to are written to `outside`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from rag.page import serve
from tests.steered import built_held, opened_steered

_LOCAL = re.compile(r"127\.|::1$|localhost$|0\.0\.0\.0$")


def watch_sockets(log: Path) -> None:
    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        host = None
        if event == "socket.connect" and isinstance(arguments[1], tuple):
            host = str(arguments[1][0])
        elif event == "socket.getaddrinfo":
            host = str(arguments[0])
        if host and not _LOCAL.match(host):
            with log.open("a") as file:
                file.write(f"{event} {host}\n")

    sys.addaudithook(hook)


def main(port: int, folder: Path, auth: Path | None = None) -> None:
    watch_sockets(folder / "outside")

    serve.main(
        index="news",
        port=port,
        auth=auth,
        open_index=opened_steered(folder),
        build=built_held(folder),
        announce=lambda address: sys.stdout.write(f"The page: {address}\n") and sys.stdout.flush(),
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), *map(Path, sys.argv[2:]))
