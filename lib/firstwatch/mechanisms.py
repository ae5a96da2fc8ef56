"""
The words for what is wrong, one a mechanism that can be told apart from the others, and how each is ranked.

A BAD finding carries one of them, and an UNKNOWN one `blind`. They are fixed here before any probe uses them: whoever
counts how often the first finding was right compares words, not sentences. How a word ranks follows from what it is:
a contradiction of state is worth more than a threshold that was passed, and a cause more than what users feel of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum


class Weight(IntEnum):
    """
    What kind of statement a mechanism makes, the most telling first.

    A FLAW contradicts itself: the objects cannot work as they are written. UPSTREAM: something that the workload leans
    on is at fault. A CHANGE came just before the harm. A STATE is bad, and says little of why. A THRESHOLD was passed.
    HARM is what users feel. REMARK affects nobody yet.
    """

    FLAW = 1
    UPSTREAM = 2
    CHANGE = 3
    STATE = 4
    THRESHOLD = 5
    HARM = 6
    REMARK = 7


@dataclass(frozen=True, slots=True)
class Mechanism:
    """`seen_by` are the probes that use it; `then` is the runbook or command to go to."""

    weight: Weight
    meaning: str
    seen_by: tuple[str, ...]
    then: str = ""


ROLLBACK = "firstwatch run mitigate/rollback"
END_SESSION = "firstwatch run mitigate/end-session"
W = Weight

MECHANISMS: Mapping[str, Mechanism] = {
    # The objects cannot work as they are written.
    "image-pull": Mechanism(W.FLAW, "A container's image cannot be pulled.", ("pods",), ROLLBACK),
    "configuration-missing": Mechanism(
        W.FLAW, "A container needs a ConfigMap, Secret or key that is not there.", ("pods", "references")
    ),
    "setting-missing": Mechanism(
        W.FLAW, "A program ends or fails for want of a setting; its log names it.", ("logs",), ROLLBACK
    ),
    "workload-missing": Mechanism(W.FLAW, "The workload's Deployment is not there.", ("rollouts",)),
    "service-missing": Mechanism(W.FLAW, "No Service leads to the workload's pods.", ("services",)),
    "scaled-to-zero": Mechanism(W.FLAW, "The workload is asked to have no pods.", ("rollouts", "autoscalers")),
    "selector-matches-nothing": Mechanism(W.FLAW, "A Service selects no pod at all.", ("services",)),
    "selector-too-broad": Mechanism(W.FLAW, "A Service selects pods of another workload too.", ("services",)),
    "target-port-mismatch": Mechanism(W.FLAW, "A Service sends to a port that its pods do not offer.", ("services",)),
    "readiness-probe-wrong": Mechanism(
        W.FLAW, "A readiness probe asks what the program does not answer, while the program runs.", ("pods", "rollouts")
    ),
    "liveness-probe-wrong": Mechanism(
        W.FLAW, "A liveness probe kills a program that works.", ("pods", "rollouts"), ROLLBACK
    ),
    "memory-limit": Mechanism(W.FLAW, "A container is killed soon after each start, for want of memory.", ("pods",)),
    "quota-exceeded": Mechanism(W.FLAW, "A quota refuses pods.", ("events", "quotas")),
    "admission-refused": Mechanism(W.FLAW, "An admission rule or webhook refuses pods.", ("events",)),
    "disruption-blocked": Mechanism(W.REMARK, "A disruption budget allows no pod to be moved.", ("budgets",)),
    "not-scheduled": Mechanism(W.FLAW, "Pods wait for a node that can take them.", ("pods", "events")),
    "autoscaler-blind": Mechanism(W.FLAW, "An autoscaler cannot read what it scales by.", ("autoscalers",)),
    "ingress-backend-missing": Mechanism(
        W.FLAW, "An Ingress sends to a Service or port that is not there.", ("ingresses",)
    ),
    "configuration-wrong": Mechanism(
        W.FLAW, "A changed setting sends the workload to a wrong place.", ("rollouts", "logs"), ROLLBACK
    ),
    # Something that the workload leans on is at fault.
    "node-not-ready": Mechanism(W.UPSTREAM, "A node does not report that it is ready.", ("nodes",)),
    "node-pressure": Mechanism(W.UPSTREAM, "A node is short of disk, memory or process ids.", ("nodes",)),
    "volume-unavailable": Mechanism(W.UPSTREAM, "A volume of a pod cannot be attached or mounted.", ("pods",)),
    "sandbox-failed": Mechanism(W.UPSTREAM, "A node cannot set pods up, often for want of a network.", ("pods",)),
    "disk-full": Mechanism(W.UPSTREAM, "A disk has no room left.", ("nodes", "logs")),
    "name-not-resolved": Mechanism(W.UPSTREAM, "A name cannot be resolved to an address.", ("dependencies", "logs")),
    "certificate-expired": Mechanism(
        W.UPSTREAM, "A certificate is no longer valid.", ("dependencies", "health", "logs")
    ),
    "certificate-untrusted": Mechanism(
        W.UPSTREAM, "A certificate is signed by nobody that is trusted, or for another name.", ("dependencies", "logs")
    ),
    "idle-in-transaction": Mechanism(
        W.UPSTREAM, "A session holds an open transaction and does nothing.", ("locks", "transactions"), END_SESSION
    ),
    "lock-wait": Mechanism(W.UPSTREAM, "Queries wait for a lock that one session holds.", ("locks",), END_SESSION),
    "database-read-only": Mechanism(W.UPSTREAM, "The database takes no writes.", ("database", "logs")),
    "credentials-refused": Mechanism(W.UPSTREAM, "A system refuses the workload's credentials.", ("database", "logs")),
    "schema-mismatch": Mechanism(W.UPSTREAM, "The database lacks a table or column that is asked for.", ("logs",)),
    "replication-slot-held": Mechanism(
        W.UPSTREAM, "A slot that nobody reads keeps the log from being freed.", ("replication",)
    ),
    "connections-exhausted": Mechanism(W.UPSTREAM, "The database has no connection left.", ("database", "logs")),
    "deadlocks": Mechanism(W.UPSTREAM, "Transactions lock each other out.", ("logs",)),
    "slow-query": Mechanism(W.UPSTREAM, "A query runs far longer than it should.", ("transactions", "logs")),
    "database-down": Mechanism(W.UPSTREAM, "The database does not answer.", ("database", "logs")),
    "replica-lag": Mechanism(W.UPSTREAM, "A replica is behind its primary.", ("replication",)),
    "targets-missing": Mechanism(W.UPSTREAM, "The load balancer has no target to send to.", ("targets",)),
    "targets-unhealthy": Mechanism(
        W.UPSTREAM, "The load balancer counts targets as unhealthy while the pods are well.", ("targets",)
    ),
    "dependency-refuses": Mechanism(
        W.UPSTREAM, "What the workload depends on answers, but not as expected.", ("dependencies",)
    ),
    "dependency-down": Mechanism(W.UPSTREAM, "What the workload depends on does not answer.", ("dependencies", "logs")),
    "dependency-slow": Mechanism(W.UPSTREAM, "What the workload depends on answers late.", ("dependencies", "logs")),
    "provider-incident": Mechanism(W.UPSTREAM, "A provider reports an incident of its own.", ("provider",)),
    # A change came just before the harm.
    "bad-release": Mechanism(W.CHANGE, "Errors began with a new revision of the workload.", ("rollouts",), ROLLBACK),
    "slow-release": Mechanism(
        W.CHANGE, "Answers became slow with a new revision of the workload.", ("rollouts",), ROLLBACK
    ),
    "flag-change": Mechanism(
        W.CHANGE,
        "Harm began with a change of a ConfigMap, without a release.",
        ("settings",),
        "firstwatch run mitigate/feature-toggle",
    ),
    "too-few-replicas": Mechanism(
        W.CHANGE,
        "Harm began when the workload was given fewer pods.",
        ("scaling",),
        "firstwatch run mitigate/scale-out",
    ),
    # State that is bad, and says little of why.
    "out-of-memory": Mechanism(W.STATE, "A container is killed when its memory has grown to the limit.", ("pods",)),
    "crash-loop": Mechanism(W.STATE, "A container ends soon after each start.", ("pods",)),
    "not-ready": Mechanism(W.STATE, "Pods run, but are not ready to serve.", ("pods",)),
    "no-endpoints": Mechanism(W.STATE, "A Service has no pod that is ready.", ("services",)),
    "rollout-stuck": Mechanism(W.STATE, "A new revision does not become available.", ("rollouts",)),
    "pool-exhausted": Mechanism(W.STATE, "The workload waits for a connection of its own pool.", ("logs",)),
    "file-descriptors-exhausted": Mechanism(W.STATE, "A program has no file descriptor left.", ("logs",)),
    "clock-skew": Mechanism(W.STATE, "Clocks differ so far that signatures are not valid yet.", ("logs",)),
    # A threshold was passed.
    "traffic-spike": Mechanism(W.THRESHOLD, "Far more requests come than before.", ("request-rate",)),
    "autoscaler-at-maximum": Mechanism(
        W.THRESHOLD, "An autoscaler wants more pods than it may have.", ("autoscalers",)
    ),
    "cpu-saturated": Mechanism(W.THRESHOLD, "Containers use nearly all the CPU that they may.", ("usage",)),
    "memory-near-limit": Mechanism(W.THRESHOLD, "Containers use nearly all the memory that they may.", ("usage",)),
    # What users feel.
    "errors-served": Mechanism(W.HARM, "Requests fail more often than the threshold allows.", ("error-rate",)),
    "latency-high": Mechanism(W.HARM, "Answers take far longer than before.", ("latency",)),
    "traffic-vanished": Mechanism(W.HARM, "Requests no longer come.", ("request-rate",)),
    "health-failing": Mechanism(W.HARM, "The service's own health check does not answer as it should.", ("health",)),
    "customers-report": Mechanism(W.HARM, "Customers report that something is wrong.", ("customers",)),
    "alert-firing": Mechanism(W.HARM, "An alert rule fires.", ("alerts",)),
    # Nobody is hurt yet.
    "certificate-expires": Mechanism(W.REMARK, "A certificate ends soon.", ("dependencies", "health")),
    "blind": Mechanism(
        W.REMARK, "A source of data cannot be read, so nothing is known of what it alone shows.", ("every",)
    ),
}


def weight(mechanism: str) -> Weight:
    """Return how *mechanism* ranks; a word that is not in the list is a STATE."""
    found = MECHANISMS.get(mechanism)
    return found.weight if found else Weight.STATE
