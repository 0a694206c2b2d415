"""The index: one immutable version on disk, and the only package that writes below `indexes/`.

Modules in the order of the flow:
    config    `index.toml`: what goes into an index and how
    layout    folders, the lock, `CURRENT`, atomic publishing
    uploads   files that people hand over, kept as a source
    manifest  what a version consists of, with checksums
    database  SQLite: transactions, errors
    rows      tables and rows of the catalog, with checksums
    catalog   articles, chunks, sentence vectors: the truth
    inputs    what each source file came to, so that it is not read again
    draft     the catalog while it is built
    vectors   chunk vectors (FAISS): derived from the catalog
    lexical   words (tantivy, BM25): derived from the catalog
    recipe    what decides how an article becomes chunks and vectors
    staging   what a build starts from
    reading   blocks of the sources to cleaned articles with their sentences
    workers   processes that do so side by side
    prepare   articles to batches of chunks, and these to their vectors
    before    the version that was live, and what a build changed of it
    derive    the catalog to vectors and words
    builder   sources to a new version
    reader    a version opened for searching
    check     findings about a version, with what mends them; rollback

docs/index-format.md describes the files and reads them without this package.
"""
