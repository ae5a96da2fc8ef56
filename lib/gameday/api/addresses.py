"""The addresses that Services get: one each from 10.96.0.0/16, and a port of every node where one is asked for."""

from collections.abc import Iterable, Iterator

from firstwatch.model import Json

PREFIX = "10.96"
NODE_PORTS = range(30000, 32768)


def assign(service: Json, others: Iterable[Json]) -> None:
    """Give *service*, which nobody else holds yet, what it lacks; *others* are the Services that there are."""
    spec, taken = service["spec"], [each["spec"] for each in others]
    if spec["type"] == "ExternalName":
        return
    if not spec.get("clusterIP"):
        used = {each.get("clusterIP") for each in taken}
        spec["clusterIP"] = next(address for address in _addresses() if address not in used)
    spec.setdefault("clusterIPs", [spec["clusterIP"]])
    spec.setdefault("ipFamilies", ["IPv4"])
    spec.setdefault("ipFamilyPolicy", "SingleStack")
    if spec["type"] in {"NodePort", "LoadBalancer"}:
        _ports(spec, taken)


def _addresses() -> Iterator[str]:
    # The first ones belong, in a real cluster, to the API itself and to its name server.
    return (f"{PREFIX}.{high}.{low}" for high in range(256) for low in range(20 if not high else 1, 255))


def _ports(spec: Json, taken: list[Json]) -> None:
    used = {port.get("nodePort") for each in [*taken, spec] for port in each.get("ports") or []}
    free = (port for port in NODE_PORTS if port not in used)
    for port in spec.get("ports") or []:
        if not port.get("nodePort"):
            port["nodePort"] = next(free)
