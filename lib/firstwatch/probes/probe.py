"""
What a probe is: a function that looks, with the words that its findings share.

A system that cannot be asked is not a failure of the probe but what it has to say: UNKNOWN, with the reason. `ask`
turns every error of `firstwatch.errors` into that finding, in this one place, so that no probe can say OK by mistake.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from firstwatch.errors import FirstwatchError, Refused
from firstwatch.model import Finding, Findings, Verdict
from firstwatch.settings import Service
from firstwatch.systems import Systems

# The body of a probe: it reads, and returns its findings, at least one.
Look: TypeAlias = Callable[["Probe", Systems, datetime], Findings]


@dataclass(frozen=True, slots=True)
class Probe:
    """
    A named look. `about` (the object) and `command` are templates over the service's names.

    `says` makes a finding that carries the probe's own words, so that a look gives only what it saw.
    """

    name: str
    question: str
    about: str
    expected: str
    command: str
    look: Look

    def says(self, service: Service, verdict: Verdict, observed: str, **more: object) -> Finding:
        names = service.model_dump()
        said = {
            "expected": self.expected,
            "object": self.about.format(**names),
            "command": self.command.format(**names),
        }
        return Finding(probe=self.name, verdict=verdict, observed=observed, **(said | more))  # type: ignore[arg-type]


def probe(question: str, *, about: str, expected: str, command: str) -> Callable[[Look], Probe]:
    """Return a decorator that makes a probe of a look; its name is the function's, with dashes."""

    def named(look: Look) -> Probe:
        name: str = look.__name__.replace("_", "-")
        return Probe(name, question, about, expected, command, look)

    return named


def ask(asked: Probe, systems: Systems, now: datetime) -> Findings:
    """Return what *asked* finds at *now*; UNKNOWN with the reason when it could not look."""
    try:
        return asked.look(asked, systems, now)
    except FirstwatchError as error:
        return Findings((unknown(asked, systems, error),))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        # An answer of a shape that nobody foresaw. What it means is not known, so it must not read as OK.
        return Findings((unknown(asked, systems, FirstwatchError(f"the answer has an unexpected shape: {error!r}")),))


def unknown(asked: Probe, systems: Systems, error: Exception) -> Finding:
    advice = "ask for access" if isinstance(error, Refused) else "look by hand, with the command"
    return asked.says(systems.settings.service, Verdict.UNKNOWN, f"could not look: {error}", next=advice)
