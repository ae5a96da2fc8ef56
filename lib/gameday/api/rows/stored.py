"""What is looked up rather than run: namespaces, configuration, secrets, leases, and what happened."""

from collections.abc import Mapping
from datetime import datetime

from firstwatch.model import Json
from gameday.api.rows.column import Layout, age, columns, name, since


def _namespace(item: Json, now: datetime) -> list[Json]:
    return [name(item), (item.get("status") or {}).get("phase", ""), age(item, now)]


def _config_map(item: Json, now: datetime) -> list[Json]:
    return [name(item), sum(len(item.get(each) or {}) for each in ("data", "binaryData")), age(item, now)]


def _secret(item: Json, now: datetime) -> list[Json]:
    return [name(item), item.get("type", "Opaque"), len(item.get("data") or {}), age(item, now)]


def _lease(item: Json, now: datetime) -> list[Json]:
    return [name(item), (item.get("spec") or {}).get("holderIdentity", ""), age(item, now)]


def _event(item: Json, now: datetime) -> list[Json]:
    about = item.get("involvedObject") or {}
    target = "/".join(filter(None, (about.get("kind", "").lower(), about.get("name"))))
    first, last, count = _seen(item, now)
    return [
        last, item.get("type", ""), item.get("reason", ""), target, about.get("fieldPath", ""), _source(item),
        item.get("message", "").strip(), first, count, name(item),
    ]  # fmt: skip


def _seen(event: Json, now: datetime) -> tuple[str, str, int]:
    """Return when *event* was first and last seen, and how often: recorders old and new tell it differently."""
    first = since(event.get("firstTimestamp") or event.get("eventTime"), now)
    if series := event.get("series"):
        return first, since(series.get("lastObservedTime"), now), series.get("count", 0)
    last = event.get("lastTimestamp")
    return first, since(last, now) if last else first, event.get("count") or 1


def _source(event: Json) -> str:
    source = event.get("source") or {}
    component = source.get("component") or event.get("reportingComponent", "")
    where = source.get("host") or event.get("reportingInstance", "")
    return f"{component}, {where}" if where else component


LAYOUTS: Mapping[str, Layout] = {
    "namespaces": Layout(columns("Name, Status, Age"), _namespace),
    "configmaps": Layout(columns("Name, Data, Age"), _config_map),
    "secrets": Layout(columns("Name, Type, Data, Age"), _secret),
    "leases": Layout(columns("Name, Holder, Age"), _lease),
    "events": Layout(
        columns(
            "Last Seen, Type, Reason, Object, Subobject*, Source*, Message, First Seen*, Count*, Name*"
        ),
        _event,
    ),
}  # fmt: skip
