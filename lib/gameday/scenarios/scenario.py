"""
What a scenario is: one fault, as somebody's ordinary change; what is seen of it; what heals it, and what must not.

All of it is data. A remedy is a runbook of ours, or the writes that somebody would make by hand.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from firstwatch.model import Json
from gameday import kinds
from gameday.client import STRATEGIC
from gameday.kinds import Kind
from gameday.world.folder import State
from gameday.world.metrics import SERVICE
from gameday.world.parts import CATALOG

CONTROL_PLANE, DATABASE = "kube-controller-manager", "database"  # the parts of a world that not every world has
Shown = Callable[[State], str]  # a sentence on what is to be seen; empty as long as there is nothing


@dataclass(frozen=True, slots=True)
class Write:
    """One patch of one object, which is made when it is not there. A *kind* with an empty *change* is deleted."""

    change: Mapping[str, Json]
    kind: Kind = kinds.DEPLOYMENT
    name: str = SERVICE
    form: str = STRATEGIC


@dataclass(frozen=True, slots=True)
class Signal:
    """What happens to the machine below: one *part* of the world is sent signal *number*."""

    part: str
    number: int


@dataclass(frozen=True, slots=True)
class Remedy:
    """What somebody tries: a mitigate runbook with parameters, or writes by hand."""

    name: str
    runbook: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    writes: tuple[Write | Signal, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """
    One fault. `change` is what is written, or happens, in order; nothing for none.

    `truth` is what the first finding must say: any of these (object, mechanism) pairs. `release`: the fault is a
    release itself, so that an innocent change near it is one of something else.
    """

    name: str
    title: str
    change: tuple[Write | Signal, ...]
    shown: Shown
    sees: str
    truth: tuple[tuple[str, str], ...]
    cures: tuple[Remedy, ...]
    wrong: tuple[Remedy, ...]
    release: bool = False
    needs: str = ""  # CONTROL_PLANE or DATABASE

    @property
    def heals(self) -> str:
        return ", or ".join(each.name for each in self.cures) or "nothing to heal"


def container(name: str = "api", **fields: Json) -> Mapping[str, Json]:
    """Return the patch of a Deployment that sets *fields* of its container."""
    return {"spec": {"template": {"spec": {"containers": [{"name": name, **fields}]}}}}


def release(version: str, **fields: Json) -> Write:
    """Return the write that releases *version* of the example service, as whoever released it would leave it."""
    cause = {"metadata": {"annotations": {"kubernetes.io/change-cause": f"release {version}"}}}
    return Write({**cause, **container(image=f"{SERVICE}:{version}", **fields)})


ROLLBACK = Remedy("roll back", "mitigate/rollback")
AGAIN = {"spec": {"template": {"metadata": {"annotations": {"restarted": "1"}}}}}
RESTART = Remedy("restart", writes=(Write(AGAIN),))
RESTART_CATALOG = Remedy("restart the catalog", writes=(Write(AGAIN, name=CATALOG),))
SCALE_OUT = Remedy("scale out", writes=(Write({"spec": {"replicas": 5}}),))
TO_ZERO = Remedy("scale to 0", writes=(Write({"spec": {"replicas": 0}}),))
DELETE = Remedy("delete it", writes=(Write({}),))
NOTHING = Remedy("do nothing")
ALWAYS_WRONG = (NOTHING, TO_ZERO, DELETE)
