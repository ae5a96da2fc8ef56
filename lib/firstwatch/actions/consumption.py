"""
How a key of a ConfigMap reaches a workload, which decides whether a restart must follow a change.

Files of a volume change under a running pod, within a minute or so; environment variables, and files mounted by
`subPath`, are read once, when a container starts.
"""

from collections.abc import Iterator
from enum import StrEnum

from firstwatch.model import Json


class Consumed(StrEnum):
    """What a change of the key does by itself."""

    FILES = "read as files of a volume: pods see it within a minute or so, and need no restart"
    START = "read once, when a container starts: a restart must follow"
    NOWHERE = "nothing in the workload's pods refers to it: perhaps the program asks the API itself"


def consumed(template: Json, configmap: str, key: str) -> Consumed:
    """Return how *key* of *configmap* reaches the containers of a pod template; once at start wins over files."""
    spec = template["spec"]
    containers = [*spec.get("initContainers", ()), *spec.get("containers", ())]
    volumes = set(_volumes(spec, configmap, key))
    mounts = [mount for each in containers for mount in each.get("volumeMounts", ()) if mount["name"] in volumes]
    if any(_environment(each, configmap, key) for each in containers) or any("subPath" in mount for mount in mounts):
        return Consumed.START
    return Consumed.FILES if mounts else Consumed.NOWHERE


def _environment(container: Json, configmap: str, key: str) -> bool:
    whole = any(each.get("configMapRef", {}).get("name") == configmap for each in container.get("envFrom", ()))
    refs = [each.get("valueFrom", {}).get("configMapKeyRef", {}) for each in container.get("env", ())]
    return whole or any((each.get("name"), each.get("key")) == (configmap, key) for each in refs)


def _volumes(spec: Json, configmap: str, key: str) -> Iterator[str]:
    for volume in spec.get("volumes", ()):
        sources = [
            volume.get("configMap"),
            *(s.get("configMap") for s in volume.get("projected", {}).get("sources", ())),
        ]
        for source in filter(None, sources):
            items = [each["key"] for each in source.get("items", ())]
            if source.get("name") == configmap and (not items or key in items):
                yield volume["name"]
