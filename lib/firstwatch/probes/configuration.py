"""
ConfigMaps: whether what the workload reads is there, and when it was last written.

Secrets are never read. Whether one is missing is seen by the pods that cannot be set up (`pods`).
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from firstwatch.model import Finding, Findings, Json, Verdict
from firstwatch.probes.probe import Probe, probe
from firstwatch.probes.rollouts import MADE
from firstwatch.systems import Systems
from firstwatch.systems.workloads import containers, moment, written


@probe(
    "Is all configuration there that the workloads read?",
    about="ConfigMap/{namespace}/",
    expected="every ConfigMap and key that a Deployment names",
    command="kubectl get configmaps -n {namespace}",
)
def references(self: Probe, systems: Systems, now: datetime) -> Findings:
    namespace = systems.settings.service.namespace
    there = {each["metadata"]["name"]: _keys(each) for each in systems.cluster.list("ConfigMap", namespace)}
    found = systems.cluster.list("Deployment", namespace)
    if not found:
        return self.unknown(systems, f"no Deployment in {namespace}")
    wanted = {(name, key): each["metadata"]["name"] for each in found for name, key in reads(each["spec"]["template"])}
    missing = [(name, key, by) for (name, key), by in sorted(wanted.items()) if not _has(there, name, key)]
    if not missing:
        return self.ok(systems, f"{len({name for name, _ in wanted})} ConfigMaps are read, and are there")
    return Findings(
        self.bad(
            systems, "configuration-missing", f"{f'key {key}' if key else 'it'} is missing; Deployment {by} reads it",
            object=f"ConfigMap/{namespace}/{name}", next="restore it",
        )
        for name, key, by in missing
    )  # fmt: skip


def _has(there: dict[str, set[str]], name: str, key: str) -> bool:
    return name in there and (not key or key in there[name])


def _keys(configmap: Json) -> set[str]:
    return {*(configmap.get("data") or {}), *(configmap.get("binaryData") or {})}


def reads(template: Json) -> Iterator[tuple[str, str]]:
    """Yield each ConfigMap that *template* cannot do without, with the key, or an empty one for the whole."""
    for each in containers(template):
        for source in each.get("envFrom", ()):
            yield from _required(source.get("configMapRef"), "")
        for variable in each.get("env", ()):
            told = variable.get("valueFrom", {}).get("configMapKeyRef")
            yield from _required(told, told["key"] if told else "")
    for volume in template["spec"].get("volumes", ()):
        every = [
            volume.get("configMap"),
            *(part.get("configMap") for part in volume.get("projected", {}).get("sources", ())),
        ]
        for told in every:
            yield from _required(told, "")
            for item in (told or {}).get("items", ()):
                yield from _required(told, item["key"])


def _required(reference: Json, key: str) -> Iterator[tuple[str, str]]:
    if reference and not reference.get("optional"):
        yield reference["name"], key


@probe(
    "Which settings were changed?",
    about="ConfigMap/{namespace}/{configmap}",
    expected="no change just before the harm",
    command="kubectl get configmap -n {namespace} -o yaml --show-managed-fields",
)
def settings(self: Probe, systems: Systems, now: datetime) -> Findings:
    service = systems.settings.service
    deployment = systems.cluster.get("Deployment", service.namespace, service.deployment)
    used: dict[str, set[str]] = defaultdict(set)
    for name, key in reads(deployment["spec"]["template"]):
        used[name].add(key)
    found = {each["metadata"]["name"]: each for each in systems.cluster.list("ConfigMap", service.namespace)}
    kept = [found[name] for name in sorted({*used, service.configmap}) if name in found]
    if not kept:
        return self.ok(systems, "the workload reads no ConfigMap")
    return Findings(_changed(self, systems, each) for each in kept)


def _changed(self: Probe, systems: Systems, configmap: Json) -> Finding:
    service, name = systems.settings.service, configmap["metadata"]["name"]
    at, by = written(configmap)
    said = f"{len(_keys(configmap))} keys, last written{f' by {by}' if by else ''}"
    made = (MADE,) if at and at == moment(configmap["metadata"].get("creationTimestamp")) else ()
    words = {"object": f"ConfigMap/{service.namespace}/{name}", "since": at, "touched": made}
    return self.says(service, Verdict.OK if at else Verdict.UNKNOWN, said, **words)
