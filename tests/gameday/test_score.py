"""The score of a game: pure over a record, so each point is won and lost here without a world."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from firstwatch.errors import NotFound
from firstwatch.model import Actor, Change, Finding, Findings, Plan, Target, Verdict
from firstwatch.policy.duties import Duty
from firstwatch.record.event import Event
from firstwatch.record.journal import Journal, read
from gameday.game import Game, differing, failed
from gameday.scenarios import SCENARIOS
from gameday.score import After, Score, score
from gameday.world.folder import Folder

BEGAN = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
FEATURE = SCENARIOS["feature"]
ABOUT, MECHANISM = FEATURE.truth[0]
WELL = After(well=True, left=(), failed=0)


class At:
    """A clock that a test sets, in seconds since the fault."""

    seconds = 0.0

    def now(self) -> datetime:
        return BEGAN + timedelta(seconds=self.seconds)

    def monotonic_ns(self) -> int:
        return int(self.seconds * 1e9)

    def sleep(self, seconds: float) -> None: ...


Tell = Callable[..., None]


@pytest.fixture
def clock() -> At:
    return At()


@pytest.fixture
def book(tmp_path: Path, clock: At) -> Journal:
    folder = tmp_path / "2026-11-24-020000"
    folder.mkdir()
    made = Journal(folder / "journal.jsonl", clock, Actor("on-call"), "tester@here")
    made.append("opened", {"practice": True})
    return made


@pytest.fixture
def tell(book: Journal, clock: At) -> Tell:
    def said(seconds: float, kind: str, **body: object) -> None:
        clock.seconds = seconds
        book.append(kind, body)

    return said


def events(book: Journal) -> tuple[Event, ...]:
    return tuple(read(book.path))


def seen(about: str, mechanism: str, verdict: str = "BAD") -> Findings:
    words = {"expected": "", "observed": "", "probe": "settings"}
    return Findings((Finding(verdict=Verdict(verdict), object=about, mechanism=mechanism, **words),))


def changed(tell: Tell, at: float, verdict: str, name: str = "scale") -> None:
    """A change that was applied *at*, and the verification that came after it."""
    target = Target("Deployment", "shop", "api", "u", 1)
    change = Change("/spec/replicas", 3, 5)
    plan = Plan(
        action=name, target=target, changes=(change,), summary=(), undo=(change.inverse(),), destructive=False
    )  # fmt: skip
    tell(at, "intent", key=name, hash=plan.hash, plan=plan)
    tell(at + 1, "outcome", key=name, plan=plan.hash, result="ok")
    tell(at + 20, "verified", findings=seen(ABOUT, MECHANISM, verdict), verdict=verdict, plan=plan.hash)


def scored(book: Journal, world: After = WELL, duties: tuple[Duty, ...] = ()) -> Score:
    return score(FEATURE, BEGAN, events(book), duties, world)


def test_who_finds_heals_and_leaves_nothing_behind_wins_every_point(book: Journal, tell: Tell) -> None:
    tell(10, "looked", findings=seen(ABOUT, "errors-served"), verdict="BAD")
    tell(30, "looked", findings=seen(ABOUT, MECHANISM), verdict="BAD")
    changed(tell, 60, "OK")
    found = scored(book)
    assert set(found.passed.values()) == {True}
    assert (found.diagnosed_s, found.cured_s) == (30.0, 80.0)


def test_who_only_looks_has_no_cure_and_one_who_does_not_has_no_diagnosis(book: Journal, tell: Tell) -> None:
    tell(30, "looked", findings=seen("Deployment/shop/other", MECHANISM), verdict="BAD")
    found = scored(book, After(well=False, left=(), failed=600))
    assert (found.diagnosed_s, found.cured_s, found.passed["cure"], found.user_minutes) == (None, None, False, 10.0)


def test_a_truth_that_is_found_well_is_no_diagnosis(book: Journal, tell: Tell) -> None:
    tell(30, "looked", findings=seen(ABOUT, MECHANISM, "OK"), verdict="OK")
    assert scored(book).diagnosed_s is None


def test_what_was_seen_before_the_fault_counts_for_nothing(book: Journal, tell: Tell) -> None:
    tell(-5, "looked", findings=seen(ABOUT, MECHANISM), verdict="BAD")
    assert scored(book).diagnosed_s is None


def test_a_change_after_which_users_are_still_hurt_is_a_wrong_cure(book: Journal, tell: Tell) -> None:
    changed(tell, 60, "BAD", "restart")
    changed(tell, 120, "OK", "rollback")
    found = scored(book)
    assert (found.wrong, found.passed["no wrong cure"], found.cured_s) == (("restart",), False, 140.0)


def test_a_change_that_nobody_verified_is_a_wrong_cure_too(book: Journal, tell: Tell) -> None:
    changed(tell, 60, "UNKNOWN", "scale")
    assert scored(book).wrong == ("scale",)


def test_what_our_change_in_force_differs_by_is_not_something_else(book: Journal, tell: Tell) -> None:
    changed(tell, 60, "OK")
    left = ("Deployment/spec/replicas", "ConfigMap/data/banner", "Service/spec/replicas")
    assert scored(book, After(well=True, left=left, failed=0)).left == left[1:]


def test_duties_that_were_missed_or_are_late_are_named(book: Journal) -> None:
    def duty(name: str, state: str) -> Duty:
        return Duty(name, "on-call", BEGAN, state, "", BEGAN)

    states = ("met", "missed", "overdue", "due")
    found = scored(book, duties=tuple(duty(each, each) for each in states))
    assert (found.duties_met, found.duties_missed, found.passed["duties"]) == (1, ("missed", "overdue"), False)


def test_what_differs_is_named_by_its_path() -> None:
    before = {"spec": {"replicas": 3, "containers": [{"image": "a"}]}, "data": {"x": "1"}}
    after = {"spec": {"replicas": 5, "containers": [{"image": "b"}]}, "data": {"x": "1", "y": "2"}}
    assert [*differing(before, after, "K")] == ["K/data/y", "K/spec/containers/0/image", "K/spec/replicas"]
    assert [*differing(before, before, "K")] == []


def test_requests_without_a_good_answer_are_counted(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert failed(folder) == 0
    folder.load.write_text(json.dumps({"requests": {"200": 90, "404": 3, "500": 7, "none": 5}}))
    assert failed(folder) == 12


def test_without_a_fault_there_is_no_game(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no game"):
        Game.read(Folder(tmp_path))
