"""
The gate: whether a plan may be applied, as a pure decision.

It opens for a plan that somebody else approved, by its hash, and whose approval has not expired. The requester's own
yes counts only where the configuration allows it, and that is honoured in a game day only.
"""

from collections.abc import Iterable
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

    def __repr__(self) -> str:
        if self.open:
            said = ", ".join(f"{a.by} until {clock_time(a.until)}" for a in self.approvals)
            return f"gate open: plan {self.plan} approved by {said}"
        return "\n".join(
            [f"gate closed: plan {self.plan}", *(f"  {each}" for each in self.missing), f"  {self.command}"]
        )

    def _repr_markdown_(self) -> str:
        lines = [f"**Gate {'open' if self.open else 'closed'}** for plan `{self.plan}`", ""]
        lines += [f"- {cell(each)}" for each in self.missing]
        names = [f"- approved by {cell(a.by)}{' (self-approved)' if a.self_approved else ''}" for a in self.approvals]
        return "\n".join([*lines, *names, *([] if self.open else ["", f"    {self.command}"])])


@dataclass(frozen=True, slots=True)
class Rule:
    """Who must approve: two for a destructive plan on a SEV1. The requester counts only with `self_approval`."""

    self_approval: bool
    severity: str = ""

    def needed(self, plan: Plan) -> int:
        return 2 if plan.destructive and self.severity == Severity.SEV1 and not self.self_approval else 1


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
    valid = {each.by: each for each in given if each.until > now and (each.by != requester or rule.self_approval)}
    missing = [f"it would not stick: {f.observed}" for f in plan.sticks if f.verdict is Verdict.BAD]
    missing += [
        f"the approval by {a.by} expired at {clock_time(a.until)}" for a in given if a.until <= now and not valid
    ]
    missing += [
        f"{requester} asked for it, and cannot approve it too" for a in given if a.by == requester and not valid
    ]
    lacking = rule.needed(plan) - len(valid)
    if lacking > 0:
        missing.append(f"{lacking} approval{'s' if lacking > 1 else ''} of plan {plan.hash} needed")
    return Gate(plan.hash, tuple(missing), tuple(valid.values()), f"firstwatch approve {plan.hash} -i {incident}")
