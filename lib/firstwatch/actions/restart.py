"""
Restart: every pod is made anew, as the workload's strategy allows. There is no undo: what the old pods knew is gone.

What is written is the generation that it follows, not the time, so that a plan made again for its approval is the same.
"""

from collections.abc import Iterator

from firstwatch.actions.action import Action, action, resolved, workload
from firstwatch.errors import FirstwatchError
from firstwatch.model import Json, Plan
from firstwatch.systems import Systems
from firstwatch.systems.workloads import selects

MARK = "firstwatch/restarted-after-generation"
ANNOTATIONS = "/spec/template/metadata/annotations"


@action("What would a restart change?", destructive=True)
def restart(self: Action, systems: Systems) -> Plan:
    """Plan to make every pod anew; whatever they hold in memory is lost, also what would have told the cause."""
    return restarting(self, systems, workload(systems), ())


def restarting(self: Action, systems: Systems, deployment: Json, said: tuple[str, ...], **parameters: Json) -> Plan:
    """Return the plan that restarts *deployment*, with *said* before its own words."""
    value = str(deployment["metadata"]["generation"])
    annotations = deployment["spec"]["template"].get("metadata", {}).get("annotations")
    own = f"{ANNOTATIONS}/{MARK.replace('/', '~1')}"
    wanted = {own: value} if annotations else {ANNOTATIONS: {MARK: value}}
    lines = (*said, f"{deployment['spec'].get('replicas', 1)} pods are made anew; there is no undo")
    lines += (_pace(deployment), *_budgets(systems, deployment))
    return resolved(self, systems, deployment, wanted, lines, undoable=False, **parameters)


def _pace(deployment: Json) -> str:
    strategy = deployment["spec"].get("strategy", {})
    if strategy.get("type") == "Recreate":
        return "all of them at once, by strategy Recreate: users will notice"
    pace = strategy.get("rollingUpdate", {})
    return f"at most {pace.get('maxUnavailable', '25%')} missing and {pace.get('maxSurge', '25%')} more at a time"


def _budgets(systems: Systems, deployment: Json) -> Iterator[str]:
    """Yield what each disruption budget of these pods allows now; a rollout does not ask it, so it is only told."""
    labels = deployment["spec"]["template"].get("metadata", {}).get("labels", {})
    try:
        found = systems.cluster.list("PodDisruptionBudget", deployment["metadata"]["namespace"])
    except FirstwatchError as error:
        yield f"disruption budgets could not be read: {error}"
        return
    for each in found:
        if selects(each.get("spec", {}).get("selector", {}).get("matchLabels", {}), labels):
            allowed = each.get("status", {}).get("disruptionsAllowed", "an unknown number of")
            yield f"the budget {each['metadata']['name']} allows {allowed} disruptions; a rollout does not ask it"
