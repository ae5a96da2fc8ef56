"""
What Kubernetes warned of: events, grouped. One that keeps pods from being made is BAD as long as pods are missing.

An old warning says nothing of now, and a rollout that goes well warns too; those are counted, and are OK.
"""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from firstwatch.model import Finding, Findings, Json
from firstwatch.probes.probe import Probe, probe
from firstwatch.systems import Systems
from firstwatch.systems.workloads import moment, owner

RECENT = timedelta(minutes=15)
SHOWN = 4
_QUOTA = re.compile(r"exceeded quota: ([\w.-]+)")


@probe(
    "What did Kubernetes warn of?",
    about="Deployment/{namespace}/{deployment}",
    expected="no warning that keeps pods from being made",
    command="kubectl get events -n {namespace} --field-selector type=Warning --sort-by .lastTimestamp",
)
def events(self: Probe, systems: Systems, now: datetime) -> Findings:
    namespace = systems.settings.service.namespace
    told = [each for each in systems.cluster.list("Event", namespace) if each.get("type") == "Warning"]
    recent = [each for each in told if (at := last(each)) and now - at <= RECENT]
    refused = [each for each in recent if each.get("reason") == "FailedCreate"]
    bad = tuple(_refusals(self, systems, refused)) if refused else ()
    if bad:
        return Findings(bad)
    counted = Counter(str(each.get("reason")) for each in recent for _ in range(each.get("count") or 1))
    said = ", ".join(f"{reason} {count} times" for reason, count in sorted(counted.items())[:SHOWN])
    return self.ok(systems, f"in 15 minutes: {said}" if said else "no warning in 15 minutes")


def last(event: Json) -> datetime | None:
    """Return when *event* was last seen: it has several fields for that, by its age and its maker."""
    series = event.get("series") or {}
    return moment(series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime"))


def _refusals(self: Probe, systems: Systems, refused: list[Json]) -> Iterator[Finding]:
    """Yield a finding for each reason why a ReplicaSet that is short of pods could not make one."""
    namespace = systems.settings.service.namespace
    short = {each["metadata"]["name"]: each for each in systems.cluster.list("ReplicaSet", namespace) if _short(each)}
    seen: dict[tuple[str, str], tuple[str, datetime | None]] = {}
    for each in refused:
        made_by = short.get(each.get("involvedObject", {}).get("name", ""))
        if made_by is None:
            continue
        message = str(each.get("message", ""))
        quota = _QUOTA.search(message)
        mechanism = "quota-exceeded" if quota else "admission-refused"
        about = f"ResourceQuota/{namespace}/{quota[1]}" if quota else _named(owner(made_by), namespace)
        seen[mechanism, about] = message, moment(each.get("firstTimestamp") or each.get("eventTime"))
    for (mechanism, about), (message, since) in sorted(seen.items()):
        yield self.bad(systems, mechanism, f"pods cannot be made: {message}", object=about, since=since)


def _named(of: str, namespace: str) -> str:
    return of.replace("/", f"/{namespace}/")


def _short(replicaset: Json) -> bool:
    return bool(replicaset.get("status", {}).get("replicas", 0) < replicaset["spec"].get("replicas", 1))
