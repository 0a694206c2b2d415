"""A language model on a server: what is asked of it, what it is told, and what goes wrong there.

The contract that every language model keeps is in tests/test_llm.py.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from rag import Answer, Rag, models
from rag.answering.prompt import REFUSAL, SYSTEM
from rag.cli import main
from rag.cli.parts import Parts
from rag.errors import BusyError, CancelledError, ClosedError, ModelError, RagError, SettingsError
from rag.llm import LLM, Prompt, SharedLLMs, Token, llm_from_setting
from rag.page.engines import Readiness
from rag.settings import Settings, model_server
from rag.testing import FakeEmbedder, FakeLLM
from tests.openai_server import ModelHost, hosting
from tests.support import ARTICLES, build, in_fork, open_index, write_articles

KEY = "sk-not-to-be-told-0123456789"
PROMPT = Prompt(
    SYSTEM, "The ferry leaves at noon.\n\nQuestion: When does the ferry leave?", (), REFUSAL
)


def text(tokens: Iterable[Token]) -> str:
    return "".join(token.text for token in tokens)


@contextlib.contextmanager
def asking(host: ModelHost, **settings: object) -> Iterator[LLM]:
    """A model that a host has; both are closed behind it."""
    with hosting(host):
        model = llm_from_setting(host.setting, Settings(**settings))
        with contextlib.closing(model):
            yield model


# What is sent


def test_the_prompt_is_sent_and_nothing_else_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "of-somebody-else")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Secret: of-somebody-else")
    monkeypatch.setenv("HTTP_PROXY", "http://outside.invalid:1")
    host = ModelHost()
    with asking(host) as model:
        assert text(model.complete(PROMPT, max_tokens=30)) == "The ferry leaves at noon."
    assert host.asked == [
        {
            "model": "small",
            "messages": [
                {"role": "system", "content": PROMPT.system},
                {"role": "user", "content": PROMPT.user},
            ],
            "stream": True,
            "max_tokens": 30,
            "temperature": 0,
            "seed": 0,
        }
    ]
    told = {name for headers in host.headers for name in headers}
    assert told <= {
        *("host", "accept", "accept-encoding", "connection", "content-type", "content-length"),
        "user-agent",
    }
    assert "somebody-else" not in str(host.headers)


def test_a_redirect_is_not_followed() -> None:
    with hosting(ModelHost()) as other:
        host = ModelHost(redirect=f"{other.url}/chat/completions")
        with asking(host) as model, pytest.raises(ModelError):
            list(model.complete(PROMPT, max_tokens=5))
    assert other.asked == []


def test_options_that_a_server_refuses_are_left_out_or_renamed() -> None:
    host = ModelHost(refused={"temperature", "max_tokens"})
    with asking(host) as model:
        for _ in range(2):
            assert text(model.complete(PROMPT, max_tokens=30)) == "The ferry leaves at noon."
    options = [body.keys() - {"model", "messages", "stream", "seed"} for body in host.asked]
    assert options[-2:] == [{"max_completion_tokens"}] * 2
    assert len(options) == 4  # it is not tried again with the second question


def test_the_key_goes_to_the_server_and_nowhere_else(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    host = ModelHost(key=KEY)
    with asking(host, model_key=f" {KEY}\n") as model:
        assert text(model.complete(PROMPT, max_tokens=30)) == "The ferry leaves at noon."
        assert KEY not in model.name
    settings = Settings(model_key=KEY)
    assert KEY not in f"{settings!r} {settings.model_dump_json()} {caplog.text}"
    with asking(ModelHost(key="another"), model_key=KEY) as model:
        with pytest.raises(ModelError, match="does not take the key") as refused:
            model.count_tokens("")
        assert refused.value.mend == "set RAG_MODEL_KEY to yours"
        assert KEY not in f"{refused.value} {refused.value.__cause__!r}"
    with pytest.raises(SettingsError, match="printable ASCII") as unfit:
        Settings(model_key=f"{KEY}\N{EURO SIGN}")
    assert KEY not in f"{unfit.value} {unfit.value.__cause__!r}"


# Addresses


def test_addresses_are_taken_apart() -> None:
    server = model_server("openai:http://models.example:8000/v1/#org/large:7b#2")
    assert server is not None
    assert server == ("http://models.example:8000/v1", "org/large:7b#2",
                      "http://models.example:8000", False)  # fmt: skip
    assert server.setting == "openai:http://models.example:8000/v1#org/large:7b#2"
    assert model_server("hf:owner/openai") is None


@pytest.mark.parametrize(
    ("host", "sends_to"),
    [
        ("localhost:11434", None),
        ("127.8.9.1:1", None),
        ("[::1]:1", None),
        ("10.0.0.7:8000", "http://10.0.0.7:8000"),
        ("localhost.example", "http://localhost.example"),
        ("0.0.0.0:8000", "http://0.0.0.0:8000"),
    ],
)
def test_what_leaves_the_machine_is_known_from_the_address(host: str, sends_to: str | None) -> None:
    assert Settings(model=f"openai:http://{host}/v1#m").sends_to == sends_to
    assert Settings().sends_to is None


@pytest.mark.parametrize(
    "address",
    ["http://host/v1", "host/v1#m", "ftp://host#m", "http://host:port/v1#m", "http://[::1#m"],
)
def test_what_is_no_address_is_told_before_anything_begins(address: str) -> None:
    with pytest.raises(SettingsError, match="'model'"):
        Settings(model=f"openai:{address}")


@pytest.mark.parametrize("address", ["http://me:{}@host/v1#m", "http://host/v1?key={}#m"])
def test_a_key_in_an_address_is_refused(address: str) -> None:
    with pytest.raises(SettingsError, match="RAG_MODEL_KEY") as error:
        Settings(model=f"openai:{address.format(KEY)}")
    assert KEY not in f"{error.value} {error.value.__cause__!r}"


# What is written


@pytest.mark.parametrize(
    ("pieces", "written"),
    [
        ([REFUSAL], [Token("", refusal=1.0)]),
        (["Not", " stated", "."], [Token("", refusal=1.0), Token("")]),
        (["Not st", "ated. The ferry"], [Token("The ferry", refusal=1.0)]),
        (["Not", " at noon"], [Token("Not at noon")]),
        (["No"], [Token("No")]),
    ],
)
def test_a_refusal_is_told_and_not_written(pieces: list[str], written: list[Token]) -> None:
    with asking(ModelHost(pieces=pieces)) as model:
        assert list(model.complete(PROMPT, max_tokens=9)) == written


def test_a_text_that_the_server_cut_counts_as_cut() -> None:
    host = ModelHost(pieces=["The ferry leaves"], finish="length")
    with asking(host) as model:
        tokens = list(model.complete(PROMPT, max_tokens=3))
    assert [token.text for token in tokens] == ["The ferry leaves", "", ""]


def test_a_stream_that_ends_in_the_midst_is_an_error() -> None:
    with asking(ModelHost(finish=None)) as model, pytest.raises(ModelError, match="in the midst"):
        list(model.complete(PROMPT, max_tokens=9))


# What goes wrong


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


def test_nobody_there_says_so_with_the_mend() -> None:
    address = f"http://127.0.0.1:{free_port()}/v1"
    model = llm_from_setting(f"openai:{address}#m", Settings())
    with pytest.raises(ModelError, match="cannot be reached") as error:
        model.complete(PROMPT, max_tokens=3)
    assert address in error.value.message
    assert error.value.mend == "start it there, or name another model (RAG_MODEL)"


def test_a_model_that_the_server_lacks_is_told_with_those_it_has() -> None:
    with hosting(ModelHost()) as host:
        model = llm_from_setting(f"openai:{host.url}#larger", Settings())
        with pytest.raises(ModelError, match="no model 'larger'") as error:
            model.count_tokens("")
    assert error.value.mend == "name one that it has: small"


def test_a_passing_failure_is_tried_again_and_a_lasting_one_told() -> None:
    host = ModelHost(failures=[500])
    with asking(host) as model:
        assert text(model.complete(PROMPT, max_tokens=9)) == "The ferry leaves at noon."
        assert len(host.asked) == 2
        host.failures = [500] * 3
        with pytest.raises(ModelError, match="not itself today"):
            list(model.complete(PROMPT, max_tokens=9))
        host.failures = [429] * 3
        with pytest.raises(BusyError, match="asked too much"):
            list(model.complete(PROMPT, max_tokens=9))


def test_prompt_larger_than_the_window() -> None:
    with asking(ModelHost()) as model:
        with pytest.raises(ModelError, match="tokens"):
            list(model.complete(Prompt(SYSTEM, "word " * 3000, ()), max_tokens=5))
        assert "noon" in text(model.complete(PROMPT, max_tokens=9))


def test_a_server_that_does_not_go_on_is_left() -> None:
    host = ModelHost(gate=threading.Event())
    with (
        asking(host, model_seconds=1) as model,
        pytest.raises(ModelError, match="did not go on for 1 s"),
    ):
        list(model.complete(PROMPT, max_tokens=9))


# Stopping


def test_stopping_lets_the_server_go_and_closing_too() -> None:
    for by in ("event", "iterator", "close"):
        host = ModelHost(gate=threading.Event(), pieces=["word "] * 200_000)
        with asking(host) as model:
            cancelled = threading.Event()
            begun = model.complete(PROMPT, max_tokens=10**6, cancelled=cancelled)
            assert next(begun).text == "word "
            if by == "event":
                cancelled.set()
            elif by == "close":
                model.close()
            if by == "iterator":
                begun.close()  # type: ignore[attr-defined]
            else:
                with pytest.raises(CancelledError):
                    list(begun)
            assert host.gate is not None
            host.gate.set()  # it goes on to write, and nobody is there any more
            assert host.gone.wait(10), by


def test_closed_model_says_so() -> None:
    with asking(ModelHost()) as model:
        model.count_tokens("")
        model.close()
        with pytest.raises(ClosedError, match="was closed"):
            model.complete(PROMPT, max_tokens=3)
        with pytest.raises(ClosedError):
            model.count_tokens("ferry")


def test_too_many_at_once_are_told_to_wait() -> None:
    host = ModelHost(gate=threading.Event())
    with asking(host, queue_size=2) as model:
        held = [model.complete(PROMPT, max_tokens=9) for _ in range(2)]
        with pytest.raises(BusyError, match="2 questions"):
            model.complete(PROMPT, max_tokens=9)
        assert host.gate is not None
        host.gate.set()
        assert [text(pieces) for pieces in held] == ["The ferry leaves at noon."] * 2
        while True:  # the last to be told is the one who counts
            with contextlib.suppress(BusyError):
                assert "noon" in text(model.complete(PROMPT, max_tokens=9))
                break
            time.sleep(0.01)


def test_forked_child_is_told_and_the_parent_goes_on() -> None:
    with asking(ModelHost()) as model:
        begun = model.complete(PROMPT, max_tokens=9)
        first = next(begun).text

        def calls() -> list[str]:
            met = []
            for call in (lambda: list(begun), lambda: model.count_tokens("ferry")):
                try:
                    call()
                except RagError as error:
                    met.append(type(error).__name__)
            model.close()
            return met

        assert in_fork(calls) == ["ClosedError"] * 2
        assert first + text(begun) == "The ferry leaves at noon."


def test_another_key_is_another_model() -> None:
    made: list[str | None] = []

    def make(model: str, settings: Settings) -> LLM:
        key = settings.model_key
        made.append(key.get_secret_value() if key else None)
        return llm_from_setting(model, settings)

    shared = SharedLLMs(make)
    for key in (None, "one", "one", "other"):
        shared.lease(Settings(model="openai:http://localhost:1/v1#m", model_key=key)).close()
    assert made == [None, "one", "one", "other"]  # each was the last user of its own
    held = [shared.lease(Settings(model_key=key)) for key in ("one", "one", "other")]
    assert made[4:] == ["one", "other"]
    for lease in held:
        lease.close()


# Through everything


@pytest.fixture
def news(tmp_path: Path) -> Path:
    """A folder of indexes with `news`."""
    index_dir = write_articles(tmp_path, ARTICLES)
    build(index_dir)
    return index_dir


def answered(news: Path, model: LLM) -> Answer:
    with Rag(open_index(news), FakeEmbedder(), model) as engine:
        return engine.ask("When does the harbour bridge in Osterby close?")


def test_what_a_server_writes_is_checked_and_has_no_confidence(news: Path) -> None:
    written = "The harbour bridge in Osterby closes on Monday for nine weeks of repairs."
    for text_of_it, status in ((written, "answered"), ("It closes in 2031.", "extracted")):
        host = ModelHost(pieces=[text_of_it])
        with asking(host) as model:
            found = answered(news, model)
        assert (found.status, found.model, found.confidence) == (status, host.setting, None)
        assert "2031" not in found.text
        assert "sent to" not in (found.note or "")  # it is on this machine
    assert found.withheld[0].text == "It closes in 2031."


def test_an_answer_says_what_was_sent_elsewhere(news: Path) -> None:
    class Elsewhere(FakeLLM):
        name = "openai:https://models.example/v1#large"

    note = answered(news, Elsewhere()).note
    assert note is not None
    assert note.endswith(
        "The question and the sentences found for it were sent to https://models.example."
    )


TOLD = "are sent to https://models.example"


def test_the_command_says_it_before(
    news: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def opened(index: str, settings: Settings) -> Rag:
        return Rag(open_index(news), FakeEmbedder(), FakeLLM(), settings)

    for command, model, says in (
        (["ask", "When does the bridge close?"], "openai:https://models.example/v1#large", True),
        (["search", "bridge"], "openai:https://models.example/v1#large", False),
        (["ask", "When does the bridge close?"], "openai:http://localhost:9/v1#large", False),
    ):
        monkeypatch.setenv("RAG_MODEL", model)
        with pytest.raises(SystemExit) as ended:
            main([*command, "--index", "news", "--json"], Parts(open=opened))
        out, err = capsys.readouterr()
        assert ended.value.code == 0, err
        assert (TOLD in err, TOLD in out) == (says, False)


@pytest.mark.slow  # to import Gradio
def test_the_page_says_it_before() -> None:
    from rag.page.handlers import _ready

    ready = _ready(Readiness.READY, None, "https://models.example")
    assert "Ready" in ready
    assert TOLD in ready


# The real thing


OTHER_TEXTS = [
    "«Die Donaudampfschifffahrtsgesellschaft fährt»: 3,5 % – sagte Søren Ångström.",
    "Мэр Осло сказал, что мост закроют в понедельник. 大阪の橋は月曜日に閉鎖される。",
    "https://example.org/a/b?c=d&e=%20f#g {\"a\": [1, 2.50, null]}\n\n\t| 12:30 | $4.2m |",
    "ICAO, NATO/OTAN, XKCD-1234; qwxz zxqv",
]  # fmt: skip


def small_or_default() -> Path:
    """The smaller of the known models if it was pulled, else the one that every set-up has."""
    settings = Settings()
    for name in ("qwen2.5-coder-0.5b-instruct", settings.model):
        with contextlib.suppress(ModelError):
            return models.find(name, models_dir=settings.models_dir, kind="llm")
    raise AssertionError("make setup pulls the model")


@pytest.mark.models
def test_tokens_are_counted_too_high() -> None:
    import llama_cpp

    seeds = Path(__file__).parents[1] / "seeds"
    paragraphs = [line for file in sorted(seeds.glob("*.txt"))
                  for line in file.read_text().splitlines() if line.strip()]  # fmt: skip
    vocabulary = llama_cpp.Llama(str(small_or_default()), vocab_only=True, verbose=False)
    with asking(ModelHost()) as model:
        counts = {
            part: len(vocabulary.tokenize(part.encode(), add_bos=False, special=False))
            for part in [SYSTEM, *OTHER_TEXTS, *paragraphs]
        }
        assert [part for part, n in counts.items() if model.count_tokens(part) < n] == []
        n_counted = sum(map(model.count_tokens, paragraphs))
        assert n_counted < 2.2 * sum(counts[part] for part in paragraphs)
    vocabulary.close()


@pytest.fixture(scope="module")
def llama_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """llama.cpp's server with a real model: the setting that names it."""
    pytest.importorskip("starlette_context", reason="the server of llama-cpp-python is not there")
    port = free_port()
    log = tmp_path_factory.mktemp("server") / "log"
    command = [
        *(sys.executable, "-m", "llama_cpp.server", "--model", str(small_or_default())),
        *("--model_alias", "real", "--n_ctx", "1024", "--n_threads", "1", "--port", str(port)),
    ]
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as server:
        try:
            while True:
                assert server.poll() is None, log.read_text()
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models").close()
                    break
                time.sleep(0.1)
            yield f"openai:http://127.0.0.1:{port}/v1#real"
        finally:
            server.terminate()


@pytest.mark.models
def test_the_server_of_llama_cpp_writes(llama_server: str) -> None:
    with contextlib.closing(llm_from_setting(llama_server, Settings())) as model:
        pieces = list(model.complete(PROMPT, max_tokens=40))
        assert len(pieces) > 1
        assert "noon" in text(pieces)
        assert text(model.complete(PROMPT, max_tokens=40)) == text(pieces)
        assert len(list(model.complete(PROMPT, max_tokens=2))) == 2
        cancelled = threading.Event()
        begun = model.complete(PROMPT, max_tokens=40, cancelled=cancelled)
        next(begun)
        cancelled.set()
        with pytest.raises(CancelledError):
            list(begun)
        with pytest.raises(ModelError, match="in the midst of it"):
            list(model.complete(Prompt(SYSTEM, "word " * 3000, ()), max_tokens=5))
        assert "noon" in text(model.complete(PROMPT, max_tokens=40))
