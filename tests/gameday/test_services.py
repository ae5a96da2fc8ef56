"""The services of a game day on the wire: they check what they are sent, slow down, fail when told, and show it."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import exchange
import httpx2
import pytest
from exchange import STATUS, TEXT, Exchange, draft

from gameday.services.statuspage import PAGE


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Exchange]:
    with exchange.exchange(tmp_path) as made:
        yield made


def asked(world: Exchange, method: str, path: str, body: object = None, credential: str = "") -> tuple[int, dict]:
    headers = {"Authorization": credential} if credential else {}
    answer = httpx2.request(method, world.url + path, json=body, headers=headers, trust_env=False, timeout=30)
    return answer.status_code, answer.json()


def secret(world: Exchange, name: str) -> str:
    return (world.folder / name).read_text()


@pytest.mark.parametrize(
    ("method", "body", "error"),
    [
        ("chat.postMessage", {"channel": "#nowhere", "text": "x"}, "channel_not_found"),
        ("chat.postMessage", {"channel": "#incidents"}, "no_text"),
        ("chat.postMessage", {"channel": "#incidents", "text": "x" * 40_001}, "msg_too_long"),
        ("conversations.create", {"name": "Not A Name"}, "invalid_name_specials"),
        ("conversations.create", {"name": "incidents"}, "name_taken"),
        ("pins.add", {"channel": "#incidents", "timestamp": "1"}, "message_not_found"),
        ("users.delete", {}, "unknown_method"),
    ],
)
def test_chat_refuses_in_its_own_words(world: Exchange, method: str, body: dict, error: str) -> None:
    bearer = f"Bearer {secret(world, 'slack')}"
    assert asked(world, "POST", f"/slack/api/{method}", body, bearer) == (200, {"ok": False, "error": error})
    assert asked(world, "POST", f"/slack/api/{method}", body)[1]["error"] == "invalid_auth"


def test_chat_and_status_page_slow_down_who_asks_too_often(world: Exchange) -> None:
    bearer, key = f"Bearer {secret(world, 'slack')}", f"OAuth {secret(world, 'statuspage')}"
    post = {"channel": "#incidents", "text": "x"}
    chat = [asked(world, "POST", "/slack/api/chat.postMessage", post, bearer)[0] for _ in range(11)]
    page = [asked(world, "GET", f"/statuspage/v1/pages/{PAGE}/incidents", None, key)[0] for _ in range(3)]
    assert (chat, page) == ([200] * 10 + [429], [200, 200, 420])
    world.clock.sleep(1)
    assert asked(world, "GET", f"/statuspage/v1/pages/{PAGE}/incidents", None, key)[0] == 200


@pytest.mark.parametrize(
    ("incident", "said"),
    [
        ({}, "name is required"), ({"name": "x", "status": "broken"}, "status 'broken' is not one of"),
        ({"name": "x", "component_ids": ["nope"]}, "no such component"),
        ({"name": "x", "colour": "red"}, "colour is not"),
        ({"name": "x", "impact_override": "huge"}, "impact_override"), ({"name": "x", "body": "y" * 25_001}, "25,000"),
        ({"name": "x", "metadata": {"a": "b"}}, "values of metadata"),
    ],
)  # fmt: skip
def test_the_status_page_names_what_is_wrong(world: Exchange, incident: dict, said: str) -> None:
    key, path = f"OAuth {secret(world, 'statuspage')}", f"/statuspage/v1/pages/{PAGE}/incidents"
    status, told = asked(world, "POST", path, {"incident": incident}, key)
    assert (status, said in told["error"]) == (422, True), told
    world.clock.sleep(5)
    assert asked(world, "POST", path, incident, key)[0] == 422  # without the wrapping
    assert asked(world, "POST", path, {"incident": incident}, "OAuth wrong")[0] == 401


def test_the_pager_names_every_field_that_is_wrong(world: Exchange) -> None:
    status, told = asked(world, "POST", "/pager/v2/enqueue", {"event_action": "trigger", "payload": {"source": "x"}})
    assert (status, told["status"]) == (400, "invalid event")
    assert [each.split("'")[1] for each in told["errors"]] == ["payload.summary", "payload.severity", "routing_key"]


def test_an_unknown_fault_or_service_is_refused(world: Exchange) -> None:
    assert asked(world, "PUT", "/control/slack", {"fault": "sulk"})[0] == 400
    assert asked(world, "PUT", "/control/fax", {"fault": "down"})[0] == 400
    assert asked(world, "PUT", "/control/slack", {"fault": "429"}) == (200, {"slack": "429"})
    assert asked(world, "POST", "/slack/api/auth.test", {})[0] == 429
    assert asked(world, "GET", "/control")[1]["faults"]["slack"] == "429"


def test_the_page_shows_what_people_see_and_runs_nothing(world: Exchange) -> None:
    box = world.outbox(within_s=30, deadline_s=25)
    attack = "<script>alert(1)</script>"
    box.queue(draft("slack", "declaration", TEXT | {"title": attack}),
              draft("mail", "notice", exchange.NOTICE, "a@b.example"),
              draft("pager", "page", exchange.PAGED | {"title": attack}, "on-call"),
              draft("tracker", "ticket", exchange.TICKET | {"title": attack}))  # fmt: skip
    (id_,) = box.queue(draft("statuspage", "investigating", STATUS["investigating"] | {"name": attack}, "page"))
    box.approve(id_)
    box.deliver()
    world.fail("down", "mail")
    answer = httpx2.get(world.url + "/", trust_env=False, timeout=30)
    assert "<script" not in answer.text
    assert answer.text.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 4
    assert "mail: down" in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_the_program_keeps_its_credentials_to_its_owner_and_ends_when_told(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gameday.services", "--dir", str(tmp_path / "s"), "--port", "0", "--smtp", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        assert process.stderr
        line = process.stderr.readline()
        url = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert url, line
        assert httpx2.get(f"{url[0]}/-/ready", trust_env=False, timeout=30).text == "ready"
        kept = sorted((tmp_path / "s").iterdir())
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert [path.name for path in kept] == ["manager", "on_call", "slack", "statuspage", "tracker"]
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}
