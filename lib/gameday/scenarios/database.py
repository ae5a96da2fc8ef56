"""What befalls the database that the catalog reads: other teams' use of it, and the server itself."""

import signal

from gameday import kinds
from gameday.scenarios import seen
from gameday.scenarios.scenario import (
    ALWAYS_WRONG,
    DATABASE,
    RESTART,
    SCALE_OUT,
    Remedy,
    Scenario,
    Signal,
    Write,
)  # fmt: skip
from gameday.scenarios.upstream import BREAKER
from gameday.world.metrics import SERVICE

OBJECT = f"Database//{SERVICE}"


def _tenant(name: str, replicas: int) -> Write:
    return Write({"spec": {"replicas": replicas}}, kinds.DEPLOYMENT, f"claude-deployment-{name}")


SCENARIOS = (
    Scenario(
        name="backfill", title="A client of the database that keeps a table to itself", needs=DATABASE,
        change=(_tenant("backfill", 1),), shown=seen.failing,
        sees="timeouts in the log; the catalog's pod is well",
        truth=((OBJECT, "idle-in-transaction"), (OBJECT, "lock-wait")),
        cures=(BREAKER, Remedy("have the client stopped", writes=(_tenant("backfill", 0),))),
        wrong=(RESTART, SCALE_OUT, *ALWAYS_WRONG),
    ),
    Scenario(
        name="export", title="A client of the database that takes all of its connections", needs=DATABASE,
        change=(_tenant("export", 1),), shown=seen.failing, sees="errors in the log; the catalog's pod is well",
        truth=((OBJECT, "connections-exhausted"),),
        cures=(BREAKER, Remedy("have the client stopped", writes=(_tenant("export", 0),))),
        wrong=(RESTART, SCALE_OUT, *ALWAYS_WRONG),
    ),
    Scenario(
        name="database-silent", title="A database whose server hangs", needs=DATABASE,
        change=(Signal(DATABASE, signal.SIGSTOP),), shown=seen.failing,
        sees="timeouts in the log; the catalog's pod is well", truth=((OBJECT, "database-down"),),
        cures=(BREAKER, Remedy("let the server go on", writes=(Signal(DATABASE, signal.SIGCONT),))),
        wrong=(RESTART, SCALE_OUT, *ALWAYS_WRONG),
    ),
)  # fmt: skip
