"""
Kubernetes: reads as raw JSON, and one kind of write, a JSON patch.

The official client brings kubeconfigs, contexts and credentials; its typed models are not built, because a probe looks
at three fields. Its retries are off: reads are asked again by whoever wants to know, and a write is sent once.

A write binds itself to the object that was planned against: uid and resourceVersion travel inside the patch, so the
API refuses it when the object is another or has moved.
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import urlencode

from firstwatch import settings
from firstwatch.errors import BadParameter, Conflict, FirstwatchError, NotFound, OutcomeUnknown, Refused, Unavailable
from firstwatch.model import Json
from firstwatch.systems.deadline import bounded
from firstwatch.systems.names import dns_name
from firstwatch.systems.tape import NOT_RECORDED, Recorder

if TYPE_CHECKING:
    from kubernetes.client import ApiClient, Configuration

DEADLINE_S = 10.0
MOST_BYTES = 32_000_000
REPLAYED_HOST = "http://kubernetes"

# Where each kind lives: the path before the namespace, and the plural.
_HOME = {
    "Node": ("/api/v1", "nodes"),
    "Pod": ("/api/v1", "pods"),
    "Event": ("/api/v1", "events"),
    "Service": ("/api/v1", "services"),
    "ConfigMap": ("/api/v1", "configmaps"),
    "Deployment": ("/apis/apps/v1", "deployments"),
    "ReplicaSet": ("/apis/apps/v1", "replicasets"),
    "HorizontalPodAutoscaler": ("/apis/autoscaling/v2", "horizontalpodautoscalers"),
}


class _NotSent(Unavailable):
    """No connection: whatever was asked, nothing was done."""


@dataclass(slots=True)
class Cluster:
    """One context of one kubeconfig. `context` is shown in every record."""

    context: str
    client: "ApiClient"
    recorder: Recorder | None = None

    @classmethod
    def connect(cls, where: settings.Kubernetes, recorder: Recorder | None = None) -> Self:
        """Return the cluster that *where* names; BadParameter when there is no such kubeconfig or context."""
        from kubernetes.client import ApiClient, Configuration

        configuration = Configuration()
        context = _credentials(configuration, where)
        return cls(context, ApiClient(_hardened(configuration)), recorder)

    @classmethod
    def replayed(cls, proxy: str) -> Self:
        """Return a cluster that a replay's *proxy* answers for."""
        from kubernetes.client import ApiClient, Configuration

        configuration = Configuration(host=REPLAYED_HOST)
        configuration.proxy = proxy
        return cls("replay", ApiClient(_hardened(configuration)))

    def get(self, kind: str, namespace: str, name: str) -> Json:
        """
        Return one object.

        Raises:
            NotFound: There is no such object, or no such kind in this cluster.
            Refused: 401 or 403.
            Unavailable: No answer in time, or not one of Kubernetes'.
        """
        return self._read(_path(kind, namespace, name), {})

    def list(self, kind: str, namespace: str = "", **query: str) -> list[Json]:
        """Return the objects of *kind*, each with its kind; *query* may have labelSelector and fieldSelector."""
        items = self._read(_path(kind, namespace), query)["items"]
        return [{"kind": kind, **item} for item in items]

    def patch(self, kind: str, namespace: str, name: str, operations: Json, *, dry_run: bool = False) -> Json:
        """
        Send one JSON patch, once, and return the object that it made.

        Raises:
            Conflict: 409 or 422: the object is not what the patch was made for. Nothing was written.
            Refused: 401, 403, 429 or another no. Nothing was written.
            Unavailable: The connection could not be opened. Nothing was written.
            OutcomeUnknown: It was sent, and no definite answer came.
        """
        path = _path(kind, namespace, name)
        query = {"fieldManager": "firstwatch", "fieldValidation": "Strict"} | ({"dryRun": "All"} if dry_run else {})
        doubt = Unavailable if dry_run else OutcomeUnknown
        status, body = self._send("PATCH", path, query, operations, doubt=doubt)
        if status in (409, 422):
            raise Conflict(f"PATCH {path}: answered {status}: {_message(body)}; plan again")
        return self._judged("PATCH", path, status, body, doubt=doubt)

    def logs(self, namespace: str, pod: str, *, container: str = "", previous: bool = False, tail: int = 100) -> str:
        """Return the last *tail* lines of a pod's log as text; bytes that are not UTF-8 are shown as U+FFFD."""
        query = {"tailLines": str(tail)} | ({"container": container} if container else {})
        query |= {"previous": "true"} if previous else {}
        path = _path("Pod", namespace, pod) + "/log"
        status, body = self._send("GET", path, query)
        if status != 200:
            self._judged("GET", path, status, body)
        return body.decode("utf-8", "replace")

    def _read(self, path: str, query: dict[str, str]) -> Json:
        status, body = self._send("GET", path, query)
        return self._judged("GET", path, status, body)

    def _judged(
        self, method: str, path: str, status: int, body: bytes, *, doubt: type[FirstwatchError] = Unavailable
    ) -> Json:
        asked = f"{method} {path} of cluster {self.context}"
        if status == NOT_RECORDED:
            raise Unavailable(f"{method} {path}: not in the recording")
        if status >= 500:
            raise doubt(f"{asked}: answered {status}: {_message(body)}")
        if status == 404:
            raise NotFound(f"{asked}: {_message(body)}; check the name, the namespace and the context")
        if not 200 <= status < 300:
            raise Refused(f"{asked}: answered {status}: {_message(body)}; ask for access")
        return _object(asked, doubt, body)

    def _send(
        self,
        method: str,
        path: str,
        query: dict[str, str],
        sent: Json = None,
        *,
        doubt: type[FirstwatchError] = Unavailable,
    ) -> tuple[int, bytes]:
        """Return status and body; raise *doubt* when it is not known what became of the request."""
        asked = f"{method} {path} of cluster {self.context}"
        url = f"{self.client.configuration.host}{path}{'?' + urlencode(query) if query else ''}"
        try:
            return bounded(DEADLINE_S, asked, lambda: self._exchange(asked, method, url, sent))
        except _NotSent:
            raise
        except Unavailable as error:
            raise doubt(str(error)) from error

    def _exchange(self, asked: str, method: str, url: str, sent: Json) -> tuple[int, bytes]:
        from kubernetes.client import ApiException
        from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

        try:
            headers = self._headers(method)
            answer = self.client.rest_client.request(
                method, url, headers=headers, body=sent, _request_timeout=(3.0, DEADLINE_S)
            )
            data = _capped(answer.response, asked)
        except (NewConnectionError, ConnectTimeoutError) as error:
            raise _NotSent(f"{asked}: {_reason(error)}; is the cluster reachable from here?") from error
        except (HTTPError, ApiException, OSError) as error:
            raise Unavailable(f"{asked}: {_reason(error)}") from error
        if self.recorder:
            recorded = url.replace(self.client.configuration.host, REPLAYED_HOST, 1)
            kind = answer.headers.get("content-type", "")
            self.recorder.add(method, recorded, sent, answer.status, kind, data)
        return answer.status, data

    def _headers(self, method: str) -> dict[str, str]:
        headers = {"Accept": "application/json", "User-Agent": "firstwatch"}
        if method == "PATCH":
            headers["Content-Type"] = "application/json-patch+json"
        self.client.update_params_for_auth(headers, [], ["BearerToken"], "", method, None)
        return headers


def _path(kind: str, namespace: str, name: str | None = None) -> str:
    """Return the path of a collection, or of one object when *name* is given; each part is checked before use."""
    prefix, plural = _HOME[kind]
    inside = f"/namespaces/{dns_name(namespace, 'namespace')}" if namespace else ""
    own = f"/{dns_name(name, kind)}" if name is not None else ""
    return f"{prefix}{inside}/{plural}{own}"


def _credentials(configuration: "Configuration", where: settings.Kubernetes) -> str:
    """Fill *configuration* from the kubeconfig, else from the pod's own account; return the context's name."""
    from kubernetes import config

    path = where.kubeconfig or None
    try:
        contexts, active = config.list_kube_config_contexts(path)
        chosen = where.context or active["name"]
        config.load_kube_config(path, context=chosen, client_configuration=configuration)
    except config.ConfigException as error:
        return _in_cluster(configuration, where, error)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadParameter(f"the kubeconfig {path or '(KUBECONFIG)'} cannot be read: {error}") from error
    known = [each["name"] for each in contexts]
    return chosen if chosen in known else known[0]


def _in_cluster(configuration: "Configuration", where: settings.Kubernetes, error: Exception) -> str:
    from kubernetes import config

    try:
        config.load_incluster_config(client_configuration=configuration)
    except config.ConfigException:
        named = f"context {where.context!r} of " if where.context else ""
        raise BadParameter(f"no cluster: {named}{where.kubeconfig or 'the kubeconfig'}: {error}") from error
    return "in-cluster"


def _hardened(configuration: "Configuration") -> "Configuration":
    configuration.retries = False  # the library's own default repeats writes
    configuration.connection_pool_maxsize = 16
    return configuration


def _capped(response: object, asked: str) -> bytes:
    data: bytes = response.read(MOST_BYTES + 1)  # type: ignore[attr-defined]
    if len(data) > MOST_BYTES:
        raise Unavailable(f"{asked}: the answer is larger than {MOST_BYTES:,} bytes; it was not read on")
    return data


def _object(asked: str, doubt: type[FirstwatchError], body: bytes) -> Json:
    try:
        data = json.loads(body)
    except ValueError as error:
        raise doubt(f"{asked}: the answer is not JSON") from error
    if not isinstance(data, dict) or ("metadata" not in data and "items" not in data):
        raise doubt(f"{asked}: the answer is not an object of Kubernetes")
    return data


def _reason(error: Exception) -> str:
    """Return the innermost cause in a few words: the client wraps it in its own machinery."""
    cause: BaseException = error
    while inner := cause.__cause__ or cause.__context__:
        cause = inner
    return f"{cause}" or type(cause).__name__


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["message"])[:300]
    except (ValueError, KeyError, TypeError):
        return body[:200].decode("utf-8", "replace")
