"""
Prometheus' HTTP API, on loopback.

Errors have Prometheus' shape: 400 `bad_data` for what was asked wrongly, 422 `execution` for what the series do not
allow, 503 `timeout`.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from aiohttp import web

from firstwatch.errors import BadParameter, DeadlinePassed, FirstwatchError
from firstwatch.model import Json
from gameday.prometheus import answers, labelset, language, moments, page
from gameday.prometheus.matching import ExecutionFailed
from gameday.prometheus.queries import Queries
from gameday.prometheus.rules import Rules
from gameday.prometheus.series import Series
from gameday.prometheus.targets import Targets

log = logging.getLogger(__name__)

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

ADDRESS = "127.0.0.1"
VERSION = "0.0.0-gameday"
ERRORS: dict[type[FirstwatchError], tuple[int, str]] = {
    BadParameter: (400, "bad_data"),
    ExecutionFailed: (422, "execution"),
    DeadlinePassed: (503, "timeout"),
}


@dataclass(frozen=True, slots=True)
class Server:
    """Serves what the other parts know."""

    queries: Queries
    rules: Rules
    targets: Targets

    async def start(self, port: int) -> tuple[web.AppRunner, int]:
        """Listen; return what to clean up at the end, and the port, which is a free one when *port* is 0."""
        app = web.Application(middlewares=[_errors])
        for method in ("GET", "POST"):
            app.router.add_route(method, "/api/v1/query", self._instant)
            app.router.add_route(method, "/api/v1/query_range", self._range)
            app.router.add_route(method, "/api/v1/labels", self._labels)
            app.router.add_route(method, "/api/v1/series", self._series)
        for path, handler in {
            "/api/v1/label/{name}/values": self._values,
            "/api/v1/alerts": self._alerts,
            "/api/v1/rules": self._rules,
            "/api/v1/targets": self._targets,
            "/api/v1/status/buildinfo": _build,
            "/-/ready": _ready,
            "/-/healthy": _ready,
            "/metrics": self._metrics,
            "/graph": self._page,
            "/": self._page,
        }.items():
            app.router.add_get(path, handler)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, ADDRESS, port).start()
        return runner, runner.addresses[0][1]

    async def _instant(self, request: web.Request) -> web.Response:
        return _success(self.queries.instant(await _asked(request)))

    async def _range(self, request: web.Request) -> web.Response:
        return _success(await self.queries.over(await _asked(request)))

    async def _labels(self, request: web.Request) -> web.Response:
        return _success(answers.names(each.labels for each in await self._selected(request)))

    async def _values(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        values = {labelset.get(each.labels, name) for each in await self._selected(request)}
        return _success(sorted(values - {""}))

    async def _series(self, request: web.Request) -> web.Response:
        return _success([dict(each.labels) for each in await self._selected(request, must=True)])

    async def _selected(self, request: web.Request, *, must: bool = False) -> list[Series]:
        """Return the series that `match[]`, `start` and `end` select; all, when nothing is asked and need not be."""
        asked, form = await _asked(request), await request.post()
        wanted = [*request.query.getall("match[]", []), *map(str, form.getall("match[]", []))]
        if must and not wanted:
            raise BadParameter("no match[] parameter provided")
        first = self.queries.moment(asked, "start") if asked.get("start") else 0
        last = self.queries.moment(asked, "end") if asked.get("end") else moments.FURTHEST_MS
        store = self.queries.store
        selected = [store.select(language.selector(each).matchers) for each in wanted] or [list(store)]
        found = {each.labels: each for several in selected for each in several if each.window(first, last).times}
        return [found[labels] for labels in sorted(found)]

    async def _alerts(self, _: web.Request) -> web.Response:
        return _success({"alerts": [answers.alert(each) for each in self.rules.alerts]})

    async def _rules(self, request: web.Request) -> web.Response:
        wanted = request.query.get("type", "")
        if wanted not in {"", "alert", "record"}:
            raise BadParameter(f"not supported value {wanted!r} of type: alert or record")
        return _success(answers.groups(self.rules.groups, wanted))

    async def _targets(self, _: web.Request) -> web.Response:
        return _success(answers.targets(self.targets.scrapers))

    async def _metrics(self, _: web.Request) -> web.Response:
        failing = sum(running.report.health == "err" for _, several in self.rules.groups for running in several)
        lines = [
            "# TYPE prometheus_build_info gauge",
            f'prometheus_build_info{{version="{VERSION}"}} 1',
            "# TYPE prometheus_tsdb_head_series gauge",
            f"prometheus_tsdb_head_series {len(self.queries.store)}",
            "# TYPE gameday_prometheus_targets gauge",
            f"gameday_prometheus_targets {len(self.targets.scrapers)}",
            "# TYPE gameday_prometheus_rules_failing gauge",
            f"gameday_prometheus_rules_failing {failing}",
        ]
        headers = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        return web.Response(text="\n".join([*lines, ""]), headers=headers)

    async def _page(self, _: web.Request) -> web.Response:
        headers = {"Content-Security-Policy": page.POLICY, "X-Content-Type-Options": "nosniff"}
        return web.Response(
            text=page.render(self.rules, self.targets.scrapers), content_type="text/html", headers=headers
        )


async def _ready(_: web.Request) -> web.Response:
    return web.Response(text="Ready.\n")


async def _build(_: web.Request) -> web.Response:
    unknown = dict.fromkeys(("revision", "branch", "buildUser", "buildDate", "goVersion"), "")
    return _success({"version": VERSION, **unknown})


async def _asked(request: web.Request) -> Mapping[str, str]:
    """Return the parameters of the URL and of a form."""
    form = {name: str(value) for name, value in (await request.post()).items()}
    return {**request.query, **form}


def _success(data: Json) -> web.Response:
    return web.json_response({"status": "success", "data": data})


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except FirstwatchError as error:
        status, kind = next((found for each, found in ERRORS.items() if isinstance(error, each)), (500, "internal"))
        return _failure(status, kind, str(error))
    except web.HTTPException:
        raise
    except Exception as error:
        log.exception("%s", request.path)
        return _failure(500, "internal", f"{type(error).__name__}: {error}")


def _failure(status: int, kind: str, problem: str) -> web.Response:
    return web.json_response({"status": "error", "errorType": kind, "error": problem}, status=status)
