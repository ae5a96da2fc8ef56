"""
The database of a world: a real PostgreSQL, in a cluster of its own, that listens on a socket in a private folder only.

This program makes the cluster and then becomes the server, so that a signal to the part is one to the server.
PostgreSQL refuses to run as root: there it runs as the user `postgres`, whom the package made, and who cannot enter the
world's folder. So the cluster is in the temporary folder, and a link in the world's says where.
"""

import argparse
import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

USER = "postgres"
MOST = 20  # connections
ACCOUNTS = ("catalog", "firstwatch")
PR_SET_PDEATHSIG = 1
TABLES = (
    "CREATE ROLE catalog LOGIN",
    "CREATE ROLE firstwatch LOGIN IN ROLE pg_monitor, pg_signal_backend",
    "CREATE TABLE models (name text PRIMARY KEY, about text NOT NULL)",
    "INSERT INTO models VALUES ('small', 'answers fast'), ('large', 'answers well')",
    "GRANT ALL ON models TO catalog",
)
SETTINGS = {"listen_addresses": "", "max_connections": str(MOST), "fsync": "off", "autovacuum": "off"}


def programs() -> Path | None:
    """Return where PostgreSQL's programs are; None when it, its user or its driver is not on this machine."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda each: int(each.parts[-3]))
    if not found or importlib.util.find_spec("psycopg") is None or (not os.geteuid() and not _has_user()):
        return None
    return found[-1].parent


def connection(home: Path, account: str) -> Path:
    """Return the file that holds the connection string of *account* in a world whose database is at *home*."""
    return home / account


def _has_user() -> bool:
    return any(each.pw_name == USER for each in pwd.getpwall())


def _made(home: Path) -> Path:
    """Make a private folder for the cluster, and say in *home* where it is."""
    home.mkdir(parents=True, mode=0o700, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix="firstwatch-database-"))
    (home / "place").symlink_to(place)
    if not os.geteuid():
        shutil.chown(place, USER)
    for each in ACCOUNTS:
        connection(home, each).write_text(f"host={place} user={each} dbname={USER}\n", "utf-8")
    return place


def _become_nobody_special() -> None:
    """Leave root, and still end with whoever started us: the kernel forgets that when the user changes."""
    if not os.geteuid():
        user = pwd.getpwnam(USER)
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _fill(bin_: Path, data: Path) -> None:
    """Make the cluster and its table, before anybody can connect."""
    make = [str(bin_ / "initdb"), "-D", str(data), "-A", "trust", "-U", USER, "-N", "-E", "UTF8", "--locale=C"]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
    alone = [str(bin_ / "postgres"), "--single", "-D", str(data), USER]
    subprocess.run(alone, check=True, input="\n".join(TABLES) + "\n", text=True, stdout=subprocess.DEVNULL)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m gameday.database", description=__doc__)
    parser.add_argument("--dir", type=Path, required=True)
    home, bin_ = parser.parse_args().dir, programs()
    if bin_ is None:
        raise SystemExit("no PostgreSQL on this machine")
    place = _made(home)
    _become_nobody_special()
    os.chdir(place)
    _fill(bin_, place / "data")
    flags = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
    own = ["-D", str(place / "data"), "-c", f"unix_socket_directories={place}", *flags]
    os.execv(bin_ / "postgres", ["postgres", *own])  # noqa: S606  # there is no shell to want


if __name__ == "__main__":
    main()
