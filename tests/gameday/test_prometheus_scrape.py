"""One target scraped over the wire, at moments that the test gives: what is kept, what is refused, what ends."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from prometheus_world import Service, target

from gameday.prometheus import labelset, scrape
from gameday.prometheus.discovery import Job, Static
from gameday.prometheus.evaluate import Evaluation
from gameday.prometheus.language import parse
from gameday.prometheus.scrape import Report, Scraper
from gameday.prometheus.series import Store


class Hand:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.second = 0

    def now(self) -> datetime:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=self.second)

    def monotonic_ns(self) -> int:
        return self.second * 10**9

    def sleep(self, seconds: float) -> None: ...


def scraped(service: Service, store: Store, *steps: Callable[[], None], timeout_ms: int = 30_000) -> Report:
    """Scrape once a second, each time after the next of *steps*; return how the last scrape went."""
    job = Job("api", 1000, timeout_ms, "/metrics", (Static((service.address,), {"zone": "a"}),), ())
    (place,) = job.targets([])
    clock = Hand()

    async def work() -> Report:
        async with aiohttp.ClientSession() as session:
            scraper = Scraper(place, store, session, clock)
            for clock.second, step in enumerate(steps):
                step()
                await scraper.scrape()
            return scraper.report

    return asyncio.run(work())


def shown(store: Store, query: str, second: float) -> dict[str, float]:
    found = Evaluation(store, parse(query)).at(int(second * 1000))
    return {labelset.show(labelset.drop(each.labels, ("instance",))): each.value for each in found}


@pytest.fixture
def service():
    with target(Service(lambda: 'a{job="own",zone="b"} 1\nb 2\n')) as service:
        yield service


def nothing() -> None: ...


def test_a_scrape_keeps_what_was_said_and_how_it_went(service) -> None:
    store = Store()
    assert scraped(service, store, nothing) == Report("up", "", 0, 0.0)
    assert shown(store, "{job='api'}", 0) == {
        'a{exported_job="own", exported_zone="b", job="api", zone="a"}': 1,
        'b{job="api", zone="a"}': 2,
        'scrape_duration_seconds{job="api", zone="a"}': 0,
        'scrape_samples_scraped{job="api", zone="a"}': 2,
        'up{job="api", zone="a"}': 1,
    }


def test_a_series_that_is_said_no_more_ends(service) -> None:
    def less() -> None:
        service.text = lambda: "b 3\n"

    store = Store()
    scraped(service, store, nothing, less)
    assert shown(store, "{__name__=~'[ab]'}", 1) == {'b{job="api", zone="a"}': 3}
    assert len(shown(store, "{__name__=~'[ab]'}", 0.999)) == 2


@pytest.mark.parametrize(
    ("field", "value", "timeout_ms", "problem"),
    [
        ("status", 500, 30_000, "server returned HTTP status 500 Internal Server Error"),
        ("text", lambda: "b 3\n<html>\n", 30_000, "line 2: no metric name: '<html>'"),
        ("text", lambda: "b 3\n" + "#" * scrape.MOST_BYTES, 30_000, "body of more than 10485760 bytes"),
        ("delay_s", 0.6, 400, "no answer within 400 ms"),
    ],
)
def test_a_scrape_that_fails_ends_all_its_series_and_says_why(service, field, value, timeout_ms, problem) -> None:
    store = Store()
    report = scraped(service, store, nothing, lambda: setattr(service, field, value), timeout_ms=timeout_ms)
    assert (report.health, report.error) == ("down", problem)
    assert shown(store, "{__name__=~'[ab]'}", 1) == {}
    assert shown(store, "up", 1) == {'up{job="api", zone="a"}': 0}


def test_a_target_that_refuses_connections_is_down() -> None:
    store = Store()
    report = scraped(Service(lambda: "", port=1), store, nothing)
    assert report.health == "down"
    assert "Cannot connect" in report.error


def test_a_sample_with_a_time_of_its_own_outlives_the_scrape(service) -> None:
    def dated() -> None:
        service.text = lambda: "b 3 500\n"

    def gone() -> None:
        service.text = lambda: ""

    store = Store()
    scraped(service, store, dated, gone)
    assert shown(store, "timestamp(b)", 1) == {'{job="api", zone="a"}': 0.5}


def test_a_target_of_too_many_series_is_down_and_the_others_go_on(service) -> None:
    def more() -> None:
        service.text = lambda: "\n".join(f'b{{n="{n}"}} 1' for n in range(9))

    store = Store(most_series=7)
    report = scraped(service, store, nothing, more)
    assert "at most 7 series, and 9 are new: b{" in report.error
    assert shown(store, "{__name__=~'[ab]'}", 1) == {}
    assert shown(store, "up", 1) == {'up{job="api", zone="a"}': 0}
