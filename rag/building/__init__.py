"""Building: sources to a new, published version of an index.

Modules in the order of the flow:
    uploads   files that people hand over, kept as a source
    inputs    what each source file came to, so that it is not read again
    draft     the catalog while it is built
    recipe    what decides how an article becomes chunks and vectors
    staging   what a build starts from
    embedder  the embedding model, and whether it had to stand in for a quicker one
    intake    blocks of the sources to cleaned articles with their sentences
    workers   processes that do so side by side
    prepare   articles to batches of chunks, and these to their vectors
    before    the version that was live, and what a build changed of it
    derive    the catalog to vectors and words
    report    what a build tells
    tally     what it has read and embedded so far
    publish   the version made whole, and live
    builder   all of it together
"""
