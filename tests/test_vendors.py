"""Whom to call outside: listed with what was agreed, shown once a flag asks for them, and nobody is invented."""

import json
from pathlib import Path

import pytest
from test_contacts import typed as listed  # noqa: F401  # fixture
from test_people_commands import PEOPLE, Phone, declared, typed  # noqa: F401  # fixtures

from firstwatch.errors import BadParameter
from firstwatch.policy import roster, tables

VENDOR = """
[[vendors]]
name = "database-vendor"
what = "database"
contact = "+1-555-0100"
portal = "https://support.example.com"
sla = "an answer within 1 hour"
when = "For database-specific issues"
"""
SHOWN = "database-vendor, by +1-555-0100 · https://support.example.com; SLA: an answer within 1 hour; For database"


def test_the_shipped_list_names_nobody_that_the_procedures_do_not(listed) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    found = json.loads(listed(PEOPLE.read_text(), "--json"))["vendors"]
    assert [(each["name"], each["what"], each["portal"]) for each in found] == [
        ("AWS Enterprise Support", "infrastructure", "Enterprise Support Portal")
    ]


def test_the_examples_of_the_shipped_list_are_right(tmp_path: Path) -> None:
    _, _, text = PEOPLE.read_text().partition("# [[vendors]]")
    (tmp_path / "contacts.toml").write_text(f"# [[vendors]]{text}".replace("# ", ""))
    found = roster.load(tmp_path / "firstwatch.toml", tables.load()).vendors
    assert [each.what for each in found] == ["database", "third-party"]


def test_contacts_show_whom_to_call_outside_and_what_was_agreed(listed) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    said = listed(VENDOR)
    for part in ("database-vendor", "+1-555-0100 · https://support.example.com", "an answer within 1 hour"):
        assert part in said
    assert "none is written down" in listed('[[vendors]]\nname = "x"\nwhat = "third-party"\ncontact = "1"\n')


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = 'a'\nwhat = 'database'\nwhn = 'x'\ncontact = '1'", "whn is not a setting; did you mean when?"),
        ("name = 'a'\nwhat = 'databse'\ncontact = '1'", "vendors.0.what"),
        ("name = 'a'\nwhat = 'database'", "a vendor has a contact or a portal"),
        ("name = ''\nwhat = 'database'\ncontact = '1'", "vendors.0.name"),
        ("what = 'database'\ncontact = '1'", "vendors.0.name"),
    ],
    ids=["misspelt", "no such flag", "no way", "no name", "nameless"],
)  # fmt: skip
def test_a_vendor_that_is_wrong_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "contacts.toml").write_text(f"[[vendors]]\n{text}")
    with pytest.raises(BadParameter) as refused:
        roster.load(tmp_path / "firstwatch.toml", tables.load())
    assert said in str(refused.value)


def test_a_flag_shows_the_vendor_to_call_with_the_agreement(declared: Phone) -> None:  # noqa: F811
    (declared.folder / "contacts.toml").write_text(VENDOR)
    assert "database-vendor" not in declared("status").out
    assert f"Database Vendor: {SHOWN}" in declared("flag", "database").out
    assert f"Database Vendor: {SHOWN}" in declared("status").out
    (found,) = json.loads(declared("status", "--json").out)["vendors"]
    assert (found["flag"], found["vendor"]["sla"]) == ("database", "an answer within 1 hour")
    declared("flag", "database", "--off", "--reason", "it was the pool")
    assert json.loads(declared("status", "--json").out)["vendors"] == []


def test_where_no_vendor_is_listed_that_is_said(declared: Phone) -> None:  # noqa: F811
    said = declared("flag", "third-party").out
    assert (
        "Third-party Services: nobody is listed; put [[vendors]] with what = 'third-party' into contacts.toml" in said
    )
    (found,) = json.loads(declared("status", "--json").out)["vendors"]
    assert found["vendor"] is None
