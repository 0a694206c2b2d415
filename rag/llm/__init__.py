"""Language models: a prompt to a completion.

Modules:
    base      `LLM`, what the rest of the package knows; `Prompt` and `Token`
    llamacpp  a GGUF file run by llama.cpp
    remote    a model on a server that speaks OpenAI's protocol
    waiting   tokens that another thread writes, and that it is gone
    pieces    how many tokens a text has, and whether it refuses, where nobody tells
    amx       a build of llama.cpp that would crash
    lazy      a model that loads when it is first asked
    setting   a model made from a setting: what there is besides GGUF files is named there
    shared    one model for several engines
"""

from rag.llm.base import LLM as LLM
from rag.llm.base import Prompt as Prompt
from rag.llm.base import Token as Token
from rag.llm.lazy import LazyLLM as LazyLLM
from rag.llm.llamacpp import LlamaCppLLM as LlamaCppLLM
from rag.llm.setting import llm_from_setting as llm_from_setting
from rag.llm.shared import SHARED as SHARED
from rag.llm.shared import SharedLLMs as SharedLLMs
