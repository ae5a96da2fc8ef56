"""The nodes as Kubernetes reports them: ready, short of something, closed to new pods."""

from datetime import datetime

from firstwatch.model import Findings, Json
from firstwatch.probes.probe import Probe, probe
from firstwatch.systems import Systems
from firstwatch.systems.workloads import condition, holds, moment

# A condition that is bad when it holds, and the mechanism that it says.
PRESSURE = {"DiskPressure": "disk-full", "MemoryPressure": "node-pressure", "PIDPressure": "node-pressure"}


@probe(
    "Are the nodes ready?",
    about="Node//",
    expected="every node ready, and short of nothing",
    command="kubectl get nodes -o wide",
)
def nodes(self: Probe, systems: Systems, now: datetime) -> Findings:
    found = sorted(systems.cluster.list("Node"), key=lambda node: str(node["metadata"]["name"]))
    if not found:
        return self.unknown(systems, "the cluster lists no node")
    troubled = {node["metadata"]["name"]: trouble for node in found if (trouble := _trouble(node))}
    if not troubled:
        return self.ok(systems, f"{len(found)} of {len(found)} ready{_closed(found)}")
    return Findings(
        self.bad(
            systems, mechanism, said, object=f"Node//{name}", since=moment(since), next=f"kubectl describe node {name}"
        )
        for name, (mechanism, said, since) in troubled.items()
    )


def _trouble(node: Json) -> tuple[str, str, str | None] | None:
    """Return the mechanism, a sentence, and since when, if *node* is not as it should be."""
    if not holds(node, "Ready"):
        ready = condition(node, "Ready")
        said = ready.get("message") or ready.get("reason") or "no Ready condition"
        return "node-not-ready", f"not ready: {said}", ready.get("lastTransitionTime")
    for kind, mechanism in PRESSURE.items():
        if holds(node, kind):
            return (
                mechanism,
                f"{kind}: {condition(node, kind).get('message', '')}",
                condition(node, kind).get("lastTransitionTime"),
            )
    return None


def _closed(found: list[Json]) -> str:
    closed = [node["metadata"]["name"] for node in found if node.get("spec", {}).get("unschedulable")]
    return f"; closed to new pods: {', '.join(closed)}" if closed else ""
