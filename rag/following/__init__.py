"""Following: questions that are kept, and the new stories that bear on them.

A question is kept for an index. Whenever the index has articles that it did not have before, the
question is searched among these, and what fits is news: told once, in a feed, as JSON and over
HTTP. An article that only reprints what is known already, or changes it, is no news.

Modules in the order of the flow:
    followed  what is kept, and what is told
    store     both on disk: all of a round or nothing
    news      what is new in an index, and which of it fits a question
    feed      news as an Atom feed
    follow    what users call: keep, forget, look for news, read it
"""
