"""Releases that should not have been: what each does is in the service's own code or in how it is deployed."""

from gameday import kinds
from gameday.client import MERGE
from gameday.scenarios import seen
from gameday.scenarios.scenario import (
    ALWAYS_WRONG,
    RESTART,
    RESTART_CATALOG,
    ROLLBACK,
    SCALE_OUT,
    Remedy,
    Scenario,
    Write,
    release,
)  # fmt: skip
from gameday.world.configuration import NAMESPACE
from gameday.world.metrics import SERVICE

WORKLOAD = f"Deployment/{NAMESPACE}/{SERVICE}"
FLAGS = "claude-deployment-config"
KNOWN_GOOD = Remedy("release the last good version", writes=(release("1.4.2"),))
LABEL = Remedy("label its pods", writes=(Write({"spec": {"template": {"metadata": {"labels": {"tier": "api"}}}}}),))
WRONG = (RESTART, SCALE_OUT, *ALWAYS_WRONG)
DEADLINE = {"spec": {"progressDeadlineSeconds": 20}}
SETTING = [{"name": "LOG_LEVEL", "valueFrom": {"configMapKeyRef": {"name": FLAGS, "key": "log-level"}}}]


def _stuck(write: Write) -> Write:
    """Return *write* with a shorter progress deadline: whoever practises need not wait ten minutes."""
    spec = {**write.change["spec"], **DEADLINE["spec"]}
    return Write({**write.change, "spec": spec})


def _asking(url: str) -> Write:
    """Return a release that asks its catalog at *url*."""
    return release("1.4.3", env=[{"name": "CATALOG_URL", "value": url}])


def _only_on(labels: dict[str, str]) -> Write:
    """Return a release whose pods run on nodes with *labels* only."""
    write = release("1.4.3")
    spec = {"template": {"spec": {**write.change["spec"]["template"]["spec"], "nodeSelector": labels}}}
    return Write({**write.change, "spec": spec})


SCENARIOS = (
    Scenario(
        name="bad-release", title="A release with a defect on the path that most users take",
        change=(release("1.5.0"),), shown=seen.paged, release=True,
        sees="errors since a new revision; pods are ready, health is good", truth=((WORKLOAD, "bad-release"),),
        cures=(ROLLBACK, KNOWN_GOOD), wrong=WRONG,
    ),
    Scenario(
        name="crash-loop", title="A release that ends at its start, for want of a setting",
        change=(_stuck(release("1.5.1")),), shown=seen.waiting("CrashLoopBackOff"), release=True,
        sees="a rollout that is stuck; the old pods still serve",
        truth=((WORKLOAD, "crash-loop"), (WORKLOAD, "setting-missing")), cures=(ROLLBACK, KNOWN_GOOD), wrong=WRONG,
    ),
    Scenario(
        name="missing-image", title="A release whose image is nowhere", change=(_stuck(release("1.6.0")),),
        release=True, shown=seen.waiting("ErrImagePull", "ImagePullBackOff"),
        sees="a rollout that is stuck; the old pods still serve",
        truth=((WORKLOAD, "image-pull"),), cures=(ROLLBACK, KNOWN_GOOD), wrong=WRONG,
    ),
    Scenario(
        name="never-ready", title="A release whose readiness is asked at a path that is not there", release=True,
        change=(_stuck(release("1.4.3", readinessProbe={"httpGet": {"path": "/healthz", "port": 8080}})),),
        shown=seen.unready, sees="pods that run and never get ready; their logs are fine",
        truth=((WORKLOAD, "readiness-probe-wrong"),), cures=(ROLLBACK,), wrong=WRONG,
    ),
    Scenario(
        name="slow-release", title="A release that waits for its records on every request", release=True,
        change=(release("1.5.2"),), shown=seen.slow, sees="latency since a new revision, and no errors",
        truth=((WORKLOAD, "slow-release"),), cures=(ROLLBACK, KNOWN_GOOD), wrong=WRONG,
    ),
    Scenario(
        name="key-missing", title="A release that reads a key which nobody put into the ConfigMap", release=True,
        change=(_stuck(release("1.4.3", env=SETTING)),), shown=seen.waiting("CreateContainerConfigError"),
        sees="containers that cannot be created; the old pods still serve",
        truth=((WORKLOAD, "configuration-missing"), (f"ConfigMap/{NAMESPACE}/{FLAGS}", "configuration-missing")),
        cures=(ROLLBACK, Remedy("add the key", writes=(
            Write({"data": {"log-level": "info"}}, kinds.CONFIG_MAP, FLAGS, MERGE),))),
        wrong=WRONG,
    ),
    Scenario(
        name="wrong-host", title="A release that asks its catalog at an address where nobody listens", release=True,
        change=(_asking("http://127.0.0.1:9"),), shown=seen.failing,
        sees="refused connections in the log since a new revision; the catalog itself is fine",
        truth=((WORKLOAD, "configuration-wrong"), (WORKLOAD, "bad-release")), cures=(ROLLBACK,),
        wrong=(RESTART_CATALOG, *WRONG),
    ),
    Scenario(
        name="no-such-host", title="A release that asks its catalog under a name which nobody knows", release=True,
        change=(_asking("http://catalog.models.invalid"),), shown=seen.failing,
        sees="a name that is not resolved, in the log since a new revision; the catalog itself is fine",
        truth=((WORKLOAD, "configuration-wrong"), ("Dependency//catalog.models.invalid", "name-not-resolved")),
        cures=(ROLLBACK,), wrong=(RESTART_CATALOG, *WRONG),
    ),
    Scenario(
        name="impatient-liveness", title="A release whose liveness is asked at a path that is not there", release=True,
        change=(release("1.4.3", livenessProbe={
            "httpGet": {"path": "/live", "port": 8080}, "periodSeconds": 2, "failureThreshold": 1}),),
        shown=seen.waiting("CrashLoopBackOff"),
        sees="pods that are killed again and again; their logs end without a reason",
        truth=((WORKLOAD, "liveness-probe-wrong"),), cures=(ROLLBACK,), wrong=WRONG,
    ),
    Scenario(
        name="no-module", title="A release that was packed without a module that it reads", release=True,
        change=(_stuck(release("1.5.4")),), shown=seen.waiting("CrashLoopBackOff"),
        sees="a rollout that is stuck, and a traceback in its log; the old pods still serve",
        truth=((WORKLOAD, "crash-loop"),), cures=(ROLLBACK, KNOWN_GOOD), wrong=WRONG,
    ),
    Scenario(
        name="one-at-a-time", title="A release that serves nobody else while it waits for its disk", release=True,
        change=(release("1.5.5"),), shown=seen.failing, sees="latency since a new revision, and requests refused",
        truth=((WORKLOAD, "slow-release"), (WORKLOAD, "bad-release")), cures=(ROLLBACK, KNOWN_GOOD),
        wrong=(RESTART, LABEL, *ALWAYS_WRONG),
    ),
    Scenario(
        name="leak", title="A release that keeps what it should let go", change=(release("1.5.6"),),
        shown=seen.failing, release=True, sees="pods that end again and again without a word in their logs",
        truth=((WORKLOAD, "memory-limit"), (WORKLOAD, "out-of-memory")), cures=(ROLLBACK, KNOWN_GOOD), wrong=WRONG,
    ),
    Scenario(
        name="no-secret", title="A release that reads a Secret which nobody made", release=True,
        change=(_stuck(release("1.4.3", envFrom=[{"secretRef": {"name": "claude-deployment-keys"}}])),),
        shown=seen.waiting("CreateContainerConfigError"),
        sees="containers that cannot be created; the old pods still serve",
        truth=((WORKLOAD, "configuration-missing"),), cures=(ROLLBACK,), wrong=WRONG,
    ),
    Scenario(
        name="no-place", title="A release that wants a kind of node which there is not", release=True,
        change=(_stuck(_only_on({"disk": "ssd"})),), shown=seen.pending,
        sees="pods that wait for a node; the old pods still serve",
        truth=((WORKLOAD, "not-scheduled"),), cures=(ROLLBACK,), wrong=WRONG,
    ),
    Scenario(
        name="unmeasured", title="A release that tells its metrics where nobody asks", release=True,
        change=(release("1.5.3"),), shown=seen.unmeasured, sees="no error rate any more, while users are served",
        truth=((f"Service/{NAMESPACE}/{SERVICE}", "blind"),), cures=(ROLLBACK, KNOWN_GOOD), wrong=WRONG,
    ),
)  # fmt: skip
