"""
What form of an answer a client prefers, by its Accept header.

Kubernetes names forms by parameters of the media type: `application/json;as=Table;v=v1;g=meta.k8s.io`. A client lists
those it understands, the best first; we take the first that we can make, and protocol buffers are none of them.
"""

from collections.abc import Iterator, Mapping

JSON = "application/json"


def prefers(accept: str, kind: str, group: str, version: str) -> bool:
    """Tell whether the first form of *accept* that we can make is *kind*, rather than the object as it is."""
    for media, given in _forms(accept):
        if media not in {JSON, "application/*", "*/*"}:
            continue
        if "as" not in given:
            return False
        if (given["as"], given.get("g"), given.get("v")) == (kind, group, version):
            return True
    return False


def _forms(accept: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    for form in accept.split(","):
        media, *parameters = (part.strip() for part in form.split(";"))
        yield media, dict(parameter.split("=", 1) for parameter in parameters if "=" in parameter)
