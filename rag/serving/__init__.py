"""The server: what `rag` does, for other programs, over HTTP.

Modules:
    tokens      who may come in
    guard       what is refused before anything is asked: strangers, other sites, large bodies
    metrics     counts and seconds, in the form that Prometheus reads
    running     work in threads: so many at once, stopped when it takes too long
    together    calls that wait, made as one
    jobs        builds in the background
    service     engines, lanes and jobs together
    problems    errors as each interface writes them
    gone        a client that has hung up, and events sent as they come
    bodies      what requests to the interface of its own hold
    rest        that interface
    citing      where in an answer's text each sentence and each mark stands
    talk        the conversation that a client sends along
    openai      models and chat completions in OpenAI's form
    openai_responses  its responses
    anthropic   messages in Anthropic's form
    log         a line of JSON for each request
    app         `create_app`: all of it as one application
    serve       where it listens, until Ctrl-C

Only `serve` knows uvicorn. Nothing of an answer is sent as text of a model before it was checked,
but for the drafts of `POST /ask`, which are called that.
"""
