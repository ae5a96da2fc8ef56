"""
What can be seen of a world from outside: what users get, what the alert and the pods say, whether all is well.

This is the judge of every cure, so it trusts no probe of ours: it asks the service as its users do, and the cluster by
the world's own client.
"""

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx2

from firstwatch.model import Json
from gameday import kinds, kubeconfig
from gameday.client import ApiError, Client
from gameday.kinds import Kind
from gameday.world.folder import State
from gameday.world.metrics import ALERT, ERROR_RATE, SERVICE
from gameday.world.parts import PATH

ASKED = 20
SLOW_S = 0.6
TIMEOUT_S = 3.0
RESTORED = (
    (kinds.DEPLOYMENT, SERVICE), (kinds.SERVICE, SERVICE), (kinds.CONFIG_MAP, "claude-deployment-config"),
)  # fmt: skip
RESTORED_KINDS = tuple(kind.kind for kind, _ in RESTORED)


@dataclass(frozen=True, slots=True)
class Users:
    """What twenty of them got: how many no good answer, and the median of how long it took, in seconds."""

    failed: int
    median_s: float

    def __str__(self) -> str:
        return f"{self.failed} of {ASKED} requests fail, the median takes {self.median_s:.1f} s"

    @property
    def well(self) -> bool:
        return self.failed == 0 and self.median_s < SLOW_S


def users(state: State) -> Users:
    """Ask the service as twenty users, one after another, each by a connection of its own: what is routed is that."""
    took, failed = [], 0
    each_anew = httpx2.Limits(max_keepalive_connections=0)
    with httpx2.Client(trust_env=False, timeout=TIMEOUT_S, limits=each_anew) as client:
        for _ in range(ASKED):
            began = time.monotonic()
            failed += not _good(client, state.service_url + PATH)
            took.append(time.monotonic() - began)
    return Users(failed, statistics.median(took))


def _good(client: httpx2.Client, url: str) -> bool:
    try:
        return client.get(url).status_code < 500
    except httpx2.HTTPError:
        return False


def failing(state: State) -> str:
    """Say so once users get no good answers."""
    seen = users(state)
    return str(seen) if seen.failed >= ASKED / 10 else ""


def slow(state: State) -> str:
    """Say so once users wait."""
    seen = users(state)
    return str(seen) if seen.median_s >= SLOW_S else ""


def paged(state: State) -> str:
    """Say so once the alert fires, and what callers get meanwhile."""
    alerts = _json(f"{state.prometheus_url}/api/v1/alerts")["data"]["alerts"]
    if not any(each["labels"]["alertname"] == ALERT and each["state"] == "firing" for each in alerts):
        return ""
    return f"the alert {ALERT} fires; {users(state)}"


def unmeasured(state: State) -> str:
    """Say so once nobody can tell how many requests fail."""
    return "" if measured(state) else "the error rate has no value any more, and no alert can fire"


def measured(state: State) -> bool:
    found = _json(f"{state.prometheus_url}/api/v1/query?query={ERROR_RATE}")["data"]["result"]
    return bool(found) and found[0]["value"][1] != "NaN"


def lived(state: State, seconds: int) -> bool:
    """Whether the error rate has been measured for *seconds*: a before is needed, to be told from an after."""
    found = _json(f"{state.prometheus_url}/api/v1/query?query=count_over_time({ERROR_RATE}[{seconds}s])")
    result = found["data"]["result"]
    return bool(result) and float(result[0]["value"][1]) >= 0.8 * seconds  # one sample a second, if none was late


def waiting(*reasons: str) -> Callable[[State], str]:
    """Return what says so once a container waits for one of *reasons*."""

    def shown(state: State) -> str:
        told = Counter(each["state"].get("waiting", {}).get("reason", "") for each in _containers(state))
        found = [f"{told[reason]} in {reason}" for reason in reasons if told[reason]]
        return f"{', '.join(found)}; a rollout that does not go on" if found else ""

    return shown


def pending(state: State) -> str:
    """Say so once the rollout is stuck, and pods of it wait for a node."""
    pods = asyncio.run(_pods(Path(state.kubeconfig)))
    late = [each for each in pods if not each["spec"].get("nodeName")]
    return f"{len(late)} pods wait for a node; a rollout that does not go on" if late and stuck(state) else ""


def unready(state: State) -> str:
    """Say so once a new pod has run for a while and is not ready."""
    late = [each for each in _containers(state) if each["state"].get("running") and not each.get("ready")]
    return f"{len(late)} pods run and are not ready; a rollout that does not go on" if late and stuck(state) else ""


def quiet(state: State) -> str:
    return f"nothing is wrong; {users(state)}"


def stuck(state: State) -> bool:
    """Whether the rollout has not gone on for as long as its progress deadline."""
    conditions = deployment(state).get("status", {}).get("conditions", ())
    return any(each.get("reason") == "ProgressDeadlineExceeded" for each in conditions)


def ill(state: State) -> str:
    """Return what is not well, in words; empty when all is: users, rollout, and that it can be measured at all."""
    seen = users(state)
    if not seen.well:
        return str(seen)
    return unsettled(deployment(state)) or ("" if measured(state) else "the error rate has no value")


def unsettled(found: Json) -> str:
    """Return why the Deployment *found* is not as it is asked to be; empty when it is."""
    wanted, status = found.get("spec", {}).get("replicas", 0), found.get("status", {})
    if not wanted:
        return "the workload is asked to have no pods, or is gone"
    counts = {status.get(key, 0) for key in ("replicas", "updatedReplicas", "availableReplicas")}
    seen = status.get("observedGeneration", 0) >= found["metadata"]["generation"]
    return "" if seen and counts == {wanted} else f"the rollout is not done: {counts} of {wanted}"


def deployment(state: State) -> Json:
    """Return the service's Deployment; empty when it is gone."""
    return asyncio.run(_read(Path(state.kubeconfig)))


def specs(state: State) -> Json:
    """Return what is asked for in the service's Deployment, Service and ConfigMap: what an undo must restore."""
    return asyncio.run(_specs(Path(state.kubeconfig)))


async def _specs(path: Path) -> Json:
    access = kubeconfig.load(path)
    async with Client(access) as client:
        found = [await _one(client, kind, access.namespace, name) for kind, name in RESTORED]
    return [[each.get("spec"), each.get("data")] for each in found]


async def _read(path: Path) -> Json:
    access = kubeconfig.load(path)
    async with Client(access) as client:
        return await _one(client, kinds.DEPLOYMENT, access.namespace, SERVICE)


async def _one(client: Client, kind: Kind, namespace: str, name: str) -> Json:
    """Return one object; empty when it is gone."""
    try:
        return await client.get(kind, namespace, name)
    except ApiError as error:
        if error.status != 404:
            raise
        return {}


def _containers(state: State) -> list[Json]:
    pods = asyncio.run(_pods(Path(state.kubeconfig)))
    return [each for pod in pods for each in pod.get("status", {}).get("containerStatuses", ())]


async def _pods(path: Path) -> list[Json]:
    access = kubeconfig.load(path)
    async with Client(access) as client:
        return list((await client.list(kinds.POD, access.namespace, labelSelector=f"app={SERVICE}"))["items"])


def _json(url: str) -> Json:
    with httpx2.Client(trust_env=False, timeout=3) as client:
        return client.get(url).json()
