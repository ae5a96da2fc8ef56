"""
What an action is: a kind of change that resolves to a plan.

Planning asks the live system three times: for the object as it is, for a server-side dry run of the change, and for
what would take it back (`stick`). What the dry run answers is what the plan says will be there afterwards, so that an
undo can tell whether somebody else has been there since.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from firstwatch.actions import change, stick
from firstwatch.errors import NotFound, nearest
from firstwatch.model import Change, Json, Plan, Target
from firstwatch.systems import Systems


@dataclass(frozen=True, slots=True)
class Action:
    """A kind of change. `destructive` ones want a second person on a SEV1."""

    name: str
    question: str
    destructive: bool
    resolve: Callable[..., Plan]

    def plan(self, systems: Systems, parameters: Mapping[str, Any]) -> Plan:
        """Return the plan of this action with *parameters*; sends a dry run, and writes nothing."""
        return self.resolve(self, systems, **parameters)


def action(question: str, *, destructive: bool) -> Callable[[Callable[..., Plan]], Action]:
    """Return a decorator that makes an action of the function that resolves it."""

    def named(resolve: Callable[..., Plan]) -> Action:
        return Action(resolve.__name__.replace("_", "-"), question, destructive, resolve)

    return named


def resolved(
    self: Action,
    systems: Systems,
    found: Json,
    wanted: Mapping[str, Json],
    summary: tuple[str, ...],
    **parameters: Json,
) -> Plan:
    """
    Return the plan that sets *wanted* (JSON pointer → value) on the object *found*.

    Raises:
        Conflict: The dry run was refused: the change would not be accepted.
        Refused: We may not make this change.
    """
    metadata = found["metadata"]
    target = Target(
        found["kind"], metadata.get("namespace", ""), metadata["name"], metadata["uid"], metadata["generation"]
    )
    sent = tuple(Change(path, change.at(found, path), value) for path, value in wanted.items())
    after = change.send(systems, target, change.operations(sent, found), dry_run=True)
    stored = tuple(Change(each.path, each.before, change.at(after, each.path)) for each in sent)
    lines = summary + tuple(line for each in stored for line in difference(each.before, each.after, each.path))
    return Plan(
        action=self.name, target=target, changes=stored, summary=lines, parameters=parameters,
        undo=tuple(each.inverse() for each in stored), destructive=self.destructive, sticks=stick.sticks(found, target),
    )  # fmt: skip


def difference(before: Json, after: Json, path: str = "") -> Iterator[str]:
    """Yield a line for each place where two JSON values differ: `path: before → after`."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            yield from difference(before.get(key), after.get(key), f"{path}/{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, pair in enumerate(zip(before, after, strict=True)):
            yield from difference(*pair, f"{path}/{index}")
    elif before != after:
        yield f"{path}: {_shown(before)} → {_shown(after)}"


def _shown(value: Json) -> str:
    return "(absent)" if value is None else str(value)


def choose(number: int, known: list[int], what: str) -> int:
    """Return *number* when it is known; NotFound with what there is otherwise."""
    if number in known:
        return number
    raise NotFound(f"there is no {what} {number}; {nearest(str(number), [str(each) for each in known])}")
