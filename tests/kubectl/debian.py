"""
Fetch Debian's own kubectl, 1.20: the oldest that somebody may still have, unpacked beside and never installed.

    python tests/kubectl/debian.py       fetches it when it is not there, prints where it is
"""

# ruff: noqa: T201 - it is a command

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import platformdirs

PACKAGE = "kubernetes-client"


def place() -> Path:
    return platformdirs.user_cache_path("firstwatch") / "kubectl-debian" / "kubectl"


def kubectl() -> Path | None:
    """Return the one to use: `FIRSTWATCH_KUBECTL_OLD`, else the one fetched before, else none."""
    given = os.environ.get("FIRSTWATCH_KUBECTL_OLD")
    return Path(given) if given else (place() if place().is_file() else None)


def fetch(to: Path) -> None:
    """Download the package with apt, unpack it into a scratch folder, and keep the one program."""
    to.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=to.parent) as scratch:
        subprocess.run(["apt-get", "download", "-qq", PACKAGE], cwd=scratch, check=True)
        (package,) = Path(scratch).glob("*.deb")
        subprocess.run(["dpkg", "-x", package.name, "tree"], cwd=scratch, check=True)
        (Path(scratch) / "tree" / "usr" / "bin" / "kubectl").rename(to)


def main() -> int:
    if kubectl():
        print("nothing to do", file=sys.stderr)
    elif not shutil.which("apt-get") or not shutil.which("dpkg"):
        print("no apt-get: Debian's kubectl is fetched on Debian only", file=sys.stderr)
        return int(os.environ.get("FIRSTWATCH_REQUIRE_TOOLS") == "1")
    else:
        fetch(place())
    print(kubectl())
    return 0


if __name__ == "__main__":
    sys.exit(main())
