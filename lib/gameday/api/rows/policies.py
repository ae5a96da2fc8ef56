"""What limits a workload: disruption budgets, autoscalers, quotas, and who may speak to whom."""

from collections.abc import Mapping
from datetime import datetime

from firstwatch.model import Json
from gameday.api.rows.column import NONE, UNKNOWN, UNSET, Layout, age, columns, name, selector

MOST_METRICS = 2
AVERAGED = {"External", "Object"}


def _budget(item: Json, now: datetime) -> list[Json]:
    spec, told = item.get("spec") or {}, item.get("status") or {}
    bounds = [str(spec.get(each, "N/A")) for each in ("minAvailable", "maxUnavailable")]
    return [name(item), *bounds, told.get("disruptionsAllowed", 0), age(item, now)]


def _autoscaler(item: Json, now: datetime) -> list[Json]:
    spec, told = item["spec"], item.get("status") or {}
    target = spec["scaleTargetRef"]
    return [
        name(item), f"{target['kind']}/{target['name']}", _metrics(spec, told), str(spec.get("minReplicas", UNSET)),
        spec.get("maxReplicas", 0), told.get("currentReplicas", 0), age(item, now),
    ]  # fmt: skip


def _metrics(spec: Json, told: Json) -> str:
    """Return each metric as it is and as it is wanted; the status lists them in the order of the spec."""
    wanted, seen = spec.get("metrics") or [], told.get("currentMetrics") or []
    both = zip(wanted, [*seen, *[{}] * len(wanted)], strict=False)
    shown = [_metric(target, current) for target, current in both]
    more = len(shown) - MOST_METRICS
    text = ", ".join(shown[:MOST_METRICS]) or NONE
    return f"{text} + {more} more..." if more > 0 else text


def _metric(target: Json, status: Json) -> str:
    kind = target["type"]
    field = kind[0].lower() + kind[1:]
    of, current = target[field], (status.get(field) or {}).get("current") or {}
    named = f"{of['name']}: " if kind.endswith("Resource") else ""
    if "averageValue" in of["target"]:
        average = " (avg)" if kind in AVERAGED else ""
        return f"{named}{current.get('averageValue', UNKNOWN)}/{of['target']['averageValue']}{average}"
    if named:
        return f"{named}{_percent(current, UNKNOWN)}/{_percent(of['target'], '<auto>')}"
    return f"{current.get('value', UNKNOWN)}/{of['target'].get('value', UNKNOWN)}"


def _percent(values: Json, otherwise: str) -> str:
    return f"{values['averageUtilization']}%" if "averageUtilization" in values else otherwise


def _quota(item: Json, now: datetime) -> list[Json]:
    told = item.get("status") or {}
    used, hard = told.get("used") or {}, told.get("hard") or {}
    shown = {each: f"{each}: {used.get(each, '0')}/{hard[each]}" for each in sorted(hard)}
    limits = [text for each, text in shown.items() if each.startswith("limits.")]
    requests = [text for each, text in shown.items() if not each.startswith("limits.")]
    return [name(item), ", ".join(requests), ", ".join(limits), age(item, now)]


def _limit_range(item: Json, _: datetime) -> list[Json]:
    return [name(item), item["metadata"].get("creationTimestamp")]


def _network_policy(item: Json, now: datetime) -> list[Json]:
    return [name(item), selector((item.get("spec") or {}).get("podSelector")), age(item, now)]


LAYOUTS: Mapping[str, Layout] = {
    "poddisruptionbudgets": Layout(
        columns("Name, Min Available, Max Unavailable, Allowed Disruptions:integer, Age"), _budget
    ),
    "horizontalpodautoscalers": Layout(
        columns("Name, Reference, Targets, MinPods, MaxPods, Replicas, Age"), _autoscaler
    ),
    "resourcequotas": Layout(columns("Name, Request, Limit, Age"), _quota),
    "limitranges": Layout(columns("Name, Created At:date"), _limit_range),
    "networkpolicies": Layout(columns("Name, Pod-Selector, Age"), _network_policy),
}  # fmt: skip
