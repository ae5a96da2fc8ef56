"""
Kubernetes: reads as raw JSON, and writes that are sent once: a JSON patch, a new object, a deletion.

The official client brings kubeconfigs, contexts and credentials; its typed models are not built, because a probe looks
at three fields. Its retries are off: reads are asked again here (`retry`), and a write is sent once.

A write binds itself to the object that was planned against: uid and resourceVersion travel inside the patch, so the
API refuses it when the object is another or has moved.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlencode

from firstwatch import settings
from firstwatch.clock import Clock, WallClock
from firstwatch.errors import Conflict, FirstwatchError, OutcomeUnknown, Unavailable
from firstwatch.model import Json
from firstwatch.systems import kubeconfig, objects, retry
from firstwatch.systems.answer import Answer
from firstwatch.systems.deadline import bounded
from firstwatch.systems.log import MOST_LOG_BYTES, Log
from firstwatch.systems.names import dns_name
from firstwatch.systems.reason import lost, reason, untouched
from firstwatch.systems.retry import ONCE, USUAL, Budget, Lost, waiting
from firstwatch.systems.tape import Recorder

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

CONNECT_S = 3.0
MOST_BYTES = 32_000_000
REPLAYED_HOST = "http://kubernetes"
_FIELDS = {"fieldManager": "firstwatch", "fieldValidation": "Strict"}

# Where each kind lives: the path before the namespace, and the plural.
_HOME = {
    "Node": ("/api/v1", "nodes"),
    "Pod": ("/api/v1", "pods"),
    "Event": ("/api/v1", "events"),
    "ResourceQuota": ("/api/v1", "resourcequotas"),
    "Service": ("/api/v1", "services"),
    "ConfigMap": ("/api/v1", "configmaps"),
    "Deployment": ("/apis/apps/v1", "deployments"),
    "ReplicaSet": ("/apis/apps/v1", "replicasets"),
    "Application": ("/apis/argoproj.io/v1alpha1", "applications"),
    "Kustomization": ("/apis/kustomize.toolkit.fluxcd.io/v1", "kustomizations"),
    "HelmRelease": ("/apis/helm.toolkit.fluxcd.io/v2", "helmreleases"),
    "HorizontalPodAutoscaler": ("/apis/autoscaling/v2", "horizontalpodautoscalers"),
    "EndpointSlice": ("/apis/discovery.k8s.io/v1", "endpointslices"),
    "Ingress": ("/apis/networking.k8s.io/v1", "ingresses"),
    "PodDisruptionBudget": ("/apis/policy/v1", "poddisruptionbudgets"),
    "NodeMetrics": ("/apis/metrics.k8s.io/v1beta1", "nodes"),
    "PodMetrics": ("/apis/metrics.k8s.io/v1beta1", "pods"),
}


class _NotSent(Unavailable):
    """No connection: whatever was asked, nothing was done."""


class _Unheard(_NotSent, Lost):
    """The connection was refused."""


@dataclass(slots=True)
class Cluster:
    """
    One context of one kubeconfig. `context` is shown in every record.

    `renew` reads the credentials anew. `skew` is how far ahead of our clock the API server's is, by its latest answer.
    """

    context: str
    client: "ApiClient"
    recorder: Recorder | None = None
    budget: Budget = USUAL
    clock: Clock = field(default_factory=WallClock)
    renew: "Callable[[], ApiClient] | None" = None
    skew: timedelta | None = None
    _renewing: Any = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def connect(cls, where: settings.Kubernetes, recorder: Recorder | None = None, budget: Budget = USUAL) -> Self:
        """Return the cluster that *where* names; BadParameter when there is no such kubeconfig or context."""
        doing = f"reading the credentials of context {where.context or '(current)'}"
        context, client = bounded(budget.deadline_s, doing, lambda: kubeconfig.client(where))
        return cls(context, client, recorder, budget, renew=lambda: kubeconfig.client(where)[1])

    @classmethod
    def replayed(cls, proxy: str, clock: Clock, budget: Budget = ONCE) -> Self:
        """Return a cluster that a replay's *proxy* answers for: each question once, as it was recorded."""
        return cls("replay", kubeconfig.behind(REPLAYED_HOST, proxy), budget=budget, clock=clock)

    @property
    def host(self) -> str:
        return str(self.client.configuration.host)

    def get(self, kind: str, namespace: str, name: str) -> Json:
        """
        Return one object.

        Raises:
            NotFound: There is no such object, or no such kind in this cluster.
            Refused: 401, after the credentials were read anew; or 403.
            Unavailable: No answer in time, or not one of Kubernetes'.
        """
        path = _path(kind, namespace, name)
        return objects.one(self._asked("GET", path), self._read(path, {}), kind, name)

    def list(self, kind: str, namespace: str = "", **query: str) -> list[Json]:
        """Return the objects of *kind*, each with its kind; *query* may have labelSelector and fieldSelector."""
        path = _path(kind, namespace)
        return objects.many(self._asked("GET", path), self._read(path, query), kind)

    def patch(self, kind: str, namespace: str, name: str, operations: Json, *, dry_run: bool = False) -> Json:
        """
        Send one JSON patch, once, and return the object that it made.

        Raises:
            Conflict: 409 or 422: the object is not what the patch was made for. Nothing was written.
            Refused: 401, 403, 429 or another no. Nothing was written.
            Unavailable: The connection could not be opened. Nothing was written.
            OutcomeUnknown: It was sent, and no definite answer came.
        """
        path, doubt = _path(kind, namespace, name), Unavailable if dry_run else OutcomeUnknown
        answer = self._write("PATCH", path, _FIELDS, operations, dry_run=dry_run)
        return objects.one(self._asked("PATCH", path), answer, kind, name, doubt=doubt)

    def create(self, kind: str, namespace: str, made: Json, *, dry_run: bool = False) -> Json:
        """Send one new object, once, and return it as it was stored; Conflict when its name is taken; see `patch`."""
        path, doubt = _path(kind, namespace), Unavailable if dry_run else OutcomeUnknown
        answer = self._write("POST", path, _FIELDS, made, dry_run=dry_run)
        return objects.one(
            self._asked("POST", path), answer, kind, made["metadata"]["name"], doubt=doubt, stored=not dry_run
        )

    def delete(self, kind: str, namespace: str, found: Json, *, dry_run: bool = False) -> None:
        """Delete, with one request, the object *found* as it was read; Conflict when it has moved; see `patch`."""
        own = found["metadata"]
        bound = {"preconditions": {"uid": own["uid"], "resourceVersion": own["resourceVersion"]}}
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background", **bound}
        self._write("DELETE", _path(kind, namespace, own["name"]), {}, options, dry_run=dry_run)

    def review(self, path: str, asked: Json) -> Json:
        """Return the answer to a review, such as "may I?": posted, kept nowhere, so a read. Errors as in `get`."""
        said = self._asked("POST", path)
        once = partial(self._once, said, "POST", path, asked)
        try:
            answer = bounded(self.budget.deadline_s, said, partial(retry.reading, once, self.budget, self.clock))
        except (_NotSent, Lost) as error:
            raise Unavailable(str(error)) from error
        self._record("POST", path, {}, asked, answer)
        objects.judge(said, answer, later=self._later(answer))
        return objects.decoded(said, answer.body)

    def _write(self, method: str, path: str, query: dict[str, str], sent: Json, *, dry_run: bool) -> Answer:
        """Return the answer to a write that was accepted; raise what `patch` names otherwise."""
        asked, doubt = self._asked(method, path), Unavailable if dry_run else OutcomeUnknown
        query = query | ({"dryRun": "All"} if dry_run else {})
        answer = self._written(asked, method, path, query, sent, doubt)
        if answer.status in (409, 422):
            raise Conflict(f"{asked}: answered {answer.status}: {objects.message(answer.body)}; plan again")
        objects.judge(asked, answer, later=self._later(answer), doubt=doubt)
        return answer

    def logs(
        self, namespace: str, pod: str, *, container: str = "", previous: bool = False, tail: int = 100,
        timed: bool = False,
    ) -> Log:  # fmt: skip
        """
        Return the last *tail* lines of a pod's log, as far as 4 MB and the time reach; it says what it left out.

        *timed* lines begin with the moment at which each was written, in RFC 3339, and a space.

        Raises:
            NotFound: There is no such pod.
            Refused: 401, 403, or there is no such container.
            Unavailable: Nothing came in time.
        """
        path = _path("Pod", namespace, pod) + "/log"
        query = {"tailLines": str(tail), "limitBytes": str(MOST_LOG_BYTES)}
        query |= {"container": dns_name(container, "container")} if container else {}
        query |= {"previous": "true"} if previous else {}
        query |= {"timestamps": "true"} if timed else {}
        kept, late = bytearray(), ""
        try:
            self._read(path, query, kept)
        except Unavailable as error:
            if not kept:
                raise
            late = str(error)
        return Log.of(bytes(kept), tail, late)

    def _asked(self, method: str, path: str) -> str:
        return f"{method} {path} of cluster {self.context} at {self.host}"

    def _later(self, answer: Answer) -> str:
        return waiting(answer, self.budget, self.clock)

    def _read(self, path: str, query: dict[str, str], kept: bytearray | None = None) -> Answer:
        """Return what is answered 200, in as many tries as the budget has; with *kept*, its bytes as they come."""
        asked = self._asked("GET", path)
        try:
            answer = bounded(self.budget.deadline_s, asked, partial(self._answered, asked, path, query, kept))
        except (_NotSent, Lost) as error:
            raise Unavailable(str(error)) from error
        self._record("GET", path, query, None, answer)
        objects.judge(asked, answer, later=self._later(answer))
        return answer

    def _answered(self, asked: str, path: str, query: dict[str, str], kept: bytearray | None) -> Answer:
        client = self.client

        def once(left_s: float) -> Answer:
            if kept:
                kept.clear()
            return self._once(asked, "GET", _target(path, query), None, left_s, kept)

        answer = retry.reading(once, self.budget, self.clock)
        if answer.status == 401 and self._renewed(client):
            answer = once(self.budget.deadline_s)
        return answer

    def _renewed(self, refused: "ApiClient") -> bool:
        """Read the credentials anew, unless another call has since *refused* was; tell whether there are others."""
        if self.renew is None:
            return False
        with self._renewing:
            if self.client is refused:
                self.client = self.renew()
        return True

    def _written(
        self, asked: str, method: str, path: str, query: dict[str, str], sent: Json, doubt: type[FirstwatchError]
    ) -> Answer:
        """Return what is answered to the one request; raise *doubt* when it is not known what became of it."""
        left_s = self.budget.deadline_s
        try:
            answer = bounded(left_s, asked, partial(self._once, asked, method, _target(path, query), sent, left_s))
        except _NotSent as error:
            raise Unavailable(str(error)) from error  # exit codes go by the public names
        except Unavailable as error:
            raise doubt(str(error)) from error
        self._record(method, path, query, sent, answer)
        return answer

    def _once(
        self, asked: str, method: str, target: str, sent: Json, left_s: float, kept: bytearray | None = None
    ) -> Answer:
        from kubernetes.client import ApiException
        from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

        client = self.client
        try:
            answer = client.rest_client.request(
                method, f"{client.configuration.host}{target}", headers=_headers(client, method), body=sent,
                _request_timeout=(min(CONNECT_S, left_s), left_s),
            )  # fmt: skip
            into = kept if answer.status == 200 else None
            body = _capped(answer.response, asked) if into is None else _streamed(answer.response, into)
        except (NewConnectionError, ConnectTimeoutError) as error:
            raise (_Unheard if lost(error) else _NotSent)(f"{asked}: {reason(error)}") from error
        except (HTTPError, ApiException, OSError, ValueError) as error:
            kind: type[Unavailable] = _NotSent if untouched(error) else Lost if lost(error) else Unavailable
            raise kind(f"{asked}: {reason(error)}") from error
        got = Answer(answer.status, body, {name.lower(): value for name, value in answer.headers.items()})
        self.skew = got.date - self.clock.now() if got.date else self.skew
        return got

    def _record(self, method: str, path: str, query: dict[str, str], sent: Json, answer: Answer) -> None:
        if self.recorder:
            url = f"{REPLAYED_HOST}{_target(path, query)}"
            self.recorder.add(method, url, sent, answer.status, answer.kind, answer.body)


def _path(kind: str, namespace: str, name: str | None = None) -> str:
    """Return the path of a collection, or of one object when *name* is given; each part is checked before use."""
    prefix, plural = _HOME[kind]
    inside = f"/namespaces/{dns_name(namespace, 'namespace')}" if namespace else ""
    own = f"/{dns_name(name, kind)}" if name is not None else ""
    return f"{prefix}{inside}/{plural}{own}"


def _target(path: str, query: dict[str, str]) -> str:
    return f"{path}?{urlencode(query)}" if query else path


def _headers(client: "ApiClient", method: str) -> dict[str, str]:
    headers = {"Accept": "application/json", "User-Agent": "firstwatch"}
    if method == "PATCH":
        headers["Content-Type"] = "application/json-patch+json"
    client.update_params_for_auth(headers, [], ["BearerToken"], "", method, None)
    return headers


def _capped(response: Any, asked: str) -> bytes:
    data: bytes = response.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        response.close()
        raise Unavailable(f"{asked}: the answer is larger than {MOST_BYTES:,} bytes; it was not read on")
    return data


def _streamed(response: Any, kept: bytearray) -> bytes:
    """Put what *response* brings into *kept* as it comes, up to the limit of a log, and return it."""
    while len(kept) < MOST_LOG_BYTES and (chunk := response.read1(65_536)):
        kept += chunk
    del kept[MOST_LOG_BYTES:]
    response.close()
    return bytes(kept)
