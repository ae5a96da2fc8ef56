"""
Anchors: where the head of a journal is kept, out of reach of whoever owns the file.

A chain of hashes shows any change inside it, and nothing when it was cut between two events or made anew: the result
is consistent too. Against that, one event's number and hash must be somewhere else: in the team's chat, where many saw
the line, or in an annotated git tag that was pushed. Everything up to an anchored event is then fixed.
"""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from firstwatch.errors import BadParameter, Unavailable

WORDS = "firstwatch anchor"
LINE = re.compile(r"firstwatch anchor (\d{4}-\d\d-\d\d-\d{6}) ([1-9]\d{0,11}) ([0-9a-f]{64})(?![0-9a-f])")
GIT_S = 15.0


@dataclass(frozen=True, slots=True)
class Anchor:
    """One event's number and hash, and where they were found. As text it is the line to paste."""

    incident: str
    seq: int
    head: str
    where: str = ""

    def __str__(self) -> str:
        return f"{WORDS} {self.incident} {self.seq} {self.head}"

    @property
    def tag(self) -> str:
        return f"firstwatch/{self.incident}/{self.seq}"


def found_in(text: str, where: str) -> list[Anchor]:
    """Return the anchors that *text* holds: a pasted message may have more words around them."""
    return [Anchor(incident, int(seq), head, where) for incident, seq, head in LINE.findall(text)]


def pasted(text: str) -> Anchor:
    """Return the one anchor in *text*; BadParameter when there is not one."""
    found = found_in(text, "the line given")
    if len(found) != 1:
        raise BadParameter(f"--anchor {text[:80]!r} is not a line such as {WORDS} 2026-11-24-020304 57 HASH")
    return found[0]


def tag(root: Path, anchor: Anchor) -> str:
    """
    Keep *anchor* as an annotated tag of the git repository that *root* is in, and return the tag's name.

    Raises:
        Unavailable: git refused, or there is no repository.
    """
    done = _git(root, "tag", "-a", anchor.tag, "-m", str(anchor))
    if done.returncode:
        raise Unavailable(f"git could not make the tag {anchor.tag} in {root}: {done.stderr.strip()[-300:]}")
    return anchor.tag


def tagged(root: Path) -> list[Anchor]:
    """Return the anchors that tags of the repository around *root* hold; none where there is no git or repository."""
    try:
        done = _git(root, "for-each-ref", "refs/tags/firstwatch/", "--format=%(refname:short)%00%(contents)%01")
    except Unavailable:
        return []
    tags = (each.strip("\n").partition("\0") for each in done.stdout.split("\1"))
    return [anchor for name, _, message in tags for anchor in found_in(message, f"git tag {name}")]


def _git(root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run git, in English and asking nobody anything; Unavailable when it is not there or takes too long."""
    quiet = os.environ | {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8"}
    try:
        return subprocess.run(
            ["git", "-C", str(root), *arguments], env=quiet, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, errors="replace", timeout=GIT_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"git {arguments[0]} in {root} did not work: {error}") from error


def wrong(anchor: Anchor, hashes: list[str]) -> str:
    """Return what *anchor* shows to be wrong with a journal whose events have *hashes*; nothing when it holds."""
    if anchor.seq > len(hashes):
        return f"events {len(hashes) + 1} to {anchor.seq} are missing: {anchor.where} anchors event {anchor.seq}"
    if hashes[anchor.seq - 1] != anchor.head:
        return f"it is not the event that {anchor.where} anchors: the chain was made anew at or before it"
    return ""
