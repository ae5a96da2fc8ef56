"""
The gate: whether a plan may be applied, as a pure decision.

It opens for a plan that somebody else approved, by its hash, and whose approval has not expired. The requester's own
yes counts only where the configuration allows it, and that is honoured in a game day only. A destructive plan on a SEV1
wants two people. Whoever breaks the glass opens it alone, for themselves: that is never quiet.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from firstwatch.model import Approval, Plan, Severity, Verdict, cell, clock_time


@dataclass(frozen=True, slots=True)
class Gate:
    """Open, or closed with what is missing. `command` is what opens it."""

    plan: str
    missing: tuple[str, ...]
    approvals: tuple[Approval, ...]
    command: str

    @property
    def open(self) -> bool:
        return not self.missing

    @property
    def sentence(self) -> str:
        """Return what is missing and what to do about it, in one line."""
        return f"{'; '.join(self.missing)}; {self.command}, and run this again"

    def __repr__(self) -> str:
        if self.open:
            return f"gate open: plan {self.plan} {', '.join(map(_said, self.approvals))}"
        return "\n".join(
            [f"gate closed: plan {self.plan}", *(f"  {each}" for each in self.missing), f"  {self.command}"]
        )

    def _repr_markdown_(self) -> str:
        lines = [f"**Gate {'open' if self.open else 'closed'}** for plan `{self.plan}`", ""]
        lines += [f"- {cell(each)}" for each in self.missing]
        names = [f"- {_named(each)}" for each in self.approvals]
        return "\n".join([*lines, *names, *([] if self.open else ["", f"    {self.command}"])])


def _said(approval: Approval) -> str:
    until = f"{approval.by} until {clock_time(approval.until)}"
    return f"BREAK-GLASS by {until}: {approval.reason}" if approval.reason else f"approved by {until}"


def _named(approval: Approval) -> str:
    if approval.reason:
        return f"**BREAK-GLASS** by {cell(approval.by)}: {cell(approval.reason)}"
    return f"approved by {cell(approval.by)}{' (self-approved)' if approval.self_approved else ''}"


@dataclass(frozen=True, slots=True)
class Rule:
    """
    Who must approve: two for a destructive plan on a SEV1, else one.

    The requester counts, as one of them, only with `self_approval`. With `approvers` only those count.
    """

    self_approval: bool
    severity: str = ""
    approvers: tuple[str, ...] = ()

    def needed(self, plan: Plan) -> int:
        return 2 if plan.destructive and self.severity == Severity.SEV1 else 1


def decide(plan: Plan, approvals: Iterable[Approval], requester: str, rule: Rule, now: datetime, incident: str) -> Gate:
    """
    Return the gate of *plan* at *now*.

    Args:
        plan: What would be done; approvals bind to its hash.
        approvals: All of the incident's.
        requester: Who would apply it.
        rule: Whose yes counts, and how many.
        now: The time, against which approvals expire.
        incident: Its id, for the command that approves.
    """
    given = [each for each in approvals if each.plan == plan.hash]
    broken = [a for a in given if a.reason and a.until > now and person(a.by) == person(requester)]
    yes = [each for each in given if not each.reason]
    valid = {person(each.by): each for each in yes if not any(_void(each, requester, rule, now))}
    missing = [f"it would not stick: {f.observed}" for f in plan.sticks if f.verdict is Verdict.BAD]
    lacking = 0 if broken or not plan.changes else rule.needed(plan) - len(valid)
    if lacking > 0:
        missing += [why for each in yes for why in _void(each, requester, rule, now)]
        missing.append(f"{lacking} approval{'s' if lacking > 1 else ''} of plan {plan.hash} needed")
    counted = tuple(broken[-1:] or valid.values())
    return Gate(plan.hash, tuple(missing), counted, f"firstwatch approve {plan.hash} -i {incident}")


def _void(approval: Approval, requester: str, rule: Rule, now: datetime) -> Iterator[str]:
    """Yield why *approval* does not count; nothing when it does."""
    if approval.until <= now:
        yield f"the approval by {approval.by} expired at {clock_time(approval.until)}"
    if person(approval.by) == person(requester) and not rule.self_approval:
        yield f"{requester} asked for it, and cannot approve it too"
    if not person(approval.by) or (rule.approvers and person(approval.by) not in map(person, rule.approvers)):
        yield f"{approval.by or 'nobody'} is not one of the approvers"


def person(name: str) -> str:
    """Return *name* as one person is counted: another case, space or width of the letters is nobody else."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return "".join(char for char in plain if char.isprintable() and not char.isspace())
