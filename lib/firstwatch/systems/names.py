"""
Names that may enter a URL.

An empty name turns `…/deployments/NAME` into the whole collection, and `..` climbs out of the namespace: the client
library sends both. So a name is matched whole before any address is built.
"""

import re

from firstwatch.errors import BadParameter

SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


def dns_name(value: str, what: str) -> str:
    """Return *value* when it is an RFC 1123 name of at most 253 letters; BadParameter names *what* otherwise."""
    if len(value) <= 253 and SUBDOMAIN.fullmatch(value):
        return value
    shown = value if len(value) <= 60 else value[:60] + "…"
    raise BadParameter(f"{what} {shown!r} is not a Kubernetes name: lower-case letters, digits, '-' and '.' only")
