"""
What an action is: a kind of change that resolves to a plan.

Planning asks the live system three times: for the object as it is, for a server-side dry run of the change, and for
what would take it back (`stick`). What the dry run answers is what the plan says will be there afterwards, so that an
undo can tell whether somebody else has been there since.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import signature
from typing import Any

from firstwatch.actions import change, stick
from firstwatch.actions.difference import difference
from firstwatch.errors import Conflict, NotFound, Unavailable, nearest
from firstwatch.model import Change, Finding, Findings, Json, Plan, Target
from firstwatch.systems import Systems

DRY_RUNS = 5


@dataclass(frozen=True, slots=True)
class Action:
    """A kind of change. `destructive` ones want a second person on a SEV1."""

    name: str
    question: str
    destructive: bool
    resolve: Callable[..., Plan]

    def plan(self, systems: Systems, parameters: Mapping[str, Any]) -> Plan:
        """
        Return the plan of this action with *parameters*; sends a dry run, and writes nothing.

        Raises:
            Unavailable: What the system answered has a shape that nobody foresaw.
            FirstwatchError: Whatever keeps this action from being planned.
        """
        signature(self.resolve).bind(self, systems, **parameters)  # a wrong parameter is no fault of the system's
        try:
            return self.resolve(self, systems, **parameters)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            where = f"cluster {systems.cluster.context} at {systems.cluster.host}"
            raise Unavailable(
                f"planning {self.name} on {where}: an answer has an unexpected shape: {error!r}; look with kubectl"
            ) from error


def action(question: str, *, destructive: bool) -> Callable[[Callable[..., Plan]], Action]:
    """Return a decorator that makes an action of the function that resolves it."""

    def named(resolve: Callable[..., Plan]) -> Action:
        return Action(resolve.__name__.replace("_", "-"), question, destructive, resolve)

    return named


def workload(systems: Systems) -> Json:
    """Return the service's Deployment as it is now."""
    service = systems.settings.service
    return {"kind": "Deployment", **systems.cluster.get("Deployment", service.namespace, service.deployment)}


def target_of(found: Json) -> Target:
    """Return the target that the object *found*, which has a kind, is."""
    own = found["metadata"]
    return Target(found["kind"], own.get("namespace", ""), own["name"], own["uid"], own.get("generation", 0))


def resolved(
    self: Action,
    systems: Systems,
    found: Json,
    wanted: Mapping[str, Json],
    summary: tuple[str, ...],
    *,
    checks: tuple[Finding, ...] = (),
    undoable: bool = True,
    **parameters: Json,
) -> Plan:
    """
    Return the plan that sets *wanted* (JSON pointer → value, None: absent) on the object *found*.

    Args:
        self: The action.
        systems: Where.
        found: The object as it was read, with its kind.
        wanted: What to set.
        summary: What a person reads first.
        checks: What else says whether it will stick.
        undoable: Whether putting the fields back takes the change back.
        parameters: What the plan was asked with.

    Raises:
        Conflict: The dry run was refused: the change would not be accepted.
        Refused: We may not make this change.
    """
    target = target_of(found)
    sent = tuple(Change(path, change.at(found, path), value) for path, value in wanted.items())
    after = _tried(systems, target, sent, found)
    stored = tuple(Change(each.path, each.before, change.at(after, each.path)) for each in sent)
    lines = summary + tuple(line for each in stored for line in difference(each.before, each.after, each.path))
    return Plan(
        action=self.name, target=target, changes=stored, summary=lines, parameters=parameters,
        undo=tuple(each.inverse() for each in stored) if undoable else (), destructive=self.destructive,
        sticks=Findings((*stick.sticks(systems, found, target), *checks)),
    )  # fmt: skip


def nothing(self: Action, found: Json, summary: tuple[str, ...], **parameters: Json) -> Plan:
    """Return the plan that changes nothing, because nothing is needed; it wants no approval."""
    return Plan(
        action=self.name, target=target_of(found), changes=(), summary=summary, parameters=parameters, undo=(),
        destructive=False,
    )  # fmt: skip


def _tried(systems: Systems, target: Target, sent: tuple[Change, ...], found: Json) -> Json:
    """
    Return what a dry run of *sent* answers.

    During a rollout the status is written several times a second, and each makes the version that was read stale. That
    is no conflict with the change, and a dry run writes nothing, so it is asked again with a fresh version.
    """
    for _ in range(DRY_RUNS - 1):
        try:
            return change.send(systems, target, change.operations(sent, found), dry_run=True)
        except Conflict:
            stale, found = found, systems.cluster.get(target.kind, target.namespace, target.name)
            if not _only_status_moved(stale["metadata"], found["metadata"]):
                raise
    return change.send(systems, target, change.operations(sent, found), dry_run=True)


def _only_status_moved(before: Json, now: Json) -> bool:
    same = all(before.get(key) == now.get(key) for key in ("uid", "generation"))
    return same and before["resourceVersion"] != now["resourceVersion"]


def choose(number: int, known: list[int], what: str) -> int:
    """Return *number* when it is known; NotFound with what there is otherwise."""
    if number in known:
        return number
    raise NotFound(f"there is no {what} {number}; {nearest(str(number), [str(each) for each in known])}")
