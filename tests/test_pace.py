"""A game day whose clock is fast: its duties are due so much sooner, and its events keep true UTC."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fakes
import pytest
from test_people_commands import Phone

from firstwatch import settings
from firstwatch.channels import announce
from firstwatch.clock import Pace
from firstwatch.errors import BadParameter
from firstwatch.model import parse_time, timestamp
from firstwatch.record.event import Event
from firstwatch.record.incident import fold
from firstwatch.record.journal import read
from firstwatch.record.people import pace
from gameday.world import configuration
from gameday.world.folder import Folder, State

T0 = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
M = timedelta(minutes=1)
URL = "http://127.0.0.1:9"
SERVICE = {"name": "api", "namespace": "prod", "deployment": "api"}
CLOCK = {"origin": T0, "rate": 20}


def test_a_world_s_own_configuration_says_how_fast_it_goes(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    configuration.write(folder, State(speed=20, since=timestamp(T0), services_url=URL, mail_port=25), b"")
    assert settings.load(folder.config).pace == Pace(T0, 20)
    configuration.write(folder, State(since=timestamp(T0), services_url=URL, mail_port=25), b"")
    assert settings.load(folder.config).pace == Pace()


def event(seq: int, at: datetime, kind: str, **body: Any) -> Event:
    return Event(1, seq, "", "2026-11-24-120000", "", {"name": "on-call"}, "", timestamp(at), 0, kind, "", body, "")


def opened(**body: Any) -> Event:
    return event(1, T0, "opened", **body)


def test_a_clock_is_honoured_in_a_game_day_and_refused_anywhere_else() -> None:
    made = settings.parse({"service": SERVICE, "gameday": {}, "clock": CLOCK}, "firstwatch.toml")
    assert made.pace == Pace(T0, 20)
    with pytest.raises(BadParameter, match=r"clock: only a game day's time may go faster; take \[clock\] out"):
        settings.parse({"service": SERVICE, "clock": CLOCK}, "firstwatch.toml")


@pytest.mark.parametrize(
    ("body", "rate"),
    [
        ({"practice": True, "clock": {"origin": timestamp(T0), "rate": 20}}, 20),
        ({"practice": False, "clock": {"origin": timestamp(T0), "rate": 20}}, 1),
        ({"clock": {"origin": timestamp(T0), "rate": 20}}, 1),
        ({"practice": True, "clock": {"origin": timestamp(T0), "rate": 0}}, 1),
        ({"practice": True, "clock": {"origin": timestamp(T0), "rate": "nan"}}, 1),
        ({"practice": True, "clock": {"origin": timestamp(T0), "rate": 1e9}}, 1),
        ({"practice": True, "clock": {"origin": "noon", "rate": 20}}, 1),
        ({"practice": True, "clock": "fast"}, 1),
        ({"practice": True}, 1),
    ],
)  # fmt: skip
def test_only_the_first_event_of_a_game_day_says_how_fast_its_time_goes(body: dict[str, Any], rate: float) -> None:
    assert pace([opened(**body)]).rate == rate


def fast(*more: Event) -> Any:
    return fold([opened(practice=True, clock={"origin": timestamp(T0), "rate": 20}), *more])


def test_what_people_did_is_told_in_the_world_s_time_and_the_events_in_true_utc() -> None:
    state = fast(event(2, T0 + M, "declared", title="t", impact="i", severity="SEV1"))
    assert state.declared_at == T0 + M
    assert state.people.declared[0].at == T0 + 20 * M


def test_texts_say_the_world_s_times() -> None:
    state = fast(
        event(2, T0 + M, "declared", title="t", impact="i", severity="SEV1"),
        event(3, T0 + 4 * M, "resolved", summary="s"),
    )
    assert announce.lasted(state) == "1 hour"
    assert announce._ticket(state)["declared"] == "2026-11-24 12:20"


@pytest.fixture
def typed(
    serve: Callable[[fakes.Server], fakes.Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> Phone:
    """Somebody types in a game day that began ten minutes ago, and whose time goes twenty times as fast."""
    config = fakes.configuration(tmp_path, serve(fakes.failing()).url, practice=True)
    with config.open("a") as file:
        file.write(f"[clock]\norigin = {timestamp(datetime.now(UTC) - 10 * M)}\nrate = 20\n")
    monkeypatch.setenv("FIRSTWATCH_CONFIG", str(config))
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    return Phone(tmp_path, monkeypatch, capsys)


def test_commands_speak_the_world_s_time_and_status_says_that_it_is_fast(typed: Phone) -> None:
    typed("declare", "API errors", "--impact", "6 of 10 requests fail", "--severity", "SEV1", "--detected-at", "5m")
    (journal,) = (typed.folder / "incidents").glob("*/journal.jsonl")
    assert abs(list(read(journal))[-1].time - datetime.now(UTC)) < M
    said = json.loads(typed("status", "--json").out)
    now = parse_time(said["clock"]["now"])
    assert said["clock"]["rate"] == 20
    assert now - datetime.now(UTC) > 180 * M
    due = {each["id"]: parse_time(each["due"]) for each in said["duties"]}
    declared = parse_time(said["declared_at"])
    assert due["acknowledge"] == declared + 5 * M
    assert typed.state().people.detections[0].at <= declared - 4 * M
    shown = typed("status").out
    assert "the clock of this game day is 20 times as fast" in shown
    assert typed.duties("--at", "+2h")["acknowledge"]["state"] == "overdue"
    assert json.loads(typed("status", "--at", "1h", "--json").out)["title"] == ""


def test_an_update_promises_the_next_one_in_the_world_s_time(typed: Phone) -> None:
    typed("declare", "API errors", "--impact", "6 of 10 requests fail", "--severity", "SEV1")
    said = ("--status", "MITIGATING", "--summary", "s", "--eta", "e", "--actions", "a")
    typed("update", *said, "--next", "10m")
    (made,) = typed.state().people.updates
    assert made.next is not None
    assert 9 * M < made.next - made.at <= 10 * M
    assert typed.duties()["update"]["due"] == timestamp(made.next)
