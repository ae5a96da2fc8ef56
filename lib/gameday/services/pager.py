"""The pager's Events API v2: an alert for each dedup key, that is triggered, acknowledged and resolved."""

from aiohttp import web

from firstwatch.model import Json
from gameday.services.faults import Faults

ACTIONS = {"trigger": "triggered", "acknowledge": "acknowledged", "resolve": "resolved"}
SEVERITIES = ("critical", "error", "warning", "info")


class Pager:
    """`keys` are the routing keys, by whom each wakes."""

    def __init__(self, keys: dict[str, str], faults: Faults) -> None:
        self._whom, self._faults = {key: whom for whom, key in keys.items()}, faults
        self.alerts: dict[str, Json] = {}

    def routes(self) -> list[web.RouteDef]:
        refusal = (403, {"status": "forbidden", "message": "this key may not"})
        return [web.post("/pager/v2/enqueue", self._faults.faulty("pager", refusal, self._enqueue))]

    async def _enqueue(self, request: web.Request) -> web.Response:
        given = await request.json()
        wrong = _wrong(given)
        if given.get("routing_key") not in self._whom:
            wrong.append("'routing_key' is invalid")
        if wrong:
            told = {"status": "invalid event", "message": "Event object is invalid", "errors": wrong}
            return web.json_response(told, status=400)
        key = given.get("dedup_key") or f"made-{len(self.alerts)}"
        self._take(key, given)
        return web.json_response({"status": "success", "message": "Event processed", "dedup_key": key}, status=202)

    def _take(self, key: str, given: Json) -> None:
        known = self.alerts.get(key)
        if given["event_action"] == "trigger":
            if known is None or known["state"] == "resolved":
                rings = (known["rings"] if known else 0) + 1
                known = {"whom": self._whom[given["routing_key"]], "rings": rings, "events": 0, **given["payload"]}
            self.alerts[key] = known | {"state": known.get("state", "triggered"), "events": known["events"] + 1}
        elif known and known["state"] != "resolved":
            self.alerts[key] = known | {"state": ACTIONS[given["event_action"]]}


def _wrong(given: Json) -> list[str]:
    payload, found = given.get("payload") or {}, []
    if given.get("event_action") not in ACTIONS:
        found.append("'event_action' is invalid")
    if given.get("event_action") == "trigger":
        found += [f"'payload.{each}' is missing or blank" for each in ("summary", "source") if not payload.get(each)]
        found += ["'payload.severity' is invalid"] if payload.get("severity") not in SEVERITIES else []
        found += ["'payload.summary' is too long"] if len(payload.get("summary") or "") > 1024 else []
    elif not given.get("dedup_key"):
        found.append("'dedup_key' is missing or blank")
    if len(given.get("dedup_key") or "") > 255:
        found.append("'dedup_key' is too long")
    return found
