"""
Flags: keys of the service's ConfigMap, such as a circuit breaker or a feature toggle.

The value that was there, or that there was none, is what undo restores. How the key reaches the pods decides whether a
restart follows (`reload`).
"""

import re

from firstwatch.actions.action import Action, action, nothing, resolved, target_of, workload
from firstwatch.actions.consumption import Consumed, consumed
from firstwatch.actions.restart import restarting
from firstwatch.actions.stick import checked, says
from firstwatch.errors import BadParameter, NotFound, nearest
from firstwatch.model import Finding, Json, Plan, Target, Verdict
from firstwatch.systems import Systems

KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")


@action("What would the circuit breaker change?", destructive=False)
def circuit_breaker(
    self: Action, systems: Systems, *, key: str = "circuit-breaker-enabled", value: str = "true"
) -> Plan:
    """Plan to set the breaker's *key*, which need not be there yet; see `feature_toggle` for what is raised."""
    return _set(self, systems, _configmap(systems), key, value)


@action("What would the toggle change?", destructive=False)
def feature_toggle(self: Action, systems: Systems, *, key: str, value: str = "false") -> Plan:
    """
    Plan to set a feature's *key*, which must be there: a misspelt one would be set, and do nothing.

    Raises:
        NotFound: There is no such key; the nearest is named.
        BadParameter: It has that value already, or no ConfigMap is configured.
    """
    found = _configmap(systems)
    known = list(found.get("data") or {})
    if key not in known:
        raise NotFound(f"ConfigMap {found['metadata']['name']} has no key {key!r}; {nearest(key, known)}")
    return _set(self, systems, found, key, value)


@action("Must the pods be restarted to see it?", destructive=True)
def reload(self: Action, systems: Systems, *, key: str) -> Plan:
    """Plan a restart when the pods read *key* only at their start; else a plan of nothing."""
    deployment = workload(systems)
    how = consumed(deployment["spec"]["template"], _name(systems), key)
    if how is not Consumed.START:
        return nothing(self, deployment, (f"{key} is {how}",), key=key)
    return restarting(self, systems, deployment, (f"{key} is {how}",), key=key)


def _configmap(systems: Systems) -> Json:
    return {"kind": "ConfigMap", **systems.cluster.get("ConfigMap", systems.settings.service.namespace, _name(systems))}


def _name(systems: Systems) -> str:
    if not systems.settings.service.configmap:
        raise BadParameter("no ConfigMap holds the service's flags: set [service] configmap")
    return systems.settings.service.configmap


def _set(self: Action, systems: Systems, found: Json, key: str, value: str) -> Plan:
    if not KEY.fullmatch(key) or not isinstance(value, str):
        raise BadParameter(f"{key!r} = {value!r} is not a key of a ConfigMap and its text")
    before = (found.get("data") or {}).get(key)
    if before == value:
        raise BadParameter(f"{key} is {value!r} already; nothing would change")
    target = target_of(found)
    wanted = {f"/data/{key}": value} if found.get("data") else {"/data": {key: value}}
    said = (f"{key} {'(absent)' if before is None else repr(before)} → {value!r}",)
    checks = checked(target, lambda: (_reaches(systems, target, key),))
    return resolved(self, systems, found, wanted, said, checks=checks, key=key, value=value)


def _reaches(systems: Systems, target: Target, key: str) -> Finding:
    how = consumed(workload(systems)["spec"]["template"], target.name, key)
    return says(target, Verdict.UNKNOWN if how is Consumed.NOWHERE else Verdict.OK, str(how))
