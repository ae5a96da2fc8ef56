"""Where to look: each link opens at the incident's time, and no name can add to its address."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_people_commands import Phone, declared, typed  # noqa: F401  # fixtures

from firstwatch import settings
from firstwatch.policy import links
from firstwatch.publish.around import Around
from firstwatch.publish.shelf import Shelf
from firstwatch.record.store import Record
from firstwatch.settings import Settings

ROOT = Path(__file__).parents[1]
SINCE = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
UNTIL = SINCE + timedelta(hours=1)
BEGIN, END = SINCE - links.BEFORE, UNTIL + links.AFTER
PLAIN = re.compile(r"https?://[A-Za-z0-9\-._~:/?#@!$&'()*+,;=%]+")
LINKED = """
[links]
grafana = "https://grafana.example.com/d/api?orgId=1&from=now-6h"
kibana = "https://kibana.example.com/"
cloudwatch = "https://console.aws.amazon.com/cloudwatch/home"
"""


def everywhere(**service: str) -> Settings:
    """Return the committed settings with every place, and these names of the service."""
    made = settings.load(ROOT / "firstwatch.toml")
    places = {"kibana": "https://kibana.example.com", "prometheus": "https://prometheus.example.com/"}
    return made.model_copy(
        update={"links": made.links.model_copy(update=places), "service": made.service.model_copy(update=service)}
    )


def test_grafana_is_told_milliseconds_and_its_own_variables_stay() -> None:
    url = links.grafana("https://grafana.example.com/d/api?orgId=1&from=now-6h&var-ns=a%20b", BEGIN, END)
    asked = parse_qs(urlsplit(url).query)
    assert asked == {
        "orgId": ["1"], "var-ns": ["a b"], "from": ["1795570200000"], "to": ["1795576500000"], "timezone": ["utc"],
    }  # fmt: skip


def test_prometheus_is_told_an_end_and_a_span() -> None:
    asked = parse_qs(urlsplit(links.prometheus("http://prometheus:9090/", 'a{b="c&d"}', BEGIN, END)).query)
    assert asked["g0.expr"] == ['a{b="c&d"}']
    assert (asked["g0.end_input"], asked["g0.range_input"]) == (["2026-11-25 03:15:00"], ["6300s"])


def test_kibana_is_told_in_rison() -> None:
    url = links.kibana("https://kibana.example.com/", "api", BEGIN, END)
    assert unquote(url) == (
        "https://kibana.example.com/app/discover#/?_g=(time:(from:'2026-11-25T01:30:00.000Z',"
        "to:'2026-11-25T03:15:00.000Z'))&_a=(query:(language:kuery,query:'\"api\"'))"
    )


def test_cloudwatch_is_told_in_jsurl() -> None:
    url = links.cloudwatch("https://console.aws.amazon.com/cloudwatch/home", "prod/alb", "eu-west-1", BEGIN, END)
    assert url == (
        "https://console.aws.amazon.com/cloudwatch/home?region=eu-west-1#metricsV2:graph=~(view~'timeSeries"
        "~stacked~false~metrics~()~start~'2026-11-25T01*3a30*3a00.000Z~end~'2026-11-25T03*3a15*3a00.000Z"
        "~region~'eu-west-1);query=~'prod*2falb"
    )


@given(st.text(min_size=1, max_size=40))
def test_no_name_can_add_to_an_address_or_to_a_page(name: str) -> None:
    found = links.links(everywhere(name=name), SINCE, UNTIL)
    assert [each.name for each in found] == ["Grafana", "Prometheus", "Kibana", "CloudWatch"]
    assert all(PLAIN.fullmatch(each.url) for each in found)
    kibana = found[2].url.partition("query:'")[2]
    assert re.fullmatch(r"(?:[^'!]|!!|!')*'\)\)", kibana), kibana


MOMENTS = st.timedeltas(timedelta(0), timedelta(days=365)).map(lambda later: SINCE + later)


@given(MOMENTS, MOMENTS)
def test_a_window_is_never_negative(since: datetime, until: datetime) -> None:
    for each in links.links(everywhere(), since, until):
        if each.name == "Grafana":
            asked = parse_qs(urlsplit(each.url).query)
            assert int(asked["from"][0]) < int(asked["to"][0])


@pytest.fixture
def linked(declared: Phone) -> Phone:  # noqa: F811
    config = declared.folder / "firstwatch.toml"
    config.write_text(config.read_text() + LINKED)
    return declared


def test_status_and_brief_and_page_show_where_to_look(linked: Phone) -> None:
    shown = linked("status").out
    brief = json.loads(linked("brief", "--json").out)["brief"]["Where to look"]
    linked("note", "x")
    (page,) = (linked.folder / "incidents").glob("*/page.md")
    for place in ("https://grafana.example.com/d/api?", "https://kibana.example.com/app/discover", "cloudwatch/home"):
        assert place in shown
        assert any(place in each for each in brief)
        assert place in page.read_text()


def test_json_has_the_links(linked: Phone) -> None:
    names = [each["name"] for each in json.loads(linked("status", "--json").out)["links"]]
    assert names == ["Grafana", "Prometheus", "Kibana", "CloudWatch"]


def test_a_record_of_another_service_has_none(linked: Phone) -> None:
    config = linked.folder / "firstwatch.toml"
    config.write_text(config.read_text().replace('name = "claude-deployment-api"', 'name = "another"'))
    assert Around.beside(config).links(linked.state()) == ()


def test_a_configuration_that_cannot_be_read_takes_no_page_away(linked: Phone) -> None:
    (linked.folder / "firstwatch.toml").write_text("[links\n")
    found = Around.beside(linked.folder / "firstwatch.toml")
    assert found.links(linked.state()) == ()
    assert found.owed(linked.state())


def test_the_site_renders_a_record_anew_when_the_links_change(linked: Phone) -> None:
    config, kept = linked.folder / "firstwatch.toml", linked.folder / "kept"
    (journal,) = (linked.folder / "incidents").glob("*/journal.jsonl")
    assert "kibana.example.com" in Shelf(kept, Around.beside(config)).shown(Record(journal.parent)).page.html
    config.write_text(config.read_text().replace("kibana.example.com", "logs.example.com"))
    assert "logs.example.com" in Shelf(kept, Around.beside(config)).shown(Record(journal.parent)).page.html
