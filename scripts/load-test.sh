#!/usr/bin/env bash
# Load test: at a fixed rate, capped, behind the gate, never while a SEV1 is open. Off unless somebody runs it.
#   scripts/load-test.sh --duration=300s --rps=100
exec firstwatch load-test "$@"
