"""
Chat and tickets against an implementation that is not ours: `make test-emulate`, which starts npm's emulate.

Our own fakes show what we believe of Slack and GitHub. This shows what somebody else believes. Emulate answers Slack's
reads to POST alone, while Slack documents GET for them and we ask so: what looks into a channel is not tried here.
"""

import json
import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import exchange
import pytest
from exchange import Exchange, draft, state

from firstwatch.record.messages import State

SLACK, GITHUB = os.environ.get("FIRSTWATCH_EMULATE_SLACK", ""), os.environ.get("FIRSTWATCH_EMULATE_GITHUB", "")
UPDATE = exchange.UPDATE
pytestmark = pytest.mark.emulate


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Exchange]:
    with exchange.exchange(tmp_path) as made:
        yield made


def asked(url: str, body: object = None) -> Any:
    sent = None if body is None else json.dumps(body).encode()
    head = {"Authorization": "Bearer tester", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, sent, head), timeout=10) as answer:
        return json.load(answer)


def channel(world: Exchange) -> dict[str, Any]:
    return {"slack": world.channels()["slack"] | {"url": f"{SLACK}/api"}}


def test_a_declaration_makes_its_channel_and_is_posted_and_pinned_and_updates_follow(world: Exchange) -> None:
    box = world.outbox(**channel(world))
    box.queue(exchange.ONE["slack"], draft("slack", "update", UPDATE))
    box.deliver()
    assert [each.state for each in box.record.incident().messages] == [State.DELIVERED] * 2, state(box).error
    room = box.record.incident().made["slack"].reference
    posts = asked(f"{SLACK}/api/conversations.history", {"channel": room})["messages"]
    pinned = asked(f"{SLACK}/api/pins.list", {"channel": room})["items"]
    assert (len(posts), len(pinned)) == (2, 1)
    assert "(not pinned" not in box.record.incident().messages[0].receipt


def test_a_ticket_is_opened_and_commented(world: Exchange) -> None:
    repository = asked(f"{GITHUB}/user/repos", {"name": f"ops-{os.getpid()}"})["full_name"]
    tracker = world.github() | {"url": GITHUB, "project": repository}
    box = world.outbox(tracker=tracker)
    box.queue(exchange.ONE["tracker"], draft("tracker", "update", UPDATE))
    for _ in range(2):
        box.deliver()
    assert [each.state for each in box.record.incident().messages] == [State.DELIVERED] * 2, state(box).error
    (issue,) = asked(f"{GITHUB}/repos/{repository}/issues")
    assert (issue["title"], issue["comments"]) == ("SEV1: API errors", 1)
