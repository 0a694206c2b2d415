"""Ask an index, and show what bears out each sentence of the answer.

    python examples/cited_answer.py "What did Healey urge in Israel?"

Run it where the folder `indexes/` is. The index is brought up to date first.
"""

import sys

import rag

question = sys.argv[1] if len(sys.argv) > 1 else "What did Healey urge in Israel?"
rag.build("seeds")
answer = rag.ask(question, index="seeds")
print(f"{answer.status}, confidence {answer.confidence}")
for sentence in answer.sentences:
    print(f"\n{sentence.text}")
    for number in sentence.citations:
        citation = answer.citations[number - 1]
        place = f"{citation.path}, characters {citation.start} to {citation.end}"
        print(f"  [{number}] {citation.quote!r}\n      {place}")
