"""
The verbs: what a method on a path does to objects, and how its answer looks.

Each reads its body first and then decides without a pause, so that nothing changes between looking and writing.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from aiohttp import web

from firstwatch.model import Json
from gameday.api import apply, bodies, errors, options, paging, patches, pods, scale, selectors, views
from gameday.api.options import Options
from gameday.api.patches import APPLY
from gameday.api.proxy import Kubelets
from gameday.api.registry import Registry
from gameday.api.target import Target
from gameday.api.watches import Watch

# What a deletion answers is the object itself for these, and that it was done for all others.
SHOWN_AT_LAST = {"Pod", "Service", "ServiceAccount", "ResourceQuota"}

Verb: TypeAlias = Callable[[web.Request, Target], Awaitable[web.StreamResponse]]


class Rest:
    """Answers requests for objects; `kubelets` are asked for what only they know."""

    def __init__(self, registry: Registry, kubelets: Kubelets) -> None:
        self._registry, self._kubelets = registry, kubelets
        self._whole: Mapping[str, Verb] = {
            "GET": self._get,
            "PUT": self._replace,
            "PATCH": self._patch,
            "DELETE": self._delete,
        }
        self._all: Mapping[str, Verb] = {"GET": self._list, "POST": self._create, "DELETE": self._delete_all}
        self._parts: Mapping[tuple[str, str], Verb] = {
            ("GET", "status"): self._get,
            ("PUT", "status"): self._replace,
            ("PATCH", "status"): self._patch,
            ("GET", "scale"): self._scale,
            ("PUT", "scale"): self._rescale,
            ("PATCH", "scale"): self._rescale,
            ("POST", "binding"): self._bind,
            ("POST", "eviction"): self._evict,
            ("GET", "log"): self._log,
            ("GET", "exec"): self._connect,
            ("POST", "exec"): self._connect,
            ("GET", "attach"): self._connect,
            ("POST", "attach"): self._connect,
        }

    async def answer(self, request: web.Request, target: Target) -> web.StreamResponse:
        if target.part:
            verb = self._parts.get((request.method, target.part))
        else:
            verb = (self._whole if target.name else self._all).get(request.method)
        if verb is None:
            raise errors.method_not_allowed()
        return await verb(request, target)

    async def _get(self, request: web.Request, target: Target) -> web.StreamResponse:
        return self._shown(request, target, self._registry.get(replace(target, part="")))

    async def _list(self, request: web.Request, target: Target) -> web.StreamResponse:
        query, view = request.query, self._view(request, target)
        chosen = selectors.selects(target.resource, query.get("labelSelector", ""), query.get("fieldSelector", ""))
        if options.boolean(query.get("watch", "")):
            return await Watch(target, view, chosen, query).answer(request, self._registry.store)
        found = [each for each in self._registry.store.list(target.resource.kind, target.namespace) if chosen(each)]
        limit, token = options.number(query, "limit"), query.get("continue", "")
        page = paging.page(found, self._registry.store.version, limit, token)
        return answered(view.many(page.items, str(page.version), page.continue_, page.remaining))

    async def _create(self, request: web.Request, target: Target) -> web.StreamResponse:
        body, asked = bodies.fits(target, await bodies.read(request)), _writing(request)
        body, complaints = _understood(target, body, asked)
        made = self._registry.create(_within(target, body), body, asked)
        return self._shown(request, target, made, 201, complaints)

    async def _replace(self, request: web.Request, target: Target) -> web.StreamResponse:
        body, asked = bodies.fits(target, await bodies.read(request)), _writing(request)
        body, complaints = _understood(target, body, asked)
        before = self._registry.get(replace(target, part=""))
        wanted, known = body["metadata"].pop("uid", None), before["metadata"]["uid"]
        if wanted and wanted != known:
            why = f"Precondition failed: UID in precondition: {wanted}, UID in object meta: {known}"
            raise errors.conflict(target.resource, target.name, why)
        after = self._registry.write(target, before, body, asked)
        return self._shown(request, target, after, 200, complaints)

    async def _patch(self, request: web.Request, target: Target) -> web.StreamResponse:
        form, patch = await bodies.patch(request)
        asked = _writing(request)
        if form == APPLY:
            return self._apply(request, target, patch, asked)
        before = self._registry.get(replace(target, part=""))
        body = patches.patched(form, views.whole(target.resource, before), patch)
        body = bodies.fits(target, body)
        try:
            body, complaints = bodies.understood(target.resource, body, asked)
        except ValueError as wrong:
            causes = [errors.wrong("patch", patch, str(wrong))]
            raise errors.invalid(target.resource, target.name, causes) from wrong
        after = self._registry.write(target, before, body, asked)
        return self._shown(request, target, after, 200, complaints)

    def _apply(self, request: web.Request, target: Target, patch: Json, asked: Options) -> web.Response:
        if not request.query.get("fieldManager"):
            raise errors.wrong_option("PatchOptions", errors.required("fieldManager", "is required for apply patch"))
        body = bodies.fits(target, patch if isinstance(patch, dict) else {})
        body, complaints = _understood(target, body, asked)
        after, created = apply.applied(self._registry, target, body, asked)
        return self._shown(request, target, after, 201 if created else 200, complaints)

    async def _delete(self, request: web.Request, target: Target) -> web.StreamResponse:
        asked = options.deleting(request.query, await bodies.read(request, default={}))
        last, gone = self._registry.delete(target, asked)
        if gone and target.resource.kind.kind not in SHOWN_AT_LAST:
            return answered(errors.success(target.resource, last))
        return self._shown(request, target, last)

    async def _delete_all(self, request: web.Request, target: Target) -> web.StreamResponse:
        query = request.query
        asked = options.deleting(query, await bodies.read(request, default={}))
        chosen = selectors.selects(target.resource, query.get("labelSelector", ""), query.get("fieldSelector", ""))
        deleted = []
        for each in [*self._registry.store.list(target.resource.kind, target.namespace)]:
            if chosen(each):
                where = replace(target, namespace=each["metadata"].get("namespace", ""), name=each["metadata"]["name"])
                deleted.append(self._registry.delete(where, asked)[0])
        return answered(self._view(request, target).many(deleted, str(self._registry.store.version)))

    async def _scale(self, _: web.Request, target: Target) -> web.StreamResponse:
        return answered(scale.of(self._registry.get(replace(target, part=""))))

    async def _rescale(self, request: web.Request, target: Target) -> web.StreamResponse:
        form, change = await bodies.patch(request) if request.method == "PATCH" else ("", await bodies.read(request))
        whole = replace(target, part="")
        before, asked = self._registry.get(whole), _writing(request)
        wanted = patches.patched(form, scale.of(before), change) if form else change
        after = scale.scaled(before, wanted)
        return answered(scale.of(self._registry.write(whole, before, after, asked)))

    async def _bind(self, request: web.Request, target: Target) -> web.StreamResponse:
        body, asked = await bodies.read(request), _writing(request)
        return answered(pods.bind(self._registry, replace(target, part=""), body, asked), 201)

    async def _evict(self, request: web.Request, target: Target) -> web.StreamResponse:
        body, asked = await bodies.read(request), _writing(request)
        return answered(pods.evict(self._registry, replace(target, part=""), body, asked), 201)

    async def _log(self, request: web.Request, target: Target) -> web.StreamResponse:
        return await self._kubelets.log(request, target.namespace, target.name)

    async def _connect(self, request: web.Request, target: Target) -> web.StreamResponse:
        return await self._kubelets.connect(request, target.namespace, target.name, target.part)

    def _view(self, request: web.Request, target: Target) -> views.View:
        accept, include = request.headers.get("Accept", ""), request.query.get("includeObject", "")
        return views.of(target.resource, accept, include, self._registry.clock.now())

    def _shown(
        self, request: web.Request, target: Target, item: Json, status: int = 200, complaints: Sequence[str] = ()
    ) -> web.Response:
        return answered(self._view(request, target).one(item), status, bodies.warning(complaints))


def answered(body: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    content = json.dumps(body, separators=(",", ":")).encode()
    return web.Response(body=content, status=status, headers=headers, content_type="application/json")


def _writing(request: web.Request) -> Options:
    return options.writing(request.query, request.headers.get("User-Agent", ""))


def _within(target: Target, body: Json) -> Target:
    """Return where *body* shall be created; a namespaced kind posted without a namespace is in `default`."""
    if not target.resource.kind.namespaced or target.namespace:
        return target
    return replace(target, namespace=body["metadata"].get("namespace") or "default")


def _understood(target: Target, body: Json, asked: Options) -> tuple[Json, Sequence[str]]:
    """Return what of *body* can be kept, and what is to be warned of; refuse one that cannot be read."""
    try:
        return bodies.understood(target.resource, body, asked)
    except ValueError as wrong:
        kind, version = target.resource.kind.kind, target.resource.version
        told = f'{kind} in version "{version}" cannot be handled as a {kind}: {wrong}'
        raise errors.bad_request(told) from wrong
