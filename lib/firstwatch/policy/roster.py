"""
The roster: who may hold which role, who is on which level, and how they are reached; from `contacts.toml`.

Without anybody in it everybody is allowed everything, and whoever acts on it is told so. Beside the people stand the
vendors: whom to call outside, and what was agreed with them.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, model_validator

from firstwatch.errors import BadParameter, NotFound, nearest
from firstwatch.policy.facts import Facts
from firstwatch.policy.gate import person as same
from firstwatch.policy.tables import Policy
from firstwatch.reach import Section

FILE = "contacts.toml"
WHOM = (
    "manager", "director", "executive", "legal", "compliance", "aws", "database-vendor", "third-party",
    "stakeholders", "support", "customers", "status-page",
)  # fmt: skip
OUTSIDE = ("infrastructure", "database", "third-party")  # the flags that ask for a vendor
NO_SLA = "none is written down"
ANYBODY = f"nobody is in {FILE}, so anybody may"


class Person(Section):
    """
    One contact. `roles` they may hold, `level` of the ladder, `notices`: whom a notice to them tells. `checked` is the
    day on which somebody last reached them by what stands here.
    """

    name: str
    title: str = ""
    level: Literal["", "L1", "L2", "L3", "L4"] = ""
    roles: tuple[str, ...] = ()
    notices: tuple[Literal[WHOM], ...] = ()  # type: ignore[valid-type]  # one list of them
    phone: str = ""
    email: str = ""
    slack: str = ""
    portal: str = ""
    checked: date | None = None


class Vendor(Section):
    """
    Somebody outside, of what a flag names. `contact` or `portal` says how they are reached, `sla` what was agreed with
    them, `when` when they are called.
    """

    name: str = Field(min_length=1)
    what: Literal[OUTSIDE]  # type: ignore[valid-type]  # one list of them
    contact: str = ""
    portal: str = ""
    sla: str = ""
    when: str = ""

    @model_validator(mode="after")
    def _can_be_reached(self) -> "Vendor":
        if not (self.contact or self.portal):
            raise ValueError("a vendor has a contact or a portal")
        return self

    def __str__(self) -> str:
        ways = " · ".join(filter(None, (self.contact, self.portal)))
        return "; ".join(filter(None, (f"{self.name}, by {ways}", f"SLA: {self.sla or NO_SLA}", self.when)))


@dataclass(frozen=True, slots=True)
class Called:
    """Somebody of `whom` is to be called, as `flag` is set; `vendor` is None when nobody is listed."""

    whom: str
    flag: str
    vendor: Vendor | None

    def __str__(self) -> str:
        return (
            str(self.vendor)
            if self.vendor
            else f"nobody is listed; put [[vendors]] with what = {self.flag!r} into {FILE}"
        )


class Roster(Section):
    """`fresh_days` is for how long a check of a contact is believed."""

    people: tuple[Person, ...] = ()
    vendors: tuple[Vendor, ...] = ()
    fresh_days: int = Field(default=90, ge=1)

    def find(self, name: str) -> Person:
        """Return the person called *name*, in any case and spacing; anybody when the roster is empty."""
        if not name.strip():
            raise BadParameter("a person is needed, and the name is empty")
        found = [each for each in self.people if same(each.name) == same(name)]
        if not found and self.people:
            raise NotFound(f"{name!r} is not in {FILE}; {nearest(name, [each.name for each in self.people])}")
        return found[0] if found else Person(name=name.strip())

    def eligible(self, role: str) -> list[str]:
        """Return the names of those who may hold *role*."""
        return [each.name for each in self.people if role in each.roles]

    def may(self, person: Person, role: str) -> bool:
        return not self.people or role in person.roles

    def on(self, level: str) -> tuple[str, ...]:
        return tuple(each.name for each in self.people if each.level == level)

    def called(self, policy: Policy, facts: Facts) -> tuple[Called, ...]:
        """Return the vendors of each flag that is set, one by one; where none is listed that is said."""
        return tuple(self._called(policy, facts))

    def _called(self, policy: Policy, facts: Facts) -> Iterator[Called]:
        for each in policy.external.values():
            if each.flag in OUTSIDE and facts.flag(each.flag):
                listed: list[Vendor | None] = [vendor for vendor in self.vendors if vendor.what == each.flag]
                yield from (Called(each.name, each.flag, vendor) for vendor in listed or [None])

    def told(self, whom: str) -> tuple[Person, ...]:
        """Return who is told by a notice to *whom*."""
        return tuple(each for each in self.people if whom in each.notices)


def load(configuration: Path | None, policy: Policy) -> Roster:
    """
    Return the roster beside the `firstwatch.toml` at *configuration*; an empty one when there is none.

    Raises:
        BadParameter: It cannot be read, or has a field or a role that is unknown.
    """
    path = configuration.parent / FILE if configuration else None
    if path is None or not path.is_file():
        return Roster()
    try:
        roster = Roster.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadParameter(f"cannot read the contacts {path}: {error}") from error
    except ValidationError as error:
        raise BadParameter(f"{path}: {_first(error)}") from error
    for each in roster.people:
        for name in each.roles:
            role(policy, name, f"{path}: {each.name}: ")
    return roster


def role(policy: Policy, name: str, where: str = "") -> str:
    """Return *name* when it is a role; NotFound gives the nearest."""
    if name not in policy.roles:
        raise NotFound(f"{where}{name!r} is not a role; {nearest(name, list(policy.roles))}")
    return name


def whom(name: str) -> str:
    """Return *name* when it is one that is told; NotFound gives the nearest."""
    if name not in WHOM:
        raise NotFound(f"{name!r} is nobody that is told; {nearest(name, list(WHOM))}")
    return name


def _first(error: ValidationError) -> str:
    problem = error.errors()[0]
    words = [str(part) for part in problem["loc"]]
    if problem["type"] != "extra_forbidden":
        return f"{'.'.join(words)}: {problem['msg']}"
    kinds: dict[str, type[Section]] = {"people": Person, "vendors": Vendor}
    known = (kinds[words[0]] if len(words) > 1 else Roster).model_fields
    return f"{'.'.join(words)} is not a setting; {nearest(words[-1], list(known))}"
