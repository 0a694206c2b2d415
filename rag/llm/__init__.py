"""Language models: a prompt to a completion.

Modules:
    base      `LLM`, what the rest of the package knows; `Prompt` and `Token`
    llamacpp  a GGUF file run by llama.cpp
    lazy      a model that loads when it is first asked
"""

from rag.llm.base import LLM as LLM
from rag.llm.base import Prompt as Prompt
from rag.llm.base import Token as Token
from rag.llm.lazy import LazyLLM as LazyLLM
from rag.llm.llamacpp import LlamaCppLLM as LlamaCppLLM
