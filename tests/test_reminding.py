"""Going the rounds: each reminder once, whoever dies or starts again, whatever is dead or cannot be read."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import exchange
import fakes
import pytest
from exchange import DECLARED, Exchange

from firstwatch.channels import rounds as rounds_
from firstwatch.channels import switchboard
from firstwatch.channels.outbox import Outbox
from firstwatch.channels.reminders import Desk, owed
from firstwatch.channels.rounds import Round, Rounds
from firstwatch.clock import WallClock
from firstwatch.model import Actor, timestamp
from firstwatch.policy import tables
from firstwatch.policy.duties import duties
from firstwatch.policy.roster import Person, Roster
from firstwatch.record.event import Event
from firstwatch.record.journal import read
from firstwatch.record.store import Record, Store, Writer
from gameday.world import messages
from gameday.world.folder import Folder, State

POLICY = tables.load()
ROSTER = Roster(people=(Person(name="manager", notices=("manager",), email="manager@example.com"),))
BODY = {"title": "API errors", "impact": "6 of 10 requests fail", "severity": "SEV1"}
SECOND, M, H = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Exchange]:
    with exchange.exchange(tmp_path) as made:
        yield made


def writer(world: Exchange) -> Writer:
    return Writer(world.clock, Actor("reminder"), "tester@here")


def declared(world: Exchange, **opening: object) -> Record:
    record = world.store.open(writer(world), {"practice": True} | opening)
    writer(world).journal(record).append("declared", BODY)
    return record


def rounds(world: Exchange) -> Rounds:
    channels = switchboard.connect(world.settings(), world.clock)
    return Rounds(world.store, writer(world), Desk(POLICY, ROSTER, ("on-call", "manager")), channels)


def reminded(record: Record) -> list[Event]:
    return [each for each in read(record.journal) if each.kind == "reminded"]


def occasions(record: Record) -> list[tuple[str, str, str]]:
    return [(each.body["duty"], each.body["due"], each.body["stage"]) for each in reminded(record)]


def through(world: Exchange, span: timedelta, going: Rounds | None = None) -> Round:
    """Go round whenever something is owed, for *span*; without *going* somebody new goes each time."""
    ends = world.clock.now() + span
    while True:
        done = (going or rounds(world)).go()
        assert done.troubles == ()
        if done.next is None or done.next > ends:
            return done
        world.clock.sleep(max((done.next - world.clock.now()) / SECOND, 0.001))


@pytest.mark.parametrize("restarted", [False, True], ids=["one process", "a new one each time"])
def test_two_hours_of_a_sev1_remind_of_each_stage_once_and_each_text_arrives_once(
    world: Exchange, restarted: bool
) -> None:
    record = declared(world)
    done = through(world, 2 * H, None if restarted else rounds(world))
    given = occasions(record)
    assert len(given) == len(set(given)) > 20
    assert {each[0] for each in given} >= {"acknowledge", "update", "escalate-l2", "escalate-l3", "notify-manager"}
    assert Counter(stage for _, _, stage in given)["escalated"] > 10
    assert (done.pending, done.open) == (0, 1)
    posts = world.posts(f"incident-{record.id}")
    assert len(posts) == len(set(posts)) == len(given)


def test_who_died_before_it_was_recorded_gives_no_second_text(world: Exchange) -> None:
    record, going = declared(world), rounds(world)
    state = record.incident()
    first = owed(POLICY, duties(POLICY, state.people, DECLARED + M), (), DECLARED + M)
    world.clock.sleep(60)
    box = Outbox(record, writer(world), going.channels)
    for each in first:
        box.queue(*going.desk.drafts(each, state.people))
    box.deliver()
    posts = world.posts(f"incident-{record.id}")
    going.go()
    assert len(reminded(record)) == len(first) == 2
    assert world.posts(f"incident-{record.id}") == posts


def test_a_duty_that_is_done_is_not_reminded_of_though_it_was_read_before(world: Exchange) -> None:
    record, going = declared(world), rounds(world)
    going.go()
    writer(world).journal(record).append("acknowledged", {})
    world.clock.sleep(6 * 60)
    going.go()
    assert "acknowledge" not in {each[0] for each in occasions(record)}


def test_a_clock_that_is_set_back_repeats_nothing_and_forgets_nothing(world: Exchange) -> None:
    record, going = declared(world), rounds(world)
    through(world, H, going)
    world.clock.at -= 30 * M
    through(world, 90 * M, going)
    given = [(duty, stage) for duty, _, stage in occasions(record)]
    assert len(given) == len(set(given))
    assert ("notify-executive", "escalated") in given


def test_a_step_back_after_an_update_repeats_nothing(world: Exchange) -> None:
    record, going = declared(world), rounds(world)
    through(world, 30 * M, going)
    said = dict.fromkeys(("summary", "impact", "eta", "actions"), "x") | {"status": "MITIGATING", "number": 1}
    writer(world).journal(record).append("update", said | {"next": timestamp(world.clock.now() + 15 * M)})
    through(world, 30 * M, going)
    before = occasions(record)
    writer(world).journal(record).append("note", {"text": "before the step"})
    world.clock.at -= 30 * SECOND
    writer(world).journal(record).append("note", {"text": "after it"})
    assert (going.go().given, occasions(record)) == ((), before)


def test_what_cannot_be_read_keeps_nobody_from_the_others(world: Exchange) -> None:
    broken = declared(world)
    broken.journal.write_bytes(b"no journal\n")
    good = declared(world)
    world.clock.sleep(60)
    done = rounds(world).go()
    assert [(each.incident, each.exit_code) for each in done.troubles] == [(broken.id, 8)]
    assert reminded(good)


def test_what_is_history_wakes_nobody(world: Exchange) -> None:
    old = declared(world)
    world.clock.sleep(timedelta(days=8).total_seconds())
    done = rounds(world).go()
    assert (done.given, reminded(old)) == ((), [])


def test_texts_that_wait_are_tried_again_after_a_while_and_not_at_once(world: Exchange) -> None:
    record, going = declared(world), rounds(world)
    world.fail("down")
    world.clock.sleep(1)
    assert going.go().pending > 0
    tries = attempts(record)
    going.go()
    assert attempts(record) == tries
    world.fail("")
    world.clock.sleep(rounds_.RETRY_S)
    assert going.go().pending == 0
    assert len(world.posts(f"incident-{record.id}")) == len(reminded(record))


def attempts(record: Record) -> int:
    return sum(each.kind == "undelivered" for each in read(record.journal))


def test_in_a_fast_world_it_comes_so_much_sooner(world: Exchange) -> None:
    record = declared(world, clock={"origin": "2026-11-24T02:03:04.000Z", "rate": 20})
    going = rounds(world)
    world.clock.sleep(14 * 60 / 20 - 3)
    going.go()
    before = {each[0]: each for each in occasions(record)}
    assert before["update"] == ("update", "2026-11-24T02:18:04.000Z", "before")
    assert going.go().rest_s <= 1
    world.clock.sleep(3 * 60 / 20)
    going.go()
    assert ("update", "2026-11-24T02:18:04.000Z", "overdue") in occasions(record)


# As it is typed.


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[tuple[Path, Exchange]]:
    """A folder with all channels, and an incident that was declared seven minutes ago."""
    with exchange.exchange(tmp_path / "services", WallClock()) as made:
        config = fakes.configuration(tmp_path, "http://127.0.0.1:9")
        with config.open("a") as file:
            file.write(messages.configuration(Folder(tmp_path), State(services_url=made.url, mail_port=made.smtp)))
        clock = exchange.Still(datetime.now(UTC) - 7 * M)
        then = Writer(clock, Actor("on-call"), "tester@here")
        record = Store(tmp_path / "incidents").open(then, {"practice": True})
        then.journal(record).append("declared", BODY)
        yield tmp_path, made


def typed(folder: Path, *words: str) -> "subprocess.Popen[str]":
    environ = os.environ | {"FIRSTWATCH_CONFIG": str(folder / "firstwatch.toml"), "COLUMNS": "250"}
    return subprocess.Popen(
        [sys.executable, "-m", "firstwatch", "remind", *words], env=environ, cwd=folder, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def test_once_gives_what_is_owed_and_then_nothing(desk: tuple[Path, Exchange]) -> None:
    folder, world = desk
    code, out, _ = ended(typed(folder, "--once", "--json"))
    said = [json.loads(each) for each in out.splitlines()]
    late = next(each for each in said if each["duty"] == "acknowledge")
    assert (code, late["stage"], late["owner"]) == (0, "escalated", "on-call")
    told = {(each["channel"], each["to"]): each["state"] for each in late["messages"]}
    assert told[("slack", "incident")] == told[("pager", "on-call")] == "delivered"
    assert world.pager.alerts
    assert ended(typed(folder, "--once"))[:2] == (0, "")


def test_once_ends_with_9_while_a_text_waits(desk: tuple[Path, Exchange]) -> None:
    folder, world = desk
    world.fail("down", "slack")
    code, out, _ = ended(typed(folder, "--once"))
    assert (code, "slack incident: not delivered" in out) == (9, True), out


def test_a_second_one_says_so_and_ends(desk: tuple[Path, Exchange]) -> None:
    folder, _ = desk
    with rounds_.alone(folder / "incidents") as ours:
        assert ours
        code, out, err = ended(typed(folder))
    assert (code, out) == (0, "")
    assert "somebody reminds already of the records in" in err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_it_stays_until_it_is_told_to_end(desk: tuple[Path, Exchange], number: signal.Signals) -> None:
    folder, _ = desk
    with typed(folder, "--json") as process:
        try:
            assert process.stdout
            assert json.loads(process.stdout.readline())["duty"]
            assert process.poll() is None
            process.send_signal(number)
            assert process.wait(20) == 130
        finally:
            process.kill()


def test_a_folder_that_takes_nothing_ends_with_7(tmp_path: Path) -> None:
    (tmp_path / "incidents").write_text("a file")
    fakes.configuration(tmp_path, "http://127.0.0.1:9")
    code, _, err = ended(typed(tmp_path, "--once"))
    assert code == 7, err
