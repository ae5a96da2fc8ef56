#!/usr/bin/env bash
# The example incident of the site: a game day from the alert to the final post-mortem, by commands that people type.
# What is typed is what no record can know: what people are told, what it cost, its causes, its lessons, who does what.
set -euo pipefail
cd "$(dirname "$0")/.."
folder="build/demo/$(date -u +%Y-%m-%d-%H%M%S)"
export FIRSTWATCH_GAMEDAY="$PWD/$folder" FIRSTWATCH_RECORDS="${FIRSTWATCH_RECORDS:-$PWD/$folder/incidents}"
export FIRSTWATCH_CONFIG="$FIRSTWATCH_GAMEDAY/firstwatch.toml" FIRSTWATCH_ACTOR=on-call
trap 'firstwatch gameday down >/dev/null' EXIT

of() { python3 -c 'import json, sys; document = json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"; }
approved() {  # let out what waits for somebody to read it
  local text
  for text in $(firstwatch preview -i "$id" --json | of '" ".join(each["id"] for each in document)'); do
    firstwatch approve-text "$text" -i "$id" --as responder-3
  done
}

firstwatch gameday up
firstwatch gameday bad-release
firstwatch run investigate/first-five-minutes
alert=$(firstwatch status --json | of 'next(each["since"] for each in document["findings"] if each["probe"] == "alerts")')
firstwatch declare "API errors" --impact "6 of 10 requests fail" --severity SEV2 --reason "practice" --source alert \
  --detected-at "$alert"
id=$(firstwatch status --json | of 'document["id"]')
firstwatch ack
firstwatch assign incident-commander responder-2
firstwatch assign communications-lead responder-3
approved
firstwatch hypothesis "1.5.0 reads the region of records that have none"
firstwatch run mitigate/rollback --apply || [ $? = 3 ]  # it stops at the gate
firstwatch update --status MITIGATING --summary "1.5.0 fails; it is being rolled back" --eta "5 minutes" \
  --actions "roll back to 1.4.2" --next 30m
approved
firstwatch approve "$(firstwatch status --json | of 'document["plans"][-1]["hash"]')" --as responder-2
firstwatch run mitigate/rollback --apply
firstwatch run investigate/verify-recovery -p reports=none
firstwatch hypothesis "1.5.0 reads the region of records that have none" --state confirmed
firstwatch update --status MONITORING --summary "1.4.2 is back, and no request fails" --eta "it is over" \
  --actions "watch it" --next 30m
approved
firstwatch resolve "The release was rolled back" --cause "1.5.0 reads the region of records that have none"
approved

firstwatch run review/close -i "$id" -p reports=none
change=$(firstwatch status "$id" --json | of 'document["changes_in_force"][0]["change"]')
firstwatch accept "$change" -i "$id" --owner responder-2 --until 7d
firstwatch close "$id"

firstwatch postmortem "$id" --scheduled +20h
firstwatch run review/post-mortem -i "$id"
firstwatch postmortem "$id" --customers "1 caller, 20 requests a second: the load of the game day" \
  --money "none, it is practice" --reputation "none, it is practice" --source on-call
firstwatch postmortem "$id" --direct "1.5.0 answers 500 to each request for a record that is older than regions." \
  --factor "The release went to all pods at once." \
  --factor "The smoke test, which asks for old records and new ones, is not run before a release." \
  --safeguards "The readiness probe asks /health, which reads no record, so the rollout went on."
firstwatch postmortem "$id" --well "One look named the release and the line that fails." \
  --improve "The rollback waited for an approval that could be asked for in the declaration." \
  --lesson "A readiness probe has to touch what callers use." --lesson "What a release reads has to be in the oldest record."
firstwatch action "Run scripts/smoke-tests.sh before each release" -i "$id" --owner responder-2 --due 14d --priority High
firstwatch action "Let the readiness probe read a record" -i "$id" --owner responder-3 --due 30d
firstwatch postmortem "$id" --held 0m --final
firstwatch actions "$id"
firstwatch verify "$id"
echo "record  $FIRSTWATCH_RECORDS/$id"
