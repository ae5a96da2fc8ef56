"""What was measured speaks for a severity: the same for the command and for the runbook, and no guess."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import fakes
import pytest
from test_people_commands import Phone
from test_traffic import LATENCY, told

from firstwatch import begin, people, probes
from firstwatch.model import Finding, Findings, Verdict, finding, plain
from firstwatch.record.evidence import evidence
from firstwatch.record.incident import Incident, Measured

Seen = Callable[[fakes.Server], Phone]


@pytest.fixture
def seen(
    serve: Callable[[fakes.Server], fakes.Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> Seen:
    """Look at the latency of a world, and return who types next, on the record which that opened."""

    def look(world: fakes.Server) -> Phone:
        path = fakes.configuration(tmp_path, serve(world).url)
        path.write_text(path.read_text().replace("[prometheus]\n", f'[prometheus]\nlatency = "{LATENCY}"\n'))
        monkeypatch.setenv("FIRSTWATCH_CONFIG", str(path))
        monkeypatch.setattr("sys.stdin.isatty", lambda: False)
        begin("investigate/latency", service=fakes.NAME).look(probes.latency)
        return Phone(tmp_path, monkeypatch, capsys)

    return look


SLOWER, OVER = "(slower-by-half: 800.0 %)", "(latency-over-5s: 6.00 s)"


@pytest.mark.parametrize(
    ("now", "before", "ago_s", "fired", "silent"),
    [
        (0.9, 0.1, 1, (SLOWER,), ("latency-over-5s", "not judged")),
        (6.0, 5.0, 1, (OVER, "(slower-by-half: latency-high)"), ()),
        (0.16, 0.1, 1, ("nothing was answered or measured",), ("slower", "latency")),
        (6.0, 0.1, 600, ("nothing was answered or measured",), ("slower", "latency")),
    ],
    ids=["slower by more than half", "over 5 s but hardly slower", "quick all the same", "measured too long ago"],
)
def test_a_response_time_speaks_for_a_severity_when_it_was_seen_to_be_slow(
    seen: Seen, now: float, before: float, ago_s: float, fired: tuple[str, ...], silent: tuple[str, ...]
) -> None:
    phone = seen(told(now, before, ago_s=ago_s))
    shown = repr(people.proposal(begin("coordinate/declare", service=fakes.NAME)))
    said = phone("declare", "slow", "--impact", "y").out
    assert "declared SEV2" in said
    for text in (said, shown):
        assert [each for each in fired if each not in text] == []
        assert [each for each in silent if each in text] == []


def test_a_response_time_with_nothing_to_compare_it_to_says_so(seen: Seen) -> None:
    world = told(6.0)
    world.on(fakes.RANGE, 200, fakes.matrix([]))
    said = seen(world)("declare", "slow", "--impact", "y").out
    assert OVER in said
    assert "there is no latency baseline" in said


def test_the_share_of_failing_requests_is_the_last_one_and_only_that() -> None:
    rate = Measured("errors", "share of requests", ((1.0, 0.2), (2.0, 0.6)), 0.01)
    assert evidence(Incident(measured=rate))[0].error_share == 0.6
    other = Measured("latency", "seconds", ((1.0, 0.6),), 5)
    assert evidence(Incident(measured=other))[0].error_share is None


@pytest.mark.parametrize("verdict", [Verdict.OK, Verdict.UNKNOWN])
def test_only_what_is_bad_is_evidence(verdict: Verdict) -> None:
    words = {"object": "", "expected": "", "observed": "", "mechanism": "latency-high"}
    found = Finding(probe="latency", verdict=verdict, value=6.0, usual=0.1, **words)
    measures, mechanisms = evidence(Incident(findings=Findings((found,))))
    assert (measures.latency_s, measures.baseline_s, mechanisms) == (None, None, set())


def test_a_record_keeps_the_numbers_of_a_finding_and_one_of_earlier_has_none() -> None:
    found = Finding(probe="latency", verdict=Verdict.BAD, object="", expected="", observed="", value=6, usual=0.1)
    assert finding(plain(found)) == found
    assert finding(plain(found) | {"value": "6.5"}).value == 6.5
    old = {name: value for name, value in plain(found).items() if name not in ("value", "usual", "resource")}
    assert (finding(old).value, finding(old).usual, finding(old).resource) == (None, None, "")
    with pytest.raises(ValueError, match="could not convert"):
        finding(plain(found) | {"value": "fast"})
