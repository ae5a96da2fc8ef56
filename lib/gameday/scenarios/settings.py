"""What is changed without a release: a flag, the number of pods, the way that requests take."""

from gameday import kinds
from gameday.client import MERGE
from gameday.scenarios import seen
from gameday.scenarios.releases import FLAGS, WORKLOAD
from gameday.scenarios.scenario import ALWAYS_WRONG, RESTART, ROLLBACK, SCALE_OUT, Remedy, Scenario, Write, release
from gameday.world.configuration import NAMESPACE
from gameday.world.metrics import SERVICE

CONFIG, DOOR = f"ConfigMap/{NAMESPACE}/{FLAGS}", f"Service/{NAMESPACE}/{SERVICE}"
FEATURE = "feature-xyz-enabled"
AGAIN = Remedy("release again", writes=(release("1.4.3"),))
PORTS = [{"name": "http", "port": 80, "targetPort": 8081}]


def _flag(value: str) -> Write:
    return Write({"data": {FEATURE: value}}, kinds.CONFIG_MAP, FLAGS, MERGE)


def _door(spec: dict[str, object]) -> Write:
    return Write({"spec": spec}, kinds.SERVICE, SERVICE, MERGE)


def _replicas(number: int) -> Write:
    return Write({"spec": {"replicas": number}})


SCENARIOS = (
    Scenario(
        name="feature", title="A feature that was switched on before it was ready", change=(_flag("true"),),
        shown=seen.paged, sees="errors without a release", truth=((CONFIG, "flag-change"),),
        cures=(
            Remedy("switch the feature off", "mitigate/feature-toggle", {"key": FEATURE}),
            Remedy("put the value back", writes=(_flag("false"),)),
        ),
        wrong=(RESTART, SCALE_OUT, *ALWAYS_WRONG),
    ),
    Scenario(
        name="too-few", title="Fewer pods than the traffic needs", change=(_replicas(1),),
        shown=seen.failing,
        sees="requests refused for want of room; no release, no new error",
        truth=((WORKLOAD, "traffic-spike"), (WORKLOAD, "cpu-saturated"), (WORKLOAD, "too-few-replicas")),
        cures=(Remedy("scale out", "mitigate/scale-out", {"replicas": "4"}), Remedy("by hand", writes=(_replicas(3),))),
        wrong=(RESTART, AGAIN, *ALWAYS_WRONG),
    ),
    Scenario(
        name="no-pods", title="A workload that somebody scaled to nothing", change=(_replicas(0),), shown=seen.failing,
        sees="nothing answers, and nothing fails", truth=((WORKLOAD, "scaled-to-zero"),),
        cures=(Remedy("scale out", "mitigate/scale-out", {"replicas": "3"}), Remedy("by hand", writes=(_replicas(3),))),
        wrong=(RESTART, AGAIN, *ALWAYS_WRONG),
    ),
    Scenario(
        name="selector", title="A Service that selects pods which are not there",
        change=(_door({"selector": {"app": "claude-api"}}),), shown=seen.failing,
        sees="pods are ready, and no request reaches one", truth=((DOOR, "selector-matches-nothing"),),
        cures=(Remedy("mend the selector", writes=(_door({"selector": {"app": SERVICE}}),)),),
        wrong=(RESTART, SCALE_OUT, *ALWAYS_WRONG),
    ),
    Scenario(
        name="target-port", title="A Service that sends to a port where nobody listens",
        change=(_door({"ports": PORTS}),), shown=seen.failing, sees="pods are ready, and connections are refused",
        truth=((DOOR, "target-port-mismatch"),),
        cures=(Remedy("mend the port", writes=(_door({"ports": [{**PORTS[0], "targetPort": 8080}]}),)),),
        wrong=(RESTART, SCALE_OUT, *ALWAYS_WRONG),
    ),
    Scenario(
        name="shared-label", title="A Service that selects by a label which other teams' pods have too",
        change=(_door({"selector": {"app": None, "team": "models"}}),), shown=seen.failing,
        sees="a part of all requests answered by somebody else", truth=((DOOR, "selector-too-broad"),),
        cures=(Remedy("narrow the selector", writes=(_door({"selector": {"app": SERVICE, "team": None}}),)),),
        wrong=(RESTART, SCALE_OUT, *ALWAYS_WRONG),
    ),
    Scenario(
        name="quiet", title="Nothing: what a healthy world looks like", change=(), shown=seen.quiet,
        sees="OK everywhere", truth=(), cures=(), wrong=(ROLLBACK,),
    ),
)  # fmt: skip
