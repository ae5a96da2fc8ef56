"""
Maintenance: apply the manifest of the maintenance page, one object.

Usually that is the Service, pointed at pods that stand by with a page; then one write shows it and one takes it away.
What is there already is changed to what the manifest says, and undo puts back what was there; what is not there is
made, and undo deletes it.
"""

import hashlib

from firstwatch.actions import change, whole
from firstwatch.actions.action import Action, action, resolved
from firstwatch.actions.stick import checked, says
from firstwatch.errors import BadParameter, NotFound
from firstwatch.model import Change, Finding, Findings, Json, Plan, Target, Verdict, canonical
from firstwatch.systems import Systems
from firstwatch.systems.workloads import holds, selects


@action("What would the maintenance page change?", destructive=False)
def maintenance(self: Action, systems: Systems) -> Plan:
    """
    Plan to apply the manifest of `[maintenance] manifest`; customers see it.

    Raises:
        BadParameter: There is no manifest of one object, or all that it says is so already.
    """
    manifest = _manifest(systems)
    kind, own = manifest["kind"], manifest["metadata"]
    said = (f"manifest {_hash(manifest)}", "customers see it: post a status update")
    try:
        found = {"kind": kind, **systems.cluster.get(kind, own["namespace"], own["name"])}
    except NotFound:
        return _made(self, systems, manifest, said)
    wanted = dict(whole.differing({k: v for k, v in manifest.items() if k not in ("apiVersion", "kind")}, found))
    if not wanted:
        raise BadParameter(f"{kind} {own['name']} is as the manifest says already; nothing would change")
    checks = _served(systems, Target(kind, own["namespace"], own["name"], "", 0), manifest)
    return resolved(self, systems, found, wanted, said, checks=checks, manifest=_hash(manifest))


def _manifest(systems: Systems) -> Json:
    where, found = systems.settings.maintenance.manifest, systems.settings.maintenance.object
    if not isinstance(found, dict) or not {"kind", "metadata"} <= found.keys() or "name" not in found["metadata"]:
        raise BadParameter(f"no manifest of one object is at {where or '(nowhere)'}: see [maintenance] manifest")
    namespace = found["metadata"].get("namespace") or systems.settings.service.namespace
    return {**found, "metadata": {**found["metadata"], "namespace": namespace}}


def _hash(manifest: Json) -> str:
    return hashlib.sha256(canonical(manifest)).hexdigest()[:16]


def _made(self: Action, systems: Systems, manifest: Json, said: tuple[str, ...]) -> Plan:
    """Return the plan that makes the object, after a dry run; it is compared as the API would store it."""
    own = manifest["metadata"]
    target = Target(manifest["kind"], own["namespace"], own["name"], "", 0)
    stored = systems.cluster.create(target.kind, target.namespace, manifest, dry_run=True)
    made = Change("", None, {"kind": target.kind, **whole.kept(manifest, stored)})
    return Plan(
        action=self.name, target=target, changes=(made,), undo=(made.inverse(),), destructive=self.destructive,
        summary=(*said, f"{target} is made; undo deletes it"), parameters={"manifest": _hash(manifest)},
        sticks=Findings(_served(systems, target, manifest)),
    )  # fmt: skip


def _served(systems: Systems, target: Target, manifest: Json) -> tuple[Finding, ...]:
    """Return whether a Service of the manifest would reach anybody."""
    if target.kind != "Service":
        return ()
    return checked(target, lambda: (_reaches(systems, target, change.at(manifest, "/spec/selector") or {}),))


def _reaches(systems: Systems, target: Target, selector: Json) -> Finding:
    pods = systems.cluster.list("Pod", target.namespace)
    chosen = [each for each in pods if selects(selector, each["metadata"].get("labels", {}))]
    ready = sum(holds(each, "Ready") for each in chosen)
    if ready:
        return says(target, Verdict.OK, f"{ready} ready pods serve the page")
    return says(target, Verdict.BAD, "no ready pod serves the page; apply deploy/maintenance-standby.yaml first")
