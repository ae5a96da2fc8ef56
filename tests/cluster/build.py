"""
Build a real Kubernetes control plane, kubectl and etcd from Go modules: the truth that ours is compared with.

No other source of these programs can be had as a package. The first build takes some eight minutes and 4 GB of Go's
own cache; the programs are then kept in a folder named after the version, and building again costs milliseconds. They
are built beside that folder and renamed into it, so that a build that was ended leaves nothing half done.

    python tests/cluster/build.py        builds what is missing, prints the folder

Without Go on PATH it builds nothing and says so, and the tests that need it skip; where `FIRSTWATCH_REQUIRE_TOOLS=1`
that is an error. Versions are those of `go.mod`. A program without the stamp that `stamp` gives it would call itself
v0.0.0, and clients would adapt to that.
"""

# ruff: noqa: T201 - progress is what a builder prints

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import platformdirs
from filelock import FileLock

HERE = Path(__file__).parent
PROGRAMS = {
    "kubectl": "k8s.io/kubernetes/cmd/kubectl",
    "etcd": "go.etcd.io/etcd/server/v3",
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
    "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
}
ENVIRONMENT = {
    "CGO_ENABLED": "0",
    "GOTOOLCHAIN": "local",
    "GOFLAGS": "-mod=readonly -buildvcs=false",
    "GOMEMLIMIT": "2GiB",
}


def version() -> str:
    """Return the Kubernetes version that `go.mod` asks for, such as `v1.37.2`."""
    found = re.search(r"^\s*k8s\.io/kubernetes (v\S+)$", (HERE / "go.mod").read_text(), re.MULTILINE)
    assert found, "go.mod does not require k8s.io/kubernetes"
    return found[1]


def folder() -> Path:
    """Return where the programs of this version are kept, whether they are there or not."""
    return platformdirs.user_cache_path("firstwatch") / "control-plane" / version()


def ready(where: Path) -> bool:
    """Tell whether *where* holds every program, built from the modules that `go.sum` names now."""
    sums = where / "go.sum"
    complete = all((where / name).is_file() for name in PROGRAMS)
    return complete and sums.is_file() and sums.read_bytes() == (HERE / "go.sum").read_bytes()


def build(where: Path) -> None:
    """Build every program into *where*; another build of the same version is waited for, not repeated."""
    where.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(where.with_suffix(".lock")):
        if ready(where):
            return
        print(f"building Kubernetes {version()}: minutes the first time", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(dir=where.parent, prefix="building-") as scratch:
            fresh = Path(scratch) / "programs"
            for name, package in PROGRAMS.items():
                compile_program(name, package, fresh)
            shutil.copy(HERE / "go.sum", fresh)
            shutil.rmtree(where, ignore_errors=True)
            fresh.rename(where)


def compile_program(name: str, package: str, into: Path) -> None:
    started = time.monotonic()
    print(f"building {name} …", file=sys.stderr, flush=True)
    command = ["go", "build", "-p", "2", "-trimpath", "-ldflags", stamp(version()), "-o", str(into / name), package]
    # Nice: the machine's other work goes first. Go's own linker is what needs the memory limit.
    subprocess.run(["nice", *command], cwd=HERE, env={**os.environ, **ENVIRONMENT}, check=True)
    print(f"built {name} in {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)


def stamp(of: str) -> str:
    """Return the linker flags that make a program call itself version *of*."""
    major, minor, _ = of.removeprefix("v").split(".")
    values = {"gitVersion": of, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    stamps = (f"-X {package}.{name}={value}" for package in packages for name, value in values.items())
    return " ".join(["-s", "-w", *stamps])


def main() -> int:
    where = folder()
    if ready(where):
        print("nothing to do", file=sys.stderr)
    elif not shutil.which("go"):
        print("no go on PATH: a control plane cannot be built (Go 1.26 or newer is needed)", file=sys.stderr)
        return int(os.environ.get("FIRSTWATCH_REQUIRE_TOOLS") == "1")
    else:
        build(where)
    print(where)
    return 0


if __name__ == "__main__":
    sys.exit(main())
