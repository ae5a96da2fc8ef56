"""
Other teams' programs that use the database of the models: each opens its sessions, and keeps what it has got.

`backfill` writes anew what the catalog reads, all of it in one transaction. `export` reads with as many sessions as it
is given, to be done sooner. Neither knows of the catalog.
"""

import argparse
import asyncio
import os
from pathlib import Path

import psycopg

from gameday import program

AGAIN_S = 0.2
LOCK = "LOCK TABLE models IN ACCESS EXCLUSIVE MODE"
READ = "SELECT count(*) FROM models"


async def backfill(dsn: str) -> None:
    """Take the table for ourselves, and hold it until told to end."""
    async with await psycopg.AsyncConnection.connect(dsn, application_name="claude-deployment-backfill") as session:
        await session.execute(LOCK)
        await asyncio.Event().wait()


async def export(dsn: str) -> None:
    """Open sessions until no more are given, and whenever one is free again."""
    held: list[psycopg.AsyncConnection[tuple[object, ...]]] = []
    while True:
        try:
            session = await psycopg.AsyncConnection.connect(
                dsn, application_name="claude-deployment-export", autocommit=True
            )
            await session.execute(READ)
            held.append(session)
        except psycopg.OperationalError:
            await asyncio.sleep(AGAIN_S)


PROGRAMS = {"backfill": backfill, "export": export}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m gameday.tenants", description=__doc__)
    parser.add_argument("name", choices=sorted(PROGRAMS))
    given = parser.parse_args()
    program.run(PROGRAMS[given.name](Path(os.environ["DATABASE"]).read_text("utf-8").strip()))


if __name__ == "__main__":
    main()
