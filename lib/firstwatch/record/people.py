"""
The people's side of the journal: severity, roles, flags, notices, updates, as the events say.

What the duties need is folded into `Facts`, each with a steady moment: a clock that was set back or forward must make
no duration negative and no duty go away. Order is the sequence. Between two events of one machine whose wall clock
went back, the monotonic clock says how much time passed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from firstwatch.clock import Pace
from firstwatch.errors import FirstwatchError
from firstwatch.model import Json, clock_time, parse_time
from firstwatch.policy import facts as people
from firstwatch.policy.facts import Facts
from firstwatch.policy.roster import WHOM
from firstwatch.record.event import Event

if TYPE_CHECKING:
    from firstwatch.record.incident import Incident

UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, FirstwatchError)
FASTEST = 1000  # how fast the time of a game day may go
NOTICE, PAGE = "notice", "page"  # whoever of the roster these reach was notified
SHOWN = {"maintenance": True, "undo-maintenance": False}  # changes that customers see, each a page there or gone
REMINDER, ITEM = "reminder", "action-item"  # templates whose texts are no news of the incident
Said = dict[str, Any]  # `at` and `by`, which every moment has
Texts = dict[str, tuple[str, str, str]]  # by id: a message's channel, template and text; a change's, action and target


def facts(events: Sequence[Event]) -> Facts:
    """Return what *events* say of people. An event that cannot be read changes nothing."""
    found: dict[str, list[people.Moment]] = {}
    texts: Texts = {}
    goes = pace(events)
    for event, at in zip(events, steady(events), strict=True):
        read = READERS.get(event.kind)
        try:
            made = read(event.body, {"at": goes.world(at), "by": event.who}, texts) if read and not event.purged else ()
        except UNREADABLE:
            continue
        for name, moment in made:
            found.setdefault(name, []).append(moment)
    found["declared"] = found.get("declared", [])[:1]
    found["detections"] = sorted(found.get("detections", []), key=lambda each: each.at)[:1]
    return Facts(**{name: tuple(moments) for name, moments in found.items()})  # type: ignore[arg-type]


def pace(events: Sequence[Event]) -> Pace:
    """Return how fast time goes in the world of *events*: as the first one of a game day says, else as everywhere."""
    try:
        body = events[0].body
        said = body["clock"] if body["practice"] is True else {}
        made = Pace(parse_time(said["origin"]), float(said["rate"]))
        return made if 0 < made.rate <= FASTEST else Pace()
    except (IndexError, *UNREADABLE):
        return Pace()


def steady(events: Sequence[Event]) -> list[datetime]:
    """Return the moment of each of *events* in the terms of the last one's clock: none is later than the next."""
    found: list[datetime] = []
    after: Event | None = None
    for event in reversed(events):
        at = event.time
        if after is not None and at > found[-1]:
            at = found[-1] - _passed(event, after)
        found.append(at)
        after = event
    return found[::-1]


def _passed(event: Event, after: Event) -> timedelta:
    """Return how much time passed between two events, when one machine wrote both; else nothing."""
    same = event.credential == after.credential and after.mono > event.mono
    return timedelta(microseconds=(after.mono - event.mono) // 1000) if same else timedelta(0)


Found = Sequence[tuple[str, people.Moment]]


def _declared(body: Json, said: Said, _: Texts) -> Found:
    graded = (("grades", people.Grade(**said, severity=str(body["severity"]))),) if body.get("severity") else ()
    noticed, source = _moment(body.get("detected_at")), str(body.get("source", ""))
    seen = (
        (("detections", people.Moment(at=min(noticed, said["at"]), by=said["by"], reason=source)),) if noticed else ()
    )
    return (("declared", people.Moment(**said)), *graded, *seen)


def _severity(body: Json, said: Said, _: Texts) -> Found:
    return (("grades", people.Grade(**said, reason=str(body.get("reason", "")), severity=str(body["to"]))),)


def _flagged(body: Json, said: Said, _: Texts) -> Found:
    reason, value = str(body.get("reason", "")), bool(body["value"])
    return (("flags", people.Flag(**said, reason=reason, flag=str(body["flag"]), value=value)),)


def _assigned(body: Json, said: Said, _: Texts) -> Found:
    reason = str(body.get("reason", ""))
    return (("assignments", people.Assigned(**said, reason=reason, role=body["role"], person=str(body["person"]))),)


def _hand_over(body: Json, said: Said, _: Texts) -> Found:
    state, role, to = str(body["state"]), str(body["role"]), str(body["to"])
    offer = people.Offer(**said, state=state, role=role, giver=str(body["from"]), to=to)
    accepted = (("assignments", people.Assigned(**said, role=role, person=to)),) if state == "accepted" else ()
    return (("offers", offer), *accepted)


def _escalated(body: Json, said: Said, _: Texts) -> Found:
    to, reason = tuple(map(str, body["to"])), str(body.get("reason", ""))
    return (("escalations", people.Escalated(**said, reason=reason, level=str(body["level"]), to=to)),)


def _notified(body: Json, said: Said, _: Texts) -> Found:
    words: Said = {name: str(body.get(name, "")) for name in ("how", "reference")}
    known = bool(body.get("acknowledged"))
    return (("notices", people.Notice(**said, **words, whom=str(body["whom"]), acknowledged=known)),)


def _called(body: Json, said: Said, _: Texts) -> Found:
    words: Said = {name: str(body.get(name, "")) for name in ("number", "result")}
    return (("calls", people.Call(**said, **words, whom=str(body["whom"]))),)


def _update(body: Json, said: Said, _: Texts) -> Found:
    words: Said = {name: str(body.get(name, "")) for name in ("status", "summary", "impact", "eta", "actions")}
    return (("updates", people.Update(**said, **words, number=int(body["number"]), next=_moment(body.get("next")))),)


def _moment(text: Json) -> datetime | None:
    try:
        return parse_time(text)
    except UNREADABLE:
        return None


def _hypothesis(body: Json, said: Said, _: Texts) -> Found:
    return (("hypotheses", people.Hypothesis(**said, text=str(body["text"]), state=str(body["state"]))),)


def _noted(body: Json, said: Said, _: Texts) -> Found:
    when = _moment(body.get("at")) or said["at"]
    return (("notes", people.Note(at=min(when, said["at"]), by=said["by"], text=str(body["text"]))),)


def _checked(body: Json, said: Said, _: Texts) -> Found:
    reason = str(body.get("reason", ""))
    return (("checks", people.Checked(**said, reason=reason, item=str(body["item"]), value=bool(body["state"]))),)


def _resolved(body: Json, said: Said, _: Texts) -> Found:
    summary, cause = str(body.get("summary", "")), str(body.get("cause", ""))
    return (("turns", people.Turn(**said, reason=summary, resolved=True, cause=cause)),)


def _reopened(body: Json, said: Said, _: Texts) -> Found:
    return (("turns", people.Turn(**said, reason=str(body.get("reason", "")), resolved=False)),)


def _post_mortem(body: Json, said: Said, _: Texts) -> Found:
    """Take the meeting at the moment that it was held, which may have been written down later; or a version."""
    if body["state"] in ("draft", "final"):
        words: Said = {"state": str(body["state"]), "version": int(body["version"]), "sha256": str(body["sha256"])}
        return (("written", people.Written(**said, **words)),)
    when = _moment(body.get("at")) or said["at"]
    at = min(when, said["at"])
    return (("meetings", people.Meeting(at=at, by=said["by"], state=str(body["state"]), when=when)),)


def _message(body: Json, _: Said, texts: Texts) -> Found:
    id_, template = str(body["id"]), str(body["template"])
    item = template == ITEM and str(body["fields"]["item"])
    texts[id_] = (str(body["channel"]), template, item or str(body["text"]))
    whom = {NOTICE: body.get("fields", {}).get("whom", ""), PAGE: body["to"]}.get(template)
    if whom in WHOM:
        texts[f"whom {id_}"] = ("", template, str(whom))
    return ()


def _delivered(body: Json, said: Said, texts: Texts) -> Found:
    channel, template, text = texts[str(body["id"])]
    if template == REMINDER:  # it tells nobody what they are owed
        return ()
    if template == ITEM:
        return (("tickets", people.Ticket(**said, item=text, reference=str(body.get("receipt", "")))),)
    told = (("told", people.Told(**said, channel=channel, template=template, text=text)),)
    _, _, whom = texts.get(f"whom {body['id']}", ("", "", ""))
    return (*told, ("notices", people.Notice(**said, whom=whom, how=channel))) if whom else told


def _made(body: Json, said: Said, _: Texts) -> Found:
    words: Said = {name: str(body.get(name, "")) for name in ("channel", "reference", "url")}
    return (("made", people.Made(**said, **words)),)


def _looked(body: Json, said: Said, _: Texts) -> Found:
    return (("looks", people.Look(**said, verdict=_worst(body["findings"]), probes=_each(body["findings"]))),)


def _verified(body: Json, said: Said, _: Texts) -> Found:
    found = body["findings"]
    return (("looks", people.Look(**said, verdict=_worst(found), probes=_each(found), verified=True)),)


def _each(findings: Json) -> dict[str, str]:
    names = sorted({str(each["probe"]) for each in findings})
    return {name: _worst(each for each in findings if each["probe"] == name) for name in names}


def _worst(findings: Iterable[Json]) -> str:
    verdicts = {each["verdict"] for each in findings}
    return "BAD" if "BAD" in verdicts else "OK" if verdicts == {"OK"} else "UNKNOWN"


def _intent(body: Json, _: Said, texts: Texts) -> Found:
    target = body["plan"]["target"]
    texts[f"change {body['key']}"] = ("", str(body["plan"]["action"]), f"{target['kind']}/{target['name']}")
    return ()


def _outcome(body: Json, said: Said, texts: Texts) -> Found:
    _, action, target = texts[f"change {body['key']}"]
    if body.get("result") != "ok":
        return ()
    return (("mitigations", people.Moment(**said, reason=f"{action} of {target}")), *_page(action, said))


def _settled(body: Json, said: Said, texts: Texts) -> Found:
    """Take a maintenance page of which it is known only now that customers see it, or no longer do."""
    _, action, _ = texts[f"change {body['key']}"]
    return _page(action, said) if body["result"] == "done" else ()


def _page(action: str, said: Said) -> Found:
    known = action in SHOWN
    return (("maintenance", people.Maintenance(**said, shown=SHOWN[action])),) if known else ()


def _impact(body: Json, said: Said, _: Texts) -> Found:
    words: Said = {name: str(body.get(name, "")) for name in ("customers", "money", "reputation", "source")}
    return (("impacts", people.Impact(**said, **words)),)


def _item(body: Json, said: Said, _: Texts) -> Found:
    words: Said = {name: str(body[name]) for name in ("id", "action", "owner", "priority", "state")}
    due, evidence = date.fromisoformat(body["due"]), str(body.get("evidence", ""))
    return (("items", people.Item(**said, **words, due=due, evidence=evidence)),)


def _concluded(body: Json, said: Said, _: Texts) -> Found:
    return (("conclusions", people.Conclusion(**said, part=str(body["part"]), text=str(body["text"]))),)


READERS: Mapping[str, Callable[[Json, Said, Texts], Found]] = {
    "declared": _declared,
    "severity": _severity,
    "acknowledged": lambda _, said, __: (("acknowledged", people.Moment(**said)),),
    "flagged": _flagged,
    "released": lambda body, said, _: (("releases", people.Moment(**said, reason=str(body.get("reason", "")))),),
    "assigned": _assigned,
    "hand-over": _hand_over,
    "escalated": _escalated,
    "notified": _notified,
    "called": _called,
    "update": _update,
    "hypothesis": _hypothesis,
    "note": _noted,
    "checked": _checked,
    "resolved": _resolved,
    "reopened": _reopened,
    "post-mortem": _post_mortem,
    "message": _message,
    "delivered": _delivered,
    "channel-made": _made,
    "looked": _looked,
    "verified": _verified,
    "opened": lambda _, said, __: (("detections", people.Moment(**said, reason="the record opened")),),
    "intent": _intent,
    "outcome": _outcome,
    "settled": _settled,
    "closed": lambda body, said, _: (("closures", people.Moment(**said, reason=str(body.get("reason", "")))),),
    "impact": _impact,
    "action-item": _item,
    "concluded": _concluded,
}


def _graded(now: "Incident", event: Event) -> "Incident":
    return replace(now, severity=str(event.body["to"]))


def _told(now: "Incident", event: Event) -> "Incident":
    """Take the status that people gave; only a resolution resolves, and nothing but a reopening takes it back."""
    status = str(event.body["status"]).lower()
    stands = now.status in ("resolved", "closed") or status not in ("investigating", "mitigating", "monitoring")
    return now if stands else replace(now, status=status)


def _opened_again(now: "Incident", _: Event) -> "Incident":
    return replace(now, status="investigating", resolved_at=None, resolution="")


def _closed(now: "Incident", _: Event) -> "Incident":
    """Close what is resolved; whatever is not stays open, whatever a journal says."""
    return replace(now, status="closed") if now.status == "resolved" else now


def _reviewed(now: "Incident", event: Event) -> "Incident":
    """End the waiting of whatever the glass was broken for under one plan; what follows waits anew."""
    plan, text = event.body["plan"], str(event.body["text"])
    given = (
        replace(each, review=text, reviewed_by=event.who) if each.waits and each.plan == plan else each
        for each in now.approvals
    )
    return replace(now, approvals=tuple(given))


HANDLERS: dict[str, Callable[["Incident", Event], "Incident"]] = {
    "closed": _closed,
    "severity": _graded,
    "update": _told,
    "reopened": _opened_again,
    "reviewed": _reviewed,
}


def _why(body: Json) -> str:
    return f": {body['reason']}" if body.get("reason") else ""


def _note(body: Json) -> str:
    back = f"[of {_when(body['at'])}] " if body.get("at") else ""
    wrong = f"Corrects event {body['corrects']}: " if body.get("corrects") else ""
    return f"{wrong}{back}{body['text']}"


def _when(text: str) -> str:
    moment = _moment(text)
    return f"{moment:%Y-%m-%d} {clock_time(moment)}" if moment else text


def _updated(body: Json) -> str:
    promised = f" Next update {_when(body['next'])}" if body.get("next") else ""
    return f"Update {body['number']}, {body['status']}: {body['summary']}{promised}"


def _handed(body: Json) -> str:
    word = {"offered": "offered to", "accepted": "taken over by", "withdrawn": "no longer offered to"}[body["state"]]
    return f"{body['role']} {word} {body['to']}; from {body['from']}"


def _meeting(body: Json) -> str:
    if body.get("version"):
        return f"Post-mortem {body['state']}, version {body['version']}"
    return f"Post-mortem {body['state']}{' for ' + _when(body['at']) if body.get('at') else ''}"


IMPACT = ("customers", "money", "reputation")
SENTENCES: dict[str, Callable[[Any], str]] = {
    "acknowledged": lambda _: "Acknowledged",
    "severity": lambda b: f"Severity {b['from'] or 'none'} → {b['to']}{_why(b)}",
    "flagged": lambda b: f"Flag {b['flag']} {'set' if b['value'] else 'taken off'}{_why(b)}",
    "released": lambda b: f"Texts may be published{_why(b)}",
    "assigned": lambda b: f"{b['role']} is {b['person']}{_why(b)}",
    "hand-over": _handed,
    "escalated": lambda b: f"Escalated to {b['level']}, {', '.join(b['to'])}{_why(b)}",
    "notified": lambda b: (
        f"Notified {b['whom']}{' by ' + b['how'] if b.get('how') else ''}"
        f"{' (' + b['reference'] + ')' if b.get('reference') else ''}{', who knows' if b.get('acknowledged') else ''}"
    ),
    "called": lambda b: f"Called {b['whom']}, {b['number']}: {b['result']}",
    "hypothesis": lambda b: f"Hypothesis {b['state']}: {b['text']}",
    "note": _note,
    "update": _updated,
    "checked": lambda b: f"{'Ticked' if b['state'] else 'Took the tick off'} {b['item']}{_why(b)}",
    "reopened": lambda b: f"Reopened{_why(b)}",
    "post-mortem": _meeting,
    "reviewed": lambda b: f"Reviewed the BREAK-GLASS for plan {b['plan']}: {b['text']}",
    "closed": lambda b: f"Closed{', overridden: ' + ', '.join(b['missing']) if b.get('missing') else ''}{_why(b)}",
    "impact": lambda b: "Impact: " + "; ".join(f"{n} {b[n]}" for n in IMPACT if b.get(n)) + f" (from {b['source']})",
    "action-item": lambda b: f"Action item {b['id']}, {b['state']}: {b['action']}; {b['owner']}, due {b['due']}",
    "concluded": lambda b: f"Concluded, {b['part']}: {b['text']}",
    "reminded": lambda b: f"Reminded of {b['duty']}, due {_when(b['due'])} ({b['stage']})",
    "credential-used": lambda b: f"Shared credential {b['name']} used{_why(b)}",
}
