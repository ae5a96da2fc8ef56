"""
The sweep: many probes at once, each with its own deadline, and their findings ranked.

Its time is that of its slowest probe. A probe that does not come back is UNKNOWN; what the others found is kept.

What is not configured is left out: a sweep says what it saw, and `unasked` says what it did not ask.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime

from firstwatch.errors import Unavailable
from firstwatch.model import Findings
from firstwatch.probes.probe import Probe, ask, unknown
from firstwatch.probes.ranking import rank
from firstwatch.settings import Settings
from firstwatch.systems import Systems
from firstwatch.systems.deadline import bounded
from firstwatch.systems.snapshot import Snapshot

DEADLINE_S = 30.0


def sweep(probes: Sequence[Probe], systems: Systems, now: datetime, *, deadline_s: float = DEADLINE_S) -> Findings:
    """
    Return what all *probes* found, ranked.

    Args:
        probes: What to ask; at least one.
        systems: Whom.
        now: The time of asking, the same for all.
        deadline_s: Each probe's, in seconds. One that is not back by then is UNKNOWN.
    """

    def asked(probe: Probe) -> Findings:
        try:
            return bounded(deadline_s, f"probe {probe.name}", lambda: ask(probe, shared, now))
        except Unavailable as error:
            return Findings((unknown(probe, systems, error),))

    seen = Snapshot.of(systems.cluster)
    shared = replace(systems, cluster=seen)
    able = [probe for probe in probes if probe.configured(systems.settings)] or list(probes)
    with ThreadPoolExecutor(len(able), "sweep") as pool:
        found = rank(finding for findings in pool.map(asked, able) for finding in findings)
    seen.tell(systems.cluster)
    return found


def unasked(probes: Iterable[Probe], settings: Settings) -> tuple[str, ...]:
    """Return the names of those of *probes* that a sweep leaves out, because nobody configured what they ask."""
    return tuple(sorted(probe.name for probe in probes if not probe.configured(settings)))
