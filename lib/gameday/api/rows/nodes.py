"""A node's row: whether it is ready, what it runs, and where it is."""

from collections.abc import Mapping
from datetime import datetime

from firstwatch.model import Json
from gameday.api.rows.column import NONE, UNKNOWN, Layout, age, columns, name

ROLE = "node-role.kubernetes.io/"
OLD_ROLE = "kubernetes.io/role"


def _node(item: Json, now: datetime) -> list[Json]:
    told = item.get("status") or {}
    about = told.get("nodeInfo") or {}
    addresses = [_address(told, kind) for kind in ("InternalIP", "ExternalIP")]
    system, runtime = (about.get(each) or UNKNOWN for each in ("osImage", "containerRuntimeVersion"))
    return [
        name(item), _status(item), _roles(item), age(item, now), about.get("kubeletVersion", ""), *addresses, system,
        _kernel(about), runtime,
    ]  # fmt: skip


def _status(node: Json) -> str:
    conditions = (node.get("status") or {}).get("conditions") or []
    ready = next((each["status"] for each in conditions if each["type"] == "Ready"), "")
    words = {"": "Unknown", "True": "Ready"}
    cordoned = ",SchedulingDisabled" if (node.get("spec") or {}).get("unschedulable") else ""
    return words.get(ready, "NotReady") + cordoned


def _roles(node: Json) -> str:
    labels = node["metadata"].get("labels") or {}
    roles = {key.removeprefix(ROLE) for key in labels if key.startswith(ROLE)} | {labels.get(OLD_ROLE, "")}
    return ",".join(sorted(roles - {""})) or NONE


def _address(told: Json, kind: str) -> str:
    return next((each["address"] for each in told.get("addresses") or [] if each["type"] == kind), NONE)


def _kernel(about: Json) -> str:
    architecture = f" ({about['architecture']})" if about.get("architecture") else ""
    return (about.get("kernelVersion") or UNKNOWN) + architecture


LAYOUTS: Mapping[str, Layout] = {
    "nodes": Layout(
        columns(
            "Name, Status, Roles, Age, Version, Internal-IP*, External-IP*, OS-Image*, Kernel-Version*, "
            "Container-Runtime*"
        ),
        _node,
    ),
}
