"""The JSON that Prometheus' API answers with: values, alerts, rules and targets in its shapes."""

from collections.abc import Iterable, Sequence
from typing import cast

from firstwatch.model import Json
from gameday.prometheus import moments, number
from gameday.prometheus.evaluate import Value
from gameday.prometheus.labelset import Labels
from gameday.prometheus.matching import Vector
from gameday.prometheus.rulefile import Alerting, Group
from gameday.prometheus.rules import Alert, Running
from gameday.prometheus.scrape import Scraper
from gameday.prometheus.series import Window
from gameday.prometheus.syntax import Kind

NEVER = "0001-01-01T00:00:00Z"


def instant(kind: Kind, value: Value, at_ms: int) -> Json:
    """Return the answer to an instant query."""
    match kind:
        case Kind.SCALAR:
            return {"resultType": "scalar", "result": point(at_ms, cast("float", value))}
        case Kind.STRING:
            return {"resultType": "string", "result": [moments.seconds(at_ms), value]}
        case Kind.MATRIX:
            return matrix(cast("list[Window]", value))
        case Kind.VECTOR:
            samples = cast("Vector", value)
            found = [{"metric": dict(each.labels), "value": point(at_ms, each.value)} for each in samples]
            return {"resultType": "vector", "result": found}


def matrix(windows: Iterable[Window]) -> Json:
    found = []
    for labels, times, values in windows:
        points = [point(at_ms, value) for at_ms, value in zip(times, values, strict=True)]
        found.append({"metric": dict(labels), "values": points})
    return {"resultType": "matrix", "result": found}


def point(at_ms: int, value: float) -> Json:
    return [moments.seconds(at_ms), number.show(value)]


def alert(each: Alert) -> Json:
    return {
        "labels": dict(each.labels),
        "annotations": dict(each.annotations),
        "state": each.state,
        "activeAt": moments.show(each.active_ms),
        "value": number.scientific(each.value),
    }


def groups(several: Sequence[tuple[Group, Sequence[Running]]], wanted: str) -> Json:
    """Return all groups; *wanted* is `alert`, `record` or empty for both."""
    return {"groups": [_group(group, [_rule(each) for each in rules if _is(each, wanted)]) for group, rules in several]}


def _group(group: Group, rules: list[Json]) -> Json:
    return {
        "name": group.name,
        "file": group.file,
        "rules": rules,
        "interval": group.interval_ms / 1000,
        "limit": 0,
        "evaluationTime": sum(each["evaluationTime"] for each in rules),
        "lastEvaluation": max((each["lastEvaluation"] for each in rules), default=NEVER),
    }


def _is(running: Running, wanted: str) -> bool:
    return not wanted or (wanted == "alert") == isinstance(running.rule, Alerting)


def _rule(running: Running) -> Json:
    rule, report = running.rule, running.report
    common = {
        "name": rule.name,
        "query": rule.text,
        "health": report.health,
        "evaluationTime": report.seconds,
        "lastEvaluation": moments.show(report.at_ms) if report.at_ms else NEVER,
        **({"lastError": report.error} if report.error else {}),
    }
    if not isinstance(rule, Alerting):
        return {**common, "type": "recording", **({"labels": dict(rule.labels)} if rule.labels else {})}
    return {
        **common,
        "type": "alerting",
        "state": running.state,
        "duration": moments.seconds(rule.hold_ms),
        "labels": dict(rule.labels),
        "annotations": dict(rule.annotations),
        "alerts": [alert(each) for each in running.alerts.values()],
    }


def targets(scrapers: Iterable[Scraper]) -> Json:
    return {"activeTargets": [_target(each) for each in scrapers], "droppedTargets": []}


def _target(scraper: Scraper) -> Json:
    target, report = scraper.target, scraper.report
    return {
        "discoveredLabels": dict(target.discovered),
        "labels": dict(target.labels),
        "scrapePool": target.job,
        "scrapeUrl": target.url,
        "globalUrl": target.url,
        "lastError": report.error,
        "lastScrape": moments.show(report.at_ms) if report.at_ms else NEVER,
        "lastScrapeDuration": report.seconds,
        "health": report.health,
        "scrapeInterval": f"{target.interval_ms}ms",
        "scrapeTimeout": f"{target.timeout_ms}ms",
    }


def names(several: Iterable[Labels]) -> list[str]:
    return sorted({name for labels in several for name, _ in labels})
