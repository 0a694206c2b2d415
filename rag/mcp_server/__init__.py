"""The indexes for assistants, over the Model Context Protocol: read, never written.

Modules:
    shapes     what the tools return, with the schemas that clients are told
    tools      the tools and the resources
    transport  serving them on stdin and stdout, or over HTTP
"""
