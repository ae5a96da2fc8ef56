"""
The systems that probes and actions ask: one wrapper each, one error tree, one deadline rule, one tape.

A wrapper sends through the system's real client, raises the errors of `firstwatch.errors`, and hands each exchange to
the tape when a run is being recorded. `connect` opens all of them for one configuration.
"""

from dataclasses import dataclass

from firstwatch.settings import Settings
from firstwatch.systems.http import Http
from firstwatch.systems.kubernetes import Cluster
from firstwatch.systems.prometheus import Prometheus
from firstwatch.systems.tape import Recorder, Replay


@dataclass(frozen=True, slots=True)
class Systems:
    """What a probe may ask, and the settings that say what for."""

    settings: Settings
    cluster: Cluster
    prometheus: Prometheus
    http: Http


def connect(settings: Settings, *, recorder: Recorder | None = None, replay: Replay | None = None) -> Systems:
    """
    Return the systems that *settings* names. Nothing is sent yet, so nothing can fail but the kubeconfig.

    Args:
        settings: Names and addresses.
        recorder: Takes every exchange, when a recording is being made.
        replay: Answers every request in place of the real systems.

    Raises:
        BadParameter: The kubeconfig or its context does not exist.
    """
    proxy = replay.url if replay else ""
    http = Http(recorder=recorder, proxy=proxy)
    cluster = Cluster.replayed(proxy) if replay else Cluster.connect(settings.kubernetes, recorder)
    return Systems(settings, cluster, Prometheus(settings.prometheus.url, http), http)
