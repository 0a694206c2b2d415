"""Without its library an adapter says what to install; with it see tests/adapters."""

from __future__ import annotations

import importlib
import importlib.util

import pytest

from rag.errors import RagError


@pytest.mark.parametrize(
    ("adapter", "library", "distribution"),
    [
        ("langchain", "langchain_core", "langchain-core"),
        ("llamaindex", "llama_index", "llama-index-core"),
        ("haystack", "haystack", "haystack-ai"),
    ],
)
def test_a_missing_library_is_named_with_what_installs_it(
    adapter: str, library: str, distribution: str
) -> None:
    if importlib.util.find_spec(library) is not None:
        pytest.skip(f"{library} is installed here")
    with pytest.raises(RagError, match="is not installed") as error:
        importlib.import_module(f"rag.adapters.{adapter}")
    assert error.value.mend == f"pip install {distribution}"
