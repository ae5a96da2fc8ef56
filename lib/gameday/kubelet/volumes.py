"""
A pod's volumes as real files, which follow what they are made from.

Each volume is a folder of the pod, and each container has a root (`VOLUMES_ROOT`) in which its mount paths are links to
those folders. A volume of a ConfigMap, a Secret or the pod's own fields changes in one step, as on a real node: the new
files are written beside the old ones, and one link, `..data`, is turned to them. So a reader never sees half a change.
"""

import itertools
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from firstwatch.model import Json
from gameday.kubelet import contents, sources
from gameday.kubelet.environment import Look, Unconfigured
from gameday.kubelet.sources import Source

_KEY = re.compile(r"(?!\.\.)[-._a-zA-Z0-9]+(/(?!\.\.)[-._a-zA-Z0-9]+)*")
_count = itertools.count(1)


class Volumes:
    """The volumes of one pod, under its *folder*."""

    def __init__(self, folder: Path, address: str, host: str) -> None:
        self._folder, self._address, self._host = folder, address, host

    def root(self, container: str) -> Path:
        return self._folder / "roots" / container

    async def fill(self, pod: Json, look: Look) -> None:
        """
        Write every volume of *pod* as it has to be now.

        Raises:
            Unconfigured: A volume is made from what is not there, or is of a kind that a process cannot have.
        """
        for volume in pod["spec"].get("volumes") or []:
            target = self._folder / "volumes" / volume["name"]
            target.mkdir(parents=True, exist_ok=True)
            try:
                files = await self._files(pod, volume, look)
            except Unconfigured as error:
                raise Unconfigured(f'MountVolume.SetUp failed for volume "{volume["name"]}" : {error}') from error
            if files is not None and files != _present(target):
                _publish(target, files)

    def mount(self, container: Json) -> None:
        """Link *container*'s mount paths to the volumes; Unconfigured when a path leaves the container's root."""
        root = self.root(container["name"])
        root.mkdir(parents=True, exist_ok=True)
        for mount in container.get("volumeMounts") or []:
            link = root / mount["mountPath"].lstrip("/")
            source = self._folder / "volumes" / mount["name"] / mount.get("subPath", "")
            if ".." in Path(mount["mountPath"]).parts or ".." in Path(mount.get("subPath", "")).parts:
                raise Unconfigured(f"mount path {mount['mountPath']} leaves the container")
            link.parent.mkdir(parents=True, exist_ok=True)
            if not link.is_symlink():
                link.symlink_to(source)

    def remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    async def _files(self, pod: Json, volume: Json, look: Look) -> dict[str, bytes] | None:
        """Return a volume's files, or None for one that belongs to the containers."""
        namespace = pod["metadata"]["namespace"]
        if "emptyDir" in volume:
            return None
        if "configMap" in volume:
            source = sources.config_map(namespace, volume["configMap"]["name"])
            return await _object(source, volume["configMap"], look)
        if "secret" in volume:
            return await _object(sources.secret(namespace, volume["secret"]["secretName"]), volume["secret"], look)
        if "downwardAPI" in volume:
            return self._fields(pod, volume["downwardAPI"])
        if "projected" in volume:
            return await self._projected(pod, volume["projected"], look)
        kind = next(name for name in volume if name != "name")
        raise Unconfigured(f"a volume of kind {kind} is not available on this node")

    async def _projected(self, pod: Json, volume: Json, look: Look) -> dict[str, bytes]:
        """Return the files of all sources but service account tokens: no process here speaks to the API for a pod."""
        made: dict[str, bytes] = {}
        for each in volume.get("sources") or []:
            if "serviceAccountToken" not in each and "clusterTrustBundle" not in each:
                one = {"secret": each["secret"] | {"secretName": each["secret"]["name"]}} if "secret" in each else each
                made |= await self._files(pod, {"name": ""} | one, look) or {}
        return made

    def _fields(self, pod: Json, volume: Json) -> dict[str, bytes]:
        made = {}
        for item in volume.get("items") or []:
            if "fieldRef" in item:
                path = item["fieldRef"]["fieldPath"]
                made[item["path"]] = contents.field(pod, path, self._address, self._host).encode()
            else:
                named = {each["name"]: each for each in pod["spec"]["containers"]}
                container = named[item["resourceFieldRef"]["containerName"]]
                made[item["path"]] = contents.resource(container, item["resourceFieldRef"]).encode()
        return made


async def _object(source: Source, reference: Json, look: Look) -> dict[str, bytes]:
    found = await look(source)
    if found is None:
        if reference.get("optional"):
            return {}
        raise Unconfigured(f'{source.kind.kind.lower()} "{source.name}" not found')
    held, items = contents.data(found), reference.get("items")
    if not items:
        return held
    missing = [each["key"] for each in items if each["key"] not in held]
    if missing and not reference.get("optional"):
        raise Unconfigured(f"references non-existent config key: {missing[0]}")
    return {each["path"]: held[each["key"]] for each in items if each["key"] in held}


def _present(target: Path) -> dict[str, bytes] | None:
    data = target / "..data"
    if not data.exists():
        return None
    files = (each for each in data.rglob("*") if each.is_file())
    return {str(each.relative_to(data)): each.read_bytes() for each in files}


def _publish(target: Path, files: Mapping[str, bytes]) -> None:
    for name in files:
        if not _KEY.fullmatch(name):
            raise Unconfigured(f"{name!r} is no file name that a volume may have")
    fresh, link = target / f"..{next(_count):08}", target / "..data"
    shutil.rmtree(fresh, ignore_errors=True)
    for name, content in files.items():
        (fresh / name).parent.mkdir(parents=True, exist_ok=True)
        (fresh / name).write_bytes(content)
    fresh.mkdir(exist_ok=True)
    former = link.resolve() if link.is_symlink() else None
    turned = target / "..data_tmp"
    turned.unlink(missing_ok=True)
    turned.symlink_to(fresh.name)
    turned.replace(link)
    _expose(target, {name.split("/")[0] for name in files})
    if former is not None and former != fresh:
        shutil.rmtree(former, ignore_errors=True)


def _expose(target: Path, names: set[str]) -> None:
    """Keep one link for each file, through `..data`, and none for what is gone."""
    for each in target.iterdir():
        if each.is_symlink() and not each.name.startswith("..") and each.name not in names:
            each.unlink()
    for name in names:
        if not (target / name).is_symlink():
            (target / name).symlink_to(f"..data/{name}")
