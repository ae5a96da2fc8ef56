"""
A server that answers on the wire as the systems do, so that the real clients run in the tests.

`Server` is told what to answer to a method and path, and remembers what it was asked. `world` is a small healthy world
in Kubernetes' and Prometheus' own shapes; tests change what they are about.
"""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from jsonpatch import JsonPatch, JsonPatchException

NAMESPACE = "claude-deployment-prod"
NAME = "claude-deployment-api"
CONFIG = "claude-deployment-config"
NODES = "/api/v1/nodes"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
DEPLOYMENT = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{NAME}"
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
REPLICASETS = f"/apis/apps/v1/namespaces/{NAMESPACE}/replicasets"
SERVICES = f"/api/v1/namespaces/{NAMESPACE}/services"
SLICES = f"/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}/endpointslices"
EVENTS = f"/api/v1/namespaces/{NAMESPACE}/events"
CONFIGMAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
QUOTAS = f"/api/v1/namespaces/{NAMESPACE}/resourcequotas"
AUTOSCALERS = f"/apis/autoscaling/v2/namespaces/{NAMESPACE}/horizontalpodautoscalers"
INGRESSES = f"/apis/networking.k8s.io/v1/namespaces/{NAMESPACE}/ingresses"
BUDGETS = f"/apis/policy/v1/namespaces/{NAMESPACE}/poddisruptionbudgets"
METRICS = f"/apis/metrics.k8s.io/v1beta1/namespaces/{NAMESPACE}/pods"
QUERY = "/api/v1/query"
RANGE = "/api/v1/query_range"
HEALTH = "/health"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: Any


Answer = tuple[int, Any]  # status, and JSON or bytes


@dataclass(slots=True)
class Server:
    """
    Answers by method and path; an answer may be a function of what was asked.

    While `unheard` says so, a new connection is closed before anything is read from it. Its clock is *ahead_s* ahead.
    """

    answers: dict[tuple[str, str], Answer | Callable[[Asked], Answer]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    url: str = ""
    unheard: Callable[[], bool] | None = None
    ahead_s: float = 0

    def on(self, path: str, status: int, body: Any, method: str = "GET") -> None:
        self.answers[method, path] = (status, body)

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        found = self.answers.get((asked.method, asked.path), (404, status_object(404, f'"{asked.path}" not found')))
        return found(asked) if callable(found) else found

    @property
    def writes(self) -> list[Asked]:
        return [each for each in self.asked if each.method != "GET" and "dryRun" not in each.query]


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """Serve on a free port of loopback until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(length)
            if len(raw) < length:  # who asked was killed while asking, and has asked nothing
                self.close_connection = True
                return
            body = json.loads(raw) if raw else None
            asked = Asked(self.command, parts.path, parse_qs(parts.query), dict(self.headers), body)
            status, content = server.answer(asked)
            if status == 0:  # the connection goes away after the request
                self.connection.close()
                return
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_PATCH = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815

        def log_message(self, *_: object) -> None: ...

        def date_time_string(self, timestamp: float | None = None) -> str:
            return super().date_time_string(time.time() + server.ahead_s)

    class Listener(ThreadingHTTPServer):
        request_queue_size = 128  # a sweep asks everything at once

        def verify_request(self, *_: object) -> bool:
            return not (server.unheard and server.unheard())

        def handle_error(self, *asked: Any) -> None:
            if not isinstance(sys.exception(), ConnectionError):  # who asked may be gone, or have been killed
                super().handle_error(*asked)

    with Listener(("127.0.0.1", 0), Handler) as httpd:
        httpd.daemon_threads = True
        threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True).start()
        server.url = f"http://127.0.0.1:{httpd.server_port}"
        yield server
        httpd.shutdown()


def status_object(code: int, message: str) -> dict[str, Any]:
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "code": code}


def ago(seconds: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def node(name: str = "node-1", ready: str = "True") -> dict[str, Any]:
    return {"metadata": {"name": name}, "status": {"conditions": [{"type": "Ready", "status": ready}]}}


def template(image: str) -> dict[str, Any]:
    return {
        "metadata": {"labels": {"app": NAME}},
        "spec": {
            "containers": [{"name": "api", "image": image, "ports": [{"containerPort": 8080, "name": "http"}]}],
            "volumes": [{"name": "flags", "configMap": {"name": CONFIG}}],
        },
    }


def pod(name: str, *, waiting: str = "", restarts: int = 0, ready: bool = True, exit_code: int = 1) -> dict[str, Any]:
    state: dict[str, Any] = {"waiting": {"reason": waiting}} if waiting else {"running": {}}
    last = {"terminated": {"exitCode": exit_code}} if restarts else {}
    condition = "True" if ready else "False"
    return {
        "metadata": {
            "name": name,
            "labels": {"app": NAME, "pod-template-hash": "6b7f"},
            "ownerReferences": [{"kind": "ReplicaSet", "name": f"{NAME}-6b7f", "uid": "rs", "controller": True}],
        },
        "spec": template("api:2.4.0")["spec"],
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": condition}, {"type": "PodScheduled", "status": "True"}],
            "containerStatuses": [
                {"name": "api", "ready": ready, "restartCount": restarts, "state": state, "lastState": last}
            ],
        },
    }


def deployment(image: str, revision: int, generation: int = 2) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": NAME, "namespace": NAMESPACE, "uid": "d-1", "generation": generation, "resourceVersion": "100",
            "annotations": {"deployment.kubernetes.io/revision": str(revision)},
        },
        "spec": {"replicas": 3, "template": template(image)},
        "status": {"observedGeneration": generation, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3},
    }  # fmt: skip


def replicaset(image: str, revision: int, seconds_ago: float) -> dict[str, Any]:
    made = template(image)
    made["metadata"]["labels"]["pod-template-hash"] = f"h{revision}"
    return {
        "metadata": {
            "name": f"{NAME}-h{revision}", "creationTimestamp": ago(seconds_ago),
            "ownerReferences": [{"uid": "d-1", "kind": "Deployment", "name": NAME, "controller": True}],
            "annotations": {"deployment.kubernetes.io/revision": str(revision)},
        },
        "spec": {"template": made},
    }  # fmt: skip


def service(name: str = NAME, target: int | str = 8080, **selector: str) -> dict[str, Any]:
    port = {"name": "http", "port": 80, "targetPort": target}
    return {"metadata": {"name": name}, "spec": {"selector": selector or {"app": NAME}, "ports": [port]}}


def endpoints(ready: int = 3, of: str = NAME) -> dict[str, Any]:
    ends = [{"conditions": {"ready": True}}] * ready
    return {"metadata": {"name": f"{of}-x", "labels": {"kubernetes.io/service-name": of}}, "endpoints": ends}


def configmap(seconds_ago: float = 86400, **data: str) -> dict[str, Any]:
    entry = {"manager": "kubectl-edit", "operation": "Update", "time": ago(seconds_ago)}
    return {"metadata": {"name": CONFIG, "managedFields": [entry]}, "data": data or {"feature-xyz-enabled": "true"}}


def event(reason: str, message: str, *, about: str, seconds_ago: float = 30, count: int = 1) -> dict[str, Any]:
    return {
        "metadata": {"name": f"{about}.{reason}"}, "type": "Warning", "reason": reason, "message": message,
        "count": count, "involvedObject": {"name": about}, "firstTimestamp": ago(seconds_ago + 10),
        "lastTimestamp": ago(seconds_ago),
    }  # fmt: skip


def metrics(name: str, cpu: str = "10m", memory: str = "20Mi") -> dict[str, Any]:
    return {"metadata": {"name": name}, "containers": [{"name": "api", "usage": {"cpu": cpu, "memory": memory}}]}


def vector(value: float | str | None, at: float | None = None) -> dict[str, Any]:
    moment = time.time() if at is None else at
    result = [] if value is None else [{"metric": {}, "value": [moment, str(value)]}]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


def matrix(values: list[tuple[float, float]]) -> dict[str, Any]:
    """Return range values; each is (seconds ago, value)."""
    now = time.time()
    points = [[now - ago_s, str(value)] for ago_s, value in values]
    return {"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {}, "values": points}]}}


def rates(value: float | str | None, sampled_ago: float = 1) -> Callable[[Asked], Answer]:
    """Answer the error rate, and the time of its sample when that is asked."""

    def answer(asked: Asked) -> Answer:
        if asked.query["query"][0].startswith("ALERTS"):
            return 200, vector(None)
        if asked.query["query"][0].startswith("timestamp("):
            return 200, vector(None if value is None else time.time() - sampled_ago)
        return 200, vector(value)

    return answer


def patched(server: Server) -> Callable[[Asked], Answer]:
    """Answer a JSON patch of the Deployment as the API does: 409 for a stale version, 422 for another uid."""

    def answer(asked: Asked) -> Answer:
        current = deepcopy(server.answers["GET", DEPLOYMENT][1])  # type: ignore[index]
        metadata, spec = current["metadata"], deepcopy(current["spec"])
        try:
            current = JsonPatch(asked.body).apply(current)
        except JsonPatchException as error:
            return 422, status_object(422, f"the server rejected our request: {error}")
        if current["metadata"]["resourceVersion"] != metadata["resourceVersion"]:
            return 409, status_object(409, "the object has been modified")
        current["metadata"]["generation"] = metadata["generation"] + (current["spec"] != spec)
        current["metadata"]["resourceVersion"] = str(int(current["metadata"]["resourceVersion"]) + 1)
        if "dryRun" not in asked.query:
            server.on(DEPLOYMENT, 200, current)
        return 200, current

    return answer


def healthy() -> Server:
    """Return a world in which all is well and revision 2 is an hour old."""
    server = Server()
    server.on(NODES, 200, {"items": [node()]})
    server.on(PODS, 200, {"items": [pod(f"{NAME}-6b7f-{letter}") for letter in "abc"]})
    server.on(DEPLOYMENT, 200, deployment("api:2.4.0", 2))
    server.on(DEPLOYMENTS, 200, {"items": [deployment("api:2.4.0", 2)]})
    server.on(SERVICES, 200, {"items": [service()]})
    server.on(SLICES, 200, {"items": [endpoints()]})
    server.on(CONFIGMAPS, 200, {"items": [configmap()]})
    server.on(METRICS, 200, {"items": [metrics(f"{NAME}-6b7f-{letter}") for letter in "abc"]})
    for letter in "abc":
        server.on(f"{PODS}/{NAME}-6b7f-{letter}/log", 200, f"{ago(5)} INFO served\n".encode())
    for path in (EVENTS, QUOTAS, AUTOSCALERS, INGRESSES, BUDGETS):
        server.on(path, 200, {"items": []})
    server.on(REPLICASETS, 200, {"items": [replicaset("api:2.3.0", 1, 7200), replicaset("api:2.4.0", 2, 3600)]})
    server.answers["GET", QUERY] = rates(0.0)
    server.on(RANGE, 200, matrix([(600 - 5 * i, 0.0) for i in range(120)]))
    server.on(HEALTH, 200, {"status": "ok"})
    server.answers["PATCH", DEPLOYMENT] = patched(server)
    return server


def failing() -> Server:
    """Return a world in which errors began twelve seconds after revision 2 came, two minutes ago."""
    server = healthy()
    server.on(REPLICASETS, 200, {"items": [replicaset("api:2.3.0", 1, 7200), replicaset("api:2.4.0", 2, 120)]})
    server.answers["GET", QUERY] = rates(0.61)
    server.on(RANGE, 200, matrix([(600 - 5 * i, 0.61 if 600 - 5 * i <= 108 else 0.0) for i in range(120)]))
    return server


def configuration(folder: Path, url: str, *, practice: bool = False) -> Path:
    """Write a kubeconfig and a firstwatch.toml that point at *url*; return the latter."""
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(
        json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": url}}],
            "users": [{"name": "test", "user": {"token": "t-for-tests"}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        })
    )  # fmt: skip
    path = folder / "firstwatch.toml"
    path.write_text(
        f'[service]\nname = "{NAME}"\nnamespace = "{NAMESPACE}"\ndeployment = "{NAME}"\nhealth = "{url}{HEALTH}"\n'
        f'[kubernetes]\nkubeconfig = "{kubeconfig}"\n[prometheus]\nurl = "{url}"\n[me]\nname = "on-call"\n'
        + ("[approval]\nself = true\n[gameday]\n" if practice else "")
    )
    return path
