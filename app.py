"""The page: questions in the browser, answered on this machine. `rag ui` or `python app.py`.

Texts of articles are written by strangers: everything shown is escaped. The page listens on
127.0.0.1 only, is never shared, and reports nothing to anybody.
"""

from __future__ import annotations

import html
import threading
from collections.abc import Callable, Iterator, Sequence

import gradio as gr

from rag import (
    Answer,
    AnswerReady,
    Citation,
    EvidenceFound,
    Hit,
    Rag,
    RagError,
    Settings,
    list_indexes,
)

HOST = "127.0.0.1"


def build_page(open_index: Callable[[str], Rag], indexes: Sequence[str]) -> gr.Blocks:
    """The page.

    Args:
        open_index: Gives the engine for an index; called at each question.
        indexes: Names to choose from; the first is chosen.
    """

    def ask(question: str, index: str) -> Iterator[tuple[str, str]]:
        """What is in the boxes for answer and hits, again and again until the answer is checked."""
        hits, draft = "", ""
        try:
            for event in open_index(index).stream(question):
                if isinstance(event, AnswerReady):
                    yield _answer(event.answer), _hits(event.answer.hits)
                elif isinstance(event, EvidenceFound):
                    hits = _hits(event.hits)
                    yield "<p><em>reading …</em></p>", hits
                else:
                    draft += event.text
                    yield f"<p><em>{html.escape(draft)}</em></p>", hits
        except RagError as error:
            yield f"<p><strong>Error:</strong> {html.escape(str(error))}</p>", ""

    # The parameter, and not GRADIO_ANALYTICS_ENABLED: it holds whatever the environment says.
    with gr.Blocks(title="rag", analytics_enabled=False) as page:
        question = gr.Textbox(label="Question", placeholder="Ask, then Enter", autofocus=True)
        index = gr.Dropdown(list(indexes), value=indexes[0], label="Index")
        button = gr.Button("Ask", variant="primary")
        answer = gr.HTML(label="Answer")
        with gr.Accordion("Passages found", open=False):
            hits = gr.HTML()
        gr.on(
            [question.submit, button.click],
            ask,
            [question, index],
            [answer, hits],
            api_name="ask",
            concurrency_limit=4,
        )
    return page


def _answer(answer: Answer) -> str:
    cited = "".join(
        f'<li value="{citation.number}">{html.escape(citation.quote)}<br>'
        f"<small>{_heading(citation)}</small></li>"
        for citation in answer.citations
    )
    return (
        f"<p>{html.escape(answer.text)}</p><ol>{cited}</ol>"
        f"<p><small>{answer.status}, confidence {answer.confidence:.2f}</small></p>"
    )


def _hits(hits: Sequence[Hit]) -> str:
    items = (f"<li><small>{_heading(hit)}</small><br>{html.escape(hit.text)}</li>" for hit in hits)
    return f"<ol>{''.join(items)}</ol>"


def _heading(found: Citation | Hit) -> str:
    """Title, source, day, file and span, escaped."""
    place = f"{found.path or found.article_id}:{found.start}-{found.end}"
    parts = (found.title, found.source, found.published, place)
    return html.escape(" · ".join(str(part) for part in parts if part))


def main(
    index: str = "seeds", port: int | None = None, open_index: Callable[..., Rag] = Rag.open
) -> None:
    """Serve the page until Ctrl-C.

    Args:
        index: Chosen at first.
        port: On 127.0.0.1; None takes the first free one from 7860.
        open_index: Like `Rag.open`; tests open one with fakes.

    Raises:
        RagError: no index is built, or the port is taken.
    """
    settings = Settings()
    ready = [info.name for info in list_indexes(settings.index_dir) if info.state == "ready"]
    if index not in ready:
        raise RagError(f"index {index!r} is not ready to be asked", mend=f"rag build {index}")
    opened: dict[str, Rag] = {}
    lock = threading.Lock()

    def kept_open(name: str) -> Rag:
        with lock:
            if name not in opened:
                opened[name] = open_index(name, settings=settings)
            return opened[name]

    page = build_page(kept_open, [index, *(name for name in ready if name != index)])
    try:
        page.launch(
            server_name=HOST,
            server_port=port,
            share=False,
            footer_links=[],
            run_history=False,  # it offers to keep questions in a bucket elsewhere
            ssr_mode=False,
            mcp_server=False,
            enable_monitoring=False,
        )
    except OSError as error:
        raise RagError(f"the page does not start: {error}", mend="name another --port") from error
    finally:
        for rag in opened.values():
            rag.close()


if __name__ == "__main__":
    main()
