"""The command line: what it prints where, its exit codes, and what it lets through."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from rag import __version__
from rag.answering.answer import Answer
from rag.building.builder import build_index
from rag.building.report import BuildReport
from rag.cli import app
from rag.cli.output import print_json, printable
from rag.cli.parts import Parts
from rag.engine import Rag
from rag.errors import ModelMissingError
from rag.index.layout import IndexFolder
from rag.index.opened import OpenIndex
from rag.llm import Prompt, Token
from rag.models import KNOWN, ModelFile, ModelSpec
from rag.retrieval import Hit
from rag.settings import Settings
from rag.testing import FakeEmbedder, FakeLLM, fake_calibration, open_with
from tests.made import page
from tests.support import ARTICLES, write_articles

ROOT = Path(__file__).parents[1]
QUESTION = "What would the work cost, said mayor Lena Holm?"
COST = "Mayor Lena Holm said the work would cost 4.2 million crowns."
EVIL = "\x1b]0;owned\x07\x1b[31mred\x9b31m [bold]b[/bold] \u202eback :smile:"


def open_fake(name: str, *, settings: Settings) -> Rag:
    index = OpenIndex(IndexFolder(settings.index_dir, name), n_threads=1)
    script = [] if settings.model.startswith("qwen") else [settings.model]
    return Rag(index, FakeEmbedder(), FakeLLM(script), settings, calibration=fake_calibration())


def build_fake(name: str, *, settings: Settings, **options: Any) -> BuildReport:
    embedder = FakeEmbedder()
    return build_index(
        IndexFolder(settings.index_dir, name),
        model_sha256=embedder.identity.sha256,
        load_embedder=lambda _: embedder,
        **options,
    )


PARTS = Parts(open=open_fake, build=build_fake)


class StuckLLM(FakeLLM):
    """Says that it began, then writes forever."""

    def complete(
        self, prompt: Prompt, *, max_tokens: int, cancelled: threading.Event | None = None
    ) -> Iterator[Token]:
        sys.stderr.write("begun\n")
        for n in itertools.count():  # the same words again would end it as a loop
            time.sleep(0.01)
            yield Token(f"word{n} ")


def open_stuck(name: str, *, settings: Settings) -> Rag:
    index = OpenIndex(IndexFolder(settings.index_dir, name), n_threads=1)
    return Rag(index, FakeEmbedder(), StuckLLM(), settings)


STUCK = Parts(open=open_stuck)


class Run(NamedTuple):
    code: int
    out: str
    err: str


Rag_ = Callable[..., Run]


@pytest.fixture
def index_dir(tmp_path: Path) -> Path:
    return write_articles(tmp_path, ARTICLES)


@pytest.fixture
def rag(index_dir: Path) -> Rag_:
    def run(*arguments: str, parts: Parts = PARTS, env: Mapping[str, str] | None = None) -> Run:
        folders = {"RAG_INDEX_DIR": str(index_dir), "RAG_MODELS_DIR": str(index_dir / "models")}
        result = CliRunner().invoke(
            app,
            list(arguments),
            obj=parts,
            prog_name="rag",
            env={"RAG_MIN_EVIDENCE": "0", **folders, **(env or {})},
            catch_exceptions=False,
        )
        return Run(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def built(rag: Rag_) -> Rag_:
    assert rag("build", "news").code == 0
    return rag


def process(
    index_dir: Path, *arguments: str, parts: str = "PARTS", **options: Any
) -> subprocess.Popen[str]:
    """The command with fakes, in a process of its own."""
    code = f"from rag.cli import main; from tests.test_cli import *; main(parts={parts})"
    variables = {"PATH": "/usr/bin:/bin", "RAG_INDEX_DIR": str(index_dir), "RAG_MIN_EVIDENCE": "0",
                 "TERM": "xterm"}  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        text=True,
        **{"env": variables, "preexec_fn": heed_ctrl_c, **options},
    )


def heed_ctrl_c() -> None:
    """A shell starts what it puts into the background deaf to Ctrl-C; so would be its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


# ask


@pytest.mark.parametrize("ending", ["html", "md", "csv", "json"])
def test_an_answer_is_saved_with_its_sources(built: Rag_, tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"answer.{ending}"
    run = built("ask", QUESTION, "--index", "news", "--save", str(file))
    assert run.code == 0
    assert COST in file.read_text()
    timeline = tmp_path / f"timeline.{ending}"
    assert built("timeline", "Osterby", "--index", "news", "--save", str(timeline)).code == 0
    assert "Osterby" in timeline.read_text()


def test_a_form_that_is_not_known_is_refused_before_anything_is_asked(built: Rag_) -> None:
    run = built("ask", QUESTION, "--index", "news", "--save", "answer.doc")
    assert run.code == 1
    assert run.err.startswith(
        "Error: answer.doc: no form of that name\n  To mend it: let it end in"
    )


def test_ask_prints_the_answer_and_what_it_cites(built: Rag_) -> None:
    run = built("ask", QUESTION, "--index", "news", "--asked-on", "2024-03-10")
    start = ARTICLES[0]["text"].index(COST)
    assert run.code == 0
    assert run.out == (
        f"{COST} [1]\n\n[1] {COST}\n"
        "    Harbour bridge to close for repairs — Osterby Post, 2024-03-01\n"
        f"    ../../news.jsonl:{start}-{start + len(COST)}\n"
    )
    assert re.fullmatch(
        r"answered, confidence [01]\.\d\d, index news version 1, \d+\.\d s\n", run.err
    )


def test_ask_says_that_nothing_is_fitted_for_these_models(built: Rag_) -> None:
    def open_unfitted(name: str, *, settings: Settings) -> Rag:
        return open_with(settings.index_dir, name, FakeEmbedder())

    run = built("ask", QUESTION, "-i", "news", parts=Parts(open=open_unfitted))
    assert run.code == 0
    assert "Confidence is not fitted for the embedding model fake with the language" in run.err
    assert "answered, confidence unknown, index news version 1" in run.err


def test_ask_json_is_the_answer(built: Rag_) -> None:
    run = built("ask", QUESTION, "-i", "news", "-k", "2", "--json")
    answer = Answer.model_validate_json(run.out)
    assert (answer.question, answer.text) == (QUESTION, f"{COST} [1]")
    assert [hit.rank for hit in answer.hits] == [1, 2]
    assert (run.code, run.err) == (0, "")


def test_no_answer_shows_the_nearest_passages(built: Rag_) -> None:
    unsure = {"RAG_MIN_EVIDENCE": "1"}
    run = built("ask", QUESTION, "-i", "news", env=unsure)
    assert run.code == 0
    assert run.out.startswith("The 3 articles of the index “news” do not answer this question.\n")
    assert (
        f"\nThe closest passages; none of them is an answer:\n\n    {COST}\n    Harbour bridge"
        in run.out
    )
    strict = built("ask", QUESTION, "-i", "news", "--strict", "--json", env=unsure)
    assert (strict.code, json.loads(strict.out)["status"]) == (3, "no_answer")
    assert built("ask", QUESTION, "-i", "news", "--strict").code == 0


def test_the_model_is_chosen_by_flag(built: Rag_) -> None:
    run = built("ask", QUESTION, "-i", "news", "--model", "Lena Holm said 4.2 million crowns.")
    assert run.out.splitlines()[0] == "Lena Holm said 4.2 million crowns. [1]"


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--since", "2024-03-02"], {"ferry"}),
        (["--until", "2024-03-02"], {"harbour"}),
        (["--until", "2024-03-02", "--undated"], {"harbour", "museum"}),
        (["--source", "Osterby Post"], {"harbour", "museum"}),
        (["--source", "Osterby Post", "--source", "Harbour News"], {"harbour", "ferry", "museum"}),
        (["--where", "section=local"], {"harbour"}),
        (["--where", "section=local", "--source", "Harbour News"], set()),
    ],
)
def test_filters(built: Rag_, options: list[str], found: set[str]) -> None:
    run = built("search", "Osterby", "-i", "news", "--json", *options)
    assert {hit["article_id"] for hit in json.loads(run.out)} == found
    asked = built("ask", "Osterby?", "-i", "news", "--json", *options)
    assert {hit["article_id"] for hit in json.loads(asked.out)["hits"]} == found


# search


def test_search_prints_passages(built: Rag_) -> None:
    run = built("search", "strike of the ferry crews", "-i", "news", "-k", "1")
    text = ARTICLES[1]["text"]
    assert re.fullmatch(
        r"1\. Ferry crews vote on strike — Harbour News, 2024-03-05  \(score 0\.\d{3}\)\n"
        rf"    \.\./\.\./news\.jsonl:0-{len(text)}\n"
        rf"    {re.escape(text)}\n",
        run.out,
    )
    assert (run.code, run.err) == (0, "")


def test_search_json_is_a_list_of_hits(built: Rag_) -> None:
    run = built("search", "painting", "-i", "news", "--json")
    hits = [Hit.model_validate(hit) for hit in json.loads(run.out)]
    assert hits[0].article_id == "museum"
    assert [hit.rank for hit in hits] == [1, 2, 3]


# build, list, show


def test_build_says_what_it_did(rag: Rag_) -> None:
    run = rag("build", "news")
    assert re.fullmatch(r"news: version 1, 3 articles \(3 added\), 3 chunks, \d+\.\d s\n", run.out)
    assert run.err.splitlines()[0] == "news: reading (3 articles, 0 new chunks)"
    assert run.err.splitlines()[-1] == "news: publishing (3 articles, 3 new chunks)"
    again = rag("build", "--all")
    assert "news: nothing to do, version 1, 3 articles (3 unchanged), 3 chunks" in again.out
    full = json.loads(rag("build", "news", "--full", "--json").out)
    assert [(report["index"], report["version"]) for report in full] == [("news", 2)]


@pytest.mark.parametrize("arguments", [["build"], ["build", "news", "--all"]])
def test_build_needs_names_or_all(rag: Rag_, arguments: list[str]) -> None:
    run = rag(*arguments)
    assert (run.code, run.out) == (2, "")
    assert "name indexes, or give --all. There are: news" in run.err


def test_a_broken_index_does_not_stop_the_others(rag: Rag_, index_dir: Path) -> None:
    (index_dir / "broken").mkdir()
    (index_dir / "broken" / "index.toml").write_text('sorces = ["x"]\n')
    run = rag("build", "--all")
    assert run.code == 1
    assert run.out.startswith("news: version 1, ")
    assert "unknown key 'sorces'; the nearest is 'sources'\n  To mend it: edit" in run.err
    assert "Traceback" not in run.err
    reports = rag("build", "broken", "news", "--json")
    assert [report["index"] for report in json.loads(reports.out)] == ["news"]


def test_list(built: Rag_, index_dir: Path) -> None:
    (index_dir / "later").mkdir()
    (index_dir / "later" / "index.toml").write_text("sources = []\n")
    rows = [row.split() for row in built("list").out.splitlines()]
    assert rows[1] == ["later", "not", "built"]
    assert rows[2][:5] == ["news", "ready", "1", "3", "3"]
    states = {info["name"]: info["state"] for info in json.loads(built("list", "--json").out)}
    assert states == {"later": "not built", "news": "ready"}


def test_list_without_indexes(rag: Rag_, tmp_path: Path) -> None:
    nowhere = {"RAG_INDEX_DIR": str(tmp_path / "none")}
    assert rag("list", env=nowhere) == Run(0, "", f"No index in {tmp_path / 'none'}.\n")
    assert rag("list", "--json", env=nowhere).out == "[]\n"
    assert rag("build", "--all", env=nowhere).code == 1


def test_show_index_and_what_it_skipped(rag: Rag_, index_dir: Path) -> None:
    with (index_dir.parent / "news.jsonl").open("a") as file:
        file.write("{broken\n")
    assert "  skipped ../../news.jsonl, line 4: " in rag("build", "news").out
    run = rag("show", "news")
    facts = dict(re.findall(r"^(\w+) {2,}(.*)$", run.out, re.MULTILINE))
    assert facts["index"] == "news"
    assert facts["articles"] == "3, 1 without a date"
    assert facts["skipped"] == "1"
    assert facts["embeddings"] == "fake (fake, 64 dimensions)"
    assert "\n  skipped ../../news.jsonl, line 4: " in run.out
    details = json.loads(rag("show", "news", "--json").out)
    assert (details["version"], details["manifest"]["n_articles"]) == (1, 3)
    assert [(item["path"], item["line"]) for item in details["skipped"]] == [
        ("../../news.jsonl", 4)
    ]


def test_show_article_and_what_was_removed(rag: Rag_, tmp_path: Path) -> None:
    debris = {**ARTICLES[1], "text": "Advertisement\n" + ARTICLES[1]["text"]}
    write_articles(tmp_path, [debris])
    rag("build", "news")
    run = rag("show", "news", "ferry")
    assert f"\n\n{ARTICLES[1]['text']}\n" in run.out
    assert "section     economy\n" in run.out
    assert re.search(r"Removed from the text as read:\n    0-14 .*: 'Advertisement'\n", run.out)
    shown = json.loads(rag("show", "news", "ferry", "--json").out)
    assert shown["article"]["text"] == ARTICLES[1]["text"]
    assert [piece["text"] for piece in shown["removed"]] == ["Advertisement\n"]


# errors and usage


def test_errors_say_what_mends_them(rag: Rag_) -> None:
    run = rag("ask", "Why?", "-i", "news", "--json")
    assert (run.code, run.out) == (1, "")
    assert "Error: index 'news' is not built yet" in run.err
    assert run.err.endswith("\n  To mend it: rag build news\n")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["ask", "  ", "-i", "news"], 1, "the question is empty"),
        (["search", "x", "-i", "../news"], 1, "is not a name of an index"),
        (["show", "news", "nope"], 1, "index 'news' has no article 'nope'"),
        (["ask", "x", "--since", "2024-02-30"], 2, "'2024-02-30' is not a day such as"),
        (["ask", "x", "--where", "section"], 2, "'section' is not KEY=VALUE"),
        (["ask", "x", "-k", "0"], 2, "greater than or equal to 1"),
        (["ask", "\udcff"], 2, "it is not valid UTF-8"),
        (["ask"], 2, "Missing argument 'QUESTION'"),
        (["nonsense"], 2, "No such command 'nonsense'"),
    ],
)
def test_wrong_input(built: Rag_, arguments: list[str], code: int, message: str) -> None:
    run = built(*arguments)
    assert (run.code, run.out) == (code, "")
    assert message in run.err
    assert "Traceback" not in run.err


def test_missing_model(built: Rag_) -> None:
    def missing(name: str, *, settings: Settings) -> Rag:
        raise ModelMissingError("model m is not in /models", mend="rag models pull m")

    run = built("ask", "Why?", parts=Parts(open=missing))
    assert run == Run(1, "", "Error: model m is not in /models\n  To mend it: rag models pull m\n")


def test_wrong_setting(rag: Rag_) -> None:
    run = rag("list", env={"RAG_MODLE": "x"})
    assert (run.code, run.out) == (1, "")
    assert "'RAG_MODLE' (environment variable); the nearest is 'RAG_MODEL'" in run.err


# texts of strangers


@pytest.fixture
def evil(rag: Rag_, tmp_path: Path) -> Rag_:
    article = {"title": EVIL, "source": EVIL, "author": EVIL, EVIL: EVIL}
    write_articles(tmp_path, [{**article, "id": "e", "text": f"The ferry {EVIL} sank today."}])
    assert rag("build", "news").code == 0
    return rag


@pytest.mark.parametrize(
    "arguments",
    [
        ["ask", "What sank?", "-i", "news"],
        ["search", "ferry", "-i", "news"],
        ["show", "news", "e"],
        ["ask", "What sank?", "-i", "news", "--json"],
        ["show", "news", "e", "--json"],
    ],
)
def test_articles_cannot_speak_to_the_terminal(evil: Rag_, arguments: list[str]) -> None:
    run = evil(*arguments)
    assert run.code == 0
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", run.out + run.err)
    assert "[bold]b[/bold]" in run.out
    assert ":smile:" in run.out


def test_json_keeps_what_a_text_shows_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    told = ModelFile(name=EVIL + "\x85\n\t“é", n_bytes=1, sha256="", parts=())
    print_json([told, told])
    shown = capsys.readouterr().out
    assert [ModelFile.model_validate(item) for item in json.loads(shown)] == [told, told]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", shown)
    assert "“é" in shown
    assert printable("a\x1b[0m\nb\tc\u2069é") == "a\ufffd[0m\nb\tc\ufffdé"


# models


def known(*specs: ModelSpec) -> Parts:
    return Parts(known=lambda: {spec.name: spec for spec in specs})


def test_models_are_listed(rag: Rag_, index_dir: Path) -> None:
    rows = [row.split() for row in rag("models").out.splitlines()]
    assert [row[:3] for row in rows[1:]] == [[s.name, s.kind, "missing"] for s in KNOWN.values()]
    assert rag("models", "list").out == rag("models").out
    assert rag("models", "--json").out == rag("models", "list", "--json").out
    listed = json.loads(rag("models", "--json").out)
    assert [(item["name"], item["state"]) for item in listed] == [
        (name, "missing") for name in KNOWN
    ]


def tiny_model(name: str, data: bytes) -> ModelSpec:
    sha256 = hashlib.sha256(data).hexdigest()
    file = ModelFile(name=f"{name}.gguf", n_bytes=len(data), sha256=sha256, parts=())
    return ModelSpec(
        name=name, kind="llm", license="MIT", repository=f"x/{name}", revision="1", files=(file,)
    )


def test_models_pull_and_verify(rag: Rag_, index_dir: Path, tmp_path: Path) -> None:
    parts = known(tiny_model("one", b"GGUF one"), tiny_model("two", b"GGUF two"))
    source = tmp_path / "one.gguf"
    source.write_bytes(b"GGUF one")
    run = rag("models", "pull", "one", "--source", str(source), parts=parts)
    assert run.code == 0
    assert run.err.splitlines()[-1].startswith("one: 100 % of 0 MB (")
    there = index_dir / "models" / "one.gguf"
    assert there.read_bytes() == b"GGUF one"
    assert run.out.splitlines()[1].split() == ["one", "llm", "present", "0", "MIT", str(there)]
    verified = rag("models", "verify", "--json", parts=parts)
    assert [(item["name"], item["state"]) for item in json.loads(verified.out)] == [
        ("one", "present")
    ]
    there.write_bytes(b"GGUF 0ne")
    broken = rag("models", "verify", parts=parts)
    assert (broken.code, broken.err) == (1, "")
    assert broken.out.endswith("\n  To mend it: rag models pull one --force\n")


def test_one_model_that_fails_does_not_stop_the_others(rag: Rag_, tmp_path: Path) -> None:
    source = tmp_path / "two.gguf"
    source.write_bytes(b"GGUF two")
    parts = known(tiny_model("one", b"GGUF one"), tiny_model("two", b"GGUF two"))
    run = rag("models", "pull", "one", "two", "--source", str(source), "--json", parts=parts)
    assert run.code == 1
    assert "Error: model one was not pulled" in run.err
    assert [item["name"] for item in json.loads(run.out)] == ["two"]
    assert rag("models", "pull", "three", parts=parts).code == 1


def test_pull_without_names_takes_what_the_settings_need(rag: Rag_) -> None:
    # None is known here: the errors name what was wanted.
    run = rag("models", "pull", parts=known())
    wanted = re.findall(r"no model is known as '(.*)'", run.err)
    assert wanted == ["all-MiniLM-L6-v2", "qwen2.5-coder-1.5b-instruct"]
    by_path = rag("models", "pull", parts=known(), env={"RAG_MODEL": "/some/model.gguf"})
    assert re.findall(r"no model is known as '(.*)'", by_path.err) == ["all-MiniLM-L6-v2"]


# processes and terminals


def test_version_and_module() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "rag", "--version"], cwd=ROOT, capture_output=True, text=True
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, f"rag {__version__}\n", "")


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom rag.cli import main\ntry: main(['ask', '--help'])\n"
        "except SystemExit: print([m for m in sys.modules if m in ('numpy', 'rich', 'torch')])"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.stdout.endswith("[]\n")


@pytest.mark.slow
def test_closed_pipe_ends_quietly(built: Rag_, index_dir: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    asked = ["ask", QUESTION, "-i", "news"]
    with process(index_dir, *asked, stdout=writing, stderr=subprocess.PIPE) as run:
        os.close(writing)
        assert run.communicate(timeout=60)[1] == ""
    assert run.returncode == 141


@pytest.mark.slow
def test_ctrl_c_ends_quietly(built: Rag_, index_dir: Path) -> None:
    options: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with process(index_dir, "ask", QUESTION, "-i", "news", parts="STUCK", **options) as run:
        assert run.stderr is not None
        assert run.stderr.readline() == "begun\n"
        run.send_signal(signal.SIGINT)
        assert run.communicate(timeout=60) == ("", "")
    assert run.returncode == 130


@pytest.mark.slow
def test_terminal_shows_the_draft_then_the_checked_answer(built: Rag_, index_dir: Path) -> None:
    ours, theirs = pty.openpty()
    evil = "Mayor Lena Holm \x1b]0;owned\x07said 4.2 \x1b[31mmillion crowns."
    asked = ["ask", QUESTION, "-i", "news", "--model", evil]
    with process(index_dir, *asked, stdout=subprocess.PIPE, stderr=theirs) as run:
        os.close(theirs)
        terminal = read_all(ours)
        out = run.communicate(timeout=60)[0]
    assert run.returncode == 0
    shown = "Mayor Lena Holm \ufffd]0;owned\ufffdsaid 4.2 \ufffd[31mmillion crowns."
    assert shown in terminal  # the draft says "[31mmillion", so no source supports it
    assert out.startswith(f"{COST} [1]")
    for text in (out, terminal):
        assert "\x1b]0;" not in text
        assert "\x1b[31m" not in text


def read_all(descriptor: int) -> str:
    data = b""
    with contextlib.suppress(OSError):  # Linux: the other side is closed
        while piece := os.read(descriptor, 4096):
            data += piece
    os.close(descriptor)
    return data.decode()


def test_build_that_would_remove_most_articles_wants_to_be_told(index_dir: Path, rag: Rag_) -> None:
    assert rag("build", "news").code == 0
    write_articles(index_dir.parent, ARTICLES[:1])
    run = rag("build", "news")
    assert (run.code, run.out) == (1, "")
    assert "2 of the 3 articles of index 'news' are missing" in run.err
    assert "rag build news --allow-removal" in run.err
    assert "2 removed" in rag("build", "news", "--allow-removal").out


# Adding


def test_add_makes_an_index_of_a_folder_and_tells_what_was_read(
    rag: Rag_, tmp_path: Path, index_dir: Path
) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "bridge.html").write_text(page(), encoding="utf-8")
    (folder / "empty.pdf").write_bytes(b"")
    (folder / "photo.png").write_bytes(b"\x89PNG")
    run = rag("add", "papers", str(folder))
    assert run.code == 0
    assert (index_dir / "papers" / "index.toml").read_text() == (
        '# Sources are relative to this file.\nsources = ["../../papers"]\n'
    )
    table = [line.split() for line in run.out.splitlines() if line.startswith(("html", "pdf"))]
    assert table == [["html", "1", "0"], ["pdf", "0", "1", "empty", "file", "(1)"]]
    assert "other" in run.out
    assert "JSON-LD" not in rag("show", "papers", "bridge").out


def test_add_keeps_what_index_toml_says_and_adds_a_source_once(
    rag: Rag_, tmp_path: Path, index_dir: Path
) -> None:
    toml = index_dir / "news" / "index.toml"
    toml.write_text('sources = ["../../news.jsonl"] # mine\nlanguage = "en"\n', encoding="utf-8")
    (tmp_path / "one.md").write_text("# One\n\nThe tower fell.", encoding="utf-8")
    for _ in range(2):
        assert rag("add", "news", str(tmp_path / "one.md")).code == 0
    assert tomllib.loads(toml.read_text()) == {
        "sources": ["../../news.jsonl", "../../one.md"],
        "language": "en",
    }
    assert "# mine" in toml.read_text()


def test_add_copy_keeps_the_file(rag: Rag_, tmp_path: Path, index_dir: Path) -> None:
    (tmp_path / "one.md").write_text("# One\n\nThe tower fell.", encoding="utf-8")
    assert rag("add", "news", str(tmp_path / "one.md"), "--copy").code == 0
    assert (index_dir / "news" / "uploads" / "one.md").is_file()


@pytest.mark.slow
def test_add_of_nothing_says_what_to_give(rag: Rag_, tmp_path: Path) -> None:
    run = rag("add", "papers", str(tmp_path / "absent"))
    assert run.code == 1
    assert "does not exist" in run.err


@pytest.mark.slow
def test_watch_builds_at_each_change_and_ends(index_dir: Path) -> None:
    with process(
        index_dir, "watch", "news", stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as watching:
        assert watching.stdout is not None
        limit = threading.Timer(120, watching.kill)  # so that silence is a failure and no hang
        limit.start()
        told = iter(watching.stdout)
        assert "following" in next(told)
        while "3 articles" not in next(told):
            pass
        more = {"id": "new", "text": "The tower of Lindal fell."}
        with (index_dir.parent / "news.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(more) + "\n")
        while "4 articles" not in next(told):
            pass
        watching.send_signal(signal.SIGINT)
        assert watching.wait(30) in (0, 130)
        limit.cancel()
