#!/usr/bin/env bash
# Smoke tests: a handful of requests that every user depends on, from outside. Reads only; exit 0 when all pass.
#   SERVICE_URL=https://api.claude-deployment.com scripts/smoke-tests.sh
set -uo pipefail
url=${SERVICE_URL:?the address of the service, such as https://api.claude-deployment.com}
failed=0
check() {  # a path, and the status that it must answer
  local told
  told=$(curl --silent --output /dev/null --max-time 5 --write-out '%{http_code}' "$url$1")
  if [ "$told" = "$2" ]; then echo "ok     $1 $told"; else echo "FAILED $1 answered $told, not $2"; failed=1; fi
}
for _ in 1 2 3 4 5; do check /v1/deployments 200; done  # a page each: old records and new ones
check /health 200
check /v1/deployments/none 404
exit $failed
