#!/usr/bin/env bash
# Runs the tests of the adapters with the real libraries: tools/adapters.sh [langchain …]
# Each has an environment of its own in .venv/adapters/, on top of .venv: what tests/adapters/NAME.txt
# pins, and what that needs in turn where .venv has it not. Called by make adapters.
set -euo pipefail
cd "$(dirname "$0")/.."

base=${VENV:-.venv}
libraries=$("$base/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
[ $# -gt 0 ] || set -- langchain llamaindex haystack

for name in "$@"; do
    home=$base/adapters/$name
    if ! cmp -s "tests/adapters/$name.txt" "$home/ready"; then
        "$base/bin/python" -m venv --without-pip --clear "$home"
        echo "$libraries" >"$(echo "$home"/lib/python3*/site-packages)/base.pth"
        "$base/bin/python" -m pip --python "$home/bin/python" install -qq --no-compile \
            --disable-pip-version-check --requirement "tests/adapters/$name.txt"
        cp "tests/adapters/$name.txt" "$home/ready"
    fi
    # These libraries warn; the tests of ours are where warnings are errors.
    PYTHONPATH=$PWD "$home/bin/python" -m pytest -q -o filterwarnings=default -p no:cacheprovider \
        "tests/adapters/test_$name.py"
done
