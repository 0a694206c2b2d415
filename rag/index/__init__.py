"""The index: one immutable version on disk, and the only package that writes below `indexes/`.

Modules in the order of the flow:
    config    `index.toml`: what goes into an index and how
    layout    folders, the lock, `CURRENT`, atomic publishing
    manifest  what a version consists of, with checksums
    catalog   articles, chunks, sentence vectors (SQLite): the truth
    vectors   chunk vectors (FAISS): derived from the catalog
    lexical   words (tantivy, BM25): derived from the catalog
    builder   sources to a new version
    reader    a version opened for searching

docs/index-format.md describes the files and reads them without this package.
"""
