"""
The Node object: who this node is, what it has, and that it is alive.

It says honestly that it is no real one (`kubeletVersion`). The lease is renewed every two seconds, since a control
plane of ours and of our tests gives a node eight. A Node or lease that somebody deleted is made again.
"""

import asyncio
import logging
import os
import platform
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import psutil

from firstwatch.clock import Clock
from firstwatch.model import Json
from gameday import timestamps
from gameday.client import STRATEGIC, ApiError, Client
from gameday.kinds import LEASE, NODE
from gameday.kubelet.sandbox import ADDRESS

log = logging.getLogger(__name__)

VERSION = "v1.37.0-gameday"
LEASES = "kube-node-lease"
RENEW_S = 2.0
STATUS_EVERY = 3  # renewals
PRESSURES = {
    "MemoryPressure": ("KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    "DiskPressure": ("KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    "PIDPressure": ("KubeletHasSufficientPID", "kubelet has sufficient PID available"),
}


class Node:
    """One node's object and lease; its kubelet is reached at *port*."""

    def __init__(self, client: Client, clock: Clock, name: str, port: int) -> None:
        self._client, self._clock, self._name, self._port = client, clock, name, port
        self._since = clock.now()

    async def register(self) -> Json:
        """Create the Node, or take over the one that is there, and return it."""
        now = self._clock.now()
        try:
            labels = {"kubernetes.io/hostname": self._name, "kubernetes.io/os": "linux", "kubernetes.io/arch": _arch()}
            await self._client.create(NODE, {"metadata": {"name": self._name, "labels": labels}})
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
        return await self._tell(now)

    async def live(self) -> None:
        """Renew the lease, and now and then the status, until cancelled."""
        turn = 0
        while True:
            try:
                await self._renew()
                if turn % STATUS_EVERY == 0:
                    await self._tell(self._clock.now())
                turn += 1
            except ApiError as error:
                log.warning("%s", error)
                if error.status == 404:
                    await self._again()
            await asyncio.sleep(RENEW_S)

    async def _again(self) -> None:
        try:
            await self.register()
        except ApiError as error:
            log.warning("%s", error)

    async def _tell(self, now: datetime) -> Json:
        status = facts(self._name, self._port, _measured()) | {"conditions": conditions(now, self._since)}
        named = {"metadata": {"name": self._name}}
        return await self._client.patch(NODE, named, {"status": status}, form=STRATEGIC, subresource="status")

    async def _renew(self) -> None:
        moment = timestamps.micro(self._clock.now())
        named = {"metadata": {"name": self._name, "namespace": LEASES}}
        try:
            await self._client.patch(LEASE, named, {"spec": {"renewTime": moment}})
        except ApiError as error:
            if error.status != 404:
                raise
            spec = {"holderIdentity": self._name, "leaseDurationSeconds": 40, "renewTime": moment}
            await self._client.create(LEASE, named | {"spec": spec})


def facts(name: str, port: int, measured: Mapping[str, str]) -> dict[str, Json]:
    """Return a node's status without its conditions; *measured* is what it has of each resource."""
    return {
        "addresses": [{"type": "InternalIP", "address": ADDRESS}, {"type": "Hostname", "address": name}],
        "capacity": dict(measured),
        "allocatable": dict(measured),
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        # Exec and attach come as WebSockets, unchanged: the API server need not translate them.
        "declaredFeatures": ["ExtendWebSocketsToKubelet"],
        "nodeInfo": {
            "architecture": _arch(),
            "bootID": "",
            "containerRuntimeVersion": "gameday://1.37.0",
            "kernelVersion": platform.release(),
            "kubeProxyVersion": "",
            "kubeletVersion": VERSION,
            "machineID": "",
            "operatingSystem": "linux",
            "osImage": _system(),
            "systemUUID": "",
        },
    }


def conditions(now: datetime, since: datetime) -> list[Json]:
    """Return a healthy node's conditions, as they are since the kubelet started."""
    times = {"lastHeartbeatTime": timestamps.seconds(now), "lastTransitionTime": timestamps.seconds(since)}
    calm = [
        {"type": kind, "status": "False", "reason": reason, "message": message} | times
        for kind, (reason, message) in PRESSURES.items()
    ]
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady"}
    return [*calm, ready | {"message": "kubelet is posting ready status"} | times]


def _measured() -> dict[str, str]:
    disk = os.statvfs("/")
    return {
        "cpu": str(psutil.cpu_count() or 1),
        "memory": f"{psutil.virtual_memory().total // 1024}Ki",
        "ephemeral-storage": f"{disk.f_blocks * disk.f_frsize // 1024}Ki",
        "pods": "110",
    }


def _arch() -> str:
    machine = platform.machine().lower()
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def _system() -> str:
    release = Path("/etc/os-release")
    lines = release.read_text().splitlines() if release.exists() else []
    named = (line.partition("=")[2].strip('"') for line in lines if line.startswith("PRETTY_NAME="))
    return next(named, platform.system())
