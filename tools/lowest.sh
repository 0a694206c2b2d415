#!/usr/bin/env bash
# Runs the fast tests with the oldest libraries that pyproject.toml allows: those named there; what
# they need in turn stays as it is in .venv. Called by make lowest; $@ goes to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."

base=${VENV:-.venv}
lowest=$base/lowest
python=$base/bin/python

"$python" -m venv --without-pip --clear "$lowest"
"$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
    >"$(echo "$lowest"/lib/python3*/site-packages)/base.pth"

# The lower end of each range, where .venv has another version.
oldest() {
    "$python" - <<'END'
import tomllib
from importlib.metadata import version
from packaging.requirements import Requirement
from packaging.version import Version

project = tomllib.load(open("pyproject.toml", "rb"))["project"]
extras = [line for name, lines in project["optional-dependencies"].items()
          if name not in ("all", "dev", "tools") for line in lines]
for need in map(Requirement, project["dependencies"] + extras):
    (lower,) = [Version(s.version) for s in need.specifier if s.operator == ">="]
    installed = Version(version(need.name))
    if installed.release[: len(lower.release)] != lower.release:
        print(f"{need.name}=={lower}")
END
}

oldest >"$lowest/requirements.txt"
cat "$lowest/requirements.txt" >&2
"$python" -m pip --python "$lowest/bin/python" install -qq --no-compile \
    --disable-pip-version-check --requirement "$lowest/requirements.txt"
PYTHONPATH=$PWD exec "$lowest/bin/python" -m pytest -n auto --dist loadfile \
    -m "not (models or network or browser or package or slow)" "$@"
