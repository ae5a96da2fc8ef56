"""What customers report: the one condition of stability that no system measures. A person says it."""

from datetime import datetime

from firstwatch.model import Findings
from firstwatch.probes.probe import Probe
from firstwatch.systems import Systems

NOTHING = ("none", "nothing", "no")


def customers(reports: str) -> Probe:
    """Return a probe that says what a person heard: *reports* is `none`, their words, or empty when nobody asked."""

    def look(self: Probe, systems: Systems, now: datetime) -> Findings:
        if not reports.strip():
            return self.unknown(systems, "nobody has asked", next="ask whoever talks to customers")
        if reports.strip().lower() in NOTHING:
            return self.ok(systems, "a person says: none")
        return Findings((self.bad(systems, "customers-report", reports),))

    question = "What do customers report?"
    return Probe("customers", question, "Service/{namespace}/{name}", "none", "ask support", look, measured=False)
