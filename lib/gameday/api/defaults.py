"""
What the API fills in when a client leaves it out, and clients then see and compare.

Each function changes an object that nobody else holds yet. What depends on other objects, a Service's address, is
given out by `addresses`.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping

from firstwatch.model import Json

TOLERATED_S = 300
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


def fill(kind: str, item: Json) -> None:
    """Fill in what an object of *kind* lacks."""
    if kind in _FILLED:
        _FILLED[kind](item)


def pod_spec(spec: Json) -> None:
    """Fill in what a pod's or a template's *spec* lacks."""
    _lacking(
        spec,
        restartPolicy="Always",
        terminationGracePeriodSeconds=30,
        dnsPolicy="ClusterFirst",
        securityContext={},
        schedulerName="default-scheduler",
    )
    if spec.get("serviceAccountName"):
        spec.setdefault("serviceAccount", spec["serviceAccountName"])
    for field in ("initContainers", "containers", "ephemeralContainers"):
        for each in spec.get(field) or []:
            _container(each)
    for each in spec.get("volumes") or []:
        _volume(each)


def service_class(pod: Json) -> str:
    """Return a pod's quality of service, by what its containers request and are limited to."""
    resources = [each.get("resources") or {} for each in pod["spec"].get("containers") or []]
    if not any(each.get("requests") or each.get("limits") for each in resources):
        return "BestEffort"
    guaranteed = all(
        (each.get("limits") or {}).keys() >= {"cpu", "memory"} and each.get("requests") == each.get("limits")
        for each in resources
    )
    return "Guaranteed" if guaranteed else "Burstable"


def _pod(pod: Json) -> None:
    spec = pod.setdefault("spec", {})
    spec.setdefault("serviceAccountName", "default")
    pod_spec(spec)
    _lacking(spec, enableServiceLinks=True, preemptionPolicy="PreemptLowerPriority", priority=0)
    for container in [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]:
        _requests(container.get("resources") or {})
    tolerations = spec.setdefault("tolerations", [])
    for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"):
        if not any(each.get("key") == key or _tolerates_all(each) for each in tolerations):
            told = {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": TOLERATED_S}
            tolerations.append(told)
    _lacking(pod.setdefault("status", {}), phase="Pending", qosClass=service_class(pod))


def _tolerates_all(toleration: Json) -> bool:
    return not toleration.get("key") and toleration.get("operator") == "Exists"


def _requests(resources: Json) -> None:
    """What is limited and not requested is requested as it is limited."""
    if limits := resources.get("limits"):
        resources["requests"] = {**limits, **(resources.get("requests") or {})}


def _container(container: Json) -> None:
    _lacking(
        container,
        resources={},
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
        imagePullPolicy="Always" if _latest(str(container.get("image", ""))) else "IfNotPresent",
    )
    for port in container.get("ports") or []:
        port.setdefault("protocol", "TCP")
    for each in container.get("env") or []:
        if reference := (each.get("valueFrom") or {}).get("fieldRef"):
            reference.setdefault("apiVersion", "v1")
    for name in PROBES:
        if name in container:
            _probe(container[name])
    for hook in (container.get("lifecycle") or {}).values():
        _get(hook)


def _latest(image: str) -> bool:
    """Tell whether *image* names no version, so that it has to be looked for each time."""
    name = image.rpartition("/")[2]
    return "@" not in name and (":" not in name or name.endswith(":latest"))


def _probe(probe: Json) -> None:
    _lacking(probe, timeoutSeconds=1, periodSeconds=10, successThreshold=1, failureThreshold=3)
    _get(probe)
    if "grpc" in probe:
        probe["grpc"].setdefault("service", "")


def _get(handler: Json) -> None:
    if "httpGet" in handler:
        _lacking(handler["httpGet"], path="/", scheme="HTTP")


def _volume(volume: Json) -> None:
    if volume.keys() == {"name"}:
        volume["emptyDir"] = {}
    for source in ("configMap", "secret", "projected", "downwardAPI"):
        if source in volume:
            volume[source].setdefault("defaultMode", 0o644)
    if "hostPath" in volume:
        volume["hostPath"].setdefault("type", "")


def _template(item: Json) -> Json:
    spec: Json = item.setdefault("spec", {})
    template = spec.setdefault("template", {})
    template.setdefault("metadata", {})
    pod_spec(template.setdefault("spec", {}))
    return spec


def _deployment(item: Json) -> None:
    spec = _template(item)
    _lacking(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600, strategy={})
    strategy = spec["strategy"]
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        _lacking(strategy.setdefault("rollingUpdate", {}), maxSurge="25%", maxUnavailable="25%")


def _replicaset(item: Json) -> None:
    _template(item).setdefault("replicas", 1)
    item.setdefault("status", {}).setdefault("replicas", 0)


def _statefulset(item: Json) -> None:
    spec = _template(item)
    _lacking(spec, replicas=1, revisionHistoryLimit=10, podManagementPolicy="OrderedReady", updateStrategy={})
    spec["updateStrategy"].setdefault("type", "RollingUpdate")
    if spec["updateStrategy"]["type"] == "RollingUpdate":
        spec["updateStrategy"].setdefault("rollingUpdate", {}).setdefault("partition", 0)


def _daemonset(item: Json) -> None:
    spec = _template(item)
    _lacking(spec, revisionHistoryLimit=10, updateStrategy={})
    spec["updateStrategy"].setdefault("type", "RollingUpdate")
    if spec["updateStrategy"]["type"] == "RollingUpdate":
        _lacking(spec["updateStrategy"].setdefault("rollingUpdate", {}), maxSurge=0, maxUnavailable=1)


def _job(item: Json) -> None:
    _lacking(_template(item), backoffLimit=6, completionMode="NonIndexed", completions=1, parallelism=1, suspend=False)


def _cronjob(item: Json) -> None:
    spec = item.setdefault("spec", {})
    _lacking(spec, concurrencyPolicy="Allow", suspend=False, successfulJobsHistoryLimit=3, failedJobsHistoryLimit=1)
    _template(spec.setdefault("jobTemplate", {}))


def _service(item: Json) -> None:
    spec = item.setdefault("spec", {})
    _lacking(spec, type="ClusterIP", sessionAffinity="None")
    if spec["type"] != "ExternalName":
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if spec["type"] in {"NodePort", "LoadBalancer"}:
        spec.setdefault("externalTrafficPolicy", "Cluster")
    for port in spec.get("ports") or []:
        _lacking(port, protocol="TCP", targetPort=port.get("port"))
    item.setdefault("status", {}).setdefault("loadBalancer", {})


def _secret(item: Json) -> None:
    item.setdefault("type", "Opaque")
    given = item.pop("stringData", None) or {}
    if given:
        encoded = {name: b64encode(str(value).encode()).decode() for name, value in given.items()}
        item["data"] = (item.get("data") or {}) | encoded


def _namespace(item: Json) -> None:
    item["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = item["metadata"]["name"]
    item.setdefault("spec", {}).setdefault("finalizers", ["kubernetes"])
    item.setdefault("status", {}).setdefault("phase", "Active")


def _endpointslice(item: Json) -> None:
    for port in item.get("ports") or []:
        _lacking(port, name="", protocol="TCP")


def _endpoints(item: Json) -> None:
    for subset in item.get("subsets") or []:
        for port in subset.get("ports") or []:
            port.setdefault("protocol", "TCP")


def _autoscaler(item: Json) -> None:
    usage = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}
    _lacking(item.setdefault("spec", {}), minReplicas=1, metrics=[{"type": "Resource", "resource": usage}])


def _budget(item: Json) -> None:
    status = item.setdefault("status", {})
    _lacking(status, currentHealthy=0, desiredHealthy=0, disruptionsAllowed=0, expectedPods=0)


def _ingress(item: Json) -> None:
    item.setdefault("status", {}).setdefault("loadBalancer", {})


def _node(item: Json) -> None:
    item.setdefault("spec", {})
    item.setdefault("status", {})


def _event(item: Json) -> None:
    _lacking(item, source={}, reportingComponent="", reportingInstance="")


def _lacking(item: Json, **values: Json) -> None:
    for name, value in values.items():
        item.setdefault(name, value)


_FILLED: Mapping[str, Callable[[Json], None]] = {
    "Pod": _pod,
    "Deployment": _deployment,
    "ReplicaSet": _replicaset,
    "StatefulSet": _statefulset,
    "DaemonSet": _daemonset,
    "Job": _job,
    "CronJob": _cronjob,
    "Service": _service,
    "Secret": _secret,
    "Namespace": _namespace,
    "EndpointSlice": _endpointslice,
    "Endpoints": _endpoints,
    "HorizontalPodAutoscaler": _autoscaler,
    "Ingress": _ingress,
    "Node": _node,
    "PodDisruptionBudget": _budget,
    "Event": _event,
}
