#!/usr/bin/env bash
# Chat and tickets against npm's emulate: Slack on one port of loopback, GitHub on the next. Not part of the gate.
set -euo pipefail
cd "$(dirname "$0")/.."
port=4711
set -m # a process group of its own, so that all of it can be ended
npx --yes emulate@0.12.2 start --service slack,github --port "$port" >/dev/null &
group=$!
trap 'kill -- "-$group"' EXIT
curl -s --retry 60 --retry-delay 1 --retry-connrefused -o /dev/null "http://127.0.0.1:$port/api/auth.test"
FIRSTWATCH_EMULATE_SLACK="http://127.0.0.1:$port" FIRSTWATCH_EMULATE_GITHUB="http://127.0.0.1:$((port + 1))" \
    python -m pytest -q -m emulate -p no:nbval tests/test_emulate.py
