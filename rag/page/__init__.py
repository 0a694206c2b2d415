"""The page: pure functions from answers and articles to HTML, and Gradio around them.

Modules:
    markup        escaping, links, days
    article       an article beside its answer, the cited span highlighted
    styles        an answer as text to paste, with its citations
    remark        that somebody calls an answer wrong
    picture       a timeline as a picture
    passages      what was found, and in it what is cited
    reply         a checked answer: its sentences, where sources differ, what was withheld
    conditions    how it was asked, and how it is asked again
    turn          a question with all that belongs to it
    talks         the list of conversations
    timeline      how many articles and hits lie when
    overview      what an index holds, without the texts
    words         words that were looked for, marked
    library       the table of articles, and what it is narrowed by
    stock         what was skipped, files handed over, a build under way
    welcome       the first words
    examples      questions to begin with, made from the articles
    dossier       answers as a file that can be checked without the page; with `dossier_html` and
                  `dossier_parts`
    owner         whose conversations these are
    kept          conversations and remarks on disk
    following     what is followed, and the new stories
    remarks       the list of remarks
    keeping       conversations opened, begun, named and deleted
    engines       indexes and models kept open, and whether they are ready
    conversation  a question put to an engine, as one `Turn` after the other
    building      builds in the background, as one line after the other
    talking       what happens when somebody asks: the functions of those events
    handlers      what happens elsewhere on the page
    library_events  what happens in the library
    library_tab   what stands where in the library
    following_events, remark_events  what happens to followed questions, and to remarks
    more_tabs     what stands where in the tabs of these
    parts         what both tabs are made with
    blocks        what stands where
    serve         who may come in, where it listens
    guard         what it answers, and to whom
    login         passwords and cookies
    feeds         news as an Atom feed
    sheets        style sheets and scripts as files
    look          theme, and what goes into the head

Only `talking`, `handlers`, `parts`, `look`, `blocks` and what is called `…_events` or `…_tab…` know
Gradio; only `kept` writes.

Texts of articles are written by strangers: nothing gets into HTML but through `markup`.
"""
