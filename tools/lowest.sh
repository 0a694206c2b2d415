#!/usr/bin/env bash
# Runs the fast tests with the oldest libraries that pyproject.toml allows: those named there; what
# they need in turn stays as it is in .venv. Called by make lowest; $@ goes to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."

base=${VENV:-.venv}
lowest=$base/lowest
python=$base/bin/python

"$python" -m venv --without-pip --clear "$lowest"
libraries=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
site=$(echo "$lowest"/lib/python3*/site-packages)

# The lower end of each range, where .venv has another version.
oldest() {
    "$python" - <<'END'
import tomllib
from importlib.metadata import version
from packaging.requirements import Requirement
from packaging.version import Version

project = tomllib.load(open("pyproject.toml", "rb"))["project"]
extras = [line for name, lines in project["optional-dependencies"].items()
          if name not in ("all", "cluster", "dev", "tools") for line in lines]
for need in map(Requirement, project["dependencies"] + extras):
    (lower,) = [Version(s.version) for s in need.specifier if s.operator == ">="]
    installed = Version(version(need.name))
    if installed.release[: len(lower.release)] != lower.release:
        print(f"{need.name}=={lower}")
END
}

# At first at the end of the path, where pip sees them; then linked one by one, without those that
# were replaced: else plugins of the newer ones would still be announced.
echo "$libraries" >"$site/base.pth"
oldest >"$lowest/requirements.txt"
cat "$lowest/requirements.txt" >&2
"$python" -m pip --python "$lowest/bin/python" install -qq --no-compile \
    --disable-pip-version-check --requirement "$lowest/requirements.txt"
rm "$site/base.pth"
"$python" - "$libraries" "$site" <<'END'
import re, sys
from pathlib import Path

def key(path):  # a distribution's name, or a file's
    return re.sub(r"[-_.]+", "-", re.sub(r"-[^-]+\.dist-info$", "", path.name)).lower()

base, site = map(Path, sys.argv[1:])
there = {key(path) for path in site.iterdir()}
for path in base.iterdir():
    if key(path) not in there and path.suffix != ".pth":
        (site / path.name).symlink_to(path.absolute())
END
PYTHONPATH=$PWD exec "$lowest/bin/python" -m pytest -n auto --dist loadfile \
    -m "not (models or network or browser or package or slow)" "$@"
