"""`--save`: an answer as a file that can be checked without the index."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.errors import QuestionError

if TYPE_CHECKING:
    from rag.answering.answer import Answer
    from rag.engine import Rag

ENDINGS = (".html", ".md", ".csv", ".json")

Save = Annotated[
    Path | None,
    typer.Option(
        "--save",
        metavar="FILE",
        help="Write answer and sources there too: .html, .md, .csv or .json.",
    ),
]


def check_ending(file: Path | None) -> None:
    """Refuse a file of no known form before a question is asked for it.

    Raises:
        QuestionError: it has another ending.
    """
    if file is not None and file.suffix.lower() not in ENDINGS:
        raise QuestionError(
            f"{file.name}: no form of that name", mend=f"let it end in {', '.join(ENDINGS)}"
        )


def keep(answer: Answer, rag: Rag, file: Path | None) -> None:
    """Write the dossier of an answer, replacing what was there.

    Args:
        answer: The answer.
        rag: Gave it, and has the articles.
        file: Its ending says the form (`check_ending`); None writes nothing.
    """
    if file is None:
        return
    from rag.page import dossier

    forms = {
        ".html": dossier.as_html,
        ".md": dossier.as_markdown,
        ".csv": dossier.as_csv,
        ".json": dossier.as_json,
    }
    cited = dict.fromkeys(citation.article_id for citation in answer.citations)
    articles = [article for one in cited if (article := rag.article(one))]
    words = forms[file.suffix.lower()](answer, articles, rag.index.manifest.seal)
    file.write_text(words, encoding="utf-8", newline="")
