"""
Checklists that tick themselves: each line by a fact of the record or by the last look, else by a person.

A person's word on a line is the last word, and theirs is recorded with name and reason.
"""

from collections.abc import Callable
from dataclasses import dataclass

from firstwatch.errors import NotFound, nearest
from firstwatch.model import Findings, Verdict, clock_time
from firstwatch.policy.clocks import PUBLIC
from firstwatch.policy.course import complete
from firstwatch.policy.facts import Facts, Look
from firstwatch.policy.tables import Line, Policy


@dataclass(frozen=True, slots=True)
class Tick:
    """One line as it stands; `how` says by what it is ticked, or what is missing."""

    checklist: str
    id: str
    text: str
    ticked: bool
    how: str


def ticks(policy: Policy, facts: Facts, findings: Findings, checklist: str) -> tuple[Tick, ...]:
    """Return the lines of *checklist*, in its order."""
    return tuple(_tick(checklist, line, facts, findings) for line in policy.checklists[checklist].lines)


def line(policy: Policy, item: str) -> Line:
    """Return the line whose id is *item*, of any checklist; NotFound gives the nearest."""
    known = {each.id: each for checklist in policy.checklists.values() for each in checklist.lines}
    if item not in known:
        raise NotFound(f"{item!r} is no line of a checklist; {nearest(item, list(known))}")
    return known[item]


def _tick(checklist: str, line: Line, facts: Facts, findings: Findings) -> Tick:
    word = facts.checked(line.id)
    if word:
        reason = f": {word.reason}" if word.reason else ""
        return Tick(checklist, line.id, line.text, word.value, f"{word.by}, {clock_time(word.at)}{reason}")
    ticked = bool(line.by) and _holds(line.by, facts, findings)
    itself = "by the record" if ticked else _wanted(line.by)
    link = " --reason URL" if line.evidence else ""
    how = itself if line.by else f"a person: firstwatch check {line.id}{link}"
    return Tick(checklist, line.id, line.text, ticked, how)


def _wanted(rule: str) -> str:
    """Return what would tick a line that the *rule* ticks, where that is not plain from the line."""
    return WANTED.get(rule.partition(":")[0], "ticks itself")


def _holds(rule: str, facts: Facts, findings: Findings) -> bool:
    kind, _, name = rule.partition(":")
    if kind == "probe":
        return _well(Findings(each for each in findings if each.probe == name))
    if kind == "steady":
        seen = [each.probes[name] for each in _window(facts) if name in each.probes]
        return bool(seen) and set(seen) == {"OK"}
    if kind == "since":
        seen = [each.probes[name] for each in _since(facts) if name in each.probes]
        return seen[-1:] == ["OK"]
    return name in facts.roles if kind == "role" else RULES[kind](facts, findings)


def _well(findings: Findings) -> bool:
    return findings.verdict is Verdict.OK


def _since(facts: Facts) -> list[Look]:
    """Return the looks since the resolution; none while the incident is not resolved."""
    over = facts.turns[-1].at if facts.turns and facts.turns[-1].resolved else None
    return [each for each in facts.looks if over and each.at >= over]


def _window(facts: Facts) -> list[Look]:
    """Return the looks since the resolution; while the incident is not resolved, the last one."""
    resolved = bool(facts.turns) and facts.turns[-1].resolved
    return _since(facts) if resolved else list(facts.looks[-1:])


def _well_since(facts: Facts) -> bool:
    """Whether the last verification after the resolution said OK, and no look after it anything else."""
    seen = _since(facts)
    verified = [number for number, each in enumerate(seen) if each.verified]
    after = [each.verdict for each in seen[verified[-1] :]] if verified else []
    return bool(after) and set(after) == {"OK"}


def _filed(facts: Facts) -> bool:
    """Whether each action item has a ticket: its text arrived in the tracker."""
    return bool(facts.items) and all(each.id in facts.filed for each in facts.items)


def _resolved(facts: Facts) -> bool:
    return any(each.template == "resolved" for each in facts.told if each.channel == "statuspage")


WANTED = {
    "steady": "ticks itself, while every look says OK: firstwatch monitor",
    "well-since": "firstwatch run investigate/verify-recovery, after the resolution",
    "since": "firstwatch run investigate/verify-recovery -p reports=none, after the resolution",
    "course": "its four key moments: detected, declared, mitigated, verified",
    "assessed": "firstwatch postmortem --customers TEXT --source WHO",
    "caused": "firstwatch postmortem --cause TEXT",
    "items-filed": "firstwatch outbox --retry",
    "items-owned": "firstwatch action TEXT --owner NAME --due DATE",
}
RULES: dict[str, Callable[[Facts, Findings], bool]] = {
    "acknowledged": lambda facts, _: bool(facts.acknowledged),
    "graded": lambda facts, _: bool(facts.grades),
    "channel": lambda facts, _: any(each.channel in ("slack", "tracker") for each in facts.made),
    "looked": lambda facts, _: bool(facts.looks),
    "told": lambda facts, _: (
        any(each.channel in PUBLIC for each in facts.told) or any(each.whom == "stakeholders" for each in facts.notices)
    ),
    "status-page": lambda facts, _: (
        any(each.channel == "statuspage" for each in facts.told) or any(n.whom == "status-page" for n in facts.notices)
    ),
    "promised": lambda facts, _: bool(facts.updates) and facts.updates[-1].next is not None,
    "all-ok": lambda _, findings: _well(findings),
    "well-since": lambda facts, _: _well_since(facts),
    "course": lambda facts, _: complete(facts),
    "acted": lambda facts, _: bool(facts.mitigations or facts.updates),
    "assessed": lambda facts, _: facts.assessed("customers") is not None,
    "caused": lambda facts, _: bool(facts.cause()),
    "items-filed": lambda facts, _: _filed(facts),
    "items-owned": lambda facts, _: bool(facts.items),  # none is taken without
    "status-page-resolved": lambda facts, _: _resolved(facts),
    "resolution-told": lambda facts, _: any(
        each.template.startswith("resolution") for each in facts.told if each.channel == "slack"
    ),
}
