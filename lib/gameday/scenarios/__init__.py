"""
Scenarios: one fault each, as what is done to the world, what a responder sees, what heals it and what must not.

A scenario is injected as somebody's ordinary changes, through the API. It is only a fault once it can be seen: `shown`
looks, and says what it saw. The clock of a responder starts there.
"""

from collections.abc import Mapping

from gameday.scenarios import database, limits, releases, settings, upstream
from gameday.scenarios.inject import inject
from gameday.scenarios.scenario import CONTROL_PLANE, Remedy, Scenario, Write

__all__ = ["OURS", "SCENARIOS", "Remedy", "Scenario", "Write", "inject"]

SCENARIOS: Mapping[str, Scenario] = {
    each.name: each
    for module in (releases, settings, upstream, database, limits)
    for each in module.SCENARIOS
}  # fmt: skip
# Those of a world whose control plane is ours. The others are tried by `make test-cluster`.
OURS: Mapping[str, Scenario] = {name: each for name, each in SCENARIOS.items() if each.needs != CONTROL_PLANE}
