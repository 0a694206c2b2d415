# make ask           set up, build the index of seeds/, answer a question (make ask Q="…")
# make ui            the same, in the browser
# make test          set up, run every test
# make fast          the quick tests, without language model and browser: about a minute
# make check         format, lint, types, every test: what a change must pass
# make lowest        the fast tests with the oldest libraries that the package allows
# make adapters      the tests of the adapters, with LangChain, LlamaIndex and Haystack
# make cluster       the tests of builds on Ray and of chunks in Milvus, with the real ones
# make bench         other libraries beside this one, in one table (make bench BENCH="--rounds 3")
# make package       source archive and wheel, in dist/
# make format        format and mend what can be mended
# make lock          write requirements.txt from the environment in .venv
# make clean         delete built indexes and caches; make distclean also .venv

Q ?= What did Healey urge in Israel?
export QUESTION := $(value Q)

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
CHROMIUM := tools/chromium.sh
# One process for each core. The tests with real models come after, alone: each takes every core.
PYTEST := $(BIN)/python -m pytest
SHARED := $(PYTEST) -n auto --dist loadfile

.PHONY: ask ui setup test fast check lowest adapters cluster bench package format lock clean distclean

ask: setup
	@$(BIN)/rag build seeds
	@$(BIN)/rag ask -- "$$QUESTION"

ui: setup
	@$(BIN)/rag build seeds
	@$(BIN)/rag ui

setup: $(READY)
	@:

$(READY): pyproject.toml requirements.txt tools/setup.sh tools/llama-build.cmake tools/amx.h
	@tools/setup.sh
	@touch $@

test: setup
	@$(CHROMIUM)
	$(SHARED) -m "not models and not network"
	$(PYTEST) -m "models and not network"

fast: setup
	$(SHARED) -m "not (models or network or browser or package or slow)"

check: setup
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	@$(MAKE) --no-print-directory test

lowest: setup
	@tools/lowest.sh

adapters: setup
	@tools/adapters.sh

cluster: setup
	@tools/cluster.sh

bench: setup
	$(BIN)/python benchmarks/compare.py $(BENCH)

package: setup
	$(BIN)/python -m hatchling build

format: setup
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

lock:
	@sed '/^[^#]/d' requirements.txt > $(VENV)/lock
	@$(BIN)/pip freeze --exclude-editable | sed -E \
	    's/^llama_cpp_python @.*-([0-9.]+)-py3.*/llama_cpp_python==\1/; s/^(torch==[0-9.]+)\+.*/\1/' \
	    >> $(VENV)/lock
	@mv $(VENV)/lock requirements.txt

clean:
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis dist indexes/*/versions indexes/*/CURRENT
	find rag tests -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean
	rm -rf $(VENV)
