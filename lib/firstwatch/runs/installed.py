"""What is installed on this machine, and whether it is new enough: the packages of Python, and the tools named."""

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement
from packaging.version import Version

from firstwatch.model import Verdict
from firstwatch.settings import Tool
from firstwatch.systems import scripts

Seen = tuple[Verdict, str, str]
_NUMBER = re.compile(r"\d+(?:\.\d+)+")


def tool(wanted: Tool, seconds: float) -> Seen:
    """Say whether the tool is there, by its own word, and new enough; Unavailable when it cannot be run."""
    code, told = scripts.command(wanted.command, seconds)
    said = _NUMBER.search(told["text"])
    first = (told["text"].strip().splitlines() or ["it printed nothing"])[0][:200]
    if code:
        return Verdict.BAD, f"{wanted.name} ended with {code}: {first}", f"install {wanted.name}"
    if wanted.least and said is None:
        return Verdict.UNKNOWN, f"{wanted.name} says no version: {first}", "look at it by hand"
    if wanted.least and said and Version(said[0]) < Version(wanted.least):
        return Verdict.BAD, f"{wanted.name} {said[0]}", f"install {wanted.least} or newer"
    return Verdict.OK, f"{wanted.name} {said[0]}" if said else first, ""


def packages(extras: tuple[str, ...]) -> Seen:
    """Say whether every package that this one needs is installed in a version that it takes, with those of *extras*."""
    wrong = [each for each in map(lacking, _needed(extras)) if each]
    if wrong:
        return Verdict.BAD, "; ".join(wrong), "make setup, or pip install --upgrade 'firstwatch[aws,postgres]'"
    return Verdict.OK, "all that is needed is installed", ""


def _needed(extras: tuple[str, ...]) -> Iterator[Requirement]:
    for line in requires("firstwatch") or ():
        wanted = Requirement(line)
        if wanted.marker is None or any(wanted.marker.evaluate({"extra": each}) for each in ("", *extras)):
            yield wanted


def lacking(wanted: Requirement) -> str:
    """Return what is wrong with the package that is *wanted*; empty when nothing is."""
    try:
        there = version(wanted.name)
    except PackageNotFoundError:
        return f"{wanted.name} is not installed"
    fits = wanted.specifier.contains(there, prereleases=True)
    return "" if fits else f"{wanted.name} {there} is installed, and {wanted.specifier} is needed"
