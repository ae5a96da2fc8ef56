"""The service's smoke tests: its own script, from outside, with a deadline."""

from datetime import datetime

from firstwatch.model import Findings
from firstwatch.probes.probe import Probe, probe
from firstwatch.systems import Systems, scripts


@probe(
    "Do the smoke tests pass?",
    about="Service/{namespace}/{name}",
    expected="exit code 0",
    command="scripts/smoke-tests.sh",
    setting="checks.smoke",
)
def smoke_tests(self: Probe, systems: Systems, now: datetime) -> Findings:
    asked = systems.settings.checks
    code, told = scripts.run(systems.deck, asked.smoke, systems.settings.service.url, asked.smoke_s)
    lines = told["text"].strip().splitlines()
    said = "; ".join(lines[-3:]) or "it said nothing"
    if code == 0:
        return self.ok(systems, said)
    return Findings((self.bad(systems, "health-failing", f"exit code {code}: {said}"),))
