#!/usr/bin/env bash
# Makes the environment in .venv, as pinned in requirements.txt, and pulls the models.
# Called by make; may be interrupted and run again, what is done is not done twice.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=.venv
python=$venv/bin/python
build_log=$venv/llama-build.log
build=

say() { printf '[%3d s] %s\n' "$SECONDS" "$*" >&2; }

fail() {
    say "$*"
    exit 1
}

pinned() { sed -n "s/^$1==//p" requirements.txt; }

# Without --no-compile pip would compile 30 s of modules that are mostly never imported.
install() { "$python" -m pip install -qq --no-compile --disable-pip-version-check "$@"; }

# The long part on a small machine (3 minutes of one core): it runs beside the downloads. What is
# built is kept for other copies of this project; pip's own cache would not notice other options.
build_llama() {
    local options="-DLLAVA_BUILD=OFF -DCMAKE_PROJECT_llama_cpp_INCLUDE=$PWD/tools/llama-build.cmake"
    CMAKE_ARGS="$options ${CMAKE_ARGS:-}" "$python" -m pip wheel --no-deps --no-cache-dir \
        --disable-pip-version-check --wheel-dir "$wheels.part.$$" \
        "llama-cpp-python==$(pinned llama_cpp_python)" >"$build_log" 2>&1 &&
        rm -rf "$wheels" && mv "$wheels.part.$$" "$wheels"
}

# All that decides the build: it is made for the processor of this machine.
llama_key() {
    {
        pinned llama_cpp_python
        cat tools/llama-build.cmake tools/amx.h
        echo "${CMAKE_ARGS:-}"
        c++ --version
        grep -m 1 '^flags' /proc/cpuinfo || uname -m
    } 2>/dev/null | cksum | tr ' ' '-'
}

stop_build() { [ -z "$build" ] || kill -- "-$build" 2>/dev/null || true; }

"${PYTHON:-python3}" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "Python 3.11 or later is needed; name it with: make PYTHON=/path/to/python3.11"

if ! "$python" -m pip --version >/dev/null 2>&1; then
    say "environment in $venv"
    "${PYTHON:-python3}" -m venv --clear "$venv"
fi

command -v c++ >/dev/null || fail "a C++ compiler is needed (Debian: apt-get install g++)"
key=$(llama_key)
wheels=${XDG_CACHE_HOME:-$HOME/.cache}/rag/llama-cpp-python-$key
if [ ! -d "$wheels" ]; then
    say "llama-cpp-python: building in the background (log: $build_log)"
    mkdir -p "$(dirname "$wheels")"
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

say "the models"
"$venv/bin/rag" models pull >/dev/null # progress comes on stderr

if [ -n "$build" ]; then
    say "llama-cpp-python: waiting for the build"
    if ! wait "$build"; then
        tail -n 40 "$build_log" >&2
        fail "llama-cpp-python did not build; the whole log: $build_log"
    fi
    build=
fi
if [ "$(cat "$venv/llama-key" 2>/dev/null)" != "$key" ]; then
    install --no-deps --force-reinstall "$wheels"/llama_cpp_python-*.whl
    echo "$key" >"$venv/llama-key"
fi
say "ready"
