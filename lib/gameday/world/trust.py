"""
Whom the programs of a world trust: an authority of its own, and what it has signed for the catalog.

The authority's key is never written, so everything is signed at the world's start. As in many a namespace, certificates
lie there that are not in use: the next one, which was asked for early and ended while it lay, and one for the name
within the cluster. Each is as good as any to whoever looks at its Secret only.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from firstwatch.model import Json
from gameday import kinds
from gameday.certificates import LIFETIME, Authority, Pair
from gameday.kinds import Kind
from gameday.world.parts import CATALOG

AUTHORITY = "models-authority"
IN_USE, NEXT, INNER = f"{CATALOG}-tls", f"{CATALOG}-tls-next", f"{CATALOG}-tls-cluster"
EARLY = LIFETIME + timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Trust:
    """The authority's own certificate, PEM, and what it has signed, by the Secret that holds it."""

    authority: bytes
    signed: Mapping[str, Pair]

    def objects(self) -> Iterator[tuple[Kind, Json]]:
        """Yield the ConfigMap and the Secrets that hold all of it, without a namespace."""
        yield kinds.CONFIG_MAP, {"metadata": {"name": AUTHORITY}, "data": {"ca.crt": self.authority.decode()}}
        for name, pair in self.signed.items():
            held = {"tls.crt": b64encode(pair.certificate).decode(), "tls.key": b64encode(pair.key).decode()}
            yield kinds.SECRET, {"metadata": {"name": name}, "type": "kubernetes.io/tls", "data": held}


def made(now: datetime) -> Trust:
    """Return an authority that was made *now*, and what it signs for a catalog that is reached on loopback."""
    authority = Authority.create(AUTHORITY, now)
    early, reached = replace(authority, now=now - EARLY), ["127.0.0.1", "localhost"]
    signed = {
        IN_USE: authority.server(CATALOG, reached),
        NEXT: early.server(CATALOG, reached),
        INNER: authority.server(CATALOG, [CATALOG, f"{CATALOG}.claude-deployment-prod.svc"]),
    }
    return Trust(authority.certificate, signed)
