"""Closing: seven points that are measured or ticked, what no override passes, and what the record says then."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from test_people_commands import Phone, typed  # noqa: F401  # a fixture

from firstwatch.model import Actor
from firstwatch.policy import tables
from firstwatch.policy.course import between, complete, course, lasted
from firstwatch.policy.duties import duties
from firstwatch.policy.facts import Facts
from firstwatch.record.closing import closing
from firstwatch.record.incident import Incident, fold
from firstwatch.record.journal import Journal, read
from firstwatch.record.verify import verify

T0 = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
M = timedelta(minutes=1)
POLICY = tables.load()
WELL = ("error-rate", "health", "alerts")
SEEN = {"object": "Service//api", "expected": "", "observed": "0 %"}


class Told:
    """A journal whose events happen when a test says."""

    def __init__(self, path: Any) -> None:
        self.wall, self.path = T0, path / "2026-11-24-120000" / "journal.jsonl"
        self.path.parent.mkdir()
        self.book = Journal(self.path, self, Actor("on-call"), "on-call@here")
        self("opened", 0, practice=False)

    def now(self) -> datetime:
        return self.wall

    def monotonic_ns(self) -> int:
        return int((self.wall - T0).total_seconds() * 1e9)

    def sleep(self, seconds: float) -> None: ...

    def __call__(self, kind: str, minute: float, **body: Any) -> "Told":
        self.wall = T0 + minute * M
        self.book.append(kind, body)
        return self

    def looked(self, minute: float, verdict: str = "OK", kind: str = "verified", probes: Any = WELL) -> "Told":
        return self(kind, minute, findings=[{"probe": each, "verdict": verdict} | SEEN for each in probes])

    def state(self) -> Incident:
        return fold(read(self.path))

    def people(self) -> Facts:
        return self.state().people

    def missing(self, minute: float = 60) -> list[str]:
        return [each.id for each in closing(POLICY, self.state(), T0 + minute * M).missing]


@pytest.fixture
def told(tmp_path: Any) -> Told:
    body = {"title": "API errors", "impact": "6 of 10 requests fail", "severity": "SEV1", "source": "alert"}
    return Told(tmp_path)("declared", 5, **body, detected_at="2026-11-24T11:58:00Z")


def change(told: Told, minute: float, key: str = "k1", result: str = "ok") -> None:
    target = {"kind": "Deployment", "namespace": "prod", "name": "api", "uid": "u", "generation": 1}
    plan = {
        "action": "rollback", "target": target, "changes": [], "summary": [], "destructive": True, "sticks": [],
        "undo": [{"path": "/x", "before": 1, "after": 2}],
    }  # fmt: skip
    told("intent", minute, key=key, hash="h", plan=plan)
    told("outcome", minute + 0.1, key=key, plan="h", result=result)


def mended(told: Told) -> Told:
    change(told, 10)
    return told.looked(12)("resolved", 20, summary="rolled back", cause="a bad release")


def test_the_four_moments_come_from_the_record_and_say_where_from(told: Told) -> None:
    found = {each.id: each for each in course(mended(told).people())}
    assert [f"{each.at:%H:%M}" for each in found.values()] == ["11:58", "12:05", "12:10", "12:12"]
    assert found["detected"].source == "alert"
    assert found["mitigated"].source == "rollback of Deployment/api"
    assert found["restored"].source == "verified"
    assert between(told.people())["restored"] == 14 * M
    assert complete(told.people())


def test_what_was_never_verified_is_as_resolved_and_the_course_is_not_complete(told: Told) -> None:
    told("resolved", 20, summary="it went away")
    mitigated, restored = course(told.people())[2:]
    assert (mitigated.source, restored.source) == ("nothing was changed from here", "as resolved, not verified")
    assert not complete(told.people())
    assert "timeline-documented" in told.missing()


def test_a_verification_that_did_not_last_restores_nothing(told: Told) -> None:
    change(told, 10)
    told.looked(12).looked(14, "BAD", "looked").looked(16).looked(17)("resolved", 20, summary="x")
    assert f"{course(told.people())[-1].at:%H:%M}" == "12:16"


def test_the_time_between_a_resolution_and_a_reopening_is_no_outage(told: Told) -> None:
    mended(told)("reopened", 100, reason="again").looked(104)("resolved", 110, summary="y")
    assert lasted(told.people(), T0 + 500 * M) == 14 * M + 4 * M
    told("reopened", 200, reason="again")
    assert course(told.people())[-1].id == "mitigated"
    assert lasted(told.people(), T0 + 210 * M) == 28 * M


def test_each_point_is_measured_after_the_resolution_or_ticked(told: Told) -> None:
    assert told.missing() == [each.id for each in POLICY.checklists["closure"].lines]
    mended(told)
    known = ["status-page-resolved", "teams-notified"]
    assert told.missing() == ["systems-normal", "metrics-healthy", "no-related-alerts", "customer-reports", *known]
    told.looked(25)
    assert told.missing() == ["customer-reports", *known]
    told.looked(26, kind="looked", probes=["customers"])
    assert told.missing() == known
    told.looked(27, "BAD", "looked", ["alerts"])
    assert told.missing() == ["systems-normal", "no-related-alerts", *known]


def test_a_look_that_was_no_verification_does_not_say_that_all_is_well(told: Told) -> None:
    assert "systems-normal" in mended(told).looked(25, kind="looked").missing()


def test_completeness_counts_what_is_written_down(told: Told) -> None:
    assert closing(POLICY, told.state(), T0).completeness == 0
    mended(told)("assigned", 21, role="incident-commander", person="responder-2")
    assert closing(POLICY, told.state(), T0).completeness == 80
    told("impact", 22, customers="120 of 4000 customers", source="support")
    assert closing(POLICY, told.state(), T0).completeness == 100


def test_a_change_that_nobody_answers_for_any_more_is_in_the_way(told: Told) -> None:
    mended(told)
    assert "nobody answers for it" in closing(POLICY, told.state(), T0).obstacles[0]
    told("accepted", 21, key="k1", owner="team-lead", until="2026-11-24T13:00:00Z")
    assert closing(POLICY, told.state(), T0 + 30 * M).obstacles == ()
    assert "only until 2026-11-24 13:00 UTC" in closing(POLICY, told.state(), T0 + 90 * M).obstacles[0]


def test_a_change_in_doubt_is_in_the_way_and_so_is_an_incident_that_goes_on(told: Told) -> None:
    change(told, 10, result="unknown")
    on, doubt = closing(POLICY, told.state(), T0).obstacles
    assert ("firstwatch resolve" in on, "firstwatch resume" in doubt) == (True, True)


def test_closing_ends_the_watch_and_not_the_post_mortem(told: Told) -> None:
    mended(told)("closed", 30, reason="", missing=[])
    found = {each.id: each for each in duties(POLICY, told.people(), T0 + timedelta(hours=50))}
    assert told.state().status == "closed"
    assert (found["post-mortem"].state, "monitor" in found) == ("overdue", False)
    told("post-mortem", 60, state="held", at="2026-11-24T12:59:00Z")
    found = {each.id: each for each in duties(POLICY, told.people(), T0 + timedelta(hours=50))}
    assert (found["post-mortem"].state, f"{found['post-mortem'].done_at:%H:%M}") == ("met", "12:59")


def test_what_is_not_resolved_is_not_closed_by_an_event(told: Told) -> None:
    assert told("closed", 30, reason="").state().status == "investigating"


@pytest.fixture
def resolved(typed: Phone) -> Phone:  # noqa: F811
    typed("declare", "API errors", "--impact", "6 of 10 requests fail", "--severity", "SEV3")
    typed("resolve", "rolled back", "--cause", "a bad release", code=0)
    return typed


def test_a_closing_is_refused_with_what_is_missing_and_recorded_with_what_was_left_out(resolved: Phone) -> None:
    refused = resolved("close", code=3).err
    assert "Customer reports resolved (firstwatch run investigate/verify-recovery" in refused
    assert resolved.state().status == "resolved"
    assert "belong together" in resolved("close", "--override", code=2).err
    said = json.loads(resolved("close", "--override", "--reason", "a drill", "--json", acting_as="responder-2").out)
    assert (said["status"], len(said["missing"]), said["completeness"]) == ("closed", 7, 20)
    closed = next(each for each in resolved.state().timeline if each.kind == "closed")
    assert (closed.who, "overridden: systems-normal, " in closed.text) == ("responder-2", True)
    assert closed.text.endswith(": a drill")
    assert "closed already" in resolved("close", said["id"], code=2).err


def test_a_closed_record_holds_its_documentation_and_verifies(resolved: Phone) -> None:
    said = json.loads(resolved("close", "--override", "--reason", "a drill", "--json").out)
    folder = resolved.folder / "incidents" / said["id"]
    text = (folder / "attachments" / "initial-documentation.md").read_text()
    for each in POLICY.checklists["documentation"].lines:
        assert f"## {each.text}" in text
    assert "20 % complete" in text
    assert "a bad release" in text
    assert "**Missing**: firstwatch postmortem --customers" in text
    assert verify(folder).whole
    (folder / "attachments" / "initial-documentation.md").write_text("other")
    assert not verify(folder).whole


def test_ticks_of_people_open_the_gate(resolved: Phone) -> None:
    incident = resolved.state().id
    for each in POLICY.checklists["closure"].lines:
        resolved("check", each.id, "--reason", "seen", "-i", incident)
    assert "closed; documentation 20 % complete" in resolved("close").out


def test_a_line_that_asks_for_evidence_is_not_ticked_without(resolved: Phone) -> None:
    incident = resolved.state().id
    assert "--reason is empty" in resolved("check", "presented", "-i", incident, code=2).err
    resolved("check", "presented", "--reason", "https://wiki.example.com/talk", "-i", incident)
