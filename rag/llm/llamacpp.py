"""The language model: a prompt to a completion, by llama.cpp.

One thread owns the model; questions wait for it in a bounded queue. Whatever that thread meets is
told to the one who asked, and a thread that is gone is noticed: nobody waits for ever. What
articles and people wrote is tokenized without special tokens, so a `<|im_end|>` inside an article
stays plain text.
"""

from __future__ import annotations

import codecs
import contextlib
import ctypes
import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import BusyError, ModelError, RagError
from rag.lifetime import Lifetime
from rag.llm import amx
from rag.llm.base import Prompt, Token
from rag.llm.waiting import Pieces, closed_meanwhile, gone, written
from rag.models.known import mend_for_damage

_BATCH_TOKENS = 512
# Private-use characters: they stand for the texts while the chat template is rendered.
_SYSTEM_MARK, _USER_MARK = "\ue000system\ue001", "\ue000user\ue001"


class _Job:
    def __init__(self, prompt: Prompt, max_tokens: int, cancelled: threading.Event) -> None:
        self.prompt = prompt
        self.max_tokens = max_tokens
        self.cancelled = cancelled
        self.pieces: Pieces = queue.SimpleQueue()

    def end(self, error: RagError | None = None) -> None:
        """Tell who asked that nothing more comes, and why."""
        self.pieces.put(error)


class LlamaCppLLM:
    """A GGUF model run by llama-cpp-python. See `LLM`."""

    def __init__(
        self,
        path: Path,
        *,
        name: str,
        context_tokens: int,
        n_threads: int,
        queue_size: int,
        n_gpu_layers: int = 0,
    ) -> None:
        """Load the model.

        Raises:
            ModelError: the file is not a GGUF model that llama.cpp reads, or llama.cpp would crash
                on this processor, or was not built for the GPU that is to hold layers.
        """
        import llama_cpp

        amx.check_build(llama_cpp)
        if n_gpu_layers and not llama_cpp.llama_supports_gpu_offload():
            raise ModelError(
                f"n_gpu_layers is {n_gpu_layers}, and llama.cpp was built here without a GPU",
                mend='CMAKE_ARGS="-DGGML_CUDA=on" pip install --force-reinstall --no-deps'
                " --no-cache-dir llama-cpp-python; or n_gpu_layers = 0",
            )
        self.name = name
        self._llama_cpp: Any = llama_cpp
        try:
            self._llama: Any = llama_cpp.Llama(
                str(path),
                n_ctx=context_tokens,
                n_batch=_BATCH_TOKENS,
                n_threads=n_threads,
                n_threads_batch=n_threads,
                n_gpu_layers=n_gpu_layers,
                flash_attn=True,
                verbose=False,
            )
        except (ValueError, RuntimeError, AssertionError, OSError) as error:
            raise ModelError(
                f"language model {name!r} ({path}) does not load: {error}",
                mend=mend_for_damage(name),
            ) from error
        self.context_tokens = self._llama.n_ctx()
        self._is_end: Callable[[int], bool] = lambda token: bool(
            llama_cpp.llama_vocab_is_eog(self._llama._model.vocab, token)
        )
        self._template = _template(self._llama)
        self._prefix: list[int] = []
        self._jobs: queue.Queue[_Job | None] = queue.Queue(maxsize=queue_size)
        self._life = Lifetime(f"language model {name!r}")
        self._gate = threading.Lock()  # nothing is queued, or tokenized, in the midst of closing
        self._owner = threading.Thread(target=self._work, name="rag-llm", daemon=True)
        self._owner.start()

    def count_tokens(self, text: str) -> int:
        """Tokens of a text."""
        self._life.check()
        with self._gate:
            self._life.check()
            return len(self._tokens(text, special=False))

    def complete(
        self, prompt: Prompt, *, max_tokens: int, cancelled: threading.Event | None = None
    ) -> Iterator[Token]:
        """The completion, token by token. See `LLM.complete`."""
        cancelled = cancelled or threading.Event()
        job = _Job(prompt, max_tokens, threading.Event())
        self._life.check()
        with self._gate:
            self._life.check()
            if not self._owner.is_alive():
                raise gone(self.name)
            try:
                self._jobs.put_nowait(job)
            except queue.Full as error:
                raise BusyError(
                    f"{self._jobs.maxsize} questions are waiting for the language model already",
                    mend="try again in a moment, or raise queue_size in the settings",
                ) from error
        return self._pieces(job, cancelled)

    def close(self) -> None:
        """Stop what is being written or waits, and free the model. Can be called twice.

        Who waits for an answer gets a `CancelledError`. It lasts until the model has read the batch
        or written the token that it is at.
        """
        if not self._life.close():
            return
        with self._gate:
            with contextlib.suppress(queue.Empty):
                while (job := self._jobs.get_nowait()) is not None:
                    job.end(closed_meanwhile())
            self._jobs.put_nowait(None)
        self._owner.join()
        with self._gate:
            self._llama.close()

    def _pieces(self, job: _Job, cancelled: threading.Event) -> Iterator[Token]:
        name, owner, life = self.name, self._owner, self._life
        try:
            yield from written(job.pieces, name=name, owner=owner, life=life, cancelled=cancelled)
        finally:
            job.cancelled.set()

    def _work(self) -> None:
        """The owner thread: nothing else touches the model's state."""
        while (job := self._jobs.get()) is not None:
            try:
                if not job.cancelled.is_set():
                    self._generate(job)
                job.end()
            except RagError as error:
                job.end(error)
            except BaseException as error:  # noqa: BLE001 who asked is told, and the next is served
                self._prefix = []  # nobody knows what the model's memory holds
                what = f"{type(error).__name__}: {error}"
                told = ModelError(f"language model {self.name!r} failed: {what}")
                told.__cause__ = error
                job.end(told)

    def _generate(self, job: _Job) -> None:
        prefix, rest = self._prompt_tokens(job.prompt)
        room = self.context_tokens - len(prefix) - len(rest)
        if room < 1:
            raise ValueError(f"the prompt has {len(prefix) + len(rest)} tokens")
        self._read_prefix(prefix)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        n_prompt = len(prefix) + len(rest)
        refused = self._first_tokens(job.prompt.refusal)
        refusal = 0.0

        def first_only(ids: Any, logits: Any) -> Any:
            nonlocal refusal
            if len(ids) == n_prompt and refused:
                refusal = float(_probabilities(logits)[refused].sum())
                logits[refused] = -np.inf
            return logits

        processors = self._llama_cpp.LogitsProcessorList([first_only])
        tokens = self._llama.generate([*prefix, *rest], temp=0.0, logits_processor=processors)
        for n_written, token in enumerate(tokens, start=1):
            if self._is_end(token) or job.cancelled.is_set():
                break
            if self._life.closed:
                raise closed_meanwhile()
            text = decoder.decode(self._llama.detokenize([token], special=False))
            job.pieces.put(Token(text, self._probability(token), refusal))
            refusal = 0.0
            if n_written >= min(job.max_tokens, room):
                break

    def _probability(self, token: int) -> float:
        """Of the token that was chosen last."""
        logits = self._llama_cpp.llama_get_logits_ith(self._llama._ctx.ctx, -1)
        n = self._llama.n_vocab()
        values = np.ctypeslib.as_array(ctypes.cast(logits, ctypes.POINTER(ctypes.c_float)), (n,))
        return float(_probabilities(values)[token])

    def _first_tokens(self, text: str) -> list[int]:
        """What a completion that begins with a text may begin with."""
        if not text:
            return []
        forms = (text, text.lower(), f" {text}")
        return sorted({self._tokens(form, special=False)[0] for form in forms})

    def _read_prefix(self, prefix: list[int]) -> None:
        """Leave exactly the constant prefix in the model's memory.

        What follows is then always evaluated in the same batches: the same prompt gives the same
        numbers, whatever was asked before (tests/test_llm.py::test_same_prompt_same_text).
        """
        if prefix != self._prefix:
            self._llama.reset()
            self._llama.eval(prefix)
            self._prefix = prefix
        self._llama.n_tokens = len(prefix)

    def _prompt_tokens(self, prompt: Prompt) -> tuple[list[int], list[int]]:
        before, between, after = self._template
        prefix = (
            self._tokens(before, special=True)
            + self._tokens(prompt.system, special=False)
            + self._tokens(between, special=True)
        )
        return prefix, self._tokens(prompt.user, special=False) + self._tokens(after, special=True)

    def _tokens(self, text: str, *, special: bool) -> list[int]:
        data = text.encode("utf-8", "replace")
        return self._llama.tokenize(data, add_bos=False, special=special) if data else []


def _probabilities(logits: Any) -> NDArray[np.float32]:
    """Softmax of logits, shape (n,)."""
    values = np.exp(logits - np.max(logits), dtype=np.float32)
    made: NDArray[np.float32] = values / values.sum()
    return made


def _template(llama: Any) -> tuple[str, str, str]:
    """The model's own chat template, cut at the system and the user text."""
    from llama_cpp.llama_chat_format import Jinja2ChatFormatter

    source = llama.metadata.get("tokenizer.chat_template")
    if not source:
        return f"{_bos(llama)}", "\n\n", "\nAnswer:"
    vocabulary = llama._model
    formatter = Jinja2ChatFormatter(
        template=source,
        eos_token=vocabulary.token_get_text(llama.token_eos()),
        bos_token=_bos(llama),
    )
    messages: Any = [
        {"role": "system", "content": _SYSTEM_MARK},
        {"role": "user", "content": _USER_MARK},
    ]
    text = str(formatter(messages=messages).prompt)
    before, _, rest = text.partition(_SYSTEM_MARK)
    between, _, after = rest.partition(_USER_MARK)
    return before, between, after


def _bos(llama: Any) -> str:
    token = llama.token_bos()
    return llama._model.token_get_text(token) if token >= 0 else ""
