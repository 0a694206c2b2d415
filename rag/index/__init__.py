"""The index: one immutable version on disk, read. `rag.building` makes it.

Modules in the order of the flow:
    config    `index.toml`: what goes into an index and how
    layout    folders, the lock, `CURRENT`, atomic publishing
    manifest  what a version consists of, with checksums
    database  SQLite: transactions, errors
    rows      tables and rows of the catalog, with checksums
    columns   what filters and look-ups search
    filter    which articles may be found
    catalog   articles, chunks, sentence vectors: the truth
    vectors   chunk vectors (FAISS): derived from the catalog
    lexical   words (tantivy, BM25): derived from the catalog
    candidates  what vectors and words propose for a question
    opened    a version opened for searching
    check     findings about a version, with what mends them; rollback

docs/index-format.md describes the files and reads them without this package.
"""
