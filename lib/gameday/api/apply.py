"""
Server-side apply: a writer says all that it wants, and the API finds out what that changes, and whose it was.

What another writer owns and would be changed is a conflict, unless it is forced. What this writer applied before and
no longer says is removed, unless somebody else owns it too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from firstwatch.model import Json
from gameday import timestamps
from gameday.api import errors, fieldsets, managed, tree
from gameday.api.fieldsets import Path
from gameday.api.managed import APPLY, Share, Writer
from gameday.api.options import Options
from gameday.api.registry import Registry
from gameday.api.target import Target


@dataclass(frozen=True, slots=True)
class Application:
    """What *writer* wants of an object: the object as far as it says, and the fields that this makes its own."""

    writer: Writer
    wanted: Json
    fields: frozenset[Path]


def applied(registry: Registry, target: Target, body: Json, asked: Options) -> tuple[Json, bool]:
    """
    Make what *target* names as *body* says; return it, and whether it was created.

    Raises:
        Refusal: Others own what would be changed (409), or as for any write.
    """
    if body["metadata"].get("managedFields"):
        raise errors.bad_request("metadata.managedFields must be nil")
    if not body.get("kind") or not body.get("apiVersion"):
        raise errors.bad_request(f"invalid object type: {body.get('apiVersion', '/')}, Kind={body.get('kind', '')}")
    writer = Writer(asked.manager, target.resource.kind.api, APPLY, target.part)
    wanted = tree.tidy(body)
    fields = frozenset(fieldsets.leaves(wanted, status=target.part == "status"))
    application = Application(writer, wanted, fields)
    whole = replace(target, part="")
    before = registry.store.get(target.resource.kind, target.namespace, target.name)
    if before is None and not target.part:
        named = {**body, "metadata": {**body["metadata"], "name": target.name}}
        return registry.create(target, named, asked, lambda item: _noted(registry, application, {}, item)), True
    before = registry.get(whole)
    after, others = merged(before, application, force=asked.force)
    return registry.keep(target, before, after, asked, lambda item: _noted(registry, application, others, item)), False


def merged(before: Json, application: Application, *, force: bool) -> tuple[Json, dict[Writer, Share]]:
    """Return *before* as *application* wants it, and what the other writers own after that."""
    known = managed.shares(before)
    own = known.pop(application.writer.same, None)
    after = fieldsets.merged(before, application.wanted)
    status = application.writer.part == "status"
    old, new = (fieldsets.leaves(each, status=status) for each in (before, after))
    changed = {path for path in application.fields if path not in old or old[path] != new.get(path)}
    conflicts = {same: sorted(each.fields & changed) for same, each in known.items() if each.fields & changed}
    if conflicts and not force:
        raise _conflict({known[same].writer: paths for same, paths in conflicts.items()})
    others = managed.taken(known, changed)
    held = {path for each in others.values() for path in each.fields}
    given_up = (own.fields if own else frozenset()) - application.fields
    gone = [path for path in given_up if not any(each[: len(path)] == path for each in held)]
    return fieldsets.without(after, gone), others


def _noted(registry: Registry, application: Application, others: Mapping[Writer, Share], item: Json) -> Json:
    writer, now = application.writer, timestamps.seconds(registry.clock.now())
    return managed.noted(item, {**others, writer.same: Share(writer, now, application.fields)})


def _conflict(conflicts: Mapping[Writer, list[Path]]) -> errors.Refusal:
    told = [(str(writer), fieldsets.shown(path)) for writer, paths in conflicts.items() for path in paths]
    if len(told) == 1:
        message = f"Apply failed with 1 conflict: conflict with {told[0][0]}: {told[0][1]}"
    else:
        parts = []
        for writer in sorted({name for name, _ in told}):
            parts += [f"conflicts with {writer}:", *(f"- {path}" for name, path in told if name == writer)]
        message = f"Apply failed with {len(told)} conflicts: " + "\n".join(parts)
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {writer}", "field": path} for writer, path in told
    ]
    return errors.Refusal(409, "Conflict", message, {"causes": causes})
