"""Saved web pages: one article each.

Modules:
    tree        bytes to a tree, without scripts and without the network
    paragraphs  the runs of text in it
    body        which of them are the article
    lines       lines that come with an article and are none of it
    declared    title, day, author and publisher, as the page declares them
    dates       days as pages write them
    page        all of it together
    reader      the reader of such files
"""

from rag.readers.html.page import document_text, page_article, plain_text
from rag.readers.html.reader import HtmlReader

__all__ = ["HtmlReader", "document_text", "page_article", "plain_text"]
