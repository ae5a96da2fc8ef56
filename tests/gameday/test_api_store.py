"""The store: versions, and how far back it remembers."""

import asyncio

import pytest

from gameday.api import store
from gameday.api.errors import Refusal
from gameday.kinds import CONFIG_MAP


def named(name: str) -> dict:
    return {"metadata": {"name": name, "namespace": "prod"}}


def test_each_write_has_the_next_version() -> None:
    objects = store.Store()
    versions = [int(objects.put(CONFIG_MAP, named(name))["metadata"]["resourceVersion"]) for name in "aab"]
    assert versions == [versions[0], versions[0] + 1, versions[0] + 2]


def test_a_feed_begins_where_it_is_told_to() -> None:
    async def told() -> list:
        objects = store.Store()
        since = int(objects.put(CONFIG_MAP, named("a"))["metadata"]["resourceVersion"])
        objects.put(CONFIG_MAP, named("b"))
        feed = objects.follow(CONFIG_MAP, since)
        objects.remove(CONFIG_MAP, objects.get(CONFIG_MAP, "prod", "a"))
        return await feed.take()

    added, removed = asyncio.run(told())
    assert (added.former, added.present["metadata"]["name"]) == (None, "b")
    assert (removed.former["metadata"]["name"], removed.present) == ("a", None)


def test_what_is_too_long_ago_has_expired() -> None:
    objects = store.Store()
    for _ in range(store.KEPT_CHANGES + 2):
        objects.put(CONFIG_MAP, named("a"))
    with pytest.raises(Refusal) as refused:
        objects.follow(CONFIG_MAP, 2)
    assert (refused.value.code, refused.value.reason) == (410, "Expired")


def test_a_reader_that_is_too_far_behind_is_ended() -> None:
    async def last() -> object:
        objects = store.Store()
        feed = objects.follow(CONFIG_MAP, objects.version)
        for _ in range(store.MOST_UNREAD + 1):
            objects.put(CONFIG_MAP, named("a"))
        return (await feed.take())[-1]

    assert asyncio.run(last()) is None
