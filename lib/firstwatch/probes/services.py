"""
The way in: Services and Ingresses, and whether what they point at is there.

What is written in a Service is compared with what the pods are: a selector that nothing matches, one that matches
strangers, a port that no pod offers. These contradict themselves, however well each pod feels.
"""

from collections.abc import Iterator
from datetime import datetime

from firstwatch.model import Finding, Findings, Json
from firstwatch.probes.probe import Probe, probe
from firstwatch.systems import Systems
from firstwatch.systems.workloads import living, owner, selects

OF_SERVICE = "kubernetes.io/service-name"
NAMES = ("app.kubernetes.io/name", "app")  # the labels that say which program a pod is


@probe(
    "Do the Services lead to pods?",
    about="Service/{namespace}/",
    expected="every Service has pods that are ready, its own only, on a port that they offer",
    command="kubectl get services,endpointslices -n {namespace}",
)
def services(self: Probe, systems: Systems, now: datetime) -> Findings:
    namespace = systems.settings.service.namespace
    found = [each for each in systems.cluster.list("Service", namespace) if each["spec"].get("selector")]
    if not found:
        return self.unknown(systems, f"no Service with a selector in {namespace}")
    deployments = systems.cluster.list("Deployment", namespace)
    pods = living(systems.cluster.list("Pod", namespace))
    templates = [*(each["spec"]["template"] for each in deployments), *_lost(systems, found, deployments)]
    slices = systems.cluster.list("EndpointSlice", namespace)
    found.sort(key=lambda each: str(each["metadata"]["name"]))
    bad = [*_missing(self, systems, found, deployments)]
    bad += [each for service in found for each in _wrong(self, systems, service, pods, templates, slices)]
    if bad:
        return Findings(bad)
    counts = ", ".join(f"{each['metadata']['name']} {_ready(each, slices)}" for each in found)
    return self.ok(systems, f"ready endpoints: {counts}")


def _missing(self: Probe, systems: Systems, found: list[Json], deployments: list[Json]) -> Iterator[Finding]:
    """Yield that no Service leads to the workload, which is asked over HTTP; nothing when one does, or is meant to."""
    service = systems.settings.service
    own = [each for each in deployments if each["metadata"]["name"] == service.deployment]
    labels = own[0]["spec"]["template"].get("metadata", {}).get("labels", {}) if own else {}
    named = any(each["metadata"]["name"] == service.name for each in found)
    led = named or any(selects(each["spec"]["selector"], labels) for each in found)
    if led or not own or not (service.url or service.health):
        return
    said = f"no Service selects the pods of {service.deployment}, which are {_pairs(labels)}"
    advice = "have it put back from where it is kept"
    words = {"object": f"Service/{service.namespace}/{service.name}", "next": advice}
    yield self.bad(systems, "service-missing", said, **words)


def _lost(systems: Systems, found: list[Json], deployments: list[Json]) -> Iterator[Json]:
    """Yield what the workload's pods were like when it is not there: its Service is not at fault for finding none."""
    service = systems.settings.service
    if all(each["metadata"]["name"] != service.deployment for each in deployments):
        own = (each["spec"]["selector"] for each in found if each["metadata"]["name"] == service.name)
        yield from ({"metadata": {"labels": selector}} for selector in own)


def _wrong(
    self: Probe, systems: Systems, service: Json, pods: list[Json], templates: list[Json], slices: list[Json]
) -> Iterator[Finding]:
    name, namespace = service["metadata"]["name"], systems.settings.service.namespace
    words = {"object": f"Service/{namespace}/{name}", "command": f"kubectl describe service {name} -n {namespace}"}
    selector = service["spec"]["selector"]
    matched = [pod for pod in pods if selects(selector, pod["metadata"].get("labels", {}))]
    meant = [each for each in templates if selects(selector, each.get("metadata", {}).get("labels", {}))]
    if not matched and not meant:
        said = f"its selector {_pairs(selector)} matches no pod; there are {_labelled(pods)}"
        yield self.bad(systems, "selector-matches-nothing", said, next="mend the selector", **words)
        return
    if strangers := _strangers(matched):
        said = f"its selector {_pairs(selector)} matches pods of {', '.join(strangers)}"
        yield self.bad(systems, "selector-too-broad", said, next="narrow the selector", **words)
    if missed := _missed(service, matched):
        said = f"it sends to port {missed[0]}; its pods offer {missed[1]}"
        yield self.bad(systems, "target-port-mismatch", said, next="mend targetPort", **words)
    elif not _ready(service, slices):
        said = f"no ready endpoint; {len(matched)} pods match"
        yield self.bad(systems, "no-endpoints", said, next="firstwatch run investigate/workload", **words)


def _ready(service: Json, slices: list[Json]) -> int:
    """Return how many ready endpoints *service* has."""
    name = service["metadata"]["name"]
    own = [each for each in slices if each["metadata"].get("labels", {}).get(OF_SERVICE) == name]
    ends = [end for each in own for end in each.get("endpoints") or ()]
    return sum((end.get("conditions") or {}).get("ready") is not False for end in ends)


def _strangers(matched: list[Json]) -> list[str]:
    """Return the programs among *matched* when there are several: pods of two workloads may be one program's."""
    labels = [pod["metadata"].get("labels", {}) for pod in matched]
    programs = {next((each[key] for key in NAMES if key in each), "") for each in labels}
    return sorted({owner(pod) for pod in matched}) if len(programs - {""}) > 1 else []


def _missed(service: Json, matched: list[Json]) -> tuple[str, str] | None:
    """Return the first target port that no container of the matched pods declares, and those that they do."""
    declared = [port for pod in matched for each in pod["spec"]["containers"] for port in each.get("ports", ())]
    offered = {port.get(key) for port in declared for key in ("containerPort", "name")} - {None}
    if not declared:
        return None
    for each in service["spec"].get("ports", ()):
        target = each.get("targetPort", each["port"])
        if target not in offered:
            return str(target), ", ".join(sorted({str(port["containerPort"]) for port in declared}))
    return None


def _pairs(labels: Json) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(labels.items()))


def _labelled(pods: list[Json]) -> str:
    """Return how the pods there are, are labelled, leaving out what controllers add."""
    kept = {_pairs({k: v for k, v in pod["metadata"].get("labels", {}).items() if "hash" not in k}) for pod in pods}
    return "; ".join(sorted(each for each in kept if each)) or "no pods with labels"


@probe(
    "Do the Ingresses lead to Services?",
    about="Ingress/{namespace}/",
    expected="every back end is a Service that is there, on a port that it has",
    command="kubectl describe ingress -n {namespace}",
)
def ingresses(self: Probe, systems: Systems, now: datetime) -> Findings:
    namespace = systems.settings.service.namespace
    found = systems.cluster.list("Ingress", namespace)
    if not found:
        return self.ok(systems, "there is no Ingress")
    ports = {
        each["metadata"]["name"]: each["spec"].get("ports", ()) for each in systems.cluster.list("Service", namespace)
    }
    missing = [(each["metadata"]["name"], said) for each in found for said in _dangling(each, ports)]
    if not missing:
        return self.ok(systems, f"{len(found)} Ingresses for {', '.join(_hosts(found)) or 'every host'}")
    return Findings(
        self.bad(systems, "ingress-backend-missing", said, object=f"Ingress/{namespace}/{name}")
        for name, said in missing
    )


def _dangling(ingress: Json, ports: dict[str, Json]) -> Iterator[str]:
    for backend in _backends(ingress["spec"]):
        name, port = backend["name"], backend.get("port", {})
        if name not in ports:
            yield f"its back end {name} is no Service"
        elif not any(
            each.get("port") == port.get("number") or each.get("name") == port.get("name") for each in ports[name]
        ):
            yield f"its back end {name} has no port {port.get('number') or port.get('name')}"


def _backends(spec: Json) -> Iterator[Json]:
    paths = [path for rule in spec.get("rules", ()) for path in rule.get("http", {}).get("paths", ())]
    every = [spec.get("defaultBackend", {}), *(path["backend"] for path in paths)]
    yield from (each["service"] for each in every if "service" in each)


def _hosts(found: list[Json]) -> list[str]:
    return sorted({rule["host"] for each in found for rule in each["spec"].get("rules", ()) if rule.get("host")})
