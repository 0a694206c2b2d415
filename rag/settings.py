"""Settings: defaults < `rag.toml` < environment (`RAG_*`) < keyword or flag.

The only module that reads or writes the environment. What is chosen when an index is built
(chunking, embedding model) does not stand here but in `indexes/<name>/index.toml`.
"""

from __future__ import annotations

import contextlib
import difflib
import errno
import ipaddress
import os
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlsplit

import platformdirs
from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from rag.errors import SettingsError

CONFIG_FILE = Path("rag.toml")
ENV_PREFIX = "RAG_"
# Set before the libraries are imported, which is when they read it.
_SILENCE = {
    "ORT_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_USAGE_STATS_REPORT_URL": "http://127.0.0.1:9",  # where Ray tells that it is switched off
    "PYTHON_DOTENV_DISABLED": "1",  # pymilvus would take any .env above it into the environment
}
_GRADIO_PREFIX, _HOSTED_BY = "GRADIO_", ("SPACE_ID", "KAGGLE_KERNEL_RUN_TYPE")
_MILVUS_PREFIX = "MILVUS_"
_NO_PROXY = ("no_proxy", "NO_PROXY")
_NOWHERE = {
    **dict.fromkeys(
        ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9"
    ),
    **dict.fromkeys(_NO_PROXY, "127.0.0.1,localhost"),
}


def _folder(path: Path) -> Path:
    """A path of a folder with `~` replaced, which every library that opens files there can take."""
    problem = None
    try:
        path = path.expanduser()
        str(path.absolute()).encode()
        path.stat()
    except RuntimeError:
        problem = "nobody knows whose home that is"
    except UnicodeEncodeError:
        problem = "the path is not valid UTF-8, and not every library here can open it"
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            problem = "the path has a name that is too long"
    except ValueError:
        problem = "there is a null character in it"
    if problem is not None:
        raise PydanticCustomError("folder", problem)
    return path


Folder = Annotated[Path, AfterValidator(_folder)]


class ModelServer(NamedTuple):
    """Where a language model runs that is not run here: `openai:URL#NAME` taken apart.

    Attributes:
        url: Of the interface, as `http://localhost:11434/v1`.
        name: What the model is called there.
        origin: Scheme, host and port of `url`.
        is_here: Whether the address is this machine's own (loopback), whatever listens there.
    """

    url: str
    name: str
    origin: str
    is_here: bool

    @property
    def setting(self) -> str:
        """As it stands in a setting, and in answers."""
        return f"openai:{self.url}#{self.name}"


def model_server(model: str) -> ModelServer | None:
    """The server that a model's setting or name speaks of; None for a model that runs here.

    Raises:
        ValueError: it begins with `openai:` and goes on as no such address.
    """
    scheme, colon, address = model.partition(":")
    if not colon or scheme != "openai":
        return None
    url, _, name = address.partition("#")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or not name:
        raise ValueError("a model on a server is openai:http://HOST:PORT/v1#NAME")
    if "@" in parts.netloc or parts.query:
        raise ValueError("a key does not belong into the address; set RAG_MODEL_KEY")
    origin = f"{parts.scheme}://{parts.netloc}"
    _ = parts.port  # raises where it is none
    return ModelServer(url.rstrip("/"), name, origin, _is_loopback(parts.hostname))


def sent_to(model: str) -> str | None:
    """Where what a model is asked is sent off this machine, as https://host; None: nowhere.

    Args:
        model: Its setting, or the name of a model that one has.
    """
    try:
        server = model_server(model)
    except ValueError:  # somebody's own name for their own model
        return None
    return server.origin if server and not server.is_here else None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name, which only one is known of without asking anybody
        return host == "localhost"


def _model(setting: str) -> str:
    try:
        model_server(setting)
    except ValueError as error:
        raise PydanticCustomError("model", "{problem}", {"problem": str(error)}) from error
    return setting


def _key(key: SecretStr) -> SecretStr:
    """A key without blanks around it; what cannot stand in a header would be told in errors."""
    text = key.get_secret_value().strip()
    if not (text and text.isascii() and text.isprintable()):
        raise PydanticCustomError("key", "it must be of printable ASCII characters")
    return SecretStr(text)


class Settings(BaseSettings):
    """How `rag` works on this machine. Frozen and hashable.

    Raises:
        SettingsError: for an unknown key (the nearest valid one is named) or a bad value.
    """

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, extra="forbid")

    index_dir: Folder = Field(
        Path("indexes"), description="Folder of indexes.", validate_default=True
    )
    models_dir: Folder = Field(
        default_factory=lambda: platformdirs.user_data_path("rag", appauthor=False) / "models",
        description="Folder of downloaded models.",
    )
    page_dir: Folder = Field(
        default_factory=lambda: platformdirs.user_data_path("rag", appauthor=False) / "page",
        description="Folder of what the page keeps: conversations, by browser, and remarks on"
        " answers.",
    )
    conversation_days: int = Field(
        0,
        ge=0,
        le=36_500,
        description="Days that the page keeps a conversation after its last question; 0 keeps it"
        " until it is deleted.",
    )
    model: Annotated[str, AfterValidator(_model)] = Field(
        "qwen2.5-coder-1.5b-instruct",
        description="Language model: a name that `rag models` lists, the path of a GGUF file,"
        " the address of one on the hub that was pulled (hf:OWNER/REPOSITORY[:FILE]), or one on a"
        " server (openai:http://HOST:PORT/v1#NAME), to which questions and passages are then sent.",
    )
    model_key: Annotated[SecretStr, AfterValidator(_key)] | None = Field(
        None, description="Key that the server of the language model asks for."
    )
    model_seconds: float = Field(
        120.0,
        ge=1.0,
        le=3600.0,
        description="How long to wait for the server of the language model to go on.",
    )
    n_threads: int = Field(
        0, ge=0, le=1024, description="Threads for the models; 0 takes every core there is."
    )
    n_gpu_layers: int = Field(
        0,
        ge=-1,
        le=1000,
        description="Layers of the language model that a GPU holds, where llama.cpp was built for"
        " one; -1 gives it all of them.",
    )
    context_tokens: int = Field(
        4096, ge=512, description="Context window opened for the language model, in tokens."
    )
    max_answer_tokens: int = Field(
        96, ge=8, le=4096, description="Most tokens the language model may write for one answer."
    )
    queue_size: int = Field(
        8, ge=1, le=10_000, description="Questions that may wait for the language model."
    )
    reranker: str | None = Field(
        None,
        description="Cross-encoder that reads the best hits again: its folder, or the name that it"
        " has in the cache of the Hugging Face hub on this machine; none by default.",
    )
    k: int = Field(5, ge=1, le=1000, description="Hits per question.")
    evidence_sentences: int = Field(
        8, ge=1, le=50, description="Source sentences given to the language model, at most."
    )
    min_evidence: float | None = Field(
        None,
        ge=0.0,
        le=1.0,
        description="Below this likelihood that what was found answers the question, the answer is"
        " `no_answer` and the language model is not asked: higher is stricter. By default what was"
        " fitted for the embedding and the language model; where nothing was, it does not hold.",
    )
    min_confidence: float | None = Field(
        None,
        ge=0.0,
        le=1.0,
        description="An answer with less confidence than this is not given, but `no_answer` with"
        " the closest passages: higher is stricter. None takes what was fitted for the embedding"
        " and the language model.",
    )
    ranker: bool = Field(
        True,
        description="Whether the package's own small model reads the question together with each"
        " sentence that was found, to choose the evidence.",
    )

    def __init__(self, **values: Any) -> None:
        _refuse_unknown(values, "keyword")
        try:
            super().__init__(**values)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(map(str, first["loc"]))
            secret = "model_key" in key
            given = "" if secret else f" (given: {_without_password(repr(first['input']))})"
            # Pydantic's own error shows what was given.
            cause = None if secret or key == "model" else error
            raise SettingsError(f"setting {key!r}: {first['msg']}{given}") from cause

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order of precedence, highest first."""
        given = [key for key in os.environ if key.startswith(ENV_PREFIX)]
        _refuse_unknown(
            {key.removeprefix(ENV_PREFIX).lower(): None for key in given}, "environment variable"
        )
        return init_settings, env_settings, _TomlFile(settings_cls)

    @property
    def sends_to(self) -> str | None:
        """Where questions and passages are sent off this machine, as https://host; None: nowhere.

        They are when the language model is asked, and its address is not this machine's own.
        """
        return sent_to(self.model)

    @property
    def threads(self) -> int:
        """Number of threads to use, at least 1."""
        return self.n_threads or len(os.sched_getaffinity(0))


def silence_telemetry() -> None:
    """Tell the libraries that would report on their use not to; call it before importing them."""
    os.environ.update(_SILENCE)


def leave_gradio_no_settings(uploads: Path, hosts: Sequence[str]) -> None:
    """Take away what the environment would have Gradio do; call it before importing Gradio.

    Its variables open files (`GRADIO_ALLOWED_PATHS`), share the page with the world, start tools
    for developers, and more in each release.

    Args:
        uploads: Where it keeps what is uploaded: a folder of this page's own, for whatever lies
            there is served.
        hosts: Names of this machine that it speaks to itself by: past any proxy.
    """
    silence_telemetry()
    for name in list(os.environ):
        if name.startswith(_GRADIO_PREFIX) or name in _HOSTED_BY:
            del os.environ[name]
    os.environ[f"{_GRADIO_PREFIX}TEMP_DIR"] = str(uploads)
    known = next((os.environ[name] for name in _NO_PROXY if os.environ.get(name)), "")
    for name in _NO_PROXY:
        os.environ[name] = ",".join([*filter(None, [known]), *hosts])


def leave_milvus_no_settings() -> None:
    """Take away what the environment would have pymilvus do; call it before importing that.

    Its variables name a server to be used where none is named.
    """
    silence_telemetry()
    for name in list(os.environ):
        if name.startswith(_MILVUS_PREFIX):
            del os.environ[name]


@contextlib.contextmanager
def http_to_this_machine() -> Iterator[None]:
    """What is started meanwhile speaks HTTP to this machine alone.

    For programs that ask around, as Ray does which cloud it is in, and take no setting against it.
    """
    before = {name: os.environ.get(name) for name in _NOWHERE}
    os.environ.update(_NOWHERE)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _without_password(shown: str) -> str:
    return re.sub(r"(?<=//)[^/@]*@|(?<=\?)[^#'\"]*", "…", shown)


class _TomlFile(PydanticBaseSettingsSource):
    """`rag.toml` of the working directory, if there is one."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        raise AssertionError("not used: __call__ gives all fields at once")

    def __call__(self) -> dict[str, Any]:
        try:
            values = tomllib.loads(CONFIG_FILE.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            raise SettingsError(f"{CONFIG_FILE.resolve()}: {error}") from error
        _refuse_unknown(values, str(CONFIG_FILE))
        return values


def _refuse_unknown(values: dict[str, Any], where: str) -> None:
    known = list(Settings.model_fields)
    for key in values:
        if key not in known:
            shown = ENV_PREFIX + key.upper() if where == "environment variable" else key
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.0)[0]
            hint = ENV_PREFIX + near.upper() if where == "environment variable" else near
            raise SettingsError(f"unknown setting {shown!r} ({where}); the nearest is {hint!r}")
