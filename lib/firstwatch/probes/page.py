"""Whether users see the maintenance page: what the service's own address answers, to anybody."""

from dataclasses import replace
from datetime import datetime

from firstwatch.errors import BadParameter
from firstwatch.model import Findings, Verdict
from firstwatch.probes.probe import Probe, probe
from firstwatch.systems import Systems


@probe(
    "Do users see the maintenance page?",
    about="Service/{namespace}/{name}",
    expected="503, with the text of the page",
    command="curl -i {url}",
)
def page(self: Probe, systems: Systems, now: datetime) -> Findings:
    """Say OK while the page is shown; anything else is UNKNOWN, since an answer of the service is no fault."""
    service = systems.settings.service
    if not service.url:
        raise BadParameter("the service has no address: set [service] url")
    fresh = replace(systems.http, _client=None)  # a connection that was kept open still leads to a pod of before
    try:
        answer = fresh.get(service.url.rstrip("/") + "/")
    finally:
        fresh.close()
    if answer.status == 503 and systems.settings.maintenance.says in answer.text:
        return Findings((self.says(service, Verdict.OK, "the page, with 503"),))
    return Findings((self.says(service, Verdict.UNKNOWN, f"not the page: answered {answer.status}"),))
