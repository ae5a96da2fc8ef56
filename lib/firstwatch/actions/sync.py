"""
Sync: pause the GitOps controller that owns the workload, so that a change made by hand lasts.

A controller that is left paused is a trap for the next release: undo it within the time that the plan names.
"""

from firstwatch.actions import gitops
from firstwatch.actions.action import Action, action, resolved, workload
from firstwatch.errors import BadParameter, NotFound
from firstwatch.model import Plan
from firstwatch.systems import Systems


@action("What would pausing the sync change?", destructive=False)
def pause_sync(self: Action, systems: Systems, *, resume: str = "2h") -> Plan:
    """
    Plan to pause whoever keeps the workload as it is in git.

    Args:
        self: The action.
        systems: Where.
        resume: By when somebody undoes it, from now: `30m`, `2h`. Told to people; nothing resumes by itself.

    Raises:
        NotFound: No GitOps controller owns the workload, or its own object is not there.
        BadParameter: It is paused already.
    """
    deployment = workload(systems)
    owner = gitops.owner(deployment, systems.settings.gitops.argo)
    if owner is None:
        raise NotFound(
            f"no GitOps controller owns Deployment {deployment['metadata']['name']}; nothing is to be paused"
        )
    found = {"kind": owner.kind, **gitops.read(systems, owner)}
    if gitops.idle(owner, found):
        raise BadParameter(f"{owner} leaves it alone already")
    said = (f"{owner} puts nothing back", f"resume it within {resume}: firstwatch undo CHANGE --apply")
    return resolved(self, systems, found, {owner.field: owner.paused}, said, resume=resume)
