"""How a request wants to be done: the parts of its query, or of a deletion's body, that all kinds have in common."""

from collections.abc import Mapping
from dataclasses import dataclass

from firstwatch.model import Json
from gameday.api import errors

VALIDATIONS = ("Strict", "Warn", "Ignore")


@dataclass(frozen=True, slots=True)
class Options:
    """`manager` is who writes, in `managedFields`; `validation` what becomes of fields that the kind has not."""

    dry_run: bool = False
    manager: str = "unknown"
    validation: str = "Warn"
    force: bool = False


@dataclass(frozen=True, slots=True)
class Deletion:
    """`grace_s` is None for the object's own; `uid` and `version` are what it must have, if given."""

    dry_run: bool = False
    grace_s: int | None = None
    propagation: str = "Background"
    uid: str = ""
    version: str = ""


def boolean(text: str) -> bool:
    """Return what *text* says; the Python client writes `True` where others write `true`."""
    return text.lower() in {"true", "1"}


def number(query: Mapping[str, str], name: str) -> int:
    """Return the number in *query*, or 0 when there is none."""
    text = query.get(name) or "0"
    if not text.isdigit():
        raise errors.bad_request(f'invalid {name}: strconv.ParseInt: parsing "{text}": invalid syntax')
    return int(text)


def writing(query: Mapping[str, str], agent: str) -> Options:
    """Return the options of a write; *agent* is the User-Agent, which names who writes if the query does not."""
    validation = query.get("fieldValidation") or "Warn"
    if validation not in VALIDATIONS:
        raise errors.bad_request(f'invalid fieldValidation: "{validation}": must be one of {", ".join(VALIDATIONS)}')
    manager = query.get("fieldManager") or agent.partition("/")[0] or "unknown"
    return Options(_dry(query.get("dryRun")), manager, validation, boolean(query.get("force", "")))


def deleting(query: Mapping[str, str], body: Json) -> Deletion:
    """Return the options of a deletion, which may be in its query or its *body*."""
    given = body if isinstance(body, dict) else {}
    grace = given.get("gracePeriodSeconds")
    if grace is None and query.get("gracePeriodSeconds"):
        grace = number(query, "gracePeriodSeconds")
    orphans = given.get("orphanDependents") or boolean(query.get("orphanDependents", ""))
    policy = given.get("propagationPolicy") or query.get("propagationPolicy") or ("Orphan" if orphans else "Background")
    bound = given.get("preconditions") or {}
    dry = _dry(query.get("dryRun")) or _dry((given.get("dryRun") or [""])[0])
    return Deletion(dry, grace, policy, bound.get("uid") or "", bound.get("resourceVersion") or "")


def _dry(value: str | None) -> bool:
    if value and value != "All":
        raise errors.wrong_option("WriteOptions", errors.unknown_value("dryRun", [value], ["All"]))
    return value == "All"
