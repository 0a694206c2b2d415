"""What the commands write: results to stdout, everything else to stderr.

Texts of articles are written by strangers: no control character of theirs reaches the terminal,
and nothing in them is read as markup.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import sys
from collections.abc import Iterator, Sequence
from typing import IO, TYPE_CHECKING, Any

from rag.errors import RagError

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import Console
    from rich.text import Text

    from rag.answering.answer import Answer
    from rag.article import Article
    from rag.retrieval import Hit
    from rag.settings import Settings

# C0 (but newline and tab), DEL and C1 start terminal sequences; the rest turns the direction of
# what follows, or cannot be encoded.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """A text that a terminal shows and never obeys: unsafe characters become U+FFFD."""
    return _UNSAFE.sub("\ufffd", text)


def line(text: str) -> str:
    """`printable`, on one line."""
    return " ".join(printable(text).split())


class Results:
    """stdout, which says what is wrong with it where it cannot be written.

    Args:
        stream: The real one. A closed pipe stays a `BrokenPipeError`: nobody wants to read more.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Like a file's.

        Raises:
            RagError: it cannot be written. What follows goes nowhere, without a word.
        """
        if text == "":  # only somebody who tries what kind of file this is
            return 0
        with self._told():
            return self._stream.write(text)

    def flush(self) -> None:
        """Like a file's; see `write`."""
        with self._told():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            silence(self._stream)
            problem = "it is closed" if error.errno == errno.EBADF else error.strerror
            raise RagError(
                f"the results cannot be written to stdout: {problem}",
                mend="send them elsewhere, and run the same command again",
            ) from error


def log() -> Console:
    """The console on stderr."""
    from rich.console import Console

    file: Any = _Stderr()
    return Console(file=file, markup=False, highlight=False, emoji=False, soft_wrap=True)


def tell_where_it_goes(settings: Settings) -> None:
    """Say on stderr what will leave this machine, where anything will."""
    if settings.sends_to:
        log().print(
            f"Questions and sentences of articles are sent to {settings.sends_to}: the language"
            " model that is set runs there."
        )


class _Stderr:
    """Writes to stderr as long as that can be written: a build does not fail for want of a log."""

    def write(self, text: str) -> None:
        with _silenced_when_broken(sys.stderr):
            sys.stderr.write(text)

    def flush(self) -> None:
        with _silenced_when_broken(sys.stderr):
            sys.stderr.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(sys.stderr, name)


@contextlib.contextmanager
def _silenced_when_broken(stream: IO[str]) -> Iterator[None]:
    try:
        yield
    except OSError:
        silence(stream)


def silence(stream: IO[str]) -> None:
    """Send to nowhere what a stream still holds, and what follows.

    Python's own advice (library/signal): where nothing can be written, nothing may be flushed at
    exit either, which leaves a traceback.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def out() -> Console:
    """The console on stdout."""
    from rich.console import Console

    class Output(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # `rag.cli` ends the command

    console = Output(markup=False, highlight=False, emoji=False)
    # Not a terminal: nobody wants lines broken at column 80.
    return console if console.is_terminal else Output(
        markup=False, highlight=False, emoji=False, soft_wrap=True, width=10_000
    )  # fmt: skip


def show_error(error: RagError) -> None:
    """The message, and what mends it."""
    console = log()
    console.print(printable(f"Error: {error.message}"))
    if error.mend:
        console.print(printable(f"  To mend it: {error.mend}"))


def print_json(value: BaseModel | Sequence[BaseModel]) -> None:
    """One object, or a list of them."""
    if isinstance(value, Sequence):
        parts = [item.model_dump_json(indent=2) for item in value]
        text = "[" + ",\n".join(parts) + "]"
    else:
        text = value.model_dump_json(indent=2)
    sys.stdout.write(_safe_json(text) + "\n")


def print_json_lines(values: Sequence[BaseModel]) -> None:
    """A line of JSON for each."""
    for value in values:
        sys.stdout.write(_safe_json(value.model_dump_json()) + "\n")


def _safe_json(text: str) -> str:
    # JSON escapes C0 itself; the others may stand in its strings only, where \u is the same.
    return _UNSAFE.sub(
        lambda found: f"\\u{ord(found[0]):04x}" if ord(found[0]) > 31 else found[0], text
    )


def paragraph(text: str | Text, indent: int = 0, style: str = "") -> None:
    """A paragraph on stdout; a terminal breaks its lines inside the indent."""
    from rich.padding import Padding
    from rich.text import Text

    console = out()
    styled = Text(text, style=style) if isinstance(text, str) else text
    if console.is_terminal:
        console.print(Padding(styled, (0, 0, 0, indent), expand=False))
    else:
        console.print(" " * indent + styled.plain)


def show_answer(answer: Answer) -> None:
    """The text, then what it cites; for no answer the nearest passages."""
    for correction in answer.corrections:
        meant = f"Did you mean “{correction.meant}” by “{correction.written}”?"
        paragraph(line(f"{meant} In quotation marks it is searched as written."), style="dim")
    paragraph(printable(answer.text))
    for citation in answer.citations:
        paragraph("")
        paragraph(f"[{citation.number}] {line(citation.quote)}", style="italic")
        paragraph(heading(citation), indent=4)
        paragraph(where(citation), indent=4, style="dim")
    if answer.closest:
        paragraph("\nThe closest passages; none of them is an answer:")
        for citation in answer.closest:
            paragraph("")
            paragraph(line(citation.quote), indent=4, style="italic")
            paragraph(heading(citation), indent=4)
            paragraph(where(citation), indent=4, style="dim")
    if answer.left_out:
        n = len(answer.left_out)
        told = f"{n} sentence{'s' * (n > 1)} left out: meant for a machine, not for readers:"
        log().print(told, style="dim")
        for citation in answer.left_out:
            log().print(line(f"  “{citation.quote}” {heading(citation)}"), style="dim")
    if answer.note:
        log().print(line(answer.note), style="dim")
    sure = "unknown" if answer.confidence is None else f"{answer.confidence:.2f}"
    log().print(
        f"{answer.status}, confidence {sure}, index {answer.index} version"
        f" {answer.version}, {answer.timings.get('total', 0.0):.1f} s",
        style="dim",
    )


def show_hits(hits: Sequence[Hit], *, explain: bool = False) -> None:
    """The hits, each with its passage; the best sentence stands out on a terminal."""
    from rich.text import Text

    for hit in hits:
        if hit.rank > 1:
            paragraph("")
        paragraph(f"{hit.rank}. {heading(hit)}  (score {hit.score:.3f})", style="bold")
        paragraph(where(hit), indent=4, style="dim")
        if hit.superseded_by:
            told = f"no longer in the newest version of the article: {hit.superseded_by}"
            paragraph(line(told), indent=4, style="dim")
        for other in hit.also_in:
            told = f"also in {heading(other)}, {where(other)} ({other.relation})"
            paragraph(told, indent=4, style="dim")
        if explain:
            paragraph(_parts(hit), indent=4, style="dim")
        before, after = hit.sentence_start - hit.start, hit.sentence_end - hit.start
        parts = (hit.text[:before], hit.text[before:after], hit.text[after:])
        words = [line(part) for part in parts]
        passage = Text(" ").join(
            Text(part, style="underline" if part is words[1] else "") for part in words if part
        )
        paragraph(passage, indent=4)
    if not hits:
        log().print("Nothing found: no article passes the filter, or the index is empty.")


def _parts(hit: Hit) -> str:
    """What the score is made of (see `rag.retrieval.HitScores`)."""
    parts = hit.scores.model_dump(exclude_none=True)
    return ", ".join(f"{name.replace('_', ' ')} {value:.2f}" for name, value in parts.items())


def heading(found: Article | object) -> str:
    """Title, source and day, as far as they are known."""
    title = line(getattr(found, "title", "")) or "(no title)"
    known = (getattr(found, "source", None), getattr(found, "published", None))
    rest = ", ".join(line(str(part)) for part in known if part)
    return f"{title} — {rest}" if rest else title


def where(found: object) -> str:
    """File, page where there are pages, and span: path, p. 3:start-end."""
    path = line(str(getattr(found, "path", None) or getattr(found, "article_id", "")))
    page = getattr(found, "page", None)
    place = path if page is None else f"{path}, p. {page}"
    if getattr(found, "start", 0) is None:
        return place
    return f"{place}:{getattr(found, 'start', 0)}-{getattr(found, 'end', 0)}"
