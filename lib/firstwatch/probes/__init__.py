"""
Probes: each reads one thing from one system and says OK, BAD or UNKNOWN. None ever changes anything.

A probe is a function of the systems and the time of asking. `sweep` asks many at once.
"""

from firstwatch.probes.probe import Probe, ask
from firstwatch.probes.sweep import sweep
from firstwatch.probes.traffic import error_rate, health
from firstwatch.probes.workload import nodes, pods, rollouts

FIRST_FIVE_MINUTES: tuple[Probe, ...] = (nodes, pods, rollouts, error_rate, health)

__all__ = ["FIRST_FIVE_MINUTES", "Probe", "ask", "error_rate", "health", "nodes", "pods", "rollouts", "sweep"]
