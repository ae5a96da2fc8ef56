"""What is suggested: the extended team and the highest level. Nothing of it happens by itself."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from test_people_commands import Phone, declared, typed  # noqa: F401  # fixtures

from firstwatch.policy import tables
from firstwatch.policy.facts import Facts, Grade, Impact, Moment, Turn
from firstwatch.policy.suggestions import suggestions

POLICY = tables.load()
T0 = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
SPONSOR, TOP = "firstwatch assign sponsor PERSON --reason TEXT", "firstwatch escalate --level L4 --reason TEXT"


def facts(severity: str = "SEV1", **more: tuple[Moment, ...]) -> Facts:
    return Facts(declared=(Moment(at=T0),), grades=(Grade(at=T0, severity=severity),), **more)  # type: ignore[arg-type]


def suggested(known: Facts, minutes: float) -> list[str]:
    return [each.what for each in suggestions(POLICY, known, T0 + timedelta(minutes=minutes))]


@pytest.mark.parametrize(("severity", "minutes"), [("SEV1", 30), ("SEV2", 60), ("SEV3", 120)])
def test_an_incident_that_is_extended_suggests_a_sponsor(severity: str, minutes: float) -> None:
    assert suggested(facts(severity), minutes - 0.01) == []
    assert suggested(facts(severity), minutes) == ["sponsor"]


def test_what_has_no_update_period_is_never_extended_and_what_is_over_asks_for_nobody() -> None:
    assert suggested(facts("SEV4"), 10_000) == []
    assert suggested(facts(turns=(Turn(at=T0 + timedelta(minutes=40), resolved=True),)), 50) == []
    assert suggested(Facts(), 50) == []


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        ({"money": "12000 EUR"}, ["sponsor", "L4"]), ({"reputation": "3 complaints"}, ["sponsor", "L4"]),
        ({"customers": "120 of 4000 customers"}, []), ({"money": "none"}, []), ({"money": "None"}, []),
        ({"money": "not known yet"}, []), ({"reputation": "no complaints"}, []), ({"reputation": "0 complaints"}, []),
        ({"money": "0.5 M EUR"}, ["sponsor", "L4"]),
    ],
    ids=lambda value: " ".join(value.values()) if isinstance(value, dict) else None,
)  # fmt: skip
def test_an_impact_that_costs_something_suggests_a_sponsor_and_the_highest_level(
    cost: dict[str, str], expected: list[str]
) -> None:
    assert suggested(facts(impacts=(Impact(at=T0, source="billing", **cost),)), 1) == expected


def test_what_was_said_last_of_the_impact_counts() -> None:
    said = (Impact(at=T0, money="9 EUR", source="a"), Impact(at=T0, money="none", source="b"))
    assert suggested(facts(impacts=said), 1) == []


def test_somebody_joins_the_extended_team_only_with_a_reason(declared: Phone) -> None:  # noqa: F811
    for role in ("sme", "support", "legal", "sponsor"):
        refused = declared("assign", role, "somebody", code=2).err
        assert f"{role} is of the extended team: give the reason why they are needed" in refused
    declared("assign", "sme", "somebody", "--reason", " ", code=2)
    assert declared.state().people.roles == {}
    declared("assign", "sme", "somebody", "--reason", "knows the pool")
    assert "sme is somebody: knows the pool" in declared.state().timeline[-1].text
    declared("assign", "scribe", "somebody")


def test_on_a_terminal_the_reason_is_asked_for(declared: Phone) -> None:  # noqa: F811
    declared.patch.setattr("sys.stdin.isatty", lambda: True)
    asked: list[str] = []
    answers = iter(["", "the regulator calls"])

    def prompt(question: str, **_: object) -> str:
        asked.append(question)
        return next(answers)

    declared.patch.setattr("typer.prompt", prompt)
    assert "give the reason" in declared("assign", "legal", "counsel", code=2).err
    declared("assign", "legal", "counsel")
    assert asked == ["Why is legal needed"] * 2
    assert declared.state().people.assignments[-1].reason == "the regulator calls"


def test_a_flag_and_an_incident_that_goes_on_suggest_whom_to_add(declared: Phone) -> None:  # noqa: F811
    assert "firstwatch assign legal PERSON --reason TEXT: flag regulatory" in declared("flag", "regulatory").out
    assert SPONSOR not in declared("status").out
    later = declared("status", "--at", "+61m").out
    assert f"{SPONSOR}: extended since" in later
    declared("assign", "sponsor", "cto", "--reason", "it goes on")
    declared("assign", "legal", "counsel", "--reason", "the regulator calls")
    assert json.loads(declared("status", "--at", "+61m", "--json").out)["suggested"] == []


def test_an_assessed_impact_suggests_the_highest_level_and_nobody_is_escalated_by_it(
    declared: Phone,  # noqa: F811
) -> None:
    declared("postmortem", declared.state().id, "--money", "12000 EUR", "--source", "billing")
    said = declared("status").out
    assert f"{TOP}: money 12000 EUR (from billing)" in said
    assert f"{SPONSOR}: money 12000 EUR (from billing)" in said
    assert declared.state().people.level == "L1"
    assert "escalate-l4" not in declared.duties()
    found = json.loads(declared("status", "--json").out)["suggested"]
    assert [(each["what"], each["command"]) for each in found] == [("sponsor", SPONSOR), ("L4", TOP)]
    declared("escalate", "--level", "L4", "--reason", "12000 EUR")
    assert TOP not in declared("status").out
