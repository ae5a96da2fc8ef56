"""The service's own health check, asked several times: one answer of three that fails is a third of the callers."""

from collections.abc import Iterable
from datetime import datetime

from firstwatch.model import Findings
from firstwatch.probes.probe import Probe, probe
from firstwatch.systems import Systems
from firstwatch.systems.retry import Budget

ASKED = Budget(deadline_s=5, pauses_s=())  # a health check that is asked again until it answers would hide what it says
SAMPLES = 3


@probe(
    "Does the service answer?",
    about="Service/{namespace}/{name}",
    expected="three answers of 200",
    command="curl -f {health}",
    setting="service.health",
)
def health(self: Probe, systems: Systems, now: datetime) -> Findings:
    service = systems.settings.service
    answers = [systems.http.get(service.health, budget=ASKED) for _ in range(SAMPLES)]
    statuses = [each.status for each in answers]
    if not all(service.health_says in each.text for each in answers if each.status == 200):
        said = f"answered 200 without {service.health_says!r}: is it the service that answers?"
        return self.unknown(systems, said, next="look at what answers, with the command")
    if all(status == 200 for status in statuses):
        return self.ok(systems, "answered 200, three times of three")
    said = f"answered {_listed(statuses)}"
    return Findings((self.bad(systems, "health-failing", said, next="look at the pods"),))


def _listed(statuses: Iterable[int]) -> str:
    return ", ".join(map(str, statuses))
