"""
Write the page of the client checks: each against our API server and against a real control plane, side by side.

    PYTHONPATH=tests python -m kubectl.table        some minutes; writes docs/kubernetes-checks.md

The page is committed. A test compares its rows with `checks.toml`, so that a new check cannot be forgotten there; what
passes is said by the run that wrote it, and the same checks are tests that fail when it is no longer so.
"""

# ruff: noqa: T201 - it is a command

import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from cluster import build

from . import checks, debian, worlds

PAGE = Path(__file__).parents[2] / "docs" / "kubernetes-checks.md"
INTRODUCTION = """\
# What kubectl gets from our API server

This page shows which commands work with the game day's own Kubernetes API, beside a real control plane.

The commands are those of the incident procedures, and others that a responder may type. Each is run with kubectl
{modern} against our API server and against a real control plane of Kubernetes {modern}, both with our kubelet as their
only node; those marked for it also with Debian's kubectl {old} against ours. A check passes when the exit code and the
output are as `tests/kubectl/checks.toml` says.

`make checks-table` writes this page. `make test` runs the checks with ours, `make test-cluster` with the real one.
"""


def main() -> int:
    modern, old = worlds.kubectl(), debian.kubectl()
    if not (modern and old and worlds.real_is_built()):
        print("the table needs a built control plane and the old kubectl: run `make test-cluster`", file=sys.stderr)
        return 1
    results = {
        "ours": _results("ours", modern, checks.load()),
        "real": _results("real", modern, checks.load()),
        "old": _results("ours", old, [check for check in checks.load() if check.old]),
    }
    versions = {"modern": build.version(), "old": _version(old)}
    PAGE.write_text(page(checks.load(), results, versions))
    print(PAGE)
    return 0


def page(every: Sequence[checks.Check], results: Mapping[str, Mapping[str, bool]], versions: Mapping[str, str]) -> str:
    """Return the page as Markdown: the sums, the table in the order of the file, the differences."""
    sums = [_sum(title, results[kind]) for kind, title in _columns(versions).items()]
    rows = [_row(check, results) for check in every]
    titles = " | ".join(_columns(versions).values())
    known = [f"- `{check.id}` ({where}): {why}" for check in every for where, why in check.known.items()]
    parts = [
        INTRODUCTION.format(**versions) + "\n".join(["", *sums]),
        "## Known differences",
        "\n".join(known or ["None."]),
        "## Checks",
        "\n".join([f"| check | command | {titles} |", "| --- | --- | --- | --- | --- |", *rows]),
    ]
    return "\n\n".join(parts) + "\n"


def rows_of(text: str) -> list[str]:
    """Return the ids of the checks that a page has rows for."""
    return re.findall(r"^\| `([a-z0-9-]+)` \|", text, re.MULTILINE)


def _results(kind: str, binary: Path, some: Sequence[checks.Check]) -> dict[str, bool]:
    with tempfile.TemporaryDirectory(prefix="firstwatch-") as name, worlds.world(kind, Path(name), binary) as world:
        return dict(_tried(some, world, binary))


def _tried(some: Sequence[checks.Check], world: worlds.World, binary: Path) -> Iterator[tuple[str, bool]]:
    for check in some:
        wrong = checks.failure(checks.at(world.kind, check), world.kubectl(binary), world.names)
        print(f"{world.kind:4} {check.id:32} {'FAILS' if wrong else 'passes'}", file=sys.stderr)
        if wrong and world.kind not in check.known:
            print(wrong, file=sys.stderr)
        yield check.id, not wrong


def _columns(versions: Mapping[str, str]) -> dict[str, str]:
    return {"ours": "ours", "real": f"real {versions['modern']}", "old": f"ours, kubectl {versions['old']}"}


def _sum(title: str, results: Mapping[str, bool]) -> str:
    return f"- **{title}**: {sum(results.values())} of {len(results)} pass"


def _row(check: checks.Check, results: Mapping[str, Mapping[str, bool]]) -> str:
    cells = [{True: "passes", False: "**differs**", None: "–"}[results[kind].get(check.id)] for kind in results]
    return f"| `{check.id}` | {_shown(check.run)} | {' | '.join(cells)} |"


def _shown(command: str) -> str:
    """Return the command as code in a table's cell: on one line, its bars escaped."""
    return "`kubectl " + " ".join(command.split()).replace("|", "\\|") + "`"


def _version(binary: Path) -> str:
    with tempfile.TemporaryDirectory() as home:
        said = checks.Kubectl(binary, Path(home) / "none", Path(home))("version --client").output
    found = re.search(r"v1\.\d+\.\d+", said)
    assert found, said
    return found[0]


if __name__ == "__main__":
    sys.exit(main())
