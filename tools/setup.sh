#!/usr/bin/env bash
# Makes the environment in .venv, as pinned in requirements.txt, and pulls the models.
# Called by make; may be interrupted and run again, what is done is not done twice.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=.venv
python=$venv/bin/python
wheels=$venv/wheels
build_log=$venv/llama-build.log
build=

say() { printf '[%3d s] %s\n' "$SECONDS" "$*" >&2; }

fail() {
    say "$*"
    exit 1
}

pinned() { sed -n "s/^$1==//p" requirements.txt; }

install() { "$python" -m pip install -qq --disable-pip-version-check "$@"; }

# The long part on a small machine (2 to 3 minutes of both cores): it runs beside the downloads.
build_llama() {
    local options="-DLLAVA_BUILD=OFF -DCMAKE_PROJECT_llama_cpp_INCLUDE=$PWD/tools/llama-build.cmake"
    CMAKE_ARGS="$options ${CMAKE_ARGS:-}" nice "$python" -m pip wheel --no-deps \
        --disable-pip-version-check --wheel-dir "$wheels" \
        "llama-cpp-python==$(pinned llama_cpp_python)" >"$build_log" 2>&1
}

has_llama() {
    "$python" -c 'import sys; from importlib.metadata import version
sys.exit(version("llama_cpp_python") != sys.argv[1])' "$(pinned llama_cpp_python)" 2>/dev/null
}

stop_build() { [ -z "$build" ] || kill -- "-$build" 2>/dev/null || true; }

"${PYTHON:-python3}" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "Python 3.11 or later is needed; name it with: make PYTHON=/path/to/python3.11"

if ! "$python" -m pip --version >/dev/null 2>&1; then
    say "environment in $venv"
    "${PYTHON:-python3}" -m venv --clear "$venv"
fi

if ! has_llama; then
    command -v c++ >/dev/null || fail "a C++ compiler is needed (Debian: apt-get install g++)"
    say "llama-cpp-python: building in the background (log: $build_log)"
    set -m # a process group of its own, so that it can be stopped whole
    build_llama &
    build=$!
    set +m
    trap stop_build EXIT
fi

say "torch"
install --constraint requirements.txt "torch==$(pinned torch)"
say "the other libraries"
install --no-deps --requirement <(grep -Ev '^(torch|llama_cpp_python)==' requirements.txt)
install --no-deps --editable .

for model in all-MiniLM-L6-v2 qwen2.5-coder-1.5b-instruct; do
    say "model $model"
    "$venv/bin/rag" models pull "$model"
done

if [ -n "$build" ]; then
    say "llama-cpp-python: waiting for the build"
    if ! wait "$build"; then
        tail -n 40 "$build_log" >&2
        fail "llama-cpp-python did not build; the whole log: $build_log"
    fi
    build=
    install --no-deps "$wheels"/llama_cpp_python-*.whl
fi
say "ready"
