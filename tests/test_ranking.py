"""The first finding names the fault: a table of what is seen together, and what must come first. Pure."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from firstwatch.mechanisms import MECHANISMS, Weight, weight
from firstwatch.model import Finding, Findings, Verdict
from firstwatch.probes.conclusions import NEAR, TOUCHED, conclude
from firstwatch.probes.ranking import rank

AT = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
API, CONFIG, SERVICE = "Deployment/shop/api", "ConfigMap/shop/api-config", "Service/shop/api"


def before(seconds: float) -> datetime:
    return AT - timedelta(seconds=seconds)


def seen(probe: str, verdict: str = "OK", mechanism: str = "", about: str = API, **more: Any) -> Finding:
    words = {"expected": "", "observed": "seen"} | more
    return Finding(probe=probe, verdict=Verdict(verdict), object=about, mechanism=mechanism, **words)


def bad(probe: str, mechanism: str, about: str = API, **more: Any) -> Finding:
    return seen(probe, "BAD", mechanism, about, **more)


def log(mechanism: str, about: str = API, **more: Any) -> Finding:
    return seen("logs", "UNKNOWN", mechanism, about, **({"since": AT} | more))


ERRORS = bad("error-rate", "errors-served", SERVICE, since=AT)
SLOW = bad("latency", "latency-high", SERVICE, since=AT)
RELEASE = seen("rollouts", since=before(12), touched=("image",))
OLD_RELEASE = seen("rollouts", since=before(7200), touched=("image",))
FLAG = seen("settings", about=CONFIG, since=before(5))
OLD_FLAG = seen("settings", about=CONFIG, since=before(90000))
FEWER = seen("scaling", since=before(6), touched=("fewer replicas",))
MADE = seen("rollouts", since=before(40), touched=("made",))
MADE_CONFIG = seen("settings", about=CONFIG, since=before(42), touched=("made",))
MADE_RATES = seen("neighbours", about="Deployment/shop/rates", since=before(41), touched=("made",))
CRASH = bad("pods", "crash-loop")
UNREADY = bad("pods", "not-ready", since=AT)

TABLE: dict[str, tuple[list[Finding], str, str]] = {
    "a release, then errors": ([ERRORS, RELEASE, OLD_FLAG], API, "bad-release"),
    "a release, then slow answers": ([SLOW, RELEASE], API, "slow-release"),
    "a flag, then errors": ([ERRORS, OLD_RELEASE, FLAG], CONFIG, "flag-change"),
    "a flag nearer than an innocent release": (
        [ERRORS, replace(RELEASE, since=before(90)), FLAG], CONFIG, "flag-change",
    ),
    "a release nearer than an innocent flag": ([ERRORS, RELEASE, replace(FLAG, since=before(60))], API, "bad-release"),
    "a release of labels is not blamed": (
        [ERRORS, replace(RELEASE, touched=("labels",)), replace(FLAG, since=before(60))], CONFIG, "flag-change",
    ),
    "a spike nearer than an innocent release": (
        [SLOW, replace(RELEASE, since=before(120)), bad("request-rate", "traffic-spike", SERVICE, since=before(5))],
        SERVICE, "traffic-spike",
    ),
    "fewer pods, then errors": ([ERRORS, OLD_RELEASE, FEWER], API, "too-few-replicas"),
    "fewer pods nearer than a release": ([ERRORS, replace(RELEASE, since=before(60)), FEWER], API, "too-few-replicas"),
    "a release nearer than fewer pods": ([ERRORS, RELEASE, replace(FEWER, since=before(60))], API, "bad-release"),
    "fewer pods three minutes before": (
        [ERRORS, OLD_RELEASE, replace(FEWER, since=before(180))], SERVICE, "errors-served",
    ),
    "more pods just before": ([ERRORS, OLD_RELEASE, replace(FEWER, touched=())], SERVICE, "errors-served"),
    "all made at once, then errors": ([ERRORS, MADE, MADE_CONFIG, MADE_RATES], SERVICE, "errors-served"),
    "all made at once, and more requests than ever": (
        [ERRORS, MADE, MADE_CONFIG, bad("request-rate", "traffic-spike", SERVICE, since=before(5))],
        SERVICE, "traffic-spike",
    ),
    "all made at once, and then a setting": ([ERRORS, MADE, MADE_RATES, FLAG], CONFIG, "flag-change"),
    "a workload that was made again": (
        [ERRORS, MADE, replace(MADE_CONFIG, since=before(7200)), replace(MADE_RATES, since=before(7200))],
        API, "bad-release",
    ),
    "a workload that is alone": ([ERRORS, MADE], API, "bad-release"),
    "a setting that was made with the rest misleads nobody": (
        [ERRORS, MADE, MADE_CONFIG, log("name-not-resolved")], API, "name-not-resolved",
    ),
    "an old release": ([ERRORS, OLD_RELEASE], SERVICE, "errors-served"),
    "a release after the errors": ([ERRORS, replace(RELEASE, since=before(-300))], SERVICE, "errors-served"),
    "errors since nobody knows when": ([replace(ERRORS, since=None), RELEASE], SERVICE, "errors-served"),
    "an empty selector and an innocent release": (
        [ERRORS, RELEASE, bad("services", "selector-matches-nothing", SERVICE)], SERVICE, "selector-matches-nothing",
    ),
    "a crash whose log names the setting": (
        [CRASH, bad("rollouts", "rollout-stuck"), log("setting-missing")], API, "setting-missing",
    ),
    "an image that is not there": ([bad("pods", "image-pull"), bad("rollouts", "rollout-stuck")], API, "image-pull"),
    "a dependency that is down makes pods not ready": (
        [ERRORS, UNREADY, OLD_RELEASE, bad("dependencies", "dependency-down", "Dependency//rates"),
         log("dependency-down", "Dependency//rates")],
        "Dependency//rates", "dependency-down",
    ),
    "only a log knows of the dependency": (
        [ERRORS, OLD_RELEASE, OLD_FLAG, log("dependency-down", "Dependency//rates")],
        "Dependency//rates", "dependency-down",
    ),
    "a changed address, and nothing answers there": (
        [ERRORS, replace(RELEASE, touched=("env RATES_URL",)), log("dependency-down", "Dependency//wrong")],
        API, "configuration-wrong",
    ),
    "a changed address, and a ConfigMap that was written before": (
        [ERRORS, replace(RELEASE, touched=("env URL",)), replace(FLAG, since=before(400)), log("dependency-down")],
        API, "configuration-wrong",
    ),
    "a changed address while the dependency is down for all": (
        [ERRORS, replace(RELEASE, touched=("env RATES_URL",)), log("dependency-down"),
         bad("dependencies", "dependency-down", "Dependency//rates")],
        "Dependency//rates", "dependency-down",
    ),
    "a dependency that was released after the setting was changed, and refuses": (
        [ERRORS, OLD_RELEASE, replace(FLAG, since=before(60)), log("credentials-refused", "Dependency//rates"),
         seen("neighbours", about="Deployment/shop/rates", since=before(4))],
        "Dependency//rates", "credentials-refused",
    ),
    "a setting that was changed after the dependency was released": (
        [ERRORS, OLD_RELEASE, FLAG, log("credentials-refused", "Dependency//rates"),
         seen("neighbours", about="Deployment/shop/rates", since=before(60))],
        CONFIG, "configuration-wrong",
    ),
    "a changed ConfigMap, and a name that is not known": (
        [ERRORS, OLD_RELEASE, FLAG, log("name-not-resolved")], CONFIG, "configuration-wrong",
    ),
    "a changed readiness probe": (
        [UNREADY, bad("rollouts", "rollout-stuck", touched=("readinessProbe",))], API, "readiness-probe-wrong",
    ),
    "a changed readiness probe, and pods that are as young as the rollout is stuck": (
        [seen("pods", "UNKNOWN", "not-ready"), bad("rollouts", "rollout-stuck", touched=("readinessProbe",))],
        API, "readiness-probe-wrong",
    ),
    "a changed readiness probe, and young pods that are all there is": (
        [seen("pods", "UNKNOWN", "not-ready"), replace(RELEASE, touched=("readinessProbe",)),
         bad("services", "no-endpoints", SERVICE)],
        API, "readiness-probe-wrong",
    ),
    "young pods that are all there is, and nothing says why": (
        [seen("pods", "UNKNOWN", "not-ready"), RELEASE, bad("services", "no-endpoints", SERVICE)],
        SERVICE, "no-endpoints",
    ),
    "a rollout that is stuck, and young pods that are asked at no page": (
        [seen("pods", "UNKNOWN", "readiness-probe-wrong"), bad("rollouts", "rollout-stuck", touched=("image",))],
        API, "readiness-probe-wrong",
    ),
    "a rollout that is stuck does not blame the young pods of another": (
        [seen("pods", "UNKNOWN", "readiness-probe-wrong", "Deployment/shop/batch"), bad("rollouts", "rollout-stuck")],
        API, "rollout-stuck",
    ),
    "a changed liveness probe": ([CRASH, replace(RELEASE, touched=("livenessProbe",))], API, "liveness-probe-wrong"),
    "a changed limit": (
        [bad("pods", "out-of-memory"), replace(RELEASE, touched=("limits",))], API, "memory-limit",
    ),
    "a node that is gone": (
        [UNREADY, bad("nodes", "node-not-ready", "Node//node-2"), bad("services", "no-endpoints", SERVICE)],
        "Node//node-2", "node-not-ready",
    ),
    "who holds the lock before who waits": (
        [SLOW, bad("locks", "lock-wait", "Database//api"), bad("transactions", "idle-in-transaction", "Database//api"),
         log("pool-exhausted")],
        "Database//api", "idle-in-transaction",
    ),
    "a key of a ConfigMap before the pods that wait for it": (
        [bad("pods", "configuration-missing"), bad("references", "configuration-missing", CONFIG)],
        CONFIG, "configuration-missing",
    ),
    "the service's own pods before a stranger's": (
        [bad("pods", "crash-loop", "Deployment/shop/batch"), CRASH, RELEASE], API, "crash-loop",
    ),
    "a warning that is older than the harm": (
        [ERRORS, RELEASE, bad("autoscalers", "autoscaler-blind", since=before(86400))], API, "bad-release",
    ),
    "a budget that hurts nobody": ([ERRORS, bad("budgets", "disruption-blocked")], SERVICE, "errors-served"),
    "scaled to zero": ([bad("rollouts", "scaled-to-zero"), bad("services", "no-endpoints", SERVICE)],
                       API, "scaled-to-zero"),
}  # fmt: skip


@pytest.mark.parametrize(("findings", "about", "mechanism"), TABLE.values(), ids=TABLE)
def test_the_first_finding_names_the_fault(findings: list[Finding], about: str, mechanism: str) -> None:
    first = rank(findings)[0]
    assert (first.verdict, first.object, first.mechanism) == (Verdict.BAD, about, mechanism)
    assert rank(reversed(findings)) == rank(findings)
    assert first.why_here


def test_an_error_of_the_logs_is_not_bad_while_nobody_is_hurt() -> None:
    found = rank([log("dependency-down"), RELEASE, seen("error-rate", about=SERVICE)])
    assert [each.verdict for each in found] == ["UNKNOWN", "OK", "OK"]


def test_an_error_that_was_logged_long_before_is_not_blamed() -> None:
    found = rank([ERRORS, log("dependency-down", since=before(3600))])
    assert found[0].mechanism == "errors-served"


def test_an_error_whose_words_say_nothing_stays_unknown() -> None:
    assert rank([ERRORS, log("")])[1].verdict is Verdict.UNKNOWN


def test_harm_without_a_cause_says_so_and_harm_with_a_source_missing_says_which() -> None:
    assert "no code cause" in rank([ERRORS, OLD_RELEASE])[0].why_here
    blind = [ERRORS, seen("rollouts", "UNKNOWN", "blind"), seen("logs", "UNKNOWN", "blind")]
    assert rank(blind)[0].why_here.endswith("blind: logs, rollouts could not look")


def test_what_could_not_be_looked_at_is_never_blamed() -> None:
    found = rank([ERRORS, seen("rollouts", "UNKNOWN", "blind", since=before(12))])
    assert [each.mechanism for each in found] == ["errors-served", "blind"]


def test_what_is_well_is_ordered_by_its_nearness_to_the_harm() -> None:
    far = seen("neighbours", about="Deployment/shop/far", since=before(400))
    near = seen("neighbours", about="Deployment/shop/near", since=before(40))
    found = [each for each in rank([ERRORS, far, near]) if each.verdict is Verdict.OK]
    assert [each.object for each in found] == ["Deployment/shop/near", "Deployment/shop/far"]
    assert found[0].why_here == "40 s before the harm began"


def test_health_is_left_as_it_is() -> None:
    well = [RELEASE, FLAG, seen("error-rate", about=SERVICE)]
    assert conclude(tuple(well)) == tuple(well)
    assert rank(well).verdict is Verdict.OK


def test_nothing_seen_is_nothing_known() -> None:
    assert rank([]) == Findings()
    assert rank([]).verdict is Verdict.UNKNOWN


def test_a_change_is_suspected_for_ten_minutes() -> None:
    just, late = before(NEAR.total_seconds()), before(NEAR.total_seconds() + 1)
    assert rank([ERRORS, replace(RELEASE, since=just)])[0].mechanism == "bad-release"
    assert rank([ERRORS, replace(RELEASE, since=late)])[0].mechanism == "errors-served"


def test_every_word_that_is_concluded_is_of_the_list() -> None:
    assert {*TOUCHED.values()} <= set(MECHANISMS)
    assert weight("not a word") is Weight.STATE
