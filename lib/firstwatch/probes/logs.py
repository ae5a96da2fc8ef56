"""
What the programs themselves say: errors in the logs of all pods, grouped.

An error in a log does not say that anybody is hurt: healthy programs log some. So on its own it is UNKNOWN as long as
it goes on; a sweep that sees harm makes it BAD (`conclusions`), and one that has ended is OK.
"""

from datetime import datetime, timedelta

from firstwatch.model import Finding, Findings, Json, Verdict, clock_time
from firstwatch.probes.probe import Probe, probe
from firstwatch.probes.signatures import Group, groups
from firstwatch.record.redact import redacted
from firstwatch.systems import Systems
from firstwatch.systems import logs as reading
from firstwatch.systems.workloads import living, owner

GOES_ON = timedelta(seconds=60)
SHOWN = 5
OUTSIDE = {
    "dependency-down", "dependency-slow", "name-not-resolved", "certificate-expired", "certificate-untrusted",
    "credentials-refused",
}  # fmt: skip


@probe(
    "What errors do the logs tell of?",
    about="Deployment/{namespace}/{deployment}",
    expected="no error that goes on",
    command="kubectl logs -n {namespace} deployment/{deployment} --all-pods --prefix --tail=300",
)
def logs(self: Probe, systems: Systems, now: datetime) -> Findings:
    namespace = systems.settings.service.namespace
    pods = living(systems.cluster.list("Pod", namespace))
    if not pods:
        return self.unknown(systems, f"no pods in {namespace}", mechanism="blind")
    owners = {pod["metadata"]["name"]: owner(pod) for pod in pods}
    read = reading.read(systems.cluster, namespace, pods)
    if not read.read:
        return self.unknown(systems, f"no log could be read: {read.unread[0]}", mechanism="blind")
    unread = f"; {len(read.unread)} logs could not be read" if read.unread else ""
    found = [
        _said(self, systems, each, of, now)
        for of in sorted({*owners.values()})
        for each in groups(line for line in read.lines if owners[line.pod] == of)[:SHOWN]
    ]
    return Findings(found) if found else self.ok(systems, f"{len(read.lines)} lines of {read.read} logs{unread}")


def _said(self: Probe, systems: Systems, group: Group, of: str, now: datetime) -> Finding:
    goes_on = now - group.last <= GOES_ON
    times = f"{clock_time(group.first)} to {clock_time(group.last)}"
    sample: Json = redacted(group.sample)
    return self.says(
        systems.settings.service, Verdict.UNKNOWN if goes_on else Verdict.OK,
        f"{group.count} times in {group.pods} pods, {times}: {sample}", mechanism=group.mechanism,
        object=_about(group, of, systems.settings.service.namespace), since=group.first,
    )  # fmt: skip


def _about(group: Group, of: str, namespace: str) -> str:
    """Return what the error is about: the host that is named, if it is what cannot be reached; else the workload."""
    if group.mechanism in OUTSIDE and group.host:
        return f"Dependency//{group.host}"
    return of.replace("/", f"/{namespace}/")
