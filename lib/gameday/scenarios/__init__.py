"""
Scenarios: one fault each, as what is done to the world, what a responder sees, what heals it and what must not.

A scenario is injected as somebody's ordinary changes, through the API. It is only a fault once it can be seen: `shown`
looks, and says what it saw. The clock of a responder starts there.
"""

from collections.abc import Mapping

from gameday.scenarios import database, releases, settings, upstream
from gameday.scenarios.inject import inject
from gameday.scenarios.scenario import Remedy, Scenario, Write

__all__ = ["SCENARIOS", "Remedy", "Scenario", "Write", "inject"]

SCENARIOS: Mapping[str, Scenario] = {
    each.name: each for each in (*releases.SCENARIOS, *settings.SCENARIOS, *upstream.SCENARIOS, *database.SCENARIOS)
}
