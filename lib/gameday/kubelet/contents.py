"""What a ConfigMap, a Secret or a pod itself holds, as text and bytes: for environments and for files alike."""

import math
import re
from base64 import b64decode
from decimal import Decimal

import psutil

from firstwatch.model import Json
from firstwatch.systems import quantity

_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")


def data(item: Json) -> dict[str, bytes]:
    """Return the entries of a ConfigMap or Secret."""
    binary = item.get("binaryData") or {}
    text = item.get("data") or {}
    if item.get("kind") == "Secret" or "type" in item:
        return {key: b64decode(value) for key, value in text.items()}
    return {key: value.encode() for key, value in text.items()} | {key: b64decode(each) for key, each in binary.items()}


def field(pod: Json, path: str, address: str, host: str) -> str:
    """Return what a `fieldRef` refers to; KeyError when a pod has no such field."""
    known = {
        "status.podIP": address,
        "status.podIPs": address,
        "status.hostIP": host,
        "status.hostIPs": host,
        "spec.nodeName": pod["spec"].get("nodeName", ""),
        "spec.serviceAccountName": pod["spec"].get("serviceAccountName", ""),
    }
    if path in known:
        return str(known[path])
    about = pod["metadata"]
    if match := _SUBSCRIPT.fullmatch(path):
        return str((about.get(match[1]) or {}).get(match[2], ""))
    if path in {"metadata.labels", "metadata.annotations"}:
        entries = about.get(path.removeprefix("metadata.")) or {}
        return "\n".join(f'{key}="{value}"' for key, value in sorted(entries.items()))
    return str(about[path.removeprefix("metadata.")])


def resource(container: Json, reference: Json) -> str:
    """Return what a `resourceFieldRef` refers to; without a limit, what the node has."""
    side, _, name = reference["resource"].partition(".")
    given = (container.get("resources") or {}).get(side) or {}
    amount = quantity.parse(given[name]) if name in given else _whole(name)
    divisor = quantity.parse(reference.get("divisor") or 1) or Decimal(1)
    return str(math.ceil(amount / divisor))


def _whole(name: str) -> Decimal:
    whole = {"cpu": psutil.cpu_count() or 1, "memory": psutil.virtual_memory().total}
    return Decimal(whole.get(name, 0))
