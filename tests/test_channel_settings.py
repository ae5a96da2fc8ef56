"""The settings of channels: no secret in the file, no credential over a wire in clear, a misspelt name named."""

from typing import Any

import pytest

from firstwatch.errors import BadParameter
from firstwatch.settings import Settings, parse

SERVICE = {"service": {"name": "a", "namespace": "b", "deployment": "c"}}


def parsed(channels: dict[str, Any]) -> Settings:
    return parse(SERVICE | {"channels": channels}, "firstwatch.toml")


def test_without_channels_none_is_configured() -> None:
    channels = parse(SERVICE, "firstwatch.toml").channels
    assert {channels.slack, channels.statuspage, channels.mail, channels.pager, channels.tracker} == {None}


@pytest.mark.parametrize(
    ("channels", "said"),
    [
        ({"slak": {}}, "channels.slak is not a setting; did you mean slack?"),
        ({"slack": {"credentil": "env:X"}}, "channels.slack.credentil is not a setting; did you mean credential?"),
        ({"mail": {"host": "h", "sender": "s", "customers": [{"nme": "x"}]}}, "did you mean name?"),
        ({"slack": {"credential": "xoxb-1234"}}, "a secret is never here: say env:NAME or file:PATH"),
        ({"slack": {"credential": "env:"}}, "a secret is never here"),
        ({"slack": {"url": "http://slack.com/api"}}, "it must begin with https://"),
        ({"slack": {"url": "http://127.0.0.1.evil.example"}}, "it must begin with https://"),
        ({"pager": {"keys": {"on-call": "R0123456789"}}}, "a secret is never here"),
        ({"tracker": {"kind": "bugzilla", "project": "x"}}, "'jira' or 'github'"),
        ({"deadline_s": 0}, "greater than 0"),
    ],
)
def test_a_wrong_setting_is_refused_and_its_value_is_not_repeated(channels: dict[str, Any], said: str) -> None:
    with pytest.raises(BadParameter) as caught:
        parsed(channels)
    assert said in str(caught.value)
    assert not any(secret in str(caught.value) for secret in ("xoxb-1234", "R0123456789"))


def test_a_server_of_this_machine_may_be_asked_in_clear() -> None:
    slack = parsed({"slack": {"url": "http://127.0.0.1:8080/api/", "credential": "file:/run/token"}}).channels.slack
    assert slack
    assert (slack.url, slack.credential) == ("http://127.0.0.1:8080/api", "file:/run/token")
