"""
Whether what runs now has run for as long as its rates are counted over.

A rate over the last five minutes says little of pods that are ten seconds old: what they fail is hardly in it yet, and
what the pods before them failed goes with them. So a verification waits for that, and until then it is UNKNOWN.
"""

from datetime import datetime, timedelta
from statistics import median

from firstwatch.model import Findings, Json
from firstwatch.probes.probe import Probe, probe
from firstwatch.systems import Systems
from firstwatch.systems.workloads import condition, holds, living, moment, owner


@probe(
    "Have the pods run long enough to be judged?",
    about="Deployment/{namespace}/{deployment}",
    expected="most pods ready for as long as rates are counted over",
    command="kubectl get pods -n {namespace}",
)
def settled(self: Probe, systems: Systems, now: datetime) -> Findings:
    service, window = systems.settings.service, systems.settings.window
    found = living(systems.cluster.list("Pod", service.namespace))
    own = [each for each in found if owner(each) == f"Deployment/{service.deployment}"]
    ages = [ready_for(each, now).total_seconds() for each in own if holds(each, "Ready")]
    if not ages:
        return self.unknown(systems, "no pod is ready", next="firstwatch run investigate/workload")
    age, wanted = median(ages), window.total_seconds()
    over = f"rates are counted over {wanted:.0f} s"
    if age >= wanted:
        return self.ok(systems, f"most pods are ready for {wanted:.0f} s or more; {over}")
    said, left = f"most pods are ready for {age:.0f} s, and {over}", wanted - age
    return self.unknown(systems, said, next=f"look again in {left:.0f} s")


def ready_for(pod: Json, now: datetime) -> timedelta:
    """Return for how long *pod*, which is ready, is so; one that does not say since when is so for ever."""
    since = moment(condition(pod, "Ready").get("lastTransitionTime"))
    return now - since if since else timedelta.max
