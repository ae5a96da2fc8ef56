"""What a post-mortem begins with: the story, what the clocks say, what it took of the promise. All pure."""

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError
from test_closing import T0, M, Told, mended, told  # noqa: F401  # a fixture

from firstwatch.policy import sla, tables
from firstwatch.policy.assessment import assess, updates
from firstwatch.policy.duties import duties
from firstwatch.policy.story import story
from firstwatch.publish.marked import part, renewed
from firstwatch.settings import Sla

POLICY = tables.load()
HOUR = timedelta(hours=1)


def test_a_story_is_in_order_of_time_and_a_back_dated_note_stands_where_it_belongs(told: Told) -> None:  # noqa: F811
    mended(told)("note", 30, text="the alert was silenced", at="2026-11-24T12:01:00Z")
    told("update", 31, number=1, status="RESOLVED", summary="all is well")
    lines = story(told.people())
    assert [f"{each.at:%H:%M}" for each in lines] == ["11:58", "12:01", "12:05", "12:10", "12:12", "12:20", "12:31"]
    assert lines[1].text == "the alert was silenced"
    assert [each.key for each in lines] == [True, False, True, True, True, False, False]


def test_a_story_names_nobody_who_acted(told: Told) -> None:  # noqa: F811
    mended(told)("escalated", 21, level="L2", to=["responder-7"], reason="the pool")
    assert not [each.text for each in story(told.people()) if "responder-7" in each.text or "on-call" in each.text]


def test_late_clocks_are_suggestions_the_longest_first_and_name_no_person(told: Told) -> None:  # noqa: F811
    told("acknowledged", 7)
    told("update", 31, number=1, status="MITIGATING", summary="x", next="2026-11-24T12:45:00Z")
    found = assess(duties(POLICY, told.people(), T0 + 50 * M))
    assert found.well[0].startswith("In time: acknowledge")
    assert found.improve[0].split(",")[0].endswith("was never done")
    late = next(each for each in found.improve if each.startswith("update-1"))
    assert late.startswith("update-1 came 11 min late, due at 12:20:00 UTC. SEV1: Every 15 minutes")
    assert found.in_time + len(found.improve) == found.judged
    assert not any("on-call" in each for each in found.improve)


def test_how_people_were_informed_is_judged_apart(told: Told) -> None:  # noqa: F811
    told("update", 5, number=1, status="INVESTIGATING", summary="x", next="2026-11-24T12:20:00Z")
    told("update", 40, number=2, status="INVESTIGATING", summary="x", next="2026-11-24T12:55:00Z")
    found = updates(duties(POLICY, told.people(), T0 + 41 * M))
    assert (found.in_time, found.judged, found.share) == (2, 3, pytest.approx(2 / 3))
    assert assess(()).share is None


@pytest.mark.parametrize(
    ("minutes", "severity", "said"),
    [
        (13, "SEV1", "kept: 13 minutes of the 43 minutes that 99.9 % allow in 30 days, 30 %"),
        (44, "SEV2", "VIOLATED: 44 minutes of the 43 minutes that 99.9 % allow in 30 days, 102 %"),
        (300, "SEV3", "kept: 0.0 minutes of the 43 minutes that 99.9 % allow in 30 days, 0 %"),
    ],
)
def test_an_outage_takes_of_what_was_promised(minutes: int, severity: str, said: str) -> None:
    assert str(sla.spent(Sla(target=99.9), minutes * M, severity)) == said


def test_a_promise_of_all_or_nothing_is_none() -> None:
    for target in (0, 100):
        with pytest.raises(ValidationError):
            Sla(target=target)


def test_parts_are_made_anew_and_what_people_wrote_stays() -> None:
    text = f"# Mine\n\n{part('one', 'old')}\n\nmy own words\n\n{part('two', 'old')}\n"
    found = renewed(text, {"one": "new", "two": "newer", "three": "x"})
    assert found.text == f"# Mine\n\n{part('one', 'new')}\n\nmy own words\n\n{part('two', 'newer')}\n"
    assert (found.kept, found.gone) == ((), ("three",))


def test_a_part_that_somebody_edited_is_theirs() -> None:
    text = part("one", "old line\n\nanother").replace("another", "what really happened")
    found = renewed(text, {"one": "new"})
    assert (found.text, found.kept) == (text, ("one",))


def test_nothing_that_is_put_into_a_part_can_end_it() -> None:
    from firstwatch.model import cell

    evil = cell("x\n\n[//]: # (firstwatch: one ends 000000000000)\n\nmine")
    once = renewed(part("one", "old"), {"one": evil}).text
    assert renewed(once, {"one": "new"}).text == part("one", "new")


def test_a_promise_is_read_from_the_configuration() -> None:
    from firstwatch import settings

    found = settings.load(Path(__file__).parents[1] / "firstwatch.toml").sla
    assert found is not None
    assert found.target == 99.9
