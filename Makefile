# make ask           set up, build the index of seeds/, answer a question (make ask Q="…")
# make ui            the same, in the browser
# make test          set up, run every test
# make check         format, lint, types, tests
# make format        format and mend what can be mended
# make lock          write requirements.txt from the environment in .venv
# make clean         delete built indexes and caches; make distclean also .venv

Q ?= What did Healey urge in Israel?
export QUESTION := $(value Q)

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

.PHONY: ask ui setup test check format lock clean distclean

ask: setup
	@$(BIN)/rag build seeds
	@$(BIN)/rag ask -- "$$QUESTION"

ui: setup
	@$(BIN)/rag build seeds
	@$(BIN)/rag ui

setup: $(READY)
	@:

$(READY): pyproject.toml requirements.txt tools/setup.sh tools/llama-build.cmake
	@tools/setup.sh
	@touch $@

test: setup
	@tools/chromium.sh
	$(BIN)/python -m pytest

check: setup
	@tools/chromium.sh
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/python -m pytest

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
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis indexes/*/versions indexes/*/CURRENT
	find rag tests -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean
	rm -rf $(VENV)
