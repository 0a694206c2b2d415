"""Who may come in: a file with a line NAME:TOKEN for each."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from pathlib import Path

from rag.errors import SettingsError

_MIN_CHARACTERS = 16


class Tokens:
    """The tokens, as hashes.

    Args:
        tokens: Token by the name of who has it.
    """

    def __init__(self, tokens: Mapping[str, str]) -> None:
        self._hashes = {name: _digest(token) for name, token in tokens.items()}

    @classmethod
    def read(cls, file: Path) -> Tokens:
        """The tokens of a file.

        Raises:
            SettingsError: it cannot be read, holds none, or a line is none.
        """
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{file} cannot be read: {error}") from error
        tokens = {}
        for number, line in enumerate(lines, start=1):
            name, _, token = (part.strip() for part in line.partition(":"))
            if not line.strip():
                continue
            if not name or len(token) < _MIN_CHARACTERS or name in tokens:
                raise SettingsError(
                    f"{file}, line {number}: not NAME:TOKEN with a name of its own and a token of"
                    f" {_MIN_CHARACTERS} characters or more",
                    mend='make one: python -c "import secrets; print(secrets.token_urlsafe())"',
                )
            tokens[name] = token
        if not tokens:
            raise SettingsError(f"{file} names nobody", mend="write a line NAME:TOKEN for each")
        return cls(tokens)

    def who(self, token: str) -> str | None:
        """The name of who has a token; None if nobody has."""
        found = None
        for name, known in self._hashes.items():  # all of them: the time tells nothing
            if hmac.compare_digest(known, _digest(token)):
                found = name
        return found


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
