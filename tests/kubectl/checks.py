"""
The checks of `checks.toml`, and how one is run: a kubectl, a kubeconfig, and the names that the fixture gave to things.

A check is data. What differs between two API servers, or between two versions of kubectl, shows as the same check
passing with one and failing with the other: the table is made of that.
"""

import os
import re
import shlex
import subprocess
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from string import Template

HERE = Path(__file__).parent
COMMAND_S = 90.0
_rounds = count(1)


@dataclass(frozen=True, slots=True)
class Check:
    """One command and what must come of it; `checks.toml` explains each field."""

    id: str
    groups: tuple[str, ...]
    run: str
    exit: int = 0
    expect: tuple[str, ...] = ()
    reject: tuple[str, ...] = ()
    stdin: str = ""
    setup: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    follow: bool = False
    within_s: float = 0.0
    old: bool = False
    known: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    exit: int
    output: str


@dataclass(frozen=True, slots=True)
class Kubectl:
    """One kubectl against one cluster. `home` takes its caches, so that nobody's own are read or written."""

    binary: Path
    kubeconfig: Path
    home: Path

    def __call__(self, arguments: str, stdin: str = "") -> Answer:
        """Run kubectl with *arguments*, as typed in a shell; it is ended after a minute and a half."""
        try:
            done = subprocess.run(
                self._command(arguments), check=False, input=stdin, env=self._environment(), timeout=COMMAND_S,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            )  # fmt: skip
        except subprocess.TimeoutExpired as late:
            return Answer(124, f"{(late.output or b'').decode(errors='replace')}\nno end after {COMMAND_S:.0f} s")
        return Answer(done.returncode, done.stdout)

    def follow(self, arguments: str, wanted: tuple[str, ...], seconds: float = 20.0) -> Answer:
        """Return what kubectl said until all *wanted* were seen, or *seconds* had passed; then it is interrupted."""
        log = self.home / "follow.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                self._command(arguments),
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and process.poll() is None:
            if not _missing(wanted, log.read_text(errors="replace")):
                break
            time.sleep(0.05)
        process.terminate()  # not by an interrupt, which a shell may have told its children to ignore
        try:
            process.wait(COMMAND_S)
        finally:
            process.kill()  # nothing is left of it, whatever it heeds
        return Answer(0, log.read_text(errors="replace"))

    def _command(self, arguments: str) -> list[str]:
        return [str(self.binary), *shlex.split(arguments)]

    def _environment(self) -> dict[str, str]:
        path = os.environ.get("PATH", "/usr/bin:/bin")
        return {"PATH": path, "HOME": str(self.home), "KUBECONFIG": str(self.kubeconfig), "LC_ALL": "C.UTF-8"}


def load() -> tuple[Check, ...]:
    """Return all checks in the order of the file."""
    tables = tomllib.loads((HERE / "checks.toml").read_text())["check"]
    return tuple(Check(**{key: _frozen(value) for key, value in table.items()}) for table in tables)


def at(kind: str, check: Check) -> Check:
    """Return *check* as it is run in a world of *kind*: what is known to fail there is not waited for."""
    return replace(check, within_s=0.0) if kind in check.known else check


def failure(check: Check, kubectl: Kubectl, names: Mapping[str, str]) -> str:
    """Run *check* and return what was not as expected; empty when all was."""
    filled = {**names, "nonce": f"round-{os.getpid()}-{next(_rounds)}"}
    try:
        for command in check.setup:
            done = kubectl(_fill(command, filled))
            if done.exit:
                return f"setting up, kubectl {command}: exit {done.exit}\n{done.output}"
        filled["revision"] = _oldest_revision(kubectl) if "${revision}" in check.run else ""
        return _tried(check, kubectl, filled)
    finally:
        for command in check.after:
            kubectl(_fill(command, filled))


def _tried(check: Check, kubectl: Kubectl, names: Mapping[str, str]) -> str:
    deadline = time.monotonic() + check.within_s
    while (wrong := _once(check, kubectl, names)) and time.monotonic() < deadline:
        time.sleep(0.5)
    return wrong


def _once(check: Check, kubectl: Kubectl, names: Mapping[str, str]) -> str:
    command = _fill(check.run, names)
    escaped = {name: re.escape(value) if name != "logged" else value for name, value in names.items()}
    expect, reject = (tuple(_fill(pattern, escaped) for pattern in some) for some in (check.expect, check.reject))
    answer = kubectl.follow(command, expect) if check.follow else kubectl(command, check.stdin)
    wrong = [f"exit {answer.exit}, expected {check.exit}"] if answer.exit != check.exit else []
    wrong += [f"not found: {pattern}" for pattern in _missing(expect, answer.output)]
    wrong += [f"must not be there: {pattern}" for pattern in reject if re.search(pattern, answer.output, re.MULTILINE)]
    return "\n".join([f"kubectl {command}", *wrong, answer.output]) if wrong else ""


def _missing(patterns: tuple[str, ...], output: str) -> list[str]:
    return [pattern for pattern in patterns if not re.search(pattern, output, re.MULTILINE)]


def _oldest_revision(kubectl: Kubectl) -> str:
    path = r"{.items[*].metadata.annotations.deployment\.kubernetes\.io/revision}"
    found = kubectl(f"get rs -l app=claude-deployment-api -o 'jsonpath={path}'").output.split()
    return min(found, key=int)


def _fill(text: str, names: Mapping[str, str]) -> str:
    """Return *text* with each `${name}` of ours filled in; a shell's own `$(…)` stays."""
    return Template(text).safe_substitute(names)


def _frozen(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
