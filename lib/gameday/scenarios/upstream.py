"""What is around the service: its catalog, which another team runs, a client of a third team's, the node below."""

import signal

from gameday import kinds
from gameday.client import MERGE
from gameday.scenarios import seen
from gameday.scenarios.scenario import (
    ALWAYS_WRONG,
    RESTART,
    RESTART_CATALOG,
    SCALE_OUT,
    Remedy,
    Scenario,
    Signal,
    Write,
    container,
    release,
)  # fmt: skip
from gameday.world import trust
from gameday.world.configuration import NAMESPACE
from gameday.world.metrics import SERVICE
from gameday.world.parts import CATALOG, NODE

BREAKER = Remedy("open the circuit breaker", "mitigate/circuit-breaker")


def _catalog(change: dict[str, object]) -> Write:
    return Write(change, kinds.DEPLOYMENT, CATALOG)


def _version(version: str) -> Write:
    return _catalog(dict(container("web", image=f"{CATALOG}:{version}")))


def _certificate(secret: str) -> Write:
    """Return the write that has the catalog show the certificate in *secret*."""
    volumes = [{"name": "certificate", "secret": {"secretName": secret}}]
    return _catalog({"spec": {"template": {"spec": {"volumes": volumes}}}})


def _selector(app: str) -> Write:
    return Write({"spec": {"selector": {"app": app}}}, kinds.SERVICE, CATALOG, MERGE)


def _reports(replicas: int) -> Write:
    return Write({"spec": {"replicas": replicas}}, kinds.DEPLOYMENT, "claude-deployment-reports")


def _truth(mechanism: str) -> tuple[tuple[str, str], ...]:
    return ((f"Dependency//{CATALOG}", mechanism), ("Dependency//127.0.0.1", mechanism))


SCENARIOS = (
    Scenario(
        name="catalog-gone", title="A dependency that does not answer", change=(_catalog({"spec": {"replicas": 0}}),),
        shown=seen.failing, sees="errors on every request that asks the catalog", truth=_truth("dependency-down"),
        cures=(BREAKER, Remedy("start it again", writes=(_catalog({"spec": {"replicas": 1}}),))),
        wrong=(RESTART, SCALE_OUT, *ALWAYS_WRONG),
    ),
    Scenario(
        name="catalog-slow", title="A dependency that answers too late", change=(_version("1.1.0"),),
        shown=seen.failing, sees="timeouts in the log; the catalog answers, slowly",
        truth=(*_truth("dependency-slow"), *_truth("dependency-down")),
        cures=(BREAKER, Remedy("have it rolled back", writes=(_version("1.0.0"),))),
        wrong=(RESTART, SCALE_OUT, *ALWAYS_WRONG),
    ),
    Scenario(
        name="catalog-key", title="A dependency that wants a key which nobody was given", change=(_version("1.2.0"),),
        shown=seen.failing, sees="401 in the log; the catalog itself is well", truth=_truth("credentials-refused"),
        cures=(BREAKER, Remedy("have it rolled back", writes=(_version("1.0.0"),))),
        wrong=(RESTART, SCALE_OUT, *ALWAYS_WRONG),
    ),
    Scenario(
        name="catalog-renewed", title="A dependency that was given its next certificate after that had ended",
        change=(_certificate(trust.NEXT),), shown=seen.failing,
        sees="refused certificates in the log; the catalog's pods are ready", truth=_truth("certificate-expired"),
        cures=(BREAKER, Remedy("have the former certificate put back", writes=(_certificate(trust.IN_USE),))),
        wrong=(RESTART_CATALOG, RESTART, SCALE_OUT, *ALWAYS_WRONG),
    ),
    Scenario(
        name="catalog-renamed", title="A dependency whose certificate is for the name that others call it by",
        change=(_certificate(trust.INNER),), shown=seen.failing,
        sees="refused certificates in the log; the catalog's pods are ready", truth=_truth("certificate-untrusted"),
        cures=(BREAKER, Remedy("have the former certificate put back", writes=(_certificate(trust.IN_USE),))),
        wrong=(RESTART_CATALOG, RESTART, SCALE_OUT, *ALWAYS_WRONG),
    ),
    Scenario(
        name="catalog-selector", title="A dependency whose Service selects pods which are not there",
        change=(_selector("claude-catalog"),), shown=seen.failing,
        sees="errors on every request that asks the catalog, whose pods are well",
        truth=((f"Service/{NAMESPACE}/{CATALOG}", "selector-matches-nothing"),),
        cures=(BREAKER, Remedy("have its selector mended", writes=(_selector(CATALOG),))),
        wrong=(RESTART, SCALE_OUT, *ALWAYS_WRONG),
    ),
    Scenario(
        name="node-silent", title="A node whose kubelet hangs", change=(Signal("kubelet", signal.SIGSTOP),),
        shown=seen.failing, sees="no pod is ready, and none complains", truth=((f"Node//{NODE}", "node-not-ready"),),
        cures=(Remedy("let the kubelet go on", writes=(Signal("kubelet", signal.SIGCONT),)),),
        wrong=(RESTART, SCALE_OUT, *ALWAYS_WRONG),
    ),
    Scenario(
        name="reports", title="A client that asks for more than the service was made for", change=(_reports(1),),
        shown=seen.paged, sees="four times the requests, and some refused; no release, no new error",
        truth=((f"Service/{NAMESPACE}/{SERVICE}", "traffic-spike"),),
        cures=(
            Remedy("scale out", "mitigate/scale-out", {"replicas": "8"}),
            Remedy("have the client stopped", writes=(_reports(0),)),
        ),
        wrong=(RESTART, Remedy("release again", writes=(release("1.4.3"),)), *ALWAYS_WRONG),
    ),
    Scenario(
        name="two-at-once", title="A release with a defect, and a dependency that answers too late",
        change=(_version("1.1.0"), release("1.5.0")), shown=seen.failing, release=True,
        sees="timeouts and errors in the log; the catalog answers, slowly",
        truth=(*_truth("dependency-slow"), *_truth("dependency-down"),
               (f"Deployment/{NAMESPACE}/{SERVICE}", "bad-release")),
        cures=(Remedy("both", writes=(_version("1.0.0"), release("1.4.2"))),),
        wrong=(RESTART, SCALE_OUT, Remedy("only the release", writes=(release("1.4.2"),)), *ALWAYS_WRONG),
    ),
)  # fmt: skip
