"""The server for assistants: asked by the SDK's own client, over both transports."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import IO, Any

import anyio
import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.shared.exceptions import MCPError
from mcp.types import CallToolResult, TextContent, TextResourceContents

from rag import Article
from rag.cli import main
from rag.cli.parts import Parts
from rag.errors import RagError
from rag.mcp_server import transport
from rag.mcp_server.shapes import Document, article_uri
from rag.settings import Settings
from tests.support import ARTICLES, build, in_a_loop, write_articles

ROOT = Path(__file__).parents[1]
TOOLS = ["ask", "fetch", "list_indexes", "search", "timeline"]
ODD = "../archive/1999 storm?.html#2"
# The real command, but that the models are the fakes. They are as talkative as a library can be.
SERVER = """
import os, sys
from rag.cli import main
from rag.cli.parts import Parts
from rag.testing import FakeEmbedder, FakeLLM, open_with

class Slow(FakeLLM):
    def complete(self, prompt, *, max_tokens, cancelled=None):
        if "wait" not in prompt.user:
            return super().complete(prompt, max_tokens=max_tokens, cancelled=cancelled)
        return self._waiting(cancelled)

    def _waiting(self, cancelled):
        from rag.errors import CancelledError
        print("begun", file=sys.stderr, flush=True)
        if cancelled.wait(20):
            print("stopped", file=sys.stderr, flush=True)
            raise CancelledError("the answer was stopped")
        yield

def opened(index, *, settings):
    print("a library says hello")
    os.write(1, b"and native code, too\\n")
    return open_with(settings.index_dir, index, FakeEmbedder(), Slow())

main(sys.argv[1:], Parts(open=opened))
"""


@pytest.fixture(scope="module")
def indexes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mcp")
    odd = {"id": ODD, "title": "Storm", "text": "The storm of 1999 broke the old pier.",
           "url": "https://post.example/storm", "author": "L. Holm"}  # fmt: skip
    index_dir = write_articles(folder, [*ARTICLES, odd])
    build(index_dir)
    return index_dir


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", SERVER, "mcp", "--index", "news", *arguments]


def over_stdio(indexes: Path) -> StdioServerParameters:
    first, *rest = command()
    environment = {"RAG_INDEX_DIR": str(indexes), "PYTHONPATH": str(ROOT)}
    return StdioServerParameters(command=first, args=rest, env=environment)


@contextlib.contextmanager
def over_http(indexes: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    with subprocess.Popen(
        command("--http", "127.0.0.1:0"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={"RAG_INDEX_DIR": str(indexes), "PYTHONPATH": str(ROOT)},
    ) as server:  # fmt: skip
        assert server.stdout is not None
        try:
            announced = server.stdout.readline()
            yield announced.removeprefix("MCP over HTTP: ").strip(), server
        finally:
            server.terminate()


@pytest.fixture(scope="module")
def http(indexes: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    with over_http(indexes) as served:
        yield served


def content(result: CallToolResult) -> dict[str, Any]:
    """What a tool returned, where its text says the same as its structure."""
    assert not result.is_error, result.content
    (text,) = result.content
    assert isinstance(text, TextContent)
    structured = result.structured_content
    assert isinstance(structured, dict)
    assert json.loads(text.text) == structured
    return structured


def why(result: CallToolResult) -> str:
    assert result.is_error
    (text,) = result.content
    assert isinstance(text, TextContent)
    return text.text


async def session(client: Client) -> None:
    """Everything that the server has, asked for once."""
    assert "[n]" in (client.instructions or "")
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert sorted(tools) == TOOLS
    assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools.values())

    async def call(name: str, **arguments: Any) -> dict[str, Any]:
        assert tools[name].output_schema is not None  # which the client holds the result against
        return content(await client.call_tool(name, arguments))

    articles = {article["id"]: article["text"] for article in ARTICLES}
    reply = await call("ask", question="When does the harbour bridge in Osterby close?")
    assert reply["status"] == "answered"
    assert reply["text"].endswith("[1].") or "[1]" in reply["text"]
    (cited, *_) = reply["citations"]
    assert cited["id"] == "news/harbour"
    assert cited["quote"] == articles["harbour"][cited["start"] : cited["end"]]
    assert cited["url"] == "rag://news/harbour"

    found = await call("search", query="ferry strike", k=3, since="2024-03-01")
    best = found["results"][0]
    assert best["id"] == "news/ferry"
    assert {"id", "title", "url", "text"} <= best.keys()
    assert len({result["id"] for result in found["results"]}) == len(found["results"])
    for passage in best["passages"]:
        assert articles["ferry"][passage["start"] : passage["end"]] == passage["text"]

    whole = await call("fetch", id=best["id"])
    assert (whole["text"], whole["title"]) == (articles["ferry"], "Ferry crews vote on strike")
    assert whole["metadata"] == {
        "index": "news", "published": "2024-03-05", "source": "Harbour News", "section": "economy",
    }  # fmt: skip
    odd = await call("fetch", id=f"news/{ODD}")
    assert (odd["url"], odd["metadata"]["author"]) == ("https://post.example/storm", "L. Holm")

    told = await call("timeline", subject="the harbour bridge", index="news")
    assert told["status"] == "extracted"
    assert "2024-03-04" in [item["day"] for item in told["items"]]  # “on Monday”
    (listed,) = (await call("list_indexes"))["indexes"]
    assert (listed["name"], listed["state"], listed["n_articles"]) == ("news", "ready", 4)

    (template,) = (await client.list_resource_templates()).resource_templates
    assert template.uri_template == "rag://{index}/{article_id}"
    for article_id, text in [("ferry", articles["ferry"]), (ODD, odd["text"])]:
        (read,) = (await client.read_resource(article_uri("news", article_id))).contents
        assert isinstance(read, TextResourceContents)
        assert (read.text, read.mime_type) == (text, "text/plain")


async def mistakes(client: Client) -> None:
    """What is wrong is told in words, with the mend, and the server goes on."""
    assert "no index 'none'" in why(
        await client.call_tool("ask", {"question": "Why?", "index": "none"})
    )
    assert "no article 'x'" in why(await client.call_tool("fetch", {"id": "news/x"}))
    backwards = {"query": "ferry", "since": "2024-03-02", "until": "2024-03-01"}
    assert "2024-03-02" in why(await client.call_tool("search", backwards))
    assert "k" in why(await client.call_tool("search", {"query": "ferry", "k": 0}))
    for name in ("../../etc", "/etc", "news/../../x"):
        why(await client.call_tool("ask", {"question": "Why?", "index": name}))
    with pytest.raises(MCPError, match="no article"):
        await client.read_resource("rag://news/x")
    content(await client.call_tool("search", {"query": "ferry"}))


def with_client(
    to: StdioServerParameters | str, *work: Callable[[Client], Awaitable[None]]
) -> None:
    async def run() -> None:
        async with Client(to) as client:
            for part in work:
                await part(client)

    in_a_loop(run)


@pytest.mark.slow
def test_stdio(indexes: Path) -> None:
    with_client(over_stdio(indexes), session, mistakes)


def test_streamable_http(http: tuple[str, subprocess.Popen[str]]) -> None:
    with_client(http[0], session, mistakes)


def test_an_older_client_is_served_too(http: tuple[str, subprocess.Popen[str]]) -> None:
    async def run() -> None:
        async with Client(http[0], mode="legacy") as client:
            await session(client)

    in_a_loop(run)


@pytest.mark.slow
def test_nothing_but_the_protocol_is_on_stdout(indexes: Path) -> None:
    """By hand, line by line: a client may pass over what it cannot read."""
    asked: list[dict[str, Any]] = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18", "capabilities": {},
            "clientInfo": {"name": "hand", "version": "1"}}},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {
            "name": "search", "arguments": {"query": "ferry"}}},
    ]  # fmt: skip
    environment = {"RAG_INDEX_DIR": str(indexes), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment,
    ) as server:  # fmt: skip
        assert server.stdin is not None
        assert server.stdout is not None
        assert server.stderr is not None
        for message in asked:
            server.stdin.write(json.dumps(message) + "\n")
            server.stdin.flush()
            if "id" in message:
                assert json.loads(server.stdout.readline())["id"] == message["id"]
        server.stdin.close()
        assert server.stdout.read() == ""
        told = server.stderr.read()
    assert server.returncode == 0
    assert "a library says hello" in told
    assert "and native code, too" in told


@pytest.mark.slow
def test_who_leaves_stops_the_model(indexes: Path) -> None:
    async def run(address: str, told: IO[str]) -> None:
        def until(wanted: str) -> None:
            assert wanted in iter(told.readline, "")

        async with Client(address) as client, anyio.create_task_group() as asking:
            question = {"question": "How long must the harbour bridge wait for repairs?"}
            asking.start_soon(client.call_tool, "ask", question)
            await anyio.to_thread.run_sync(until, "begun\n")
            asking.cancel_scope.cancel()
        await anyio.to_thread.run_sync(until, "stopped\n")

    with over_http(indexes) as (address, server):
        assert server.stderr is not None
        in_a_loop(run, address, server.stderr)


def test_a_page_of_somebody_elses_cannot_ask(http: tuple[str, subprocess.Popen[str]]) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    accept = {"Accept": "application/json, text/event-stream"}
    for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
        answer = httpx2.post(http[0], json=body, headers=accept | headers, trust_env=False)
        assert answer.status_code in (403, 421)


def test_only_this_machine_is_served() -> None:
    with pytest.raises(RagError, match="others on the network"):
        transport.main("news", Settings(), ("0.0.0.0", 0))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(RagError, match="Address already in use"):
            transport.main("news", Settings(), ("127.0.0.1", port))


@pytest.mark.parametrize("address", ["8000", ":8000", "127.0.0.1:", "127.0.0.1:x", "host:70000"])
def test_what_is_no_address_is_wrong_usage(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["mcp", "--http", address], Parts())
    assert ended.value.code == 2
    assert "HOST:PORT" in capsys.readouterr().err


def test_fields_of_an_article_are_not_hidden_by_others_of_that_name() -> None:
    article = Article(article_id="a/b", text="Rain.", source="Post", metadata={"source": "x"})
    document = Document.of(article, "news")
    assert (document.id, document.url) == ("news/a/b", "rag://news/a%2Fb")
    assert document.metadata == {"source": "Post", "index": "news"}
