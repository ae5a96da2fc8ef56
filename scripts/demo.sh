#!/usr/bin/env bash
# The demo: a release breaks a real service on this machine, a runbook finds it, a plan is approved, the service heals.
# Every command here is one that a responder types; each is shown before it runs.
set -euo pipefail
cd "$(dirname "$0")/.."
folder="build/demo/$(date -u +%Y-%m-%d-%H%M%S)"
export FIRSTWATCH_GAMEDAY="$PWD/$folder" FIRSTWATCH_RECORDS="${FIRSTWATCH_RECORDS:-$PWD/$folder/incidents}"
export FIRSTWATCH_CONFIG="$FIRSTWATCH_GAMEDAY/firstwatch.toml" FIRSTWATCH_ACTOR=on-call
began=$SECONDS

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
run() {  # show a command as one types it, then do it
  local shown=() word
  for word in "$@"; do case $word in *" "*) shown+=("\"$word\"") ;; *) shown+=("$word") ;; esac; done
  say "\$ ${shown[*]}"
  "$@"
}
json() { python3 -c 'import json, sys; print(eval("document" + sys.argv[1], {"document": json.load(sys.stdin)}))' "$1"; }
ask() {
  say "# What twenty callers get"
  python3 - "$(firstwatch gameday status --json | json '["service_url"]')/v1/deployments" <<'END'
import collections, sys, urllib.error, urllib.request

def answer(url):
    try:
        return urllib.request.urlopen(url, timeout=5).status
    except urllib.error.HTTPError as error:
        return error.code

for status, number in sorted(collections.Counter(answer(sys.argv[1]) for _ in range(20)).items()):
    print(f"  {number:2} of 20 answered {status}  {sys.argv[1]}")
END
}
trap 'firstwatch gameday down >/dev/null' EXIT

run firstwatch gameday up
ask
run firstwatch gameday bad-release
ask
run firstwatch run investigate/first-five-minutes
run firstwatch declare "API errors" --impact "6 of 10 requests fail" --severity SEV2 --reason "practice" --source alert
say '$ firstwatch run mitigate/rollback --apply'
firstwatch run mitigate/rollback --apply && exit 1  # it must stop at the gate
[ $? = 3 ]
plan=$(firstwatch status --json | json '["plans"][-1]["hash"]')
incident=$(firstwatch status --json | json '["id"]')
run firstwatch approve "$plan" --as responder-2
run firstwatch run mitigate/rollback --apply
run firstwatch run investigate/verify-recovery -p reports=none
ask
run firstwatch resolve "The release was rolled back"
run firstwatch verify
record=$(firstwatch status "$incident" --json | json '["record"]')
say "Found, healed and recorded in $((SECONDS - began)) seconds."
printf 'record  %s\npage    %s/page.md\n' "$record" "$record"
printf 'see it  FIRSTWATCH_RECORDS=%s make serve\n        http://127.0.0.1:8000/incidents/%s.html\n' "$FIRSTWATCH_RECORDS" "$incident"
