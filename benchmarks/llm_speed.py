"""What threads, batches, another quantization, a kept prefix and a draft model buy: one table.

    python benchmarks/llm_speed.py [--tokens 512] [--write 32] [--work SCRATCH] [--only NAME …]

Reads a prompt of so many tokens (passages of the seeds' articles, again and again, each time with
another word before it) with llama.cpp and writes so many more, greedily. Tokens a second by the
clock and by the processor; each way once, with a model that was loaded for it. Q4_0 is made from
the Q4_K_M file, in SCRATCH: its speed is what counts here, its answers would be worse. Prints a
table and writes results/llm-speed.json. With the sizes as they come five minutes on two cores.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
from llama_cpp.llama_speculative import LlamaDraftModel, LlamaPromptLookupDecoding
from machine import describe

from rag import Settings

HERE = Path(__file__).parent
RESULT = HERE / "results" / "llm-speed.json"
SMALL, LARGE = "qwen2.5-coder-0.5b-instruct", "qwen2.5-coder-1.5b-instruct"
BATCHES = (128, 256, 512, 1024, 2048)
DRAFTED = 6  # tokens that are proposed at once
QUESTION = (
    "\n\nTell what the passages say, in their own words, sentence by sentence, from the first on."
)


class SmallDraft(LlamaDraftModel):
    """A small model that proposes what comes next.

    Leviathan, Kalman and Matias, "Fast Inference from Transformers via Speculative Decoding",
    ICML 2023; greedy, so that what is written is what the large model writes alone.
    """

    def __init__(self, llama: llama_cpp.Llama, n_tokens: int) -> None:
        self._llama = llama
        self._n_tokens = n_tokens

    def __call__(self, input_ids: Any, /, **kwargs: Any) -> Any:
        proposed = []
        for token in self._llama.generate(input_ids.tolist(), temp=0.0):
            proposed.append(token)
            if len(proposed) == self._n_tokens:
                break
        return np.array(proposed, dtype=np.intc)


class Bench:
    """The model files, the texts, and a row for each way."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self._models = Settings().models_dir
        self._threads = Settings().threads
        seeds = sorted((HERE.parent / "seeds").glob("*"))
        self._text = "\n\n".join(path.read_text("utf-8") for path in seeds if path.is_file())
        self.rows: list[dict[str, Any]] = []

    def ways(self) -> Iterator[str]:
        """Do one way after the other; yields its name."""
        for n_threads in range(1, self._threads + 1):
            yield self.row(f"threads {n_threads}", n_threads=n_threads)
        for size in BATCHES:
            yield self.row(f"n_batch = n_ubatch = {size}", longer=2, n_batch=size, n_ubatch=size)
        yield self.row("n_batch 2048, n_ubatch 512", longer=2, n_batch=2048, n_ubatch=512)
        if self.wanted("Q4_0"):
            yield self.row("Q4_0", path=self.as_q4_0())
        yield self.row("prefix kept", keeps_prefix=True)
        yield self.row("drafts by prompt lookup", draft=lambda: self.lookup())
        yield self.row("drafts by the 0.5B model", draft=lambda: self.small_draft())

    def wanted(self, name: str) -> bool:
        return not self._args.only or any(part in name for part in self._args.only)

    def row(self, name: str, **options: Any) -> str:
        if self.wanted(name):
            self.rows.append({"way": name, **self.measured(**options)})
        return name

    def lookup(self) -> LlamaDraftModel:
        return LlamaPromptLookupDecoding(max_ngram_size=3, num_pred_tokens=DRAFTED)

    def small_draft(self) -> LlamaDraftModel:
        return SmallDraft(self.loaded(self.file(SMALL)), DRAFTED)

    def file(self, name: str) -> Path:
        return next(self._models.glob(f"{name}*.gguf"))

    def measured(
        self,
        *,
        path: Path | None = None,
        longer: int = 1,
        keeps_prefix: bool = False,
        draft: Any = None,
        **options: Any,
    ) -> dict[str, Any]:
        """Tokens a second of reading and writing; of reading alone, with `longer` prompts."""
        n_tokens = longer * self._args.tokens
        options |= {"draft_model": draft and draft(), "n_ctx": n_tokens + self._args.write + 64}
        # Drafts are checked by the logits of every place; 0.3.36 keeps room for a batch of them.
        options |= {"logits_all": draft is not None}
        llama = self.loaded(path or self.file(LARGE), **options)
        try:
            llama.eval(llama.tokenize(b"Warm up."))
            if keeps_prefix:  # as of a second question about the same passages, three quarters
                self.run(llama, self.prompt(llama, n_tokens, "x"), 0)
            prompt = self.prompt(llama, n_tokens, "y", same=0.75 if keeps_prefix else 0.0)
            reads_only = longer > 1 or keeps_prefix
            return self.run(llama, prompt, 0 if reads_only else self._args.write)
        finally:
            llama.close()

    def loaded(self, path: Path, **options: Any) -> llama_cpp.Llama:
        wanted = {"n_threads": self._threads, "n_batch": 512, "n_ubatch": 512, **options}
        wanted["n_threads_batch"] = wanted["n_threads"]
        wanted.setdefault("n_ctx", self._args.tokens + self._args.write + 64)
        return llama_cpp.Llama(str(path), flash_attn=True, verbose=False, **wanted)

    def prompt(
        self, llama: llama_cpp.Llama, n_tokens: int, word: str, *, same: float = 0.0
    ) -> list[int]:
        """A prompt whose tokens are those of every other one, up to a share, and then not."""
        question = llama.tokenize(
            f"{QUESTION}<|im_end|>\n<|im_start|>assistant\n".encode(), add_bos=False, special=True
        )
        text = llama.tokenize(self._text.encode(), add_bos=False)
        room = n_tokens - len(question) - 8
        text = (text * (room // len(text) + 1))[:room]
        at = int(same * room)
        mark = llama.tokenize(f" {word}".encode(), add_bos=False)
        start = llama.tokenize(b"<|im_start|>user\n", add_bos=False, special=True)
        return [*start, *text[:at], *mark, *text[at:], *question]

    def run(self, llama: llama_cpp.Llama, prompt: Sequence[int], n_tokens: int) -> dict[str, Any]:
        started, spent = time.perf_counter(), time.process_time()
        written = llama.generate(list(prompt), temp=0.0)
        tokens = [next(written)]
        read, read_spent = time.perf_counter() - started, time.process_time() - spent
        started, spent = time.perf_counter(), time.process_time()
        while len(tokens) <= n_tokens:
            tokens.append(next(written))
        wrote, wrote_spent = time.perf_counter() - started, time.process_time() - spent
        told: dict[str, Any] = {
            "read_seconds": round(read, 2),
            "read": round(len(prompt) / read, 1),
            "read_by_processor": round(len(prompt) / read_spent, 1),
        }
        if n_tokens:
            told |= {
                "written": round(n_tokens / wrote, 2),
                "written_by_processor": round(n_tokens / wrote_spent, 2),
                "text": llama.detokenize(tokens).decode("utf-8", "replace"),
            }
        return told

    def as_q4_0(self) -> Path:
        """The large model quantized anew, made on first use."""
        path = self._args.work / "q4_0.gguf"
        if not path.exists():
            options = llama_cpp.llama_model_quantize_default_params()
            options.ftype = llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_0
            options.allow_requantize = True
            options.nthread = self._threads
            part = path.with_suffix(".part")
            source, made = (str(one).encode() for one in (self.file(LARGE), part))
            if llama_cpp.llama_model_quantize(source, made, ctypes.byref(options)):
                sys.exit("llama.cpp could not quantize the model anew")
            part.rename(path)
        return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tokens", type=int, default=512, help="of the prompt")
    parser.add_argument("--write", type=int, default=32, help="tokens that are written")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--only", nargs="*", help="parts of the names of ways")
    parser.add_argument("--out", type=Path, default=RESULT)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    before, bench, started = describe(), Bench(args), time.perf_counter()
    for name in bench.ways():
        print(f"{time.perf_counter() - started:5.0f} s  {name}", file=sys.stderr)
    report = {"machine": before, "llama_cpp_python": llama_cpp.__version__,
              "built": llama_cpp.llama_print_system_info().decode(), "prompt_tokens": args.tokens,
              "written_tokens": args.write, "ways": bench.rows}  # fmt: skip
    args.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(table(bench.rows))


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Markdown."""
    names = ("read", "read_by_processor", "written", "written_by_processor")
    lines = [
        "| way | read/s | … of processor | written/s | … of processor |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        cells = (str(row.get(name, "–")) for name in names)
        lines.append(f"| {row['way']} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
