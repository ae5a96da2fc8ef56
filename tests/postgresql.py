"""A real PostgreSQL, Debian's, on a free port of loopback: with room for few connections, and a password."""

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

FLAGS = {"max_connections": "10", "superuser_reserved_connections": "1", "max_prepared_transactions": "1",
         "fsync": "off"}  # fmt: skip


def programs() -> Path | None:
    """Return the folder of its newest programs; None when it is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return found[-1].parent if found else None


@contextmanager
def running(bin_: Path) -> Iterator[str]:
    """Run it until the block ends; yield the connection string of a superuser."""
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    shutil.chown(folder, "postgres")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    quiet: dict[str, Any] = {"user": "postgres", "group": "postgres", "cwd": folder, "stdout": subprocess.DEVNULL,
                             "stderr": subprocess.DEVNULL}  # fmt: skip
    made = ["-D", folder / "data", "-A", "scram-sha-256", "--pwfile", _password(folder)]
    subprocess.run([bin_ / "initdb", *made], check=True, **quiet)
    told = FLAGS | {"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": str(folder)}
    flags = [word for name, value in told.items() for word in ("-c", f"{name}={value}")]
    server = subprocess.Popen([bin_ / "postgres", "-D", folder / "data", *flags], **quiet)
    dsn = f"host=127.0.0.1 port={port} user=postgres dbname=postgres password=not-a-secret"
    try:
        _until_up(dsn)
        yield dsn
    finally:
        server.send_signal(signal.SIGINT)  # also while a client is connected
        server.wait(20)
        shutil.rmtree(folder)


def _password(folder: Path) -> Path:
    path = folder / "password"
    path.write_text("not-a-secret\n")
    shutil.chown(path, "postgres")
    return path


def _until_up(dsn: str) -> None:
    for _ in range(100):
        try:
            psycopg.connect(dsn, connect_timeout=2).close()
            return
        except psycopg.OperationalError:
            time.sleep(0.1)
    pytest.fail("PostgreSQL did not start")


LOCKED = "wait_event_type = 'Lock'"


def until(dsn: str, many: int, how: str = LOCKED) -> None:
    """Return when so many sessions are *how*, a condition on `pg_stat_activity`; fail when half a minute has passed."""
    count = f"SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND {how}"  # a test's own
    ends = time.monotonic() + 30
    with psycopg.connect(dsn, autocommit=True) as session:
        while session.execute(count.encode()).fetchone() != (many,):
            assert time.monotonic() < ends, how
            time.sleep(0.02)
