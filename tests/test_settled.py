"""A rate says nothing yet of pods that are younger than what it is counted over, or of few requests: never OK."""

import json
import re
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path

import fakes
import pytest
from test_runs import Laptop

from firstwatch import probes, settings
from firstwatch.errors import BadParameter
from firstwatch.model import Finding, Verdict
from firstwatch.probes.probe import ask
from firstwatch.systems import Systems, connect

REQUESTS = "sum(rate(requests))"


def aged(*seconds: float, name: str = fakes.NAME) -> fakes.Server:
    """Return a healthy world whose pods are ready for so long; below 0: not ready."""
    world, pods = fakes.healthy(), []
    for number, age in enumerate(seconds):
        pod = deepcopy(fakes.pod(f"{name}-{number}", ready=age >= 0))
        pod["metadata"]["ownerReferences"][0]["name"] = f"{name}-6b7f"
        pod["status"]["conditions"][0]["lastTransitionTime"] = fakes.ago(max(age, 0))
        pods.append(pod)
    world.on(fakes.PODS, 200, {"items": pods})
    return world


def look(systems: Systems) -> Finding:
    return ask(probes.settled, systems, datetime.now(UTC))[0]


@pytest.mark.parametrize(
    ("ages", "verdict"),
    [
        ((400, 400, 400), "OK"), ((3, 4, 5), "UNKNOWN"), ((400, 400, 3), "OK"), ((400, 3, 3), "UNKNOWN"),
        ((400, -1, -1), "OK"), ((-1, -1), "UNKNOWN"), ((), "UNKNOWN"), ((290, 290), "UNKNOWN"),
    ],
    ids=["old", "restarted", "one was moved", "scaled out", "one is left", "none is ready", "no pods", "nearly"],
)  # fmt: skip
def test_most_pods_must_be_as_old_as_the_window(
    systems: Callable[[fakes.Server], Systems], ages: tuple[float, ...], verdict: str
) -> None:
    assert look(systems(aged(*ages))).verdict.value == verdict


def test_it_says_when_to_look_again(systems: Callable[[fakes.Server], Systems]) -> None:
    found = look(systems(aged(100, 100, 100)))
    assert re.fullmatch(r"most pods are ready for 10\d s, and rates are counted over 300 s", found.observed)
    assert re.fullmatch(r"look again in (19\d|200) s", found.next)


@pytest.mark.parametrize(("age", "verdict"), [(400, "OK"), (5, "UNKNOWN")], ids=["old pods", "pods of five seconds"])
def test_a_verification_does_not_pass_while_the_pods_are_younger_than_the_rate(
    serve: Callable[[fakes.Server], fakes.Server], tmp_path: Path, age: float, verdict: str
) -> None:
    laptop = Laptop(tmp_path, serve(aged(age, age, age)))
    done = laptop.firstwatch("run", "investigate/verify-recovery", "-p", "within=0s", "--json")
    told = [each for each in json.loads(done.stdout)["findings"] if each["probe"] == "settled"]
    assert told[-1]["verdict"] == verdict
    assert done.returncode == 8 or verdict == "OK"


def test_pods_of_another_workload_do_not_count(systems: Callable[[fakes.Server], Systems]) -> None:
    assert look(systems(aged(400, 400, name="batch"))).observed == "no pod is ready"


def test_a_cluster_that_cannot_be_read_is_unknown(systems: Callable[[fakes.Server], Systems]) -> None:
    world = fakes.healthy()
    world.on(fakes.PODS, 500, {})
    assert (look(systems(world)).verdict, look(systems(world)).mechanism) == (Verdict.UNKNOWN, "blind")


@pytest.mark.parametrize(
    ("a_second", "verdict"), [(20, "OK"), (0.34, "OK"), (0.3, "UNKNOWN"), (0, "UNKNOWN"), (None, "UNKNOWN")]
)
def test_a_rate_of_few_requests_is_not_ok(
    serve: Callable[[fakes.Server], fakes.Server], tmp_path: Path, a_second: float | None, verdict: str
) -> None:
    world = fakes.healthy()
    others = fakes.rates(0.0)

    def answer(asked: fakes.Asked) -> fakes.Answer:
        return (200, fakes.vector(a_second)) if asked.query["query"][0] == REQUESTS else others(asked)

    world.answers["GET", fakes.QUERY] = answer
    path = fakes.configuration(tmp_path, serve(world).url)
    path.write_text(path.read_text().replace("[prometheus]\n", f'[prometheus]\nrequests = "{REQUESTS}"\n'))
    with connect(settings.load(path)) as systems:
        found = ask(probes.error_rate, systems, datetime.now(UTC))[0]
    assert (found.verdict.value, "0.0 % fail" in found.observed) == (verdict, True)


def test_a_game_days_window_is_its_own_and_any_other_is_five_minutes(tmp_path: Path) -> None:
    path = fakes.configuration(tmp_path, "http://127.0.0.1:1", practice=True)
    assert settings.load(path).window.total_seconds() == 300
    path.write_text(path.read_text() + 'window = "10s"\n')
    assert settings.load(path).window.total_seconds() == 10


def test_a_window_that_is_no_time_is_refused(tmp_path: Path) -> None:
    path = fakes.configuration(tmp_path, "http://127.0.0.1:1")
    path.write_text(path.read_text().replace("[prometheus]\n", '[prometheus]\nwindow = "a while"\n'))
    with pytest.raises(BadParameter, match=r"prometheus\.window"):
        settings.load(path)
