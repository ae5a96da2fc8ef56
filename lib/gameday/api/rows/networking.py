"""How a service is reached: its addresses, its ports, and where it sends its callers."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from firstwatch.model import Json
from gameday.api.rows.column import NONE, UNKNOWN, Layout, age, columns, listed, name, pairs


def _service(item: Json, now: datetime) -> list[Json]:
    spec = item["spec"]
    inside = (spec.get("clusterIPs") or [spec.get("clusterIP") or NONE])[0]
    ports = ",".join(map(_port, spec.get("ports") or [])) or NONE
    return [
        name(item), spec.get("type", "ClusterIP"), inside, _outside(item), ports, age(item, now),
        pairs(spec.get("selector")),
    ]  # fmt: skip


def _outside(service: Json) -> str:
    spec = service["spec"]
    given = spec.get("externalIPs") or []
    match spec.get("type", "ClusterIP"):
        case "ClusterIP" | "NodePort":
            return ",".join(given) or NONE
        case "LoadBalancer":
            return ",".join([*_balanced(service), *given]) or "<pending>"
        case "ExternalName":
            return str(spec.get("externalName", ""))
        case _:
            return UNKNOWN


def _balanced(item: Json) -> list[str]:
    points = ((item.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    return sorted({found for each in points if (found := each.get("ip") or each.get("hostname"))})


def _port(port: Json) -> str:
    outside = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port['port']}{outside}/{port.get('protocol', 'TCP')}"


def _endpoints(item: Json, now: datetime) -> list[Json]:
    reached = [where for each in item.get("subsets") or [] for where in _reached(each)]
    return [name(item), listed(reached, NONE), age(item, now)]


def _reached(subset: Json) -> Iterable[str]:
    addresses = [each["ip"] for each in subset.get("addresses") or []]
    ports = [port["port"] for port in subset.get("ports") or []]
    return [f"{address}:{port}" for port in ports for address in addresses] if ports else addresses


def _endpoint_slice(item: Json, now: datetime) -> list[Json]:
    ports = [str(each.get("port") or each.get("name") or "*") for each in item.get("ports") or []]
    addresses = [address for each in item.get("endpoints") or [] for address in each.get("addresses") or []]
    return [name(item), item.get("addressType", ""), listed(ports), listed(addresses), age(item, now)]


def _ingress(item: Json, now: datetime) -> list[Json]:
    spec = item.get("spec") or {}
    ports = "80, 443" if spec.get("tls") else "80"
    return [
        name(item), spec.get("ingressClassName", NONE), _hosts(spec.get("rules") or []), ",".join(_balanced(item)),
        ports, age(item, now),
    ]  # fmt: skip


def _hosts(rules: list[Json]) -> str:
    return listed([each["host"] for each in rules if each.get("host")], "*")


LAYOUTS: Mapping[str, Layout] = {
    "services": Layout(columns("Name, Type, Cluster-IP, External-IP, Port(s), Age, Selector*"), _service),
    "endpoints": Layout(columns("Name, Endpoints, Age"), _endpoints),
    "endpointslices": Layout(columns("Name, AddressType, Ports, Endpoints, Age"), _endpoint_slice),
    "ingresses": Layout(columns("Name, Class, Hosts, Address, Ports, Age"), _ingress),
}
