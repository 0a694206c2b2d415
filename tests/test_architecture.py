"""The rules of the architecture, read from the source: who imports, reads and writes what."""

from __future__ import annotations

import ast
import functools
import graphlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import rag

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "rag").rglob("*.py"))
OUTSIDE = [
    ROOT / "app.py",
    *sorted((ROOT / "rag" / "page").rglob("*.py")),
    *sorted((ROOT / "benchmarks").rglob("*.py")),
    *sorted((ROOT / "examples").rglob("*.py")),
]
PATHS = [path.relative_to(ROOT).as_posix() for path in SOURCES]


@functools.cache  # not parsed where none of these tests is run
def trees() -> dict[str, ast.Module]:
    return {path: ast.parse((ROOT / path).read_text()) for path in PATHS}


# The one home of each native library.
NATIVE = {
    "faiss": {"rag/index/vectors.py"},
    "tantivy": {"rag/index/lexical.py", "rag/index/vocabulary.py", "rag/text/analysis.py"},
    "sqlite3": {"rag/index/database.py"},
    # export.py traces the same model for ONNX Runtime.
    "sentence_transformers": {
        *("rag/embedding/reference.py", "rag/embedding/export.py", "rag/retrieval/reranking.py"),
    },
    "torch": {
        "rag/embedding/bf16.py",
        "rag/embedding/reference.py",
        "rag/embedding/export.py",
        "rag/retrieval/reranking.py",
    },
    "transformers": {"rag/embedding/reference.py", "rag/embedding/export.py"},
    "onnx": {"rag/embedding/export.py"},
    "onnxruntime": {"rag/embedding/session.py"},
    "tokenizers": {"rag/embedding/onnx.py", "rag/embedding/export.py"},
    "llama_cpp": {"rag/llm/llamacpp.py"},
    "openai": {"rag/llm/remote.py"},
    "langchain_core": {"rag/adapters/langchain.py"},
    "llama_index": {"rag/adapters/llamaindex.py"},
    "haystack": {"rag/adapters/haystack.py"},
    "mcp": {"rag/mcp_server/tools.py", "rag/mcp_server/transport.py"},
    "pymilvus": {"rag/building/into_milvus.py", "rag/index/milvus.py"},
    "ray": {"rag/building/on_ray.py"},
    "pyarrow": {"rag/building/on_ray.py"},
    "nupunkt": {"rag/text/sentences.py"},
    "trafilatura": {"rag/readers/html/body.py"},
    "lxml": {"rag/readers/html/tree.py", "rag/readers/word.py", "rag/readers/epub.py"},
    "pypdfium2": {"rag/readers/pdf.py"},
    "mammoth": {"rag/readers/word.py"},
    "feedparser": {"rag/readers/feeds.py"},
    "warcio": {"rag/readers/archives.py"},
    "markdown_it": {"rag/readers/markdown.py"},
    "watchfiles": {"rag/cli/adding.py"},
    "gradio": {
        *("rag/page/blocks.py", "rag/page/handlers.py", "rag/page/look.py", "rag/page/parts.py"),
        *("rag/page/library_events.py", "rag/page/library_tab.py", "rag/page/more_tabs.py"),
        *("rag/page/following_events.py", "rag/page/remark_events.py"),
        *("rag/page/blocks.py", "rag/page/handlers.py", "rag/page/look.py"),
        "rag/page/talking.py",
    },
    "pickle": set(),
    "joblib": set(),
    "dill": set(),
    "shelve": set(),
}
# Who writes files: the index below `indexes/`, the models (and what is exported from one) below
# the folder of models; a log of an evaluation and an answer to be kept where the user says; what
# the page keeps; questions that are followed and their news beside the versions of the index.
WRITERS = (
    *("rag/index/", "rag/building/", "rag/models/", "rag/embedding/export.py"),
    *("rag/evaluation/log.py", "rag/cli/saving.py", "rag/page/kept.py", "rag/following/"),
)
WRITES = {
    *("write_text", "write_bytes", "mkdir", "makedirs", "mkdtemp", "touch", "unlink", "rmdir"),
    *("rename", "renames", "rmtree", "copyfile", "copytree", "copy2", "move", "symlink_to"),
    *("hardlink_to", "write_index", "save", "savez", "save_pretrained", "truncate"),
}
PUBLIC_MODULES = (
    *("rag.embedding", "rag.errors", "rag.evaluation", "rag.settings", "rag.testing"),
)
PUBLIC = """
    AlsoIn Answer AnswerItem AnswerReady AnswerSentence AnswerStatus Article BuildProgress
    BuildReport BusyError Calibration CancelledError Chat CheckReport Citation Claim
    ClosedError Correction DatedPhrase Disagreement EnginePool EvidenceFound Filter
    Followed Hit IndexInfo KNOWN_SUFFIXES Kind News Rag RagError RemovalError Settings Status
    Story TextWritten Upload add_files add_sources ask build check feed follow followed
    format_of_path leave_out list_files list_indexes look_for_news news remove_files search
    summarize take_back timeline unfollow
    """.split()  # noqa: SIM905


def flow() -> list[str]:
    """The modules in the order of the README's table."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.partition("## How it is built")[2].partition("\n## ")[0]
    return re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)


def imports(tree: ast.AST) -> Iterator[tuple[str, str | None]]:
    """(module, name) of every import, wherever it stands; name is None for `import module`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "relative imports hide where a name comes from"
            yield from ((node.module or "", alias.name) for alias in node.names)


@functools.cache
def all_imports() -> dict[str, list[tuple[str, str | None]]]:
    """The imports of each file."""
    return {path: list(imports(tree)) for path, tree in trees().items()}


def inner_imports(path: str) -> Iterator[list[str]]:
    """The modules of `rag` that a file imports, as ["index", "catalog"]."""
    for module, name in all_imports()[path]:
        first, *rest = module.split(".")
        public = path.startswith("rag/page/") and module == "rag" and name in PUBLIC
        if first == "rag" and name != "__version__" and not public:
            yield rest or [name or ""]


def unit(path: str) -> str:
    """The module of the flow that a file belongs to: `rag/index/catalog.py` to `index`."""
    return Path(path).parts[1].removesuffix(".py")


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Attribute):
                yield function.attr, node
            elif isinstance(function, ast.Name):
                yield function.id, node


# Imports


def test_the_readme_lists_every_module() -> None:
    assert sorted(flow()) == sorted({unit(path) for path in PATHS} - {"__init__", "__main__"})


@pytest.mark.parametrize("path", [path for path in PATHS if unit(path) in flow()])
def test_modules_import_only_from_before_them(path: str) -> None:
    order = flow()
    before = order[: order.index(unit(path)) + 1]
    assert [".".join(found) for found in inner_imports(path) if found[0] not in before] == []


def test_the_command_is_all_that_main_imports() -> None:
    assert list(inner_imports("rag/__main__.py")) == [["cli"]]


def test_files_of_a_package_do_not_import_each_other_in_a_circle() -> None:
    graph: dict[str, set[str]] = {}
    for path in PATHS:
        name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        known = {
            ".".join(["rag", *found[:2]])
            for found in inner_imports(path)
            if found[0] == unit(path) and len(found) > 1
        }
        # The names that a package shares stand in its __init__.
        graph[name] = set() if path.endswith("__init__.py") else known
    assert set(graphlib.TopologicalSorter(graph).static_order()) >= {"rag.index.catalog"}


@pytest.mark.parametrize("library", NATIVE)
def test_a_native_library_has_one_home(library: str) -> None:
    users = {
        path
        for path, found in all_imports().items()
        if any(module.split(".")[0] == library for module, _ in found)
    }
    assert users <= NATIVE[library]


def test_import_loads_nothing_heavy_and_opens_nothing() -> None:
    code = """if True:
        import json, sys
        opened = []
        def hook(event, arguments):
            if event.startswith("socket.") or (
                event == "open" and not str(arguments[0]).endswith((".py", ".pyc"))
            ):
                opened.append([event, str(arguments[0])])
        sys.addaudithook(hook)
        import rag
        seen = list(opened)
        print(json.dumps([seen, sorted(sys.modules)]))
    """
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    opened, loaded = json.loads(run.stdout)
    assert opened == []
    assert [name for name in loaded if name.split(".")[0] == "rag"] == ["rag"]
    assert {"numpy", "pydantic", "typer", "rich", *NATIVE} & set(loaded) == set()


# Public names


def test_public_names() -> None:
    assert rag.__all__ == PUBLIC
    assert [name for name in PUBLIC if not hasattr(rag, name)] == []


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(rag, "nonsense")


@pytest.mark.parametrize("path", OUTSIDE, ids=lambda path: path.name)
def test_outside_only_public_names_are_used(path: Path) -> None:
    tree = ast.parse(path.read_text())
    used = [(m, name) for m, name in imports(tree) if m.split(".")[0] == "rag"]
    assert [
        pair
        for pair in used
        if pair[0] not in ("rag", *PUBLIC_MODULES) and not pair[0].startswith("rag.page")
    ] == []
    attributes = [
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "rag"
        and ("rag", None) in used
    ]
    names = {name for module, name in used if name and module == "rag"}
    assert names | set(attributes) <= set(PUBLIC)


# Who reads, writes and prints


def test_only_settings_reads_the_environment() -> None:
    readers = {
        path
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "environb"))
        or (isinstance(node, ast.ImportFrom) and node.module == "os")
    }
    assert readers == {"rag/settings.py"}


def test_only_the_command_prints() -> None:
    printers = {
        path
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Name) and node.id == "print")
        or (isinstance(node, ast.Attribute) and node.attr in ("stdout", "stderr"))
        if ast.unparse(node) in ("print", "sys.stdout", "sys.stderr")
    }
    assert {path for path in printers if not path.startswith("rag/cli/")} == set()


def test_only_index_and_models_write_files() -> None:
    writers = {
        (path, name)
        for path, tree in trees().items()
        for name, call in calls(tree)
        if name in WRITES or (name == "open" and _opens_for_writing(call))
    }
    assert {pair for pair in writers if not pair[0].startswith(WRITERS)} == set()


def _opens_for_writing(call: ast.Call) -> bool:
    texts = [*call.args, *(item.value for item in call.keywords if item.arg == "mode")]
    modes = [node.value for node in texts if isinstance(node, ast.Constant)]
    return any(
        isinstance(mode, str) and re.fullmatch(r"[rwaxbt+]*[wax+][bt+]*", mode) for mode in modes
    )


def test_no_array_is_unpickled() -> None:
    allowed = [
        path
        for path, tree in trees().items()
        for _, call in calls(tree)
        if any(item.arg == "allow_pickle" for item in call.keywords)
    ]
    assert allowed == []
