"""Retrievers for other libraries: what `rag` finds, in their own documents.

    from rag.adapters.langchain import RagRetriever
    from rag.adapters.llamaindex import RagRetriever
    from rag.adapters.haystack import RagRetriever

Each module needs the library that it is named after, and says so. A document's text is the passage,
word for word, and its metadata say where that stands (`rag.adapters.found.metadata`).
"""
