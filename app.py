"""The page: questions in the browser, answered on this machine. `python app.py`, or `rag ui`."""

from rag import RagError
from rag.page.serve import main

if __name__ == "__main__":
    try:
        main(announce=lambda address: print(f"The page: {address}", flush=True))
    except RagError as error:
        raise SystemExit(f"Error: {error}") from None
