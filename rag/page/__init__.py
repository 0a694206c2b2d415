"""The page: pure functions from answers and articles to HTML, and Gradio around them.

Modules:
    markup        escaping, links, days
    article       an article beside its answer, the cited span highlighted
    reply         a checked answer: its sentences, where sources differ, what was withheld
    turn          a question with all that belongs to it
    timeline      how many articles and hits lie when
    library       the articles of an index, what was skipped, a build under way
    dossier       an answer as a file that can be checked without the page
    engines       indexes and models kept open, and whether they are ready
    conversation  a question put to an engine, as one `Turn` after the other
    building      a build in the background, as one line after the other
    handlers      what happens: the functions of the events
    blocks        what stands where
    serve         who may come in, where it listens
    guard         what it answers, and to whom
    look          theme, style sheet and script

Only `handlers`, `look` and `blocks` know Gradio.

Texts of articles are written by strangers: nothing gets into HTML but through `markup`.
"""
