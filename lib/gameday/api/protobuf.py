"""
The binary form in which kubectl sends what it makes itself: `create namespace`, `create configmap`, `auth can-i`.

It does not fall back to JSON when that is refused, so the few kinds that kubectl makes of its arguments are read here.
A message is fields with numbers, and `MESSAGES` says which numbers are which names. What is not in there is refused
rather than dropped; manifests come as JSON, and answers are always JSON, which every client accepts.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from firstwatch.model import Json
from gameday.api import errors

MEDIA = "application/vnd.kubernetes.protobuf"
MAGIC = b"k8s\x00"
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5

# Fields are `number name type`: a text unless a type is given; `[]` repeats, `{}` is a map from texts. A number is left
# out when it is 0, for that is how an unset one is sent; `number?` is sent only when set.
MESSAGES = """
TypeMeta: 1 apiVersion, 2 kind
ObjectMeta: 1 name, 2 generateName, 3 namespace, 5 uid, 6 resourceVersion, 11 labels {}, 12 annotations {}, \
14 finalizers []
LabelSelector: 1 matchLabels {}, 2 matchExpressions LabelSelectorRequirement[]
LabelSelectorRequirement: 1 key, 2 operator, 3 values []
IntOrString: 1 type number, 2 intVal number, 3 strVal
DeleteOptions: 1 gracePeriodSeconds number?, 2 preconditions Preconditions, 3 orphanDependents switch, \
4 propagationPolicy, 5 dryRun []
Preconditions: 1 uid, 2 resourceVersion
Namespace: 1 metadata ObjectMeta, 2 spec NamespaceSpec, 3 status Nothing
NamespaceSpec: 1 finalizers []
ConfigMap: 1 metadata ObjectMeta, 2 data {}, 3 binaryData bytes{}, 4 immutable switch
Secret: 1 metadata ObjectMeta, 2 data bytes{}, 3 type, 4 stringData {}, 5 immutable switch
ServiceAccount: 1 metadata ObjectMeta
Service: 1 metadata ObjectMeta, 2 spec ServiceSpec, 3 status ServiceStatus
ServiceSpec: 1 ports ServicePort[], 2 selector {}, 3 clusterIP, 4 type, 5 externalIPs [], 10 externalName
ServicePort: 1 name, 2 protocol, 3 port number, 4 targetPort IntOrString, 5 nodePort number
ServiceStatus: 1 loadBalancer Nothing
Deployment: 1 metadata ObjectMeta, 2 spec DeploymentSpec, 3 status Nothing
DeploymentSpec: 1 replicas number?, 2 selector LabelSelector, 3 template PodTemplateSpec, 4 strategy Nothing
PodTemplateSpec: 1 metadata ObjectMeta, 2 spec PodSpec
PodSpec: 2 containers Container[], 3 restartPolicy
Container: 1 name, 2 image, 3 command [], 4 args [], 6 ports ContainerPort[], 8 resources Nothing, 14 imagePullPolicy
ContainerPort: 1 name, 3 containerPort number, 4 protocol
Job: 1 metadata ObjectMeta, 2 spec JobSpec, 3 status Nothing
JobSpec: 6 template PodTemplateSpec
CronJob: 1 metadata ObjectMeta, 2 spec CronJobSpec, 3 status Nothing
CronJobSpec: 1 schedule, 5 jobTemplate JobTemplateSpec
JobTemplateSpec: 1 metadata ObjectMeta, 2 spec JobSpec
PodDisruptionBudget: 1 metadata ObjectMeta, 2 spec PodDisruptionBudgetSpec, 3 status Nothing
PodDisruptionBudgetSpec: 1 minAvailable IntOrString, 2 selector LabelSelector, 3 maxUnavailable IntOrString
Eviction: 1 metadata ObjectMeta, 2 deleteOptions DeleteOptions
SelfSubjectAccessReview: 1 metadata ObjectMeta, 2 spec SelfSubjectAccessReviewSpec, 3 status Nothing
SelfSubjectAccessReviewSpec: 1 resourceAttributes ResourceAttributes, 2 nonResourceAttributes NonResourceAttributes
ResourceAttributes: 1 namespace, 2 verb, 3 group, 4 version, 5 resource, 6 subresource, 7 name
NonResourceAttributes: 1 path, 2 verb
SelfSubjectRulesReview: 1 metadata ObjectMeta, 2 spec SelfSubjectRulesReviewSpec, 3 status Nothing
SelfSubjectRulesReviewSpec: 1 namespace
Nothing:
"""

Fields: TypeAlias = Mapping[int, tuple[str, str]]
Value: TypeAlias = int | bytes

_read: dict[str, Fields] = {}


def decoded(content: bytes) -> Json:
    """
    Return the object in *content*.

    Raises:
        Refusal: It is of a kind, or has a field, that only JSON can bring (415), or is damaged (400).
    """
    if not content.startswith(MAGIC):
        raise errors.bad_request("the body is no protocol buffer of Kubernetes")
    try:
        envelope = dict(_pieces(content[len(MAGIC) :]))
        about = _message("TypeMeta", _bytes(envelope[1]))
        return about | _message(about["kind"], _bytes(envelope.get(2, b"")))
    except (IndexError, KeyError, UnicodeDecodeError) as error:
        raise errors.bad_request(f"the body is a damaged protocol buffer: {error}") from error


def _message(kind: str, content: bytes) -> dict[str, Json]:
    fields, result = _fields(kind), dict[str, Json]()
    for number, value in _pieces(content):
        if number in fields:
            _put(result, *fields[number], value)
        elif value:
            raise errors.unsupported(f"application/json, for field {number} of {kind} is not read from this form")
    return result


def _put(result: dict[str, Json], name: str, kind: str, value: Value) -> None:
    if kind.endswith("{}"):
        entry = dict(_pieces(_bytes(value)))
        content = _bytes(entry.get(2, b""))
        result.setdefault(name, {})[_bytes(entry.get(1, b"")).decode()] = _one(kind[:-2], content)
    elif kind.endswith("[]"):
        result.setdefault(name, []).append(_one(kind[:-2], value))
    elif kind == "number?" or value or kind[:1].isupper():
        result[name] = _one(kind, value)


def _one(kind: str, value: Value) -> Json:
    match kind:
        case "number" | "number?":
            return value - 2**64 if isinstance(value, int) and value >= 2**63 else value
        case "switch":
            return bool(value)
        case "bytes":
            return b64encode(_bytes(value)).decode()
        case "":
            return _bytes(value).decode()
        case "IntOrString":
            either = _message(kind, _bytes(value))
            return either.get("strVal", "") if either.get("type") else either.get("intVal", 0)
        case _:
            return _message(kind, _bytes(value))


def _pieces(content: bytes) -> Iterator[tuple[int, Value]]:
    """Yield the number and the value of each field in *content*."""
    at = 0
    while at < len(content):
        tag, at = _varint(content, at)
        if tag & 7 == VARINT:
            value, at = _varint(content, at)
            yield tag >> 3, value
            continue
        if tag & 7 not in {BYTES, FIXED32, FIXED64}:
            raise IndexError(f"no field begins at {at}")
        length, at = _varint(content, at) if tag & 7 == BYTES else ({FIXED32: 4, FIXED64: 8}[tag & 7], at)
        if at + length > len(content):
            raise IndexError(f"it ends within the field at {at}")
        yield tag >> 3, content[at : at + length]
        at += length


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[at]
        value, shift, at = value | (byte & 0x7F) << shift, shift + 7, at + 1
        if byte < 0x80:
            return value, at


def _bytes(value: Value) -> bytes:
    if isinstance(value, int):
        raise KeyError("a number where a text should be")
    return value


def _fields(kind: str) -> Fields:
    if not _read:
        for line in MESSAGES.strip().splitlines():
            name, _, told = line.partition(":")
            _read[name] = dict(_field(each.split()) for each in told.split(",") if each.strip())
    if kind not in _read:
        raise errors.unsupported(f"application/json, for a {kind} is not read from this form")
    return _read[kind]


def _field(words: list[str]) -> tuple[int, tuple[str, str]]:
    number, name, *kind = words
    return int(number), (name, kind[0] if kind else "")
