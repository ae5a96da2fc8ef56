"""The case at AWS: prefilled from what is known, and what is not known is said to be so."""

import json
import re
from typing import Any

from test_outside import ARN, aws  # noqa: F401  # fixture
from test_outside import at as where
from test_people_commands import Phone, declared, typed  # noqa: F401  # fixtures

from firstwatch import begin, probes


def fields(text: str) -> dict[str, str]:
    return dict(re.findall(r"^([A-Z][a-z ]+): (.+)$", text, re.MULTILINE))


def test_a_case_is_filled_from_what_was_seen(declared: Phone, aws: dict[str, Any]) -> None:  # noqa: F811
    import fakes

    config = declared.folder / "firstwatch.toml"
    config.write_text(config.read_text() + where(aws))
    begin("investigate/load-balancer", service=fakes.NAME).look(probes.load_balancer, probes.targets)
    said = declared("notify", "aws").out
    found = fields(said)
    assert found["Subject"] == "SEV2: API errors"
    assert (found["Account"], found["Region"]) == ("123456789012", "eu-west-1")
    assert found["Resources"] == f"{ARN}:loadbalancer/app/api-alb/1, {ARN}:targetgroup/api-tg/2"
    assert found["Impact"] == "6 of 10 requests fail"
    assert "OK targets, api-tg: 1 of 1 healthy" in found["Seen"]
    for moment in ("Noticed", "Declared"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", found[moment])
    assert "not known" not in said


def test_what_nobody_has_seen_or_configured_is_not_known(declared: Phone) -> None:  # noqa: F811
    said = declared("notify", "aws")
    found = fields(said.out)
    assert {found[each] for each in ("Account", "Region", "Resources", "Seen")} == {"not known"}
    assert "firstwatch run investigate/load-balancer finds what is not known" in said.err


def test_what_is_configured_stands_in_for_what_was_not_seen(declared: Phone) -> None:  # noqa: F811
    config = declared.folder / "firstwatch.toml"
    own = config.read_text()
    config.write_text(f'{own}[aws]\nload_balancer = "api-alb"\ntarget_group = "{ARN}:targetgroup/api-tg/2"\n')
    found = fields(declared("notify", "aws").out)
    assert (found["Account"], found["Region"]) == ("123456789012", "eu-west-1")
    assert found["Resources"] == f"{ARN}:targetgroup/api-tg/2, api-alb"
    config.write_text(f'{own}[aws]\nload_balancer = "api-alb"\n'.replace('name = "claude', 'name = "other-claude', 1))
    assert fields(declared("notify", "aws").out)["Resources"] == "not known"


def test_the_text_comes_with_the_notice_and_the_case_s_number_after_it(declared: Phone) -> None:  # noqa: F811
    declared("flag", "infrastructure")
    shown = json.loads(declared("notify", "aws", "--json").out)
    assert fields(shown["case"])["Our record"] == shown["id"]
    assert [each.reference for each in declared.state().people.notices] == [""]
    assert declared.duties()["aws"]["state"] in ("met", "missed")
    said = declared("notify", "aws", "--how", "portal", "--reference", "8123").out
    assert "Account" not in said
    assert declared.state().people.notices[-1].reference == "8123"


def test_under_a_breach_the_text_says_who_releases_it(declared: Phone) -> None:  # noqa: F811
    declared("flag", "breach")
    assert "legal or the commander releases it first" in declared("notify", "aws").err


def test_a_record_that_nobody_declared_has_a_text_too(typed: Phone) -> None:  # noqa: F811
    import fakes

    begin("investigate/nodes", service=fakes.NAME).look(probes.nodes)
    found = fields(typed("notify", "aws").out)
    assert (found["Subject"], found["Declared"]) == ("not declared yet: not known", "not known")
