"""Answering: from what was found to the checked answer.

Modules in the order of the flow:
    question      what is asked for, about which time, and what is taken for granted
    gathering     what is searched, the time of the question first
    evidence      one sentence of what was found
    choosing      hits to the few sentences that bear on the question
    broad, items  those of a list, a summary, a timeline or a comparison
    listed        lists that an article has itself
    prompt        question and evidence to what the language model reads
    attribution   which spans support a sentence
    disagreement  sources that contradict each other
    answer        the public types of an answer
    checking      completion to the sentences that the sources support
    confidence    how likely an answer is right
    events        what `Rag.stream` tells
    respond       all of it together, as a stream of events
"""
