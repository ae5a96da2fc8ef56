"""
The mutation run: take one safeguard away at a time, and see that the tests notice.

    make mutations        writes docs/reference/mutations.md; exit 1 when one went unnoticed
    PYTHONPATH=tests python -m faults.mutations ID…        tries some, and writes nothing

A test that cannot fail guards nothing. Each mutation removes one fsync, one check or one escape from a copy of the
project, and names the tests that must turn red. First the same tests must be green with nothing removed. It is not part
of `make test`, which only sees that each still applies.
"""

# ruff: noqa: T201 - it is a command

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COPIED = (
    "lib",
    "tests",
    "runbooks",
    "docs",
    "incidents",
    "pyproject.toml",
    "firstwatch.toml",
    "Makefile",
    "mkdocs.yml",
)
LIMIT_S = 240


@dataclass(frozen=True, slots=True)
class Mutation:
    """One safeguard: `old` in `file` becomes `new`, and one of `tests` must fail."""

    id: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    @property
    def path(self) -> Path:
        return Path("lib/firstwatch") / self.file

    def applies(self, root: Path) -> bool:
        return (root / self.path).read_text("utf-8").count(self.old) >= 1

    def apply(self, root: Path) -> None:
        text = (root / self.path).read_text("utf-8")
        (root / self.path).write_text(text.replace(self.old, self.new), "utf-8")


def row(*ids: str) -> tuple[str, ...]:
    """Return the tests that are rows of the fault programme."""
    return tuple(f"tests/faults/test_programme.py::test_nothing_is_bad[{each}]" for each in ids)


JOURNAL, GATE, ACTIONS, PROBES, SYSTEMS, SESSIONS = (
    f"tests/test_{each}.py" for each in ("journal", "gate", "actions", "probes", "systems", "sessions")
)

MUTATIONS: tuple[Mutation, ...] = (
    # The journal: nothing that was acknowledged is lost, and nothing is acknowledged that is not on the disk.
    Mutation(
        "the fsync of an append", "record/disk.py",
        "            os.fsync(self._descriptor)\n            if not self.end:", "            if not self.end:",
        row("T07", "T10"),
    ),
    Mutation(
        "the fsync of the record's folder", "record/disk.py", "                sync(self.path.parent)  #",
        "                pass  #", row("T07", "T10"),
    ),
    Mutation(
        "writing on after a short write", "record/disk.py", "    while data:\n",
        "    if data:\n", row("T09", "T08"),
    ),
    Mutation(
        "taking a refused write back", "record/disk.py", "            self.cut(self.end)\n", "            pass\n",
        (*row("T08", "T09", "T10"), JOURNAL),
    ),
    Mutation(
        "giving up after a failed fsync", "record/disk.py", "self._take_back(for_good=True)",
        "self._take_back(for_good=False)", (*row("T10"), JOURNAL),
    ),
    Mutation(
        "the lock of the journal", "record/disk.py", "            lock(self._descriptor, fcntl.LOCK_EX)\n", "",
        row("T34"),
    ),
    Mutation(
        "noticing that the journal was replaced", "record/disk.py", "(found.st_ino, found.st_dev) == self._inode",
        "True", (JOURNAL,),
    ),
    Mutation(
        "the reserve before an intent", "record/journal.py", "        if kind == \"intent\":\n",
        "        if False:\n", (*row("T08"), JOURNAL),
    ),
    Mutation(
        "values that are known to be secret", "record/redact.py",
        "    text = _without_known(text)\n    lowered", "    lowered", ("tests/test_redact.py",),
    ),
    Mutation(
        "what a cell printed in pieces, as one text", "runs/executed.py", "if pieces and redacted(whole)",
        "if not pieces and redacted(whole)", row("T66"),
    ),
    Mutation(
        "a kubeconfig without an alias", "systems/credentials.py", "if isinstance(event, yaml.AliasEvent):",
        "if False:", ("tests/test_kubeconfig.py",),
    ),
    Mutation(
        "no link is followed out of a record", "record/store.py", "        if path.is_symlink():", "        if False:",
        ("tests/test_parameters.py",),
    ),
    Mutation(
        "redaction before the disk", "record/journal.py", "said = redacted(plain(body))", "said = plain(body)",
        (JOURNAL,),
    ),
    # Verification: every byte, every link, every attached file.
    Mutation("checking the bytes' form", "record/verify.py", '"its bytes are not the canonical ones": exact',
             '"its bytes are not the canonical ones": True', row("T57")),
    Mutation("checking an event's hash", "record/verify.py", 'event.get("hash") == chain_hash(event)', "True",
             row("T57")),
    Mutation("checking an event's body", "record/verify.py", "    return _purged(event) or body_sha256",
             "    return True or body_sha256", row("T57")),
    Mutation("checking the link to the line before", "record/verify.py", 'event.get("prev") == prev', "True",
             ("tests/test_records.py",)),
    Mutation("checking an attached file", "record/verify.py", '    same = hashlib.sha256(data).hexdigest() == body',
             '    same = True or hashlib.sha256(data).hexdigest() == body',
             (*row("T57"), JOURNAL, "tests/test_records.py")),
    Mutation("comparing with the anchors", "record/verify.py", "_held(anchors, [", "_held((), [",
             (*row("T58"), "tests/test_records.py")),
    # The gate: what was not approved is not done.
    Mutation("the expiry of an approval", "policy/gate.py", "    if approval.until <= now:\n", "    if False:\n",
             (GATE, *row("T32"))),
    Mutation("requester is not approver", "policy/gate.py",
             "    if person(approval.by) == person(requester) and not rule.self_approval:\n", "    if False:\n",
             (GATE, *row("T32"))),
    Mutation("two people on a SEV1", "policy/gate.py", "return 2 if plan.destructive", "return 1 if plan.destructive",
             (GATE, *row("T72"))),
    Mutation("one person by whatever letters", "policy/gate.py", '.casefold()', '', (GATE, *row("T32"))),
    Mutation("binding an approval to its plan", "policy/gate.py",
             "[each for each in approvals if each.plan == plan.hash]", "list(approvals)", (GATE, *row("T32"))),
    Mutation("the gate, when applying", "runs/applying.py", "        if not gate.open:\n", "        if False:\n",
             row("T71", "T72")),
    Mutation("the intent before the request", "actions/change.py", "    intend(found)\n", "",
             row("T02")),
    Mutation("observing sends nothing", "runs/watch.py", "if self.mode is Mode.OBSERVE:", "if False:",
             ("tests/test_runs.py::test_a_rollback_plans_stops_is_approved_heals_and_is_never_sent_twice",)),
    Mutation("a plan is applied once", "runs/applying.py", "        if earlier:\n", "        if False:\n",
             row("T77", "T30")),
    Mutation("one responder at a target", "runs/turn.py", "fcntl.LOCK_EX | fcntl.LOCK_NB", "fcntl.LOCK_SH",
             row("T30", "T35")),
    Mutation("a lease that is held", "runs/applying.py", "    if holder:\n", "    if False:\n",
             (*row("T33"), "tests/test_resume.py")),
    # Changes: to the object that was planned for, as it was then.
    Mutation("the uid inside the patch", "actions/change.py",
             '        {"op": "test", "path": "/metadata/uid", "value": metadata["uid"]},\n', "",
             (ACTIONS, *row("T31"))),
    Mutation("the resourceVersion inside the patch", "actions/change.py",
             '        {"op": "replace", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]},\n',
             "", (ACTIONS, *row("T31"))),
    Mutation("reading again before applying", "actions/change.py", "    moved = list(_moved(plan, found))\n",
             "    moved: list[str] = []\n", (ACTIONS, *row("T31"))),
    Mutation("undo looks before it acts", "actions/undo.py", "    if drifted:\n", "    if False:\n",
             (ACTIONS, *row("T75"))),
    # What a reader is told.
    Mutation("what cannot be read is UNKNOWN", "probes/probe.py", "Verdict.UNKNOWN, f\"could not look",
             "Verdict.OK, f\"could not look", (PROBES,)),
    Mutation("UNKNOWN passes no verification", "runs/supervisor.py", "verified[-1] != Verdict.OK",
             "verified[-1] == Verdict.BAD", row("T79")),
    Mutation("names are checked before a URL is built", "systems/names.py", "SUBDOMAIN.fullmatch(value)", "True",
             (SYSTEMS,)),
    Mutation("the client library repeats nothing", "systems/kubeconfig.py", "    configuration.retries = False",
             "    pass", row("T17")),
    Mutation("redirects are not followed", "systems/http.py", "follow_redirects=False", "follow_redirects=True",
             (SYSTEMS,)),
    Mutation("markup of others is escaped", "model.py", '{"<": "&lt;", ">": "&gt;"}.get(special', '{}.get("none"',
             ("tests/test_pages.py",)),
    Mutation("rows that the database hides are not believed", "systems/postgres.py",
             "if read_only and cursor.execute(SEES).fetchone() == (False,):", "if False:", ("tests/test_outside.py",)),
    Mutation("another server says nothing of a session", "actions/settle.py", "return target.kind == sessions.KIND and",
             "return False and", (SESSIONS,)),
    Mutation("only the session that was read is ended", "systems/sessions.py",
             "AND s.backend_start = %(began)s::timestamptz ", "", (SESSIONS,)),
    Mutation("a session in another state is not ended", "systems/sessions.py", "AND s.state = %(state)s\n", "\n",
             (SESSIONS,)),
    Mutation("a session in another transaction is not ended", "systems/sessions.py",
             "  AND s.xact_start IS NOT DISTINCT FROM nullif(%(transaction)s, '')::timestamptz\n", "", (SESSIONS,)),
    Mutation("the database's own sessions are not ended", "systems/sessions.py",
             "  AND s.backend_type = 'client backend'", "  AND true", (SESSIONS,)),
    Mutation("the looks of a run add up", "model.py", "if finding.probe not in again)]", "if False)]",
             ("tests/test_records.py",)),
    Mutation("a reply that is lost is noticed", "runs/reply.py", "if self._cell and of == self._behind:", "if False:",
             row("T81")),
    Mutation("a run is done when its cells are", "runs/supervisor.py", "    if not pending:\n", "    if True:\n",
             (*row("T81"), "tests/test_runs.py")),
)  # fmt: skip


PAGE = """\
# Safeguards, taken away one at a time

This page shows that the tests would notice if a safeguard were lost: each is removed from a copy of the project, and
the tests that guard it must turn red. {noticed} of {count} were noticed. `make mutations` writes this page.

| Taken away | In | Noticed |
| --- | --- | --- |
{rows}
"""


def noticed(mutation: Mutation) -> bool:
    """Apply *mutation* to a copy of the project, run its tests there, and tell whether they turned red."""
    with copied() as root:
        mutation.apply(root)
        return red(root, mutation.tests)


@contextmanager
def copied() -> Iterator[Path]:
    """Yield a copy of the project, for the length of a `with` block."""
    with tempfile.TemporaryDirectory(prefix="firstwatch-mutation-") as name:
        root = Path(name)
        for each in COPIED:
            source = ROOT / each
            (shutil.copytree if source.is_dir() else shutil.copy)(source, root / each)
        yield root


def red(root: Path, tests: Iterable[str], limit_s: float = LIMIT_S) -> bool:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:nbval", "-p", "no:cacheprovider", *tests]
    environment = os.environ | {"PYTHONPATH": str(root / "lib")}
    try:
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, timeout=limit_s, check=False)
    except subprocess.TimeoutExpired:
        return True  # a test that hangs is not green
    return done.returncode == 1


def red_already(some: Iterable[Mutation]) -> bool:
    """Tell whether the tests are red with nothing taken away: then they would prove nothing."""
    with copied() as root:
        return red(root, sorted({test for each in some for test in each.tests}), 10 * LIMIT_S)


def tried(some: Iterable[Mutation]) -> Iterator[tuple[Mutation, bool]]:
    for each in some:
        seen = noticed(each)
        print(f"{each.id}: {'noticed' if seen else 'NOT NOTICED'}", flush=True)
        yield each, seen


def main(wanted: list[str]) -> int:
    some = [each for each in MUTATIONS if not wanted or each.id in wanted]
    if red_already(some):
        print("the tests are red, or hang, with nothing taken away: mend them first", file=sys.stderr)
        return 2
    seen = dict(tried(some))
    rows = "\n".join(f"| {each.id} | `{each.file}` | {'yes' if seen[each] else '**no**'} |" for each in some)
    page = PAGE.format(noticed=sum(seen.values()), count=len(seen), rows=rows)
    if wanted:
        print(page)
    else:
        (ROOT / "docs/reference/mutations.md").write_text(page, "utf-8")
    return int(not all(seen.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
