"""
The text of a case at AWS, from the record and the configuration, for a person to paste. Pure.

What neither holds is said to be not known: a wrong account or region costs more time than an open question.
"""

from collections.abc import Iterable, Iterator

from firstwatch.channels import texts
from firstwatch.model import Finding
from firstwatch.policy.facts import Moment
from firstwatch.record.incident import Incident
from firstwatch.settings import Aws

WHOM, TEMPLATE = "aws", "aws-case"
PROBES = ("load-balancer", "targets")
NOT_KNOWN = "not known"
MOST = 5  # of a list; more would make a field too long
REGION, ACCOUNT = 3, 4  # the parts of a resource's name, arn:aws:SERVICE:REGION:ACCOUNT:…


def case(incident: Incident, where: Aws) -> str:
    """Return what AWS is told of *incident*; *where* is what the configuration knows of the load balancer."""
    facts, seen = incident.people, [each for each in incident.findings if each.probe in PROBES]
    names = tuple(_resources(seen, where))
    fields = {
        "severity": incident.severity or "not declared yet", "title": incident.title or NOT_KNOWN,
        "account": _part(names, ACCOUNT), "region": where.region or _part(names, REGION), "resources": _listed(names),
        "impact": incident.impact or NOT_KNOWN, "noticed": _when(facts.detections), "declared": _when(facts.declared),
        "seen": _listed(f"{each.verdict} {each.probe}, {each.seen}" for each in seen), "record": incident.id,
    }  # fmt: skip
    return texts.render(TEMPLATE, fields)


def _resources(seen: Iterable[Finding], where: Aws) -> Iterator[str]:
    """Yield the names that AWS gave them, as they were seen or configured, else our own; each once."""
    known = [*(each.resource for each in seen), where.target_group]
    found = list(dict.fromkeys(filter(None, known)))
    yield from found
    if where.load_balancer and not any(":loadbalancer/" in each for each in found):
        yield where.load_balancer


def _part(names: Iterable[str], place: int) -> str:
    """Return the parts at *place* of those *names* that have one, each once."""
    parts = (each.split(":") for each in names)
    return _listed(dict.fromkeys(each[place] for each in parts if len(each) > ACCOUNT and each[place]))


def _listed(values: Iterable[str]) -> str:
    found = list(values)
    left = f" and {len(found) - MOST} more" if len(found) > MOST else ""
    return ", ".join(found[:MOST]) + left or NOT_KNOWN


def _when(moments: tuple[Moment, ...]) -> str:
    return f"{moments[0].at:%Y-%m-%d %H:%M} UTC" if moments else NOT_KNOWN
