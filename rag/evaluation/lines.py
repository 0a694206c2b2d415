"""Files of JSON lines that questions are read from."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rag.errors import DatasetError
from rag.evaluation.dataset import EvalQuestion
from rag.readers.dates import parse_date


def objects(path: Path) -> Iterator[tuple[dict[str, Any], str]]:
    """Objects of a JSON lines file, each with where it stands.

    Raises:
        DatasetError: it cannot be read, or holds something else.
    """
    try:
        with path.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                if not line.strip():
                    continue
                fields = json.loads(line)
                if not isinstance(fields, dict):
                    raise DatasetError(f"{path}:{number}: not a JSON object")
                yield fields, f"{path}:{number}"
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise DatasetError(f"{path}:{number}: not JSON: {error}") from error


def question_of(fields: Mapping[str, Any], where: str, **known: Any) -> EvalQuestion:
    """A question with the fields that all forms share.

    Args:
        fields: As they stand in the file.
        where: File and line.
        known: Further fields of `EvalQuestion`.

    Raises:
        DatasetError: there is no question, or a field is wrong.
    """
    question = fields.get("question")
    if not isinstance(question, str) or not question.strip():
        raise DatasetError(f"{where}: `question` is empty or no string")
    try:
        return EvalQuestion.model_validate(
            {
                "question_id": str(fields["id"]) if "id" in fields else where,
                "question": question,
                **known,
            }
        )
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise DatasetError(f"{where}: {key}: {first['msg']}") from error


def day_of(fields: Mapping[str, Any], key: str, where: str) -> datetime.date:
    """The day in a field, such as "2025-07-04" or "2025/07/04".

    Raises:
        DatasetError: it is none.
    """
    given = fields.get(key)
    day = parse_date(given) if isinstance(given, str) else None
    if day is None:
        raise DatasetError(f"{where}: `{key}` is no day: {given!r}", mend="write 2025-07-04")
    return day


def refuse_repeated(ids: Sequence[str], path: Path) -> None:
    """Raises DatasetError where two questions have the same id."""
    seen: set[str] = set()
    for question_id in ids:
        if question_id in seen:
            raise DatasetError(f"{path}: two questions have the id {question_id!r}")
        seen.add(question_id)
