"""Text: what a text is made of. No module here knows articles, indexes or questions.

Modules:
    language      the rules of a language, from its file
    paragraphs    what a sentence does not leave; quotations
    sentences     sentence spans
    numbers       numbers in digits and words
    names         names, numbers and negations that a source must hold too
    days          "on Friday" to the day it means
    periods       the time that a question names
    asides        sentences that tell nothing of the news
    instructions  sentences that speak to a machine, not to readers
    detect_language  in what language a question is
    analysis      words to the terms that searches compare
    analysed      a text with all of these, read once
"""
