"""What only a real control plane enforces: a quota that leaves no room. `firstwatch gameday up --control-plane DIR`."""

from gameday.client import MERGE
from gameday.kinds import Kind
from gameday.scenarios import seen
from gameday.scenarios.scenario import (
    ALWAYS_WRONG,
    CONTROL_PLANE,
    RESTART,
    ROLLBACK,
    SCALE_OUT,
    Remedy,
    Scenario,
    Write,
    release,
)  # fmt: skip
from gameday.world.configuration import NAMESPACE

QUOTA = Kind("v1", "ResourceQuota", "resourcequotas")
PODS = "claude-deployment-pods"
ALL_AT_ONCE = {"strategy": {"type": "Recreate", "rollingUpdate": None}}


def _pods(most: int) -> Write:
    return Write({"spec": {"hard": {"pods": str(most)}}}, QUOTA, PODS, MERGE)


def _at_once(write: Write) -> Write:
    """Return *write* as a release that ends all old pods before it makes new ones."""
    return Write({**write.change, "spec": {**write.change["spec"], **ALL_AT_ONCE}})


SCENARIOS = (
    Scenario(
        name="quota", title="A quota that leaves no room for the pods of a release", needs=CONTROL_PLANE,
        change=(_pods(1), _at_once(release("1.4.1"))), shown=seen.failing,
        sees="no pod of a new revision, and none that fails",
        truth=((f"ResourceQuota/{NAMESPACE}/{PODS}", "quota-exceeded"),),
        cures=(
            Remedy("raise the quota", writes=(_pods(50),)),
            Remedy("take the quota away", writes=(Write({}, QUOTA, PODS),)),
        ),
        wrong=(ROLLBACK, RESTART, SCALE_OUT, *ALWAYS_WRONG),
    ),
)  # fmt: skip
