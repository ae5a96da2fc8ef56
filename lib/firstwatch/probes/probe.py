"""
What a probe is: a function that looks, with the words that its findings share.

A system that cannot be asked is not a failure of the probe but what it has to say: UNKNOWN, with the reason. `ask`
turns every error of `firstwatch.errors` into that finding, in this one place, so that no probe can say OK by mistake.
So does a system that nobody configured; a sweep leaves such a probe out (`configured`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import TypeAlias

from firstwatch.errors import FirstwatchError, Refused
from firstwatch.mechanisms import MECHANISMS
from firstwatch.model import Finding, Findings, Verdict
from firstwatch.settings import Service, Settings
from firstwatch.systems import Systems

# The body of a probe: it reads, and returns its findings, at least one.
Look: TypeAlias = Callable[["Probe", Systems, datetime], Findings]


@dataclass(frozen=True, slots=True)
class Probe:
    """
    A named look. `about` (the object) and `command` are templates over the service's names; `setting` names the setting
    without which there is nothing to ask, such as `database.dsn_env`.

    `says` makes a finding that carries the probe's own words, so that a look gives only what it saw.
    """

    name: str
    question: str
    about: str
    expected: str
    command: str
    look: Look
    setting: str = ""
    measured: bool = True  # False of what a person says: it is not asked again while one waits

    def says(self, service: Service, verdict: Verdict, observed: str, **more: object) -> Finding:
        names = service.model_dump()
        known = MECHANISMS.get(str(more.get("mechanism", "")))
        said = {
            "expected": self.expected,
            "object": self.about.format(**names),
            "command": self.command.format(**names),
            "next": known.then if known else "",
        }
        return Finding(probe=self.name, verdict=verdict, observed=observed, **(said | more))  # type: ignore[arg-type]

    def ok(self, systems: Systems, observed: str, **more: object) -> Findings:
        return Findings((self.says(systems.settings.service, Verdict.OK, observed, **more),))

    def bad(self, systems: Systems, mechanism: str, observed: str, **more: object) -> Finding:
        return self.says(systems.settings.service, Verdict.BAD, observed, mechanism=mechanism, **more)

    def unknown(self, systems: Systems, observed: str, **more: object) -> Findings:
        """Say that it looked, and that what it saw does not tell."""
        return Findings((self.says(systems.settings.service, Verdict.UNKNOWN, observed, **more),))

    def configured(self, settings: Settings) -> bool:
        return not self.setting or bool(attrgetter(self.setting)(settings))


def probe(
    question: str, *, about: str, expected: str, command: str, setting: str = ""
) -> Callable[[Look], Probe]:  # fmt: skip
    """Return a decorator that makes a probe of a look; its name is the function's, with dashes."""

    def named(look: Look) -> Probe:
        name: str = look.__name__.strip("_").replace("_", "-")
        return Probe(name, question, about, expected, command, look, setting)

    return named


def ask(asked: Probe, systems: Systems, now: datetime) -> Findings:
    """Return what *asked* finds at *now*; UNKNOWN with the reason when it could not look."""
    if not asked.configured(systems.settings):
        return asked.unknown(systems, f"not configured: {asked.setting} is not set", mechanism="blind")
    try:
        return asked.look(asked, systems, now)
    except FirstwatchError as error:
        return Findings((unknown(asked, systems, error),))
    except Exception as error:  # noqa: BLE001  # a shape that nobody foresaw: what it means is not known, so never OK
        return Findings((unknown(asked, systems, FirstwatchError(f"the answer has an unexpected shape: {error!r}")),))


def unknown(asked: Probe, systems: Systems, error: Exception, **more: object) -> Finding:
    """Return the finding that says that *error* kept the probe from looking; a no is marked *denied*."""
    denied = isinstance(error, Refused)
    advice = "ask for access" if denied else "look by hand, with the command"
    marked, words = "denied: " if denied else "", {"next": advice, "mechanism": "blind"} | more
    return asked.says(systems.settings.service, Verdict.UNKNOWN, f"could not look: {marked}{error}", **words)
