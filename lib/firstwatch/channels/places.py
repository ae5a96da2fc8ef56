"""Where a person is reached: by the pager if it has a key for them, else by mail, else by phone."""

from collections.abc import Collection

from firstwatch.policy.roster import Roster

Place = tuple[str, str]  # a channel, and the place in it


def place(roster: Roster, keys: Collection[str], name: str) -> Place | None:
    """Return where *name* is reached; None when nobody knows. *keys* are whom the pager has a key for."""
    person = next((each for each in roster.people if each.name == name), None)
    if name in keys:
        return "pager", name
    if person and person.email:
        return "mail", person.email
    return ("phone", f"{name} {person.phone}") if person and person.phone else None
