"""
PostgreSQL: reads, in a session that can do nothing else, within a deadline.

Where the connection string is found is a setting, what it is never is: it goes from the environment or a file to the
driver, and the redaction is told to look for it. A refusal of the server has a SQLSTATE, which says more than words.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firstwatch.errors import BadParameter, Refused, Unavailable
from firstwatch.model import Json
from firstwatch.record.redact import know
from firstwatch.systems.deck import Deck, Told

CONNECT_S = 3
STATEMENT_MS = 3000
DEADLINE_S = 8.0
URL = "postgresql://database"  # what the tape calls it
FAILED = 500
# What a SQLSTATE says of the mechanism; the first two letters are its class.
STATES: Mapping[str, str] = {
    "53300": "connections-exhausted", "28P01": "credentials-refused", "28000": "credentials-refused",
    "57P03": "database-down", "57P01": "database-down", "57014": "slow-query",
}  # fmt: skip
WORDS: Mapping[str, str] = {
    "too many clients": "connections-exhausted", "remaining connection slots": "connections-exhausted",
    "authentication failed": "credentials-refused",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rows:
    """What a query gave: each row by its columns' names. `failure` and `mechanism` when it gave nothing."""

    rows: tuple[Mapping[str, Json], ...]
    failure: str = ""
    mechanism: str = ""


def query(deck: Deck, dsn: str, sql: str) -> Rows:
    """
    Return what *sql* gives.

    Args:
        deck: Records, or replays.
        dsn: Where the connection string is found: `env:NAME` or `file:PATH`.
        sql: One query that reads.

    Raises:
        BadParameter: The connection string is not where it should be.
        Refused: The account may not read that.
        Unavailable: The driver is not installed, or no answer came in time.
    """
    status, told = deck.asked("SQL", URL, sql, DEADLINE_S, lambda: _ask(_secret(dsn), sql))
    if status != FAILED:
        return Rows(tuple(dict(zip(told["columns"], row, strict=True)) for row in told["rows"]))
    if told["sqlstate"] == "42501":
        raise Refused(f"the database answered: {told['message']}; give the account pg_monitor")
    return Rows((), told["message"], STATES.get(told["sqlstate"]) or _said(told["message"]))


def _said(message: str) -> str:
    """Return the mechanism of a refused connection: of that the driver keeps the words alone."""
    return next((mechanism for words, mechanism in WORDS.items() if words in message), "database-down")


def _secret(reference: str) -> str:
    kind, _, name = reference.partition(":")
    try:
        value = os.environ[name] if kind == "env" else Path(name).read_text("utf-8").strip()
    except (KeyError, OSError) as error:
        raise BadParameter(f"[database] dsn: {reference} is not there; set it, never in the configuration") from error
    know(value)
    return value


def _ask(dsn: str, sql: str) -> Told:
    try:
        import psycopg
    except ImportError as error:
        raise Unavailable("psycopg is not installed; pip install 'firstwatch[postgres]'") from error
    options = f"-c statement_timeout={STATEMENT_MS}"
    try:
        with (
            psycopg.connect(dsn, connect_timeout=CONNECT_S, options=options, application_name="firstwatch") as session,
            session.cursor() as cursor,
        ):
            session.read_only = True
            cursor.execute(sql.encode())
            columns = [each.name for each in cursor.description or ()]
            return 200, {"columns": columns, "rows": [[_plain(value) for value in row] for row in cursor.fetchall()]}
    except psycopg.Error as error:
        message = " ".join(str(error).replace(dsn, "").split())[:300]
        return FAILED, {"sqlstate": error.sqlstate or "", "message": message}


def _plain(value: Any) -> Json:
    return value if isinstance(value, str | int | bool | type(None)) else float(value)
