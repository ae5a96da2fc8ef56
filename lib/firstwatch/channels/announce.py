"""
Who is told what, and where: the drafts that belong to a declaration, an update and a resolution. Pure.

Which channels a severity uses is the policy's communication schedule; a lower one tells fewer people. Who was told of
the beginning is told of the end.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from firstwatch.channels import texts
from firstwatch.channels.lint import LEVELS
from firstwatch.channels.outbox import Draft
from firstwatch.channels.places import place
from firstwatch.channels.slack import OURS
from firstwatch.channels.texts import Fields
from firstwatch.model import Severity
from firstwatch.policy.facts import Escalated, Update
from firstwatch.policy.roster import Person, Roster
from firstwatch.policy.tables import Policy
from firstwatch.reach import Channels
from firstwatch.record.conduct import every
from firstwatch.record.incident import Incident
from firstwatch.record.messages import State
from firstwatch.record.people import ITEM

NOBODY = "not assigned yet"
MISSING = "[status page]"  # the linter lets no placeholder out, so that somebody sets [channels.statuspage] site
PAGE = "page"  # the `to` of the status page
ALERTS = ("escalation", "reminder")  # texts with an alert of their own
FIRST, LATER = Severity.SEV1, (Severity.SEV1, Severity.SEV2)
MEETS_IN = timedelta(hours=24)  # half of what the procedures allow


@dataclass(frozen=True, slots=True)
class Desk:
    """What the texts are made with."""

    channels: Channels
    policy: Policy
    roster: Roster


def room(incident: Incident) -> str:
    """Return the name of the incident's chat channel: as it was made, else as it will be."""
    made = incident.made.get("slack")
    return made.url.removeprefix("#") if made else f"incident-{incident.id}"


def pages(incident: Incident) -> Iterator[Draft]:
    """Yield whom the declaration wakes: whoever is on call, and at SEV1 the manager too; nobody at SEV4."""
    severity = Severity(incident.severity)
    fields = {"severity": severity, "title": incident.title, "impact": incident.impact}
    whom = {Severity.SEV1: ("on-call", "manager"), Severity.SEV4: ()}.get(severity, ("on-call",))
    yield from (Draft("declared", "page", "pager", each, fields) for each in whom)


def acknowledged(incident: Incident, by: str) -> Iterator[Draft]:
    """Yield what stops the pages from ringing on."""
    whom = _beginnings(incident, "pager", "page")
    yield from (Draft("acknowledged", "page-acknowledged", "pager", each, {"by": by}) for each in whom)


def declared(incident: Incident, desk: Desk) -> Iterator[Draft]:
    """Yield the texts of a declaration, but for the pages."""
    severity = Severity(incident.severity)
    if severity is not Severity.SEV4:
        for to in (OURS, _announce(desk)):
            yield Draft("declared", "declaration", "slack", to, _declaration(incident, desk))
        yield from (_notice(incident, desk, person.email) for person in _stakeholders(incident, desk))
    yield Draft("declared", "ticket", "tracker", OURS, _ticket(incident))
    if desk.policy.schedule[severity].status_page.within is not None:
        yield Draft("declared", "investigating", "statuspage", PAGE, _investigating(incident, desk))
    if desk.policy.schedule[severity].customer_email.within is not None:
        yield from _customers("declared", "customer-notice", _disruption(incident, desk), desk)


def _announce(desk: Desk) -> str:
    return f"#{desk.channels.slack.announce if desk.channels.slack else 'incidents'}"


def _declaration(incident: Incident, desk: Desk) -> Fields:
    severity = Severity(incident.severity)
    span = every(desk.policy, severity) or timedelta(minutes=60)
    return {
        "severity": severity, "title": incident.title, "impact": incident.impact, "channel": room(incident),
        "commander": _holder(incident, "incident-commander"), "technical_lead": _holder(incident, "technical-lead"),
        "minutes": f"{span.total_seconds() / 60:g}",
    }  # fmt: skip


def _holder(incident: Incident, role: str) -> str:
    name = incident.people.roles.get(role)
    return f"@{name}" if name else NOBODY


def _stakeholders(incident: Incident, desk: Desk) -> list[Person]:
    whom = ["stakeholders", *(["manager"] if incident.severity == FIRST else [])]
    return [each for name in whom for each in desk.roster.told(name) if each.email]


def _notice(incident: Incident, desk: Desk, address: str) -> Draft:
    at = _world(incident, incident.declared_at or incident.opened_at)
    span = every(desk.policy, Severity(incident.severity)) or timedelta(hours=1)
    fields = {
        "severity": incident.severity, "title": incident.title, "impact": incident.impact, "channel": room(incident),
        "declared": _moment(at), "commander": _holder(incident, "incident-commander"),
        "next": f"{at + span:%H:%M}" if at else "",
    }  # fmt: skip
    return Draft("declared", "notice", "mail", address, fields)


def _ticket(incident: Incident) -> Fields:
    return {
        "severity": incident.severity, "title": incident.title, "impact": incident.impact,
        "declared": _moment(_world(incident, incident.declared_at)), "channel": room(incident), "record": incident.id,
    }  # fmt: skip


def _investigating(incident: Incident, desk: Desk) -> Fields:
    known = list(desk.channels.statuspage.components) if desk.channels.statuspage else []
    product = desk.channels.product
    own = [name for name in known if name.lower() == product.lower()] or known[:1] or [product]
    return {
        "name": f"{product} issues", "symptom": _inside(incident.impact), "components": own,
        "impact": LEVELS[Severity(incident.severity)],
    }  # fmt: skip


def _inside(sentence: str) -> str:
    """Return *sentence* as it stands within another one."""
    return sentence.strip().rstrip(".")


def _disruption(incident: Incident, desk: Desk) -> dict[str, str]:
    span = every(desk.policy, Severity(incident.severity)) or timedelta(minutes=30)
    page = desk.channels.statuspage
    return {
        "service": desk.channels.product, "affected": f"the {desk.channels.product}", "impact": incident.impact,
        "estimate": f"We will provide updates every {max(30, span.total_seconds() / 60):g} minutes",
        "status_page": page.site if page and page.site else MISSING,
    }  # fmt: skip


def _customers(key: str, template: str, fields: dict[str, str], desk: Desk) -> Iterator[Draft]:
    mail = desk.channels.mail
    company = mail.company if mail and mail.company else desk.channels.product
    people = [(each.name, each.address) for each in mail.customers] if mail else []
    for name, address in people or [("customer", "customers")]:
        yield Draft(key, template, "mail", address, fields | {"customer": name, "company": company})


def updated(incident: Incident, update: Update, desk: Desk) -> Iterator[Draft]:
    """Yield the texts of *update*: to the team, and the status page's next state when it is reached."""
    key, severity = f"update-{update.number}", Severity(incident.severity)
    fields = {
        "number": f"{update.number}", "severity": severity, "status": update.status, "summary": update.summary,
        "impact": update.impact, "eta": update.eta, "actions": update.actions, "updated": f"{update.at:%H:%M}",
        "next": f"{update.next:%H:%M}" if update.next else "",
    }  # fmt: skip
    yield Draft(key, "update", "slack", OURS, fields)
    if _has(incident, "tracker"):
        yield Draft(key, "update", "tracker", OURS, fields)
    state = {"MITIGATING": "identified", "MONITORING": "monitoring"}.get(update.status, "")
    if state and _has(incident, "statuspage"):
        product = desk.channels.product
        both = {"issue": f"{product} issues", "impact": LEVELS[severity]}
        once = state + _again(incident)  # each state once, until it is opened again
        yield Draft(once, state, "statuspage", PAGE, both if state == "identified" else {"service": product})


def _again(incident: Incident) -> str:
    """Return `-1` when it was opened again, `-2` after the next time; nothing before."""
    times = sum(not each.resolved for each in incident.people.turns)
    return f"-{times}" if times else ""


def reopened(incident: Incident, desk: Desk) -> Iterator[Draft]:
    """Yield what tells all who are told of a declaration that the incident is back."""
    if not incident.severity:
        return
    again = replace(incident, title=f"Reopened: {incident.title}")
    for each in (*pages(again), *declared(again, desk)):
        if each.channel != "tracker":  # its ticket is there
            yield replace(each, key=f"reopened{_again(incident)}")


def escalated(incident: Incident, step: Escalated, desk: Desk) -> Iterator[Draft]:
    """Yield what tells those of the level that was climbed to, and the team."""
    if not incident.severity:
        return
    fields = {
        "severity": incident.severity, "level": step.level, "title": incident.title, "impact": incident.impact,
        "reason": step.reason, "channel": room(incident),
    }  # fmt: skip
    keys = desk.channels.pager.keys if desk.channels.pager else {}
    found = [("slack", OURS), *(place(desk.roster, keys, name) for name in step.to)]
    for each in dict.fromkeys(found):
        if each:
            yield Draft(f"escalated-{step.level}{_again(incident)}", "escalation", *each, fields)


def notified(incident: Incident, whom: str, desk: Desk) -> Iterator[Draft]:
    """Yield the letters that tell *whom*, by mail where it is configured; nothing when nobody can be told so."""
    if not incident.severity or not desk.channels.mail:
        return
    for person in desk.roster.told(whom):
        if person.email:
            made = _notice(incident, desk, person.email)
            key = f"notify-{whom}-{incident.severity}{_again(incident)}"
            text = texts.render(made.template, made.fields)
            yield replace(made, key=key, fields={**made.fields, "whom": whom}, text=text)


def _has(incident: Incident, channel: str) -> bool:
    return any(each.channel == channel for each in incident.messages)


def _said(incident: Incident, template: str) -> bool:
    return any(each.template == template for each in incident.messages)


@dataclass(frozen=True, slots=True)
class Ending:
    """What is known at the end: for the team its cause, for customers its cause and what will prevent it."""

    summary: str
    cause: str
    told_cause: str
    prevention: str


def resolved(incident: Incident, ending: Ending, desk: Desk, page: str) -> Iterator[Draft]:
    """Yield the texts of the end, to all who were told of the beginning; *page* is what the wiki gets."""
    key = f"resolved-{sum(each.resolved for each in incident.people.turns)}"
    template, fields = _resolution(incident, ending)
    for each in _beginnings(incident, "slack", "declaration"):
        yield Draft(key, template, "slack", each, fields)
    said = {"severity": incident.severity, "summary": ending.summary}
    yield from (Draft(key, "page-resolved", "pager", each, said) for each in _beginnings(incident, "pager", "page"))
    yield from _silenced(incident, key, said)
    if _has(incident, "tracker"):
        yield Draft(key, template, "tracker", OURS, fields)
    if _said(incident, "investigating"):
        yield Draft(key, "resolved", "statuspage", PAGE, {"service": desk.channels.product})
    if _said(incident, "customer-notice"):
        yield from _customers(key, "customer-restoration", _restoration(incident, ending, desk), desk)
    yield Draft(key, "wiki-page", "wiki", OURS, {}, page)


def _silenced(incident: Incident, key: str, said: Fields) -> Iterator[Draft]:
    """Yield the end of each alert of its own: escalations and reminders ring no longer than the incident lasts."""
    text = texts.render("page-resolved", said)
    for each in incident.messages:
        if each.channel == "pager" and each.template in ALERTS and each.state is not State.DROPPED:
            yield Draft(f"{key} {each.id}", "page-resolved", "pager", each.to, {**said, "alert": each.id}, text)


def _beginnings(incident: Incident, channel: str, template: str) -> list[str]:
    """Return where texts of *template* went, each place once."""
    found = (each.to for each in incident.messages if (each.channel, each.template) == (channel, template))
    return list(dict.fromkeys(found))


def _resolution(incident: Incident, ending: Ending) -> tuple[str, Fields]:
    fields = {
        "severity": incident.severity, "summary": ending.summary, "duration": lasted(incident),
        "impact": incident.impact, "cause": ending.cause,
    }  # fmt: skip
    resolved = _world(incident, incident.resolved_at)
    if incident.severity not in LATER or resolved is None:
        return "resolution-only", fields
    meeting = (resolved + MEETS_IN).replace(minute=0, second=0)
    return "resolution", fields | {"date": f"{meeting:%Y-%m-%d}", "time": f"{meeting:%H:%M} UTC"}


def item(record: str, body: Mapping[str, object]) -> Draft:
    """Return the ticket of an action item, as its event says it: one ticket an item, however often it is asked for."""
    fields = {name: str(body[name]) for name in ("action", "owner", "due", "priority")}
    return Draft(f"{ITEM} {body['id']}", ITEM, "tracker", OURS, fields | {"item": str(body["id"]), "record": record})


def lasted(incident: Incident) -> str:
    """Return how long the incident lasted, from its declaration to its resolution: `1 hour 4 minutes`."""
    if incident.declared_at is None or incident.resolved_at is None:
        return "not known"
    span = (incident.resolved_at - incident.declared_at) * incident.pace.rate
    minutes = max(0, round(span.total_seconds() / 60))
    parts = [(minutes // 60, "hour"), (minutes % 60, "minute")]
    return " ".join(f"{n} {unit}{'' if n == 1 else 's'}" for n, unit in parts if n) or "less than a minute"


def _restoration(incident: Incident, ending: Ending, desk: Desk) -> dict[str, str]:
    return {
        "service": desk.channels.product, "affected": f"the {desk.channels.product}",
        "start": _moment(_world(incident, incident.declared_at)), "prevention": ending.prevention,
        "end": _moment(_world(incident, incident.resolved_at)), "cause": ending.told_cause,
    }  # fmt: skip


def _world(incident: Incident, at: datetime | None) -> datetime | None:
    """Return when *at* was in the incident's world, whose time may go faster."""
    return at and incident.pace.world(at)


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else "not known"
