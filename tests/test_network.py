"""Nothing leaves the machine: what each command, page, server and open `Rag` send, by the packet.

Each runs in a network namespace where every packet is looked at (`tests.network`), native code
included, and stays for `SECONDS` after its work: libraries report late.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from rag.settings import Settings
from tests.network import forbidden, sent, watched

ROOT = Path(__file__).parents[1]
SECONDS = 15
OUTSIDE = "http://outside.invalid"
PARAGRAPHS = "<p>Rain fell in Osterby on Tuesday, and the harbour was closed again.</p>" * 12
AT_ONCE = 12
QUESTION = "What did Healey urge in Israel?"
# Every command but `models pull`, whose purpose the network is, and those that go on until Ctrl-C.
COMMANDS: dict[str, list[str]] = {
    "ask": [QUESTION],
    "search": [QUESTION],
    "timeline": ["Healey"],
    "summarize": ["Healey"],
    "batch": ["questions.txt", "--search"],
    "build": ["seeds", "--full"],
    "add": ["found", "hostile"],
    "list": [],
    "show": ["seeds"],
    "check": [],
    "rollback": ["seeds"],
    "prune": ["seeds"],
    "eval": ["dataset"],
    "follow add": ["Healey"],
    "follow feed": [],
    "follow list": [],
    "follow news": [],
    "follow remove": ["healey"],
    "follow run": [],
    "models list": [],
    "models verify": [],
}
OTHERS = {"mcp", "serve", "ui", "watch", "models pull"}
COMMAND = """
import sys, time
from rag.cli import main
try:
    main(sys.argv[2:])
except SystemExit as ended:
    code = ended.code
time.sleep(float(sys.argv[1]))
sys.exit(code)
"""
WATCH = """
import os, signal, sys, threading
from rag.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)
threading.Timer(float(sys.argv[1]), os.kill, (os.getpid(), signal.SIGINT)).start()
main(["watch", "seeds"])
"""
OPEN_RAG = f"""
import sys, time
from rag import Rag
with Rag.open("seeds") as rag:
    rag.load()
    assert rag.search({QUESTION!r})
    time.sleep(float(sys.argv[1]))
"""
# Any embedding model, and a cross-encoder: through torch and transformers.
OTHER_MODELS = """
import sys, time
from pathlib import Path
from rag.embedding import load
from rag.retrieval.reranking import CrossEncoderReranker
from rag.settings import Settings
from tests.test_retrieval_reranking import tiny
options = dict(models_dir=Settings().models_dir, n_threads=1, runtime="sentence-transformers")
assert load("all-MiniLM-L6-v2", **options).embed_queries(["rain"]).shape == (1, 384)
reranker = CrossEncoderReranker(str(tiny(Path("cross-encoder"), 1)), n_threads=1)
assert reranker.scores("rain", ["rain"]).shape == (1,)
time.sleep(float(sys.argv[1]))
"""
# An assistant that asks over MCP, and a language model on a server of this machine.
ASSISTANT = f"""
import os, sys
import anyio
from mcp import Client, StdioServerParameters
async def run():
    arguments = ["-m", "rag", "mcp"]
    server = StdioServerParameters(command=sys.executable, args=arguments, env=dict(os.environ))
    async with Client(server) as client:
        answer = await client.call_tool("ask", {{"question": {QUESTION!r}}})
        assert not answer.is_error, answer
        await anyio.sleep(float(sys.argv[1]))
anyio.run(run)
"""
MODEL_SERVER = f"""
import sys, time
from rag import Rag, Settings
from tests.openai_server import ModelHost, hosting
with hosting(ModelHost(pieces=["Healey urged restraint."])) as host:
    with Rag.open("seeds", settings=Settings(model=host.setting)) as rag:
        assert rag.ask({QUESTION!r}).model == host.setting
        time.sleep(float(sys.argv[1]))
"""
TALKATIVE = """
import contextlib, socket, subprocess, sys
with contextlib.suppress(OSError):
    socket.getaddrinfo("host.invalid", 443)
for family, address in ((socket.AF_INET, "192.0.2.9"), (socket.AF_INET6, "2001:db8::9")):
    with contextlib.suppress(OSError), socket.socket(family) as outside:
        outside.settimeout(0.1)
        outside.connect((address, 443))
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outside:
    outside.sendto(b"x", ("198.51.100.9", 9))
if sys.argv[1:]:
    subprocess.run([sys.executable, "-c", sys.argv[1]], check=True)
"""
QUIET = """
import socket
with socket.create_server(("127.0.0.1", 0)) as server:
    with socket.create_connection(server.getsockname()) as client:
        client.sendall(b"x" * 100_000)
"""


@pytest.fixture(scope="module", autouse=True)
def _namespaces() -> None:
    if why := forbidden():
        pytest.skip(f"the kernel lets this user make no network namespace: {why}")


@dataclass
class Watched:
    """What a program did under the watcher: its exit code, what it wrote, and what it sent."""

    code: int
    told: str
    sent: list[str]


def watch(command: Sequence[str], folder: Path) -> Watched:
    """Run Python with these arguments, in a folder with `indexes/`, watched."""
    log = folder / "sent"
    run = watched(
        [sys.executable, *command],
        log,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(ROOT),
            "HOME": str(folder),
            "RAG_MODELS_DIR": str(Settings().models_dir.absolute()),
        },
    )
    told = run.communicate(timeout=500)[0]
    return Watched(run.returncode, told, sent(log) if log.exists() else ["no log"])


def test_what_is_sent_is_seen(tmp_path: Path) -> None:
    seen = watch(["-c", TALKATIVE, QUIET], tmp_path).sent
    lookups = [line for line in seen if line.endswith(" host.invalid")]
    assert lookups
    assert [line for line in lookups if not line.startswith("udp ")] == []
    others = [line for line in seen if line not in lookups]
    assert others in (
        ["tcp 192.0.2.9:443", "tcp 2001:db8::9:443", "udp 198.51.100.9:9"],
        ["tcp 192.0.2.9:443", "udp 198.51.100.9:9"],  # a kernel without IPv6
    )
    assert watch(["-c", TALKATIVE.partition("import ")[0] + QUIET], tmp_path).sent == []


def test_every_command_is_watched() -> None:
    import typer

    from rag.cli import app

    names = set()
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        names |= {f"{name} {each}" for each in inner} if inner else {name}
    assert names == COMMANDS.keys() | OTHERS


def programs() -> dict[str, list[str]]:
    """The programs, as arguments of Python."""
    seconds = str(SECONDS)
    run = ["-c", COMMAND, seconds]
    return {name: [*run, *name.split(), *rest] for name, rest in COMMANDS.items()} | {
        "watch": ["-c", WATCH, str(2 * SECONDS)],
        "an open Rag": ["-c", OPEN_RAG, seconds],
        "an assistant": ["-c", ASSISTANT, seconds],
        "a model on a server": ["-c", MODEL_SERVER, seconds],
        "other models": ["-c", OTHER_MODELS, seconds],
        "the page": ["-m", "tests.network_page", seconds],
        "the server": ["-m", "tests.network_serving", seconds],
    }


@pytest.fixture(scope="module")
def runs(
    request: pytest.FixtureRequest,
    seeds_project: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Watched]:
    """What the programs did that the chosen tests ask about, several at once: mostly they wait."""
    known = programs()

    def run(name: str) -> Watched:
        folder = tmp_path_factory.mktemp(name.replace(" ", "-"), numbered=False)
        shutil.copytree(seeds_project, folder, dirs_exist_ok=True)
        (folder / "questions.txt").write_text(QUESTION)
        _write_dataset(folder / "dataset", folder / "seeds")
        _write_hostile(folder / "hostile")
        return watch(known[name], folder)

    chosen: list[str] = [
        str(item.callspec.params["name"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and "runs" in item.fixturenames
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(chosen, pool.map(run, chosen), strict=True))


def _write_dataset(folder: Path, seeds: Path) -> None:
    folder.mkdir()
    file = sorted(seeds.iterdir())[0]
    text = file.read_text(encoding="utf-8")
    start = text.index("Iran")
    answers = [{"text": "Iran", "start": start, "end": start + 4}]
    known = {"id": "q", "kind": "answerable", "article_id": file.stem, "answers": answers}
    article = {"id": file.stem, "title": "", "text": text}
    (folder / "articles.jsonl").write_text(json.dumps(article))
    (folder / "questions.jsonl").write_text(json.dumps(known | {"question": QUESTION}))


def _write_hostile(folder: Path) -> None:
    """Files that ask whoever reads them to load something from elsewhere."""
    folder.mkdir()
    (folder / "page.html").write_text(
        f"""<!DOCTYPE html SYSTEM "{OUTSIDE}/page.dtd"><html><head><base href="{OUTSIDE}/">
        <link rel="stylesheet" href="style.css"><link rel="canonical" href="{OUTSIDE}/page">
        <meta http-equiv="refresh" content="0; url={OUTSIDE}"><script src="{OUTSIDE}/x.js"></script>
        <title>Rain in Osterby</title></head><body><iframe src="{OUTSIDE}/frame"></iframe>
        <img src="{OUTSIDE}/x.png"><article><h1>Rain in Osterby</h1>{PARAGRAPHS}</article></body>
        </html>"""
    )
    (folder / "feed.xml").write_text(
        f"""<?xml version="1.0"?><!DOCTYPE rss SYSTEM "{OUTSIDE}/rss.dtd" [
        <!ENTITY outside SYSTEM "{OUTSIDE}/entity"><!ENTITY % more SYSTEM "{OUTSIDE}/more"> %more;]>
        <?xml-stylesheet href="{OUTSIDE}/style.xsl"?>
        <rss version="2.0"><channel><title>Osterby</title><link>{OUTSIDE}</link><item>
        <title>Rain &outside;</title><link>{OUTSIDE}/item</link>
        <description>{PARAGRAPHS}</description></item></channel></rss>"""
    )
    (folder / "mail.eml").write_text(
        "Subject: Rain in Osterby\nFrom: Ada <ada@example.org>\nContent-Type: "
        f'message/external-body; access-type=URL; URL="{OUTSIDE}/body"\n\n{PARAGRAPHS}\n'
    )
    (folder / "notes.md").write_text(f"# Rain\n\n![map]({OUTSIDE}/map.png)\n\n{PARAGRAPHS}\n")


@pytest.mark.models
@pytest.mark.parametrize("name", programs())
def test_nothing_leaves_the_machine(runs: dict[str, Watched], name: str) -> None:
    run = runs[name]
    # There is nothing to go back to or to forget, and Ctrl-C ends what would not end.
    assert run.code == {"rollback": 1, "follow remove": 1, "watch": 130}.get(name, 0), run.told
    assert run.sent == []
