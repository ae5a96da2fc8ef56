"""
A container's environment: what its image needs, where it listens, and what its pod says.

`PORT_8080` is the local port that stands for container port 8080, and `PORT` that of the first. A ConfigMap or Secret
that is missing keeps the container from starting, as on a real node; it starts as soon as it is there.
"""

import os
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from firstwatch.model import Json
from gameday.kubelet import contents, sources
from gameday.kubelet.process import ROOT
from gameday.kubelet.sources import Source

INHERITED = ("PATH", "LANG", "LC_ALL", "TZ", "VIRTUAL_ENV", "PYTHONPATH")
_REFERENCE = re.compile(r"\$(?:\$|\(([-._a-zA-Z][-._a-zA-Z0-9]*)\))")

Look: TypeAlias = Callable[[Source], Awaitable[Json]]


class Unconfigured(Exception):
    """What the container refers to is not there; the message is the one that its status shows."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a pod is set up: its address, its local ports by container port, and the root of its files."""

    address: str
    host: str
    ports: Mapping[int, int]
    root: str
    home: str


async def build(pod: Json, container: Json, setting: Setting, look: Look) -> dict[str, str]:
    """
    Return the whole environment of *container*; *look* reads a ConfigMap or Secret.

    Raises:
        Unconfigured: It refers to an object or a key that is not there.
    """
    made = _own(pod, setting)
    for each in container.get("envFrom") or []:
        made |= await _all_of(pod, each, look)
    for each in container.get("env") or []:
        value = await _value(pod, container, each, setting, look)
        if value is not None:
            made[each["name"]] = expanded(value, made) if "valueFrom" not in each else value
    return made


def expanded(text: str, environment: Mapping[str, str]) -> str:
    """Return *text* with each `$(NAME)` that is known filled in; `$$` is one dollar."""

    def fill(match: re.Match[str]) -> str:
        return environment.get(match[1], match[0]) if match[1] else "$"

    return _REFERENCE.sub(fill, text)


def _own(pod: Json, setting: Setting) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    numbered = {f"PORT_{port}": str(local) for port, local in setting.ports.items()}
    first = {"PORT": str(next(iter(setting.ports.values())))} if setting.ports else {}
    own = {"HOSTNAME": pod["metadata"]["name"], "HOME": setting.home, ROOT: setting.root}
    return inherited | own | numbered | first


async def _all_of(pod: Json, entry: Json, look: Look) -> dict[str, str]:
    reference = entry.get("configMapRef") or entry["secretRef"]
    make = sources.config_map if "configMapRef" in entry else sources.secret
    found = await _found(make(pod["metadata"]["namespace"], reference["name"]), reference, look)
    prefix = entry.get("prefix", "")
    return {prefix + key: value.decode() for key, value in (contents.data(found) if found else {}).items()}


async def _value(pod: Json, container: Json, entry: Json, setting: Setting, look: Look) -> str | None:
    origin = entry.get("valueFrom")
    if not origin:
        return str(entry.get("value") or "")
    if "fieldRef" in origin:
        return contents.field(pod, origin["fieldRef"]["fieldPath"], setting.address, setting.host)
    if "resourceFieldRef" in origin:
        return contents.resource(container, origin["resourceFieldRef"])
    reference = origin.get("configMapKeyRef") or origin["secretKeyRef"]
    make = sources.config_map if "configMapKeyRef" in origin else sources.secret
    return await _key(make(pod["metadata"]["namespace"], reference["name"]), reference, look)


async def _key(source: Source, reference: Json, look: Look) -> str | None:
    found = await _found(source, reference, look)
    held = contents.data(found) if found else {}
    if reference["key"] in held:
        return held[reference["key"]].decode()
    if reference.get("optional"):
        return None
    raise Unconfigured(f"couldn't find key {reference['key']} in {source}")


async def _found(source: Source, reference: Json, look: Look) -> Json:
    found = await look(source)
    if found is None and not reference.get("optional"):
        raise Unconfigured(f'{source.kind.kind.lower()} "{source.name}" not found')
    return found


def arguments(argv: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """Return a command with its references to the environment filled in."""
    return [expanded(each, environment) for each in argv]
