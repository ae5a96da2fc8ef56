"""
Reminders: which of them are owed, whom they go to, and what they say. Pure; `rounds` sends them.

A duty is reminded of when a fifth of its time is left, when it is overdue, and a fifth of its time after that, a minute
at least: then whoever is above its owner is told as well. A post-mortem has the reminders of the procedures instead of
the first. Only the last stage that was reached is owed: after an hour in which nothing ran, one reminder a duty is
enough. What nobody was reminded of for a week is history: whoever starts this beside old records wakes nobody for them.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from firstwatch.channels import places
from firstwatch.channels.outbox import Draft
from firstwatch.channels.texts import Fields
from firstwatch.model import clock_time, timestamp
from firstwatch.policy.duties import Duty
from firstwatch.policy.facts import Facts
from firstwatch.policy.roster import Roster
from firstwatch.policy.tables import Policy
from firstwatch.record.reminded import Reminded

BEFORE, OVERDUE, ESCALATED = "before", "overdue", "escalated"
SHARE = 5  # a fifth of the time that a duty has
LEAST = timedelta(minutes=1)
HISTORY = timedelta(days=7)
SAME = timedelta(seconds=30)  # two clocks of one duty are minutes apart; one clock, told anew, is milliseconds off
OPEN = ("due", "overdue")
COMMANDS = {
    "acknowledge": "ack", "first-response": "update", "update": "update", "channel": "outbox --retry",
    "assign-commander": "assign incident-commander NAME", "assign-communications": "assign communications-lead NAME",
    "status-page": "outbox", "customer-email": "outbox", "escalate-l2": "escalate --level L2",
    "escalate-l3": "escalate --level L3", "escalate-l4": "escalate --level L4", "notify-manager": "notify manager",
    "notify-director": "notify director", "notify-executive": "notify executive", "legal": "notify legal",
    "customer-data": "notify legal", "monitor": "run investigate/verify-recovery",
    "post-mortem": "postmortem",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reminder:
    """One reminder: of what, at which stage. `stage` is `before` (`before-2` …), `overdue` or `escalated`."""

    duty: Duty
    stage: str

    @property
    def key(self) -> str:
        """Return the occasion: a text that is queued twice under one key is one text."""
        return f"reminder {self.duty.id} {timestamp(self.duty.due)} {self.stage}"


def owed(policy: Policy, duties: Iterable[Duty], given: Sequence[Reminded], now: datetime) -> tuple[Reminder, ...]:
    """Return the reminders that are owed at *now* and were not *given* yet, one a duty at most."""
    found: list[Reminder] = []
    for duty in duties:
        order = stages(policy, duty) if duty.state in OPEN else []
        begun = [(at, stage) for at, stage in order if at <= now][-1:]
        for at, stage in begun:
            if now - at < HISTORY and not _given(duty, [name for _, name in order], stage, given):
                found.append(Reminder(duty, stage))
    return tuple(found)


def _given(duty: Duty, order: list[str], stage: str, given: Sequence[Reminded]) -> bool:
    """Whether this stage or a later one was given: a clock that was set back takes no reminder back."""
    enough = order[order.index(stage) :]
    return any(each.duty == duty.id and each.stage in enough and abs(each.due - duty.due) < SAME for each in given)


def wakes(policy: Policy, duties: Iterable[Duty], now: datetime) -> datetime | None:
    """Return the moment after *now* at which the next stage of an open duty begins; None when there is none."""
    moments = (at for duty in duties if duty.state in OPEN for at, _ in stages(policy, duty))
    return min((at for at in moments if at > now), default=None)


def stages(policy: Policy, duty: Duty) -> list[tuple[datetime, str]]:
    """Return when each stage of *duty* begins, in order. What is owed at once has none before."""
    term = duty.due - duty.since
    after = max(term / SHARE, LEAST)
    ahead = list(policy.post_mortem.reminders) if duty.id == "post-mortem" else [term - term / SHARE]
    names = [BEFORE, *(f"{BEFORE}-{number}" for number in range(2, len(ahead) + 1))]
    early = [(duty.since + each, name) for each, name in zip(ahead, names, strict=True) if each < term]
    return [*early, (duty.due + timedelta(milliseconds=1), OVERDUE), (duty.due + after, ESCALATED)]


@dataclass(frozen=True, slots=True)
class Desk:
    """Who can be told, and how: the roster, and whom the pager has a key for."""

    policy: Policy
    roster: Roster
    keys: Collection[str] = ()

    def drafts(self, reminder: Reminder, facts: Facts) -> tuple[Draft, ...]:
        """
        Return the texts of *reminder*: always one in the incident's chat channel; once it is overdue, one to its owner;
        when it escalates, one to whoever is above the owner, too.
        """
        owners, above = self._owners(reminder.duty, facts), self.above(reminder.duty, facts)
        told = {OVERDUE: owners, ESCALATED: (*owners, *above)}.get(reminder.stage, ())
        fields = _fields(reminder, facts, ", ".join(above) if reminder.stage == ESCALATED else "")
        found = [("slack", "incident"), *(places.place(self.roster, self.keys, name) for name in told)]
        return tuple(Draft(reminder.key, "reminder", *each, fields) for each in dict.fromkeys(found) if each)

    def _owners(self, duty: Duty, facts: Facts) -> tuple[str, ...]:
        """Return who can do *duty*: its owner; for a role that nobody holds the commander, else the one on call."""
        unheld = duty.owner in self.policy.roles and duty.owner not in facts.roles.values()
        return (facts.roles.get("incident-commander", "on-call"),) if unheld else (duty.owner,)

    def above(self, duty: Duty, facts: Facts) -> tuple[str, ...]:
        """Return who is told when *duty* stays undone: the next level of the ladder, the commander, or the manager."""
        if duty.id.startswith("escalate-"):
            level = duty.id.removeprefix("escalate-").upper()
            return self.roster.on(level) or self.policy.ladder.levels[level].who  # type: ignore[index]  # L2 to L4
        commander = facts.roles.get("incident-commander", "")
        if commander and commander not in self._owners(duty, facts):
            return (commander,)
        return tuple(each.name for each in self.roster.told("manager")) or ("manager",)


def _fields(reminder: Reminder, facts: Facts, above: str) -> Fields:
    duty = reminder.duty
    state = "is due" if reminder.stage.startswith(BEFORE) else "is overdue since"
    return {
        "severity": facts.severity or "no severity",
        "whom": f"{duty.owner} ({above} told too)" if above else duty.owner,
        "duty": duty.id,
        "state": f"{state} {duty.due:%Y-%m-%d} {clock_time(duty.due)}",
        "why": duty.why,
        "command": f"firstwatch {COMMANDS.get(duty.id, f'notify {duty.id}')}",
    }
