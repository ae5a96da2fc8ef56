"""The texts: word for word the procedures', every field filled, nothing in a field read as a template."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstwatch.channels import texts
from firstwatch.errors import BadParameter, NotFound

PROCEDURES = Path(__file__).parent / "procedures"  # the nine texts as they stand in the procedures
ON_STATUS_PAGE = {
    "name": "API Performance Issues", "symptom": "slow API response times", "issue": "API performance issues",
    "service": "API performance", "components": ["api", "authentication"], "impact": "minor",
}  # fmt: skip
THEIRS: dict[str, dict[str, Any]] = {
    "declaration": {
        "severity": "SEV{X}", "title": "Brief descriptive title", "impact": "Customer-facing impact description",
        "commander": "@incident-commander", "technical_lead": "@technical-lead",
        "channel": "incident-YYYY-MM-DD-HHMMSS", "minutes": "15",
    },
    "update": {
        "number": "{X}", "severity": "SEV{X}",
        "status": "Current status (INVESTIGATING/MITIGATING/MONITORING/RESOLVED)",
        "summary": "What we've learned and current actions", "impact": "Current customer impact",
        "eta": "Expected resolution time", "actions": "What we're doing next", "updated": "HH:MM", "next": "HH:MM",
    },
    "resolution": {
        "severity": "SEV{X}", "summary": "Brief resolution description", "duration": "Total incident duration",
        "impact": "Confirmed customer impact", "cause": "Initial root cause", "date": "[DATE]", "time": "[TIME]",
    },
    **{state: {key: ON_STATUS_PAGE[key] for key in texts.template(state).fields} for state in texts.STATES},
    "customer-notice": {
        "service": "[Service Name]", "customer": "[Customer Name]", "affected": "[affected service]",
        "impact": "[Description of impact]",
        "estimate": '[Time estimate or "We will provide updates every 30 minutes"]',
        "status_page": "https://status.claude-deployment.com", "company": "[Company Name]",
    },
    "customer-restoration": {
        "service": "[Service Name]", "customer": "[Customer Name]", "affected": "[service]", "start": "[Start time]",
        "end": "[End time]", "cause": "[Brief, non-technical explanation]",
        "prevention": "[What we're doing to prevent recurrence]", "company": "[Company Name]",
    },
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(THEIRS))
def test_a_text_is_the_procedures_word_for_word(name: str) -> None:
    theirs = next(PROCEDURES.glob(f"{name}.*")).read_text("utf-8")
    ours = texts.render(name, THEIRS[name])
    if texts.template(name).json:
        assert list(json.loads(ours).items()) == list(json.loads(theirs).items())
    else:
        assert ours.splitlines() == [line.rstrip() for line in theirs.splitlines()]


def test_all_nine_are_compared() -> None:
    assert {path.stem for path in PROCEDURES.iterdir()} == set(THEIRS)
    assert len(THEIRS) == 9


@pytest.mark.parametrize("name", [*texts.TEAM, *texts.CUSTOMERS])
def test_each_missing_or_empty_field_is_named(name: str) -> None:
    whole = dict.fromkeys(texts.template(name).fields, "something")
    for field in whole:
        for without in ({k: v for k, v in whole.items() if k != field}, whole | {field: " \u2028\n"}):
            with pytest.raises(BadParameter, match=rf"the text {name} needs {field}$"):
                texts.render(name, without)


def test_an_unknown_field_and_an_unknown_text_give_the_nearest_name() -> None:
    with pytest.raises(BadParameter, match="no field 'sevirity'; did you mean severity"):
        texts.render("declaration", THEIRS["declaration"] | {"sevirity": "SEV1"})
    with pytest.raises(NotFound, match="did you mean declaration"):
        texts.render("declaraton", {})


TRICKS = [
    "{{ 7*7 }}", "{% for x in y %}", "{0.__class__}", "{severity}", "$severity", "${impact}", "$$", "%(x)s", "%s",
    "#{1+1}", "<%= 1 %>", '", "status": "resolved', "\\u0041", "\\n", "`id`", "$(id)",
]  # fmt: skip


@pytest.mark.parametrize("trick", TRICKS)
@pytest.mark.parametrize("name", sorted(THEIRS))
def test_nothing_in_a_field_is_read_as_a_template(name: str, trick: str) -> None:
    for field in texts.template(name).fields:
        text = texts.render(name, THEIRS[name] | {field: trick})
        shown = json.dumps(json.loads(text), ensure_ascii=False) if texts.template(name).json else text
        assert (json.dumps(trick, ensure_ascii=False)[1:-1] if texts.template(name).json else trick) in shown
        if texts.template(name).json:
            assert json.loads(text).keys() == json.loads(texts.template(name).source).keys()


@given(st.text(min_size=1, max_size=300))
def test_a_field_stays_on_its_line_and_shows_all_its_letters(value: str) -> None:
    try:
        text = texts.render("declaration", THEIRS["declaration"] | {"title": value})
    except BadParameter:
        assert not value.split()
        return
    assert len(text.splitlines()) == 10
    assert all(letter.isprintable() or letter == "\n" for letter in text)
    text.encode("utf-8")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a\nStatus: RESOLVED", "a Status: RESOLVED"), ("\u202etxt.exe", "\\u202etxt.exe"), ("a\u200bb", "a\\u200bb"),
        ("\ud800", "\\ud800"), ("\x1b[2J", "\\x1b[2J"), ("\x00", "\\x00"), ("e\u0301", "\xe9"),
    ],
)  # fmt: skip
def test_what_cannot_be_seen_is_shown_as_an_escape(value: str, shown: str) -> None:
    assert f"Title: {shown}\n" in texts.render("declaration", THEIRS["declaration"] | {"title": value})


def test_a_field_of_a_megabyte_is_refused_with_its_size() -> None:
    with pytest.raises(BadParameter, match=r"title has 1,000,000 letters; 2,000 are the most"):
        texts.render("declaration", THEIRS["declaration"] | {"title": "x" * 1_000_000})


def test_a_mail_has_a_subject_and_a_body() -> None:
    subject, body = texts.headed(texts.render("customer-notice", THEIRS["customer-notice"]))
    assert subject == "Service Disruption Notice - [Service Name]"
    assert body.startswith("Dear [Customer Name],\n")
