"""
What people may do in an incident, and what it becomes in the record: for a command and a runbook's cell alike.

Each decision is made of the incident as it is at the moment of writing, so of two people at once the second one is told
of the first. What is refused is a BadParameter, or NotFound for a word that there is not, that says what to try.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from firstwatch.clock import duration
from firstwatch.errors import BadParameter, NotFound, nearest
from firstwatch.model import Severity
from firstwatch.model import severity as parse_severity
from firstwatch.policy.gate import person as same
from firstwatch.policy.levels import Proposal, worse
from firstwatch.policy.roster import Roster
from firstwatch.policy.tables import Policy
from firstwatch.record.incident import Incident

Body = dict[str, Any]
COMMANDER = "incident-commander"
TEAM = "team"
SOURCES = ("alert", "customer", TEAM, "third-party")
STATUSES = ("INVESTIGATING", "MITIGATING", "MONITORING", "RESOLVED")


def noticed(source: str) -> str:
    """Return *source* when it is a word for who noticed."""
    if source not in SOURCES:
        raise NotFound(f"source {source!r} is not one of {', '.join(SOURCES)}; {nearest(source, list(SOURCES))}")
    return source


def undeclared(state: Incident) -> None:
    if state.declared_at:
        entry = next((each for each in state.timeline if each.kind == "declared"), None)
        by = f" by {entry.who}" if entry else ""
        raise BadParameter(f"incident {state.id} is declared already{by}; resolve it first, or note what is new")


def declared(state: Incident) -> Incident:
    if not state.declared_at or not state.severity:
        raise BadParameter(f"incident {state.id} is not declared yet; declare it first")
    return state


def graded(proposal: Proposal, severity: str, reason: str) -> str:
    """Return the severity that counts: the one given, which is lower than the one proposed only with a *reason*."""
    given = parse_severity(severity) if severity else proposal.severity
    if worse(proposal.severity, given) and proposal.rule != "unknown" and not reason.strip():
        raise BadParameter(
            f"severity {given} is lower than what is proposed, {proposal.reasons[0]}; give the reason why"
        )
    return given


def answered(state: Incident, policy: Policy, answers: Mapping[str, bool]) -> Iterator[Body]:
    """Yield the flags that the answers of triage set, and that are not set yet."""
    for flag in (each.answer for each in policy.triage.first if answers.get(each.answer)):
        if not state.people.flag(flag):
            yield {"flag": flag, "value": True, "reason": "answered at the declaration"}


def status(state: Incident, given: str) -> str:
    """Return how it stands, in an update's words: as *given*, else as it is."""
    word = (given or state.status).upper()
    if word not in STATUSES:
        raise NotFound(f"status {word!r}; {nearest(word, list(STATUSES))}")
    return word


def every(policy: Policy, severity: Severity) -> timedelta | None:
    """Return how often people are told at *severity*; None when it is as needed."""
    within = policy.schedule[severity].update.within
    return within if isinstance(within, timedelta) else None


def following(policy: Policy, severity: Severity, given: str) -> timedelta:
    """Return the time until the next update: as *given*, which the schedule bounds, else the schedule's."""
    usual, words = every(policy, severity), policy.schedule[severity].update.text.lower()
    try:
        span = duration(given) if given else usual
    except ValueError as error:
        raise BadParameter(f"the time until the next update: {error}") from error
    if span is None:
        raise BadParameter(f"the time until the next update is needed: at {severity} people are told {words}")
    if usual and span > usual:
        raise BadParameter(f"the next update in {given} is too late: at {severity} people are told {words}")
    return span


def numbered(state: Incident) -> int:
    return max((each.number for each in state.people.updates), default=0) + 1


def joins(policy: Policy, role: str, reason: str) -> None:
    """Refuse somebody of the extended team without a *reason*."""
    if role not in policy.core and not reason.strip():
        raise BadParameter(f"{role} is of the extended team: give the reason why they are needed")


def eligible(roster: Roster, role: str, person: str, reason: str = "") -> str:
    """Return the name of *person*, who is listed for *role*, or is taken for a *reason*."""
    found = roster.find(person)
    if not roster.may(found, role) and not reason.strip():
        listed = ", ".join(roster.eligible(role)) or "nobody"
        raise BadParameter(f"{found.name} is not listed for {role}; {listed} is. Give the reason why")
    return found.name


def assigned(state: Incident, role: str, name: str, reason: str) -> Body:
    """Return the event that gives *name* a *role*; one that is held is handed over, or taken for a *reason*."""
    holder = state.people.roles.get(role, "")
    if holder and same(holder) != same(name) and not reason.strip():
        how = f"firstwatch hand-over {role} --to {name}"
        raise BadParameter(f"{holder} is {role}; {how}, or give the reason why it cannot wait")
    return {"role": role, "person": name, "reason": reason.strip()}


def offered(state: Incident, role: str, name: str) -> Body:
    """Return the event by which *role* is offered to *name*: until they accept, it stays where it is."""
    holder = state.people.roles.get(role, "")
    if not holder:
        raise BadParameter(f"nobody is {role}; firstwatch assign {role} {name}")
    return {"state": "offered", "role": role, "from": holder, "to": name}


def answered_offer(state: Incident, role: str, me: str, *, accept: bool) -> Body:
    """Return the event that ends an offer of *role*: only the one to whom it was made accepts it."""
    offer = state.people.offered(role)
    if offer is None:
        raise BadParameter(f"{role} was offered to nobody; offer it first: firstwatch hand-over {role} --to PERSON")
    if accept and same(offer.to) != same(me):
        raise BadParameter(f"{role} was offered to {offer.to}, and you are {me}; --as says who acts")
    holder = state.people.roles.get(role, "") or me
    return {"state": "accepted" if accept else "withdrawn", "role": role, "from": holder, "to": offer.to}


def rung(policy: Policy, level: str) -> str:
    """Return *level* in capitals when it is one to climb to; empty stays empty."""
    wanted, levels = level.upper(), list(map(str, policy.ladder.levels))[1:]
    if wanted and wanted not in levels:
        raise NotFound(f"level {level!r} is not a level to climb to; {nearest(wanted, levels)}")
    return wanted


def climbed(state: Incident, policy: Policy, roster: Roster, level: str, reason: str) -> Body:
    """Return the event that climbs the ladder, to *level*, else to the next."""
    reached, levels = declared(state).people.level, policy.ladder.levels
    to = next((each for each in levels if each > reached and level in ("", each)), None)
    if to is None:
        raise BadParameter(f"incident {state.id} is on {reached} already")
    return {"level": to, "to": roster.on(to) or levels[to].who, "reason": reason}


def flag(policy: Policy, name: str) -> str:
    if name not in policy.flags:
        raise NotFound(f"{name!r} is not a flag; {nearest(name, list(policy.flags))}")
    return name


def turned(state: Incident, name: str, reason: str, *, on: bool = True) -> Body:
    """Return the event that sets a flag, or takes it off."""
    if (state.people.flag(name) is not None) is on:
        raise BadParameter(f"flag {name} is {'set' if on else 'off'} already")
    return {"flag": name, "value": on, "reason": reason}
