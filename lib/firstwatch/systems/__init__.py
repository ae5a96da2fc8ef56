"""
The systems that probes and actions ask: one wrapper each, one error tree, one deadline rule, one tape.

A wrapper sends through the system's real client, raises the errors of `firstwatch.errors`, and hands each exchange to
the tape when a run is being recorded. `connect` opens all of them for one configuration.
"""

from dataclasses import dataclass, field
from typing import Self

from firstwatch.model import Json
from firstwatch.settings import Settings
from firstwatch.systems import sessions
from firstwatch.systems.deck import Deck
from firstwatch.systems.http import Http
from firstwatch.systems.kubernetes import Cluster
from firstwatch.systems.prometheus import Prometheus
from firstwatch.systems.retry import ONCE, USUAL, Budget
from firstwatch.systems.tape import Recorder, Replay

HUNG = Budget(deadline_s=2.0)  # a replay answers at once, or is broken on purpose: that need not be waited for


@dataclass(frozen=True, slots=True)
class Systems:
    """What a probe may ask, and the settings that say what for."""

    settings: Settings
    cluster: Cluster
    prometheus: Prometheus
    http: Http
    deck: Deck = field(default_factory=Deck)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(self, kind: str, namespace: str, name: str) -> Json:
        """Return one object as it is now: of the cluster, or a session of the database; errors as in `Cluster.get`."""
        if kind == sessions.KIND:
            return sessions.get(self.deck, self.settings.database.dsn, name)
        return self.cluster.get(kind, namespace, name)

    def delete(self, kind: str, namespace: str, found: Json) -> None:
        """Delete the object *found* as it was read, or end that session; errors as in `Cluster.patch`."""
        if kind == sessions.KIND:
            sessions.end(self.deck, self.settings.database.dsn, found)
        else:
            self.cluster.delete(kind, namespace, found)

    def close(self) -> None:
        """Close every connection that is kept open."""
        self.http.close()
        self.cluster.client.close()


def connect(
    settings: Settings, *, recorder: Recorder | None = None, replay: Replay | None = None, budget: Budget = USUAL
) -> Systems:
    """
    Return the systems that *settings* names. Nothing is sent yet, so nothing can fail but the kubeconfig.

    Args:
        settings: Names and addresses.
        recorder: Takes every exchange, when a recording is being made.
        replay: Answers every request in place of the real systems, once: what was recorded was the last try.
        budget: How long a call may take, and how often a read is asked again; by default three tries in ten seconds.

    Raises:
        BadParameter: The kubeconfig or its context does not exist.
        Unavailable: Its credentials are fetched by a program, and that did not end in time.
    """
    if replay:
        once = ONCE.within(HUNG) if replay.broken else ONCE
        http = Http(proxy=replay.url, budget=once, clock=replay)
        cluster = Cluster.replayed(replay.url, replay, once)
        return Systems(settings, cluster, Prometheus(settings.prometheus.url, http), http, Deck(replay=replay))
    http = Http(recorder, budget=budget)
    cluster = Cluster.connect(settings.kubernetes, recorder, budget)
    return Systems(settings, cluster, Prometheus(settings.prometheus.url, http), http, Deck(recorder))
