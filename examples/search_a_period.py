"""Search the articles of a period, without any language model; a line of JSON for each hit.

python examples/search_a_period.py "defence talks" 2024-07-01 2024-08-31
"""

import json
import sys

from rag import Filter, Rag

words, since, until = sys.argv[1:4]
with Rag.open("seeds") as archive:  # open once, search often
    for hit in archive.search(words, k=3, filter=Filter(since=since, until=until, undated=True)):
        found = {"rank": hit.rank, "score": round(hit.score, 3), "title": hit.title}
        best = hit.text[hit.sentence_start - hit.start : hit.sentence_end - hit.start]
        print(json.dumps({**found, "sentence": best}, ensure_ascii=False))
