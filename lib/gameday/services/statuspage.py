"""Statuspage's API v1: the incidents of one page, and the state of its components."""

import re
from collections.abc import Sequence

from aiohttp import web

from firstwatch.clock import Clock
from firstwatch.model import Json, timestamp
from gameday.services.faults import Faults, Handler
from gameday.services.limits import Limit

STATES = ("investigating", "identified", "monitoring", "resolved")
IMPACTS = ("none", "maintenance", "minor", "major", "critical")
SHOWN = ("operational", "under_maintenance", "degraded_performance", "partial_outage", "major_outage")
COMPONENTS = {"api": "c0mp0nent0001", "authentication": "c0mp0nent0002", "dashboard": "c0mp0nent0003"}
FIELDS = frozenset((
    "name", "status", "impact_override", "body", "component_ids", "components", "deliver_notifications", "metadata",
))  # fmt: skip
PAGE = "gam3daypag3"


class Wrong(Exception):
    """What was sent is refused, with these words."""


class StatusPage:
    def __init__(self, key: str, clock: Clock, faults: Faults) -> None:
        self._key, self._clock, self._faults = key, clock, faults
        self._limit = Limit(clock, 2, 1.0)
        self.incidents: list[Json] = []
        self.components = dict.fromkeys(COMPONENTS.values(), "operational")

    def routes(self) -> list[web.RouteDef]:
        path = "/statuspage/v1/pages/{page}/incidents"
        return [
            web.get(path, self._faulty(self._list)),
            web.post(path, self._faulty(self._create)),
            web.get(path + "/{id}", self._faulty(self._one)),
            web.patch(path + "/{id}", self._faulty(self._update)),
        ]

    def _faulty(self, handler: Handler) -> Handler:
        async def checked(request: web.Request) -> web.StreamResponse:
            if request.headers.get("Authorization") != f"OAuth {self._key}":
                return _no(401, "Could not authenticate")
            if not self._limit.admits("key"):
                return _no(420, "The request exceeds the rate limit")
            if request.match_info["page"] != PAGE:
                return _no(404, "page not found")
            try:
                answer = await handler(request)
            except Wrong as error:
                return _no(422, str(error))
            return answer

        return self._faults.faulty("statuspage", (403, {"error": "forbidden"}), checked)

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response(list(reversed(self.incidents))[: int(request.query.get("limit", 100))])

    async def _one(self, request: web.Request) -> web.Response:
        return web.json_response(self._found(request))

    async def _create(self, request: web.Request) -> web.Response:
        given = await _incident(request)
        name = str(given.get("name", ""))
        if not 0 < len(name) <= 255:
            raise Wrong("name is required, and has 255 letters at most")
        number = len(self.incidents) + 1
        made: Json = {
            "id": f"1nc1d3nt{number:04}", "name": name, "status": "", "impact": "none", "metadata": {},
            "components": [], "incident_updates": [], "created_at": timestamp(self._clock.now()),
            "shortlink": f"https://stspg.io/{number:06}",
        }  # fmt: skip
        self._apply(made, {"status": STATES[0], **given})
        self.incidents.append(made)
        return web.json_response(made, status=201)

    async def _update(self, request: web.Request) -> web.Response:
        found, given = self._found(request), await _incident(request)
        self._apply(found, {"status": found["status"], **given})
        return web.json_response(found)

    def _found(self, request: web.Request) -> Json:
        found = next((each for each in self.incidents if each["id"] == request.match_info["id"]), None)
        if found is None:
            raise web.HTTPNotFound(text='{"error": "incident not found"}', content_type="application/json")
        return found

    def _apply(self, incident: Json, given: Json) -> None:
        """Change *incident* as *given* says, all of it or nothing."""
        states = dict(given.get("components") or {})
        linked = list(given.get("component_ids") or [each["id"] for each in incident["components"]])
        _check(incident, given, states, [*linked, *states], self.components)
        self.components |= states
        incident["status"] = given["status"]
        incident["impact"] = given.get("impact_override", incident["impact"])
        incident["metadata"] |= given.get("metadata") or {}
        incident["components"] = [{"id": each, "status": self.components[each]} for each in linked]
        if given.get("body"):
            at = timestamp(self._clock.now())
            said = {"status": given["status"], "body": given["body"], "created_at": at}
            incident["incident_updates"].insert(0, said)


def _check(incident: Json, given: Json, states: Json, named: Sequence[str], known: Json) -> None:
    if given["status"] not in STATES:
        raise Wrong(f"status {given['status']!r} is not one of {', '.join(STATES)}")
    if incident["status"] == "resolved" and given["status"] != "resolved":
        raise Wrong("a resolved incident stays resolved")
    if given.get("impact_override", "none") not in IMPACTS:
        raise Wrong(f"impact_override is not one of {', '.join(IMPACTS)}")
    if len(str(given.get("body", ""))) > 25_000:
        raise Wrong("body has 25,000 letters at most")
    if [each for each in named if each not in known] or [each for each in states.values() if each not in SHOWN]:
        raise Wrong("no such component, or no such state of one")
    if not all(isinstance(each, dict) for each in (given.get("metadata") or {}).values()):
        raise Wrong("the values of metadata are objects")


async def _incident(request: web.Request) -> Json:
    body = await request.json()
    if not isinstance(body, dict) or not isinstance(body.get("incident"), dict):
        raise Wrong('the body is {"incident": {…}}')
    unknown = sorted(set(body["incident"]) - FIELDS)
    if unknown:
        raise Wrong(f"{re.sub(r'[^a-z_]', '?', unknown[0])} is not a parameter")
    return body["incident"]


def _no(status: int, text: str) -> web.Response:
    return web.json_response({"error": text}, status=status)
