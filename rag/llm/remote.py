"""A language model on a server that speaks OpenAI's protocol: Ollama, llama-server, vLLM, a cloud.

What is sent is the prompt, to the address that was set and to no other: redirects are not followed,
no proxy stands between this machine and itself, and of what the client would tell about itself and
take from the environment nothing goes along.

One thread runs the client's event loop, in which each question is a task: a task is cancelled
wherever it is, also while the server still reads the prompt, and the server sees the connection go.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import AsyncGenerator, Coroutine, Iterator
from concurrent.futures import Future
from typing import Any

from pydantic import SecretStr

from rag.errors import BusyError, ModelError, RagError, check_extra
from rag.lifetime import Lifetime
from rag.llm.base import Prompt, Token
from rag.llm.pieces import estimated_tokens, without_refusal
from rag.llm.waiting import Pieces, closed_meanwhile, written
from rag.settings import ModelServer

_CONNECT_SECONDS = 5.0
_RETRIES = 2
_SENT_HEADERS = {
    *("host", "accept", "accept-encoding", "connection", "content-type", "content-length"),
    *("authorization", "user-agent"),
}
# Not every server takes these: one that refuses a request for one of them is asked without it, or
# with what it is called there.
_OPTIONS = {"temperature": 0, "seed": 0}
_OTHER_NAMES = {"max_tokens": "max_completion_tokens"}
_MAX_TOLD = 300


class OpenAILLM:
    """A model on a server, by the `openai` client. See `LLM`.

    Where it differs from a model that runs here: tokens have no probability (1), a refusal is
    certain or none, and nothing keeps special tokens in texts of articles from being read as such.

    Args:
        server: Its address and the name of the model there.
        key: That the server asks for, if it does.
        context_tokens: Most tokens of prompt and completion together; the server is not asked.
        seconds: How long to wait for the server to go on.
        queue_size: Questions that may be asked at once.

    Raises:
        MissingExtraError: the client is not installed.
        ModelError: nobody answers there, or not to this key, or it has no model of that name.
    """

    def __init__(
        self,
        server: ModelServer,
        *,
        key: SecretStr | None = None,
        context_tokens: int = 4096,
        seconds: float = 120.0,
        queue_size: int = 8,
    ) -> None:
        check_extra("a language model on a server", extra="remote", library="openai")
        self.name = server.setting
        self.context_tokens = context_tokens
        self._server = server
        self._key = key
        self._seconds = seconds
        self._queue_size = queue_size
        self._options: dict[str, Any] = dict(_OPTIONS)
        self._limit = "max_tokens"
        self._asked: set[Future[None]] = set()
        self._life = Lifetime(f"language model {self.name!r}")
        self._gate = threading.Lock()  # nothing is asked in the midst of closing
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="rag-remote-llm", daemon=True
        )
        self._thread.start()
        try:
            self._client = self._wait(self._connect())
        except BaseException:
            self.close()
            raise

    def count_tokens(self, text: str) -> int:
        """Tokens of a text, counted too high rather than too low (`rag.llm.pieces`)."""
        self._life.check()
        return estimated_tokens(text)

    def complete(
        self, prompt: Prompt, *, max_tokens: int, cancelled: threading.Event | None = None
    ) -> Iterator[Token]:
        """The completion, piece by piece. See `LLM.complete`."""
        self._life.check()
        pieces: Pieces = queue.SimpleQueue()
        with self._gate:
            self._life.check()
            if len(self._asked) >= self._queue_size:
                raise BusyError(
                    f"{len(self._asked)} questions are waiting for the language model already",
                    mend="try again in a moment, or raise queue_size in the settings",
                )
            task = self._submit(self._answer(prompt, max_tokens, pieces))
            self._asked.add(task)
        task.add_done_callback(self._asked.discard)
        return self._pieces(task, pieces, cancelled or threading.Event())

    def close(self) -> None:
        """Stop what is being written, and let the connections go. Can be called twice."""
        if not self._life.close():
            return
        with self._gate:
            self._wait(self._disconnect())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    # In the thread of whoever asks

    def _submit(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._submit(work).result()

    def _pieces(
        self, task: Future[None], pieces: Pieces, cancelled: threading.Event
    ) -> Iterator[Token]:
        life, owner = self._life, self._thread
        try:
            yield from written(pieces, name=self.name, owner=owner, life=life, cancelled=cancelled)
        finally:
            if not life.copied:
                task.cancel()

    # In the thread of the event loop

    async def _connect(self) -> Any:
        """The client, once the server has answered that it is there and has the model."""
        import httpx2
        import openai

        http = httpx2.AsyncClient(
            follow_redirects=False,
            trust_env=not self._server.is_here,  # a proxy that this machine has set
            timeout=httpx2.Timeout(self._seconds, connect=_CONNECT_SECONDS),
            event_hooks={"request": [self._strip]},
        )
        self._client = openai.AsyncOpenAI(
            api_key=self._key.get_secret_value() if self._key else "none",
            base_url=self._server.url,
            http_client=http,
            timeout=http.timeout,
            max_retries=_RETRIES,
        )
        try:
            names = [model.id for model in (await self._client.models.list()).data or []]
        except (openai.NotFoundError, openai.APIResponseValidationError):
            return self._client  # not every server has a list
        except Exception as error:  # noqa: BLE001 whatever it is, it is told
            raise self._told(error) from None
        if names and not any(self._server.name in (name, name.removesuffix(":latest"))
                             for name in names):  # fmt: skip
            raise ModelError(
                f"the server at {self._server.url} has no model {self._server.name!r}",
                mend=f"name one that it has: {', '.join(sorted(names)[:8])}",
            )
        return self._client

    async def _disconnect(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if (client := getattr(self, "_client", None)) is not None:
            await client.close()

    async def _strip(self, request: Any) -> None:
        """Leave in a request only what it needs.

        The client would add an account of this machine, and what it found in the environment.
        """
        for name in list(request.headers):
            if name not in _SENT_HEADERS:
                del request.headers[name]
        request.headers["user-agent"] = "rag"
        request.headers.pop("authorization", None)
        if self._key is not None:
            request.headers["authorization"] = f"Bearer {self._key.get_secret_value()}"

    async def _answer(
        self,
        prompt: Prompt,
        max_tokens: int,
        pieces: Pieces,
    ) -> None:
        try:
            async with contextlib.aclosing(self._written(prompt, max_tokens)) as written:
                async for token in without_refusal(written, prompt.refusal):
                    pieces.put(token)
            pieces.put(None)
        except asyncio.CancelledError:
            pieces.put(closed_meanwhile())
            raise
        except RagError as error:
            pieces.put(error)
        except Exception as error:  # noqa: BLE001 who asked is told
            pieces.put(self._told(error))

    async def _written(self, prompt: Prompt, max_tokens: int) -> AsyncGenerator[str, None]:
        """The pieces that the server sends, at most `max_tokens`."""
        async with await self._requested(prompt, max_tokens) as stream:
            n_pieces, ended = 0, None
            async for chunk in stream:
                for choice in chunk.choices[:1]:
                    ended = choice.finish_reason or ended
                    if choice.delta.content and n_pieces < max_tokens:
                        n_pieces += 1
                        yield choice.delta.content
                if n_pieces >= max_tokens:
                    return
            if ended is None:
                raise ModelError(
                    f"the server at {self._server.url} ended in the midst of it",
                    mend="look into its log; a prompt that is larger than its context may end so"
                    " (context_tokens in the settings)",
                )
            if ended == "length":
                # Pieces may hold several tokens; what reads them counts to see that it was cut.
                for _ in range(n_pieces, max_tokens):
                    yield ""

    async def _requested(self, prompt: Prompt, max_tokens: int) -> Any:
        """The stream of a completion; asked for again without an option that is refused."""
        import openai

        while True:
            options = {**self._options, self._limit: max_tokens}
            try:
                return await self._client.chat.completions.create(
                    model=self._server.name,
                    messages=[
                        {"role": "system", "content": prompt.system},
                        {"role": "user", "content": prompt.user},
                    ],
                    stream=True,
                    **options,
                )
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                refused = next((name for name in options if name in str(error)), None)
                if refused in self._options:
                    self._options = {k: v for k, v in self._options.items() if k != refused}
                elif refused in _OTHER_NAMES:
                    self._limit = _OTHER_NAMES[refused]
                else:
                    raise

    def _told(self, error: Exception) -> RagError:
        """What went wrong, in this package's words; a key that a server repeats is left out."""
        import httpx2
        import openai

        where = f"the server at {self._server.url}"
        if isinstance(error, openai.APITimeoutError | httpx2.TimeoutException):
            what = f"{where} did not go on for {self._seconds:g} s"
            return ModelError(what, mend="raise model_seconds in the settings, or ask it for less")
        if isinstance(error, openai.APIConnectionError | httpx2.HTTPError):
            cause = error.__cause__ or error
            what = f"{where} cannot be reached, or left: {cause or type(cause).__name__}"
            mend = "start it there, or name another model (RAG_MODEL)"
        elif isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
            what, mend = f"{where} does not take the key: {error}", "set RAG_MODEL_KEY to yours"
        elif isinstance(error, openai.RateLimitError):
            return BusyError(self._brief(f"{where} is asked too much: {error}"),
                             mend="try again in a moment")  # fmt: skip
        else:
            what, mend = f"{where} failed: {type(error).__name__}: {error}", None
        return ModelError(self._brief(what), mend=mend)

    def _brief(self, text: str) -> str:
        if self._key is not None:
            text = text.replace(self._key.get_secret_value(), "…")
        return text if len(text) <= _MAX_TOLD else f"{text[:_MAX_TOLD]}…"
