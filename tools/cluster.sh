#!/usr/bin/env bash
# Runs the tests of a cluster with real Ray and Milvus Lite; $@ goes to pytest. Called by make cluster.
# They have an environment of their own in .venv/cluster, on top of .venv: what
# tests/cluster/requirements.txt pins, and what that needs in turn where .venv has it not.
set -euo pipefail
cd "$(dirname "$0")/.."

base=${VENV:-.venv}
home=$base/cluster
pins=tests/cluster/requirements.txt

if ! cmp -s "$pins" "$home/ready"; then
    "$base/bin/python" -m venv --without-pip --clear "$home"
    "$base/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
        >"$(echo "$home"/lib/python3*/site-packages)/base.pth"
    # Compiled, unlike what make setup installs: each of Ray's many processes would do it again.
    "$base/bin/python" -m pip --python "$home/bin/python" install -qq \
        --disable-pip-version-check --requirement "$pins"
    cp "$pins" "$home/ready"
fi
# These libraries warn; the tests of ours are where warnings are errors.
PYTHONPATH=$PWD exec "$home/bin/python" -m pytest -q -o filterwarnings=default -p no:cacheprovider \
    tests/cluster tests/test_retrieval_candidates.py "$@"
