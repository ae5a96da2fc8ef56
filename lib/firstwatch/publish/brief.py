"""
The situation brief: what somebody has to know who takes over, from the record alone.

State, impact, roles, duties, hypotheses that are open and those that need not be tried again, changes in force with
what undoes them, and the last text that customers saw.
"""

from collections.abc import Iterable, Iterator

from firstwatch.model import clock_time
from firstwatch.policy.duties import Duty
from firstwatch.policy.facts import Facts
from firstwatch.policy.links import Link
from firstwatch.policy.tables import Policy
from firstwatch.record.incident import Incident
from firstwatch.record.messages import last_public


def brief(
    incident: Incident, duties: Iterable[Duty], policy: Policy, links: Iterable[Link] = ()
) -> dict[str, tuple[str, ...]]:
    """Return the brief of *incident*: a title for each part, and its lines; nothing in them is escaped."""
    causes = _causes(incident.people)
    return {
        "State": tuple(_state(incident)),
        "Impact": (incident.impact,) if incident.impact else (),
        "Roles": tuple(_roles(incident.people, policy)),
        "Owed": tuple(_owed(duties)),
        "Open hypotheses": tuple(text for text, state in causes.items() if state == "open"),
        "Eliminated hypotheses": tuple(text for text, state in causes.items() if state == "eliminated"),
        "Confirmed causes": tuple(text for text, state in causes.items() if state == "confirmed"),
        "Changes in force": tuple(_changes(incident)),
        "Seen last": tuple(f"{each.verdict} {each.probe}: {each.seen}" for each in incident.findings),
        "BAD before, and not looked at since": tuple(
            f"{clock_time(each.at)}, {each.finding.probe}: {each.finding.seen}" for each in incident.bad_before
        ),
        "Where to look": tuple(f"{each.name}, {each.about}: {each.url}" for each in links),
        "Last text that customers saw": tuple(_shown(incident)),
    }


def _state(incident: Incident) -> Iterator[str]:
    grade = incident.severity or "no severity"
    yield f"{incident.id}, {grade}, {incident.status}: {incident.title or 'not declared'}"
    if incident.declared_at:
        yield f"declared at {clock_time(incident.declared_at)}"
    for name in sorted({each.flag for each in incident.people.flags}):
        if incident.people.flag(name):
            yield f"flag {name} is set"
    if incident.people.held_back:
        yield "texts are held back until they are released"


def _roles(facts: Facts, policy: Policy) -> Iterator[str]:
    for role in dict.fromkeys((*policy.core, *facts.roles)):
        offer = facts.offered(role)
        offered = f", offered to {offer.to}" if offer else ""
        name = policy.roles[role].name if role in policy.roles else role
        yield f"{name}: {facts.roles.get(role, 'nobody')}{offered}"


def _owed(duties: Iterable[Duty]) -> Iterator[str]:
    for each in duties:
        if each.state in ("due", "overdue"):
            yield f"{each.state} {each.id} by {clock_time(each.due)}, {each.owner}"


def _causes(facts: Facts) -> dict[str, str]:
    """Return each hypothesis with what was said of it last."""
    return {each.text: each.state for each in facts.hypotheses}


def _changes(incident: Incident) -> Iterator[str]:
    for each in incident.in_force:
        result = each.result or "in doubt: firstwatch resume"
        yield f"{each.plan.action} {each.plan.target} by {each.by}: {result}; firstwatch undo {each.key}"


def _shown(incident: Incident) -> Iterator[str]:
    message = last_public(incident.messages)
    if message and message.delivered_at:
        yield f"{message.channel} at {clock_time(message.delivered_at)}"
        yield from message.text.splitlines()
