"""Try code that uses `rag` without models: the fakes of `rag.testing` need no files and no time.

    python examples/without_models.py

Everything else is real: reading, cleaning, the index on disk, checking, citations.
"""

import json
import tempfile
from pathlib import Path

from rag.testing import FakeEmbedder, FakeLLM, build_with, open_with

ARTICLE = {
    "id": "bridge",
    "title": "Harbour bridge to close",
    "text": "The harbour bridge in Osterby closes on Monday. Repairs cost 4.2 million crowns.",
    "published": "2024-03-01",
}
# The second is borne out by the article; the first, which a model might make up, is not.
WRITTEN = "Repairs cost 9 million crowns. The harbour bridge closes on Monday."

with tempfile.TemporaryDirectory() as folder:
    index_dir = Path(folder) / "indexes"
    (index_dir / "news").mkdir(parents=True)
    (index_dir / "news" / "index.toml").write_text('sources = ["../../news.jsonl"]\n')
    (Path(folder) / "news.jsonl").write_text(json.dumps(ARTICLE) + "\n")

    build_with(index_dir, "news", FakeEmbedder())
    with open_with(index_dir, "news", FakeEmbedder(), FakeLLM([WRITTEN])) as archive:
        answer = archive.ask("When does the harbour bridge close?")
        print(answer.text)
        for withheld in answer.withheld:
            print(f"withheld: {withheld.text}")
