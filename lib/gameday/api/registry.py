"""
The writes: what is checked, filled in and numbered when an object is created, changed or deleted.

A request is decided in one go, on what the store holds at that moment. A dry run goes the same way and stops before
the store.
"""

import secrets
from collections.abc import Callable
from typing import TypeAlias

from firstwatch.clock import Clock
from firstwatch.model import Json
from gameday.api import addresses, defaults, departure, errors, managed, resources, strategy, tree, validation
from gameday.api.options import Deletion, Options
from gameday.api.resources import Resource
from gameday.api.store import Store
from gameday.api.target import Target
from gameday.controllers.revision import ALPHABET
from gameday.kinds import NAMESPACE, POD, SERVICE, SERVICE_ACCOUNT

Managing: TypeAlias = Callable[[Json], Json]

MOST_NAMES = 8
START = ("default", "kube-system", "kube-public", "kube-node-lease")


class Registry:
    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock = store, clock

    def begin(self) -> None:
        """Create the namespaces that every cluster has."""
        for name in START:
            self.create(Target(resources.of(NAMESPACE)), {"metadata": {"name": name}}, Options(manager="gameday"))

    def get(self, target: Target) -> Json:
        item = self.store.get(target.resource.kind, target.namespace, target.name)
        if item is None:
            raise errors.not_found(target.resource, target.name)
        return item

    def create(self, target: Target, body: Json, options: Options, managing: Managing | None = None) -> Json:
        """Create *body* where *target* says; *managing* notes who wrote what, if it is not a plain write."""
        resource, now = target.resource, self.clock.now()
        self._admit(target, str(body["metadata"].get("name", "")))
        item = strategy.born(resource, tree.tidy(body), target.namespace, now)
        self._name(resource, item["metadata"])
        self._check(resource, item, None)
        if self.store.get(resource.kind, target.namespace, item["metadata"]["name"]) is not None:
            raise errors.exists(resource, item["metadata"]["name"])
        writer = managed.Writer(options.manager, resource.kind.api)
        item = managing(item) if managing else managed.updated(None, item, writer, now)
        item = self._placed(resource, item)
        return item if options.dry_run else self._born(resource, self.store.put(resource.kind, item))

    def write(self, target: Target, before: Json, body: Json, options: Options) -> Json:
        """Put *body* in place of *before*, which is what there is now, and return what is kept."""
        writer = managed.Writer(options.manager, target.resource.kind.api, part=target.part)
        now = self.clock.now()
        return self.keep(target, before, body, options, lambda after: managed.updated(before, after, writer, now))

    def keep(self, target: Target, before: Json, body: Json, options: Options, managing: Managing) -> Json:
        """Put *body* in place of *before*; *managing* notes in `managedFields` who wrote what."""
        resource = target.resource
        _bound(resource, before, body["metadata"])
        after = strategy.divided(resource, target.part, before, tree.tidy(body))
        numbered = {**after["metadata"], "resourceVersion": before["metadata"]["resourceVersion"]}
        after = {**after, "metadata": numbered}
        if target.part != "status":
            self._check(resource, after, before)
        after = self._placed(resource, managing(after))
        if _timeless(after) == _timeless(before):
            return before
        counted = strategy.generation(resource, before, after)
        if counted is not None:
            after = {**after, "metadata": {**after["metadata"], "generation": counted}}
        if options.dry_run:
            return after
        if departure.may_go(after):
            return self.store.remove(resource.kind, after)
        return self.store.put(resource.kind, after)

    def delete(self, target: Target, asked: Deletion) -> tuple[Json, bool]:
        """Delete what *target* names; return its last state, and whether it is gone."""
        resource, item = target.resource, self.get(target)
        _expected(resource, item, asked)
        after = departure.leaving(resource, item, asked, self.clock.now())
        gone = departure.may_go(after)
        if asked.dry_run or (after is item and not gone):
            return after, gone
        if gone:
            # Only a pod's last state says that it was being deleted.
            return self.store.remove(resource.kind, after if resource.kind == POD else item), gone
        return self.store.put(resource.kind, after), gone

    def _admit(self, target: Target, name: str) -> None:
        """Let nothing into a namespace that is not there, or is being deleted."""
        if not target.resource.kind.namespaced:
            return
        namespace = self.store.get(NAMESPACE, "", target.namespace)
        if namespace is None:
            raise errors.not_found(resources.of(NAMESPACE), target.namespace)
        if "deletionTimestamp" in namespace["metadata"]:
            why = f"namespace {target.namespace} is being terminated"
            cause = {"reason": "NamespaceTerminating", "message": why, "field": "metadata.namespace"}
            told = f"unable to create new content in namespace {target.namespace} because it is being terminated"
            raise errors.forbidden(target.resource, name, told, [cause])

    def _name(self, resource: Resource, metadata: Json) -> None:
        """Make a name that nobody has, where only its beginning is given."""
        prefix = metadata.get("generateName")
        for _ in range(MOST_NAMES):
            if not prefix or metadata.get("name"):
                return
            name = prefix + "".join(secrets.choice(ALPHABET) for _ in range(5))
            if self.store.get(resource.kind, metadata.get("namespace", ""), name) is None:
                metadata["name"] = name

    def _check(self, resource: Resource, item: Json, former: Json) -> None:
        """Fill *item* in and look whether it can be."""
        try:
            defaults.fill(resource.kind.kind, item)
            validation.check(resource, item, former)
        except (TypeError, AttributeError, KeyError, ValueError) as error:
            # What our own code stumbles over has another type than its field: nobody could have read it.
            kind, version = resource.kind.kind, resource.version
            raise errors.bad_request(
                f'{kind} in version "{version}" cannot be handled as a {kind}: a value is not of its field\'s type'
            ) from error

    def _placed(self, resource: Resource, item: Json) -> Json:
        """Give a Service its address. Nobody wrote that, so it comes after it was noted who wrote what."""
        if resource.kind == SERVICE:
            addresses.assign(item, (each for each in self.store.list(SERVICE) if not _same(each, item)))
        return item

    def _born(self, resource: Resource, item: Json) -> Json:
        if resource.kind == NAMESPACE:
            account = Target(resources.of(SERVICE_ACCOUNT), item["metadata"]["name"])
            self.create(account, {"metadata": {"name": "default"}}, Options(manager="gameday"))
        return item


def _timeless(item: Json) -> Json:
    """Return *item* without the times of its `managedFields`: to write the same again is not a change."""
    entries = item["metadata"].get("managedFields") or []
    bare = [{**each, "time": ""} for each in entries]
    return {**item, "metadata": {**item["metadata"], "managedFields": bare}}


def _same(one: Json, other: Json) -> bool:
    return bool(one["metadata"]["uid"] == other["metadata"]["uid"])


def _bound(resource: Resource, before: Json, given: Json) -> None:
    """Refuse a write that was meant for another object, or for an earlier state of this one."""
    name, now = before["metadata"]["name"], before["metadata"]
    if given.get("resourceVersion") and given["resourceVersion"] != now["resourceVersion"]:
        raise errors.modified(resource, name)
    if given.get("uid") and given["uid"] != now["uid"]:
        raise errors.invalid(resource, name, [errors.wrong("metadata.uid", given["uid"], validation.IMMUTABLE)])


def _expected(resource: Resource, item: Json, asked: Deletion) -> None:
    metadata = item["metadata"]
    for what, wanted, found in (
        ("UID", asked.uid, metadata["uid"]),
        ("ResourceVersion", asked.version, metadata["resourceVersion"]),
    ):
        if wanted and wanted != found:
            raise errors.not_as_expected(resource, metadata["name"], what, wanted, found)
