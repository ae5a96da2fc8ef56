"""The scorecard: what records add up to, what runbooks are worth, and that practice is never counted as an incident."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from exchange import Still
from test_closing import T0, M, Told, mended, told  # noqa: F401  # a fixture
from test_people_commands import Phone, typed  # noqa: F401  # a fixture

from firstwatch.model import Actor, timestamp
from firstwatch.policy import tables
from firstwatch.publish import scorecard
from firstwatch.publish.scorecard import Scorecard, markdown, months
from firstwatch.record.journal import Journal, read
from firstwatch.record.score import Ran, Score, alerts, runs, score
from firstwatch.record.store import Store
from firstwatch.runs.catalog import Runbook
from firstwatch.runs.efficacy import Use, coverage, efficacy
from firstwatch.settings import Sla

POLICY, PROMISE, TODAY = tables.load(), Sla(target=99.9), date(2026, 11, 26)


def scored(told: Told, minute: float = 60) -> Score:  # noqa: F811
    found = score(POLICY, PROMISE, told.state(), T0 + minute * M)
    assert found is not None
    return found


def test_an_incident_has_a_number_for_each_of_the_five_objectives(told: Told) -> None:  # noqa: F811
    mended(told)("update", 15, number=1, status="MITIGATING", summary="x", next="2026-11-24T12:30:00Z")
    told("impact", 22, customers="120 of 4000 customers", source="support")
    told("action-item", 23, id="1", action="a", owner="b", priority="High", state="open", due="2026-11-20")
    found = scored(told)
    assert (found.downtime_s, found.after_s["restored"]) == (14 * 60, 14 * 60)
    assert found.customers == "120 of 4000 customers"
    assert found.updates[1] >= 1
    assert found.complete == 80
    assert found.spent is not None
    assert found.spent.kept
    assert (found.open, found.overdue) == (1, 1)


def test_in_a_game_day_whose_clock_is_fast_days_pass_as_there(tmp_path: Path) -> None:
    journal = tmp_path / "2026-11-24-120000" / "journal.jsonl"
    journal.parent.mkdir()
    book = Journal(journal, Still(T0), Actor("on-call"), "on-call@here")
    book.append("opened", {"practice": True, "clock": {"origin": timestamp(T0), "rate": 60.0}})
    book.append("declared", {"title": "x", "impact": "y", "severity": "SEV3", "source": "alert"})
    item = {"id": "1", "action": "a", "owner": "b", "priority": "High", "state": "open", "due": "2026-11-25"}
    book.append("action-item", item)
    (found,) = scorecard.scorecard(Store(tmp_path), [], POLICY, PROMISE, T0 + 60 * M).drills
    assert found.overdue == 1


def test_what_nobody_declared_is_no_incident(tmp_path: Path) -> None:
    told = Told(tmp_path)  # noqa: F811
    assert score(POLICY, PROMISE, told.state(), T0) is None


def made(**more: Any) -> Score:
    known: dict[str, Any] = {
        "incident": "2026-11-24-120000", "title": "x", "severity": "SEV1", "status": "closed", "practice": False,
        "began": T0, "downtime_s": 600.0, "after_s": {"restored": 600.0}, "customers": "", "updates": (1, 2),
        "clocks": (2, 4), "complete": 80, "spent": None, "lessons": (), "open": 0, "overdue": 0,
    }  # fmt: skip
    return Score(**known | more)


def test_months_add_up_newest_first() -> None:
    from firstwatch.policy.sla import spent

    early = made(began=datetime(2026, 10, 1, tzinfo=UTC))
    one, two = (made(downtime_s=60.0 * n, after_s={"restored": 60.0 * n}, complete=50 + n,
                     spent=spent(PROMISE, n * M, "SEV1")) for n in (10, 40))  # fmt: skip
    found = months([early, one, two])
    assert [(each.month, each.incidents) for each in found] == [("2026-11", 2), ("2026-10", 1)]
    assert (found[0].downtime_s, found[0].restored_s, found[0].updates) == (3000.0, 1500.0, (2, 4))
    assert found[0].complete == 75.0
    assert found[0].spent is not None
    assert (found[0].spent.spent, found[0].spent.kept) == (50 * M, False)
    assert found[1].spent is None


def ran(told: Told, runbook: str, minute: float, *events: tuple[str, Any]) -> None:  # noqa: F811
    told.book.run = f"run-{minute}"
    told("run-started", minute, runbook=runbook, mode="apply")
    for kind, body in events:
        told(kind, minute + 1, **body)
    told("run-ended", minute + 3, runbook=runbook, state="done", exit=0, cells={})
    told.book.run = ""


BAD = {"findings": [{"probe": "alerts", "verdict": "BAD", "object": "", "expected": "", "observed": "TooHot fires",
                     "mechanism": "alert-firing"}], "verdict": "BAD"}  # fmt: skip
OK = {"findings": [{"probe": "health", "verdict": "OK", "object": "", "expected": "", "observed": "200"}],
      "verdict": "OK"}  # fmt: skip
DONE = ("outcome", {"key": "k", "plan": "h", "result": "ok"})
FAILED = ("outcome", {"key": "k", "plan": "h", "result": "failed"})


@pytest.mark.parametrize(
    ("runbook", "events", "helped"),
    [
        ("investigate/logs", [("looked", BAD)], True),
        ("investigate/logs", [("looked", OK)], False),
        ("investigate/verify-recovery", [("verified", OK)], True),
        ("mitigate/rollback", [("looked", BAD), DONE, ("verified", OK)], True),
        ("mitigate/rollback", [("looked", BAD), DONE, ("verified", BAD)], False),
        ("mitigate/rollback", [("verified", OK), DONE], False),
        ("mitigate/rollback", [("looked", BAD), FAILED, ("verified", OK)], False),
        ("mitigate/rollback", [("looked", BAD)], False),
        ("investigate/logs", [("looked", {"findings": "nonsense"})], False),
    ],
)  # fmt: skip
def test_a_runbook_helped_when_what_it_saw_or_did_made_a_difference(
    told: Told, runbook: str, events: list[Any], helped: bool  # noqa: F811
) -> None:  # fmt: skip
    ran(told, runbook, 10, *events)
    assert [(each.helped, each.took_s) for each in runs(read(told.path))] == [(helped, 180.0)]


def test_a_run_without_an_end_has_no_length(told: Told) -> None:  # noqa: F811
    told.book.run = "r"
    told("run-started", 10, runbook="investigate/logs", mode="observe")
    assert runs(read(told.path))[0].took_s is None


def book(name: str, folder: Path, **metadata: Any) -> Runbook:
    return Runbook(name, folder / "runbooks" / f"{name}.ipynb", name, "", metadata, ())


def test_a_runbook_is_judged_in_incidents_and_in_game_days_apart(tmp_path: Path) -> None:
    def one(seconds: float, practice: bool, helped: bool = True) -> Ran:
        return Ran("investigate/logs", T0, seconds, practice, helped)

    known = [one(60, False), one(120, False, False), one(240, False), one(30, True),
             Ran("investigate/nodes", T0, 5, False, True)]  # fmt: skip
    (found,) = efficacy([book("investigate/logs", tmp_path, reviewed="2026-05-01")], known, TODAY)
    assert (found.use, found.practice) == (Use(3, 2, 2.0), Use(1, 1, 0.5))
    assert (found.practised, found.reviewed, found.recorded) == (T0.date(), date(2026, 5, 1), None)
    assert found.stale == ("reviewed 209 days ago", "never recorded")


def test_each_runbook_of_ours_was_reviewed_and_recorded() -> None:
    from firstwatch.runs import catalog

    for each in efficacy([catalog.find(name) for name in catalog.names(catalog.root())], [], date(2026, 11, 27)):
        assert each.reviewed is not None, each.runbook
        assert each.recorded is not None, each.runbook


def test_coverage_shows_an_alert_that_leads_nowhere(told: Told, tmp_path: Path) -> None:  # noqa: F811
    ran(told, "investigate/logs", 10, ("looked", BAD))
    fired = alerts(read(told.path))
    books = efficacy(
        [book("investigate/logs", tmp_path, alerts=["Cold"]), book("mitigate/restart", tmp_path)], [], TODAY
    )
    cold, hot = coverage(books, fired)
    assert (cold.alert, cold.investigate, cold.mitigate, cold.fired, cold.gap) == (
        "Cold", ("investigate/logs",), (), False, False,
    )  # fmt: skip
    assert (hot.alert, hot.fired, hot.gap) == ("TooHot", True, True)


def test_practice_is_apart_and_what_others_wrote_is_no_markup() -> None:
    evil = made(title="<b>x</b>|[y](javascript:1)", customers="<i>7</i>|", lessons=("a <script>",), practice=True)
    text = markdown(Scorecard((evil,), (), (), ("2026-11-24-000009",)), {"2026-11-24-120000": "LINK"})
    incidents, practice = text.split("## Game days")
    assert "There was none yet." in incidents
    assert "LINK" in practice
    assert not {"<b>", "<i>", "<script>", "[y]"} & set(practice.replace("|", " ").split())
    assert "<" not in practice.replace("&lt;", "")
    assert "**Not counted**, since they cannot be read: 2026-11-24-000009" in text


def test_what_is_stale_is_listed_by_why(tmp_path: Path) -> None:
    books = efficacy([book(f"investigate/{name}", tmp_path) for name in ("logs", "nodes")], [], TODAY)
    assert "- never practised: investigate/logs, investigate/nodes\n" in markdown(Scorecard((), books, (), ()), {})


def test_a_record_that_cannot_be_read_is_named_and_the_others_count(told: Told) -> None:  # noqa: F811
    broken = told.path.parents[1] / "2026-11-24-000000"
    broken.mkdir()
    (broken / "journal.jsonl").write_bytes(b"[1]\n")
    card = scorecard.scorecard(Store(told.path.parents[1]), [], POLICY, PROMISE, T0 + timedelta(hours=2))
    assert (len(card.incidents), card.unreadable) == (1, ("2026-11-24-000000",))


def test_the_command_prints_one_document_and_a_table(typed: Phone) -> None:  # noqa: F811
    typed("declare", "API errors", "--impact", "6 of 10 requests fail", "--severity", "SEV2")
    typed("resolve", "gone")
    found = json.loads(typed("scorecard", "--json").out)
    assert [each["title"] for each in found["incidents"]] == ["API errors"]
    assert found["months"][0]["incidents"] == 1
    assert {"investigate/logs", "mitigate/rollback"} <= {each["runbook"] for each in found["runbooks"]}
    said = typed("scorecard").out
    assert "API errors" in said
    assert "never practised" in said


def test_a_lesson_is_listed_with_its_incident(told: Told) -> None:  # noqa: F811
    mended(told)("concluded", 30, part="lesson", text="readiness touches what it needs")
    text = markdown(Scorecard((scored(told),), (), (), ()), {"2026-11-24-120000": "LINK"})
    assert "## Lessons learned\n\n- readiness touches what it needs (LINK)" in text
