"""
Will it stick? What would take a change back, or keep it from happening, as findings.

BAD closes the gate: the change would be reverted by its owner, or would not take place. It says what works instead.
What could not be asked is UNKNOWN, and is shown to whoever approves.
"""

from collections.abc import Callable

from firstwatch.actions import gitops
from firstwatch.errors import FirstwatchError
from firstwatch.model import Finding, Findings, Json, Target, Verdict
from firstwatch.systems import Systems

Check = Callable[[], tuple[Finding, ...]]


def sticks(systems: Systems, found: Json, target: Target) -> Findings:
    """Return whether a change to *found* would last: its GitOps owner, and whether its rollouts are paused."""
    return Findings((_owned(systems, found, target), *_paused(found, target)))


def checked(target: Target, check: Check) -> tuple[Finding, ...]:
    """Return what *check* finds; UNKNOWN with the reason when it could not look."""
    try:
        return check()
    except FirstwatchError as error:
        return (says(target, Verdict.UNKNOWN, f"could not look: {error}"),)


def says(target: Target, verdict: Verdict, observed: str) -> Finding:
    return Finding(
        probe="will-it-stick", verdict=verdict, object=str(target), expected="the change lasts", observed=observed
    )


def _owned(systems: Systems, found: Json, target: Target) -> Finding:
    owner = gitops.owner(found, systems.settings.gitops.argo)
    if owner is None:
        return says(target, Verdict.OK, "no GitOps controller owns it")
    try:
        idle = gitops.idle(owner, gitops.read(systems, owner))
    except FirstwatchError as error:
        return says(target, Verdict.BAD, f"{owner} owns it and would put it back; whether it is paused: {error}")
    if idle:
        return says(target, Verdict.OK, f"{owner} owns it, and leaves it alone now")
    pause = "pause it first (actions.pause_sync), or change it there"
    return says(target, Verdict.BAD, f"{owner} owns it and would put it back; {pause}")


def _paused(found: Json, target: Target) -> tuple[Finding, ...]:
    if found["kind"] != "Deployment" or not found.get("spec", {}).get("paused"):
        return ()
    return (says(target, Verdict.BAD, "its rollouts are paused, so nothing would happen; resume them first"),)
