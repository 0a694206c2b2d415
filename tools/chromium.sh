#!/usr/bin/env bash
# Installs the browser that the tests of the page run in, where that is possible without asking.
# Called by make test; without it those tests are skipped, or fail where CI is set.
set -euo pipefail

command -v chromium >/dev/null && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "chromium is missing: the tests in a browser are skipped (apt-get install chromium)" >&2
    exit 0
fi
echo "chromium: installing it for the tests in a browser" >&2
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update && apt-get install -y --no-install-recommends chromium fonts-dejavu-core; } \
    >/tmp/chromium-install.$$ 2>&1; then
    tail -n 5 /tmp/chromium-install.$$ >&2
    echo "chromium could not be installed" >&2
fi
rm -f /tmp/chromium-install.$$
