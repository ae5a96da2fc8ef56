"""
PostgreSQL: reads, in a session that can do nothing else, within a deadline; and one command, sent once.

Where the connection string is found is a setting, what it is never is: it goes from the environment or a file to the
driver, and the redaction is told to look for it. A refusal of the server has a SQLSTATE, which says more than words.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from firstwatch.errors import BadParameter, OutcomeUnknown, Refused, Unavailable
from firstwatch.model import Json
from firstwatch.record.redact import know
from firstwatch.systems.deck import Deck, Told

Values: TypeAlias = Mapping[str, Json]  # what a statement's %(name)s stand for

CONNECT_S = 3
STATEMENT_MS = 3000
DEADLINE_S = 8.0
URL = "postgresql://database"  # what the tape calls it
FAILED = 500
DENIED = "42501"
SEES = "SELECT pg_has_role('pg_read_all_stats', 'USAGE')"  # without it rows lose what they say, and nothing is refused
REFUSING = ("25", "28", "42")  # classes of SQLSTATE with which nothing was done
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


def query(deck: Deck, dsn: str, sql: str, values: Values | None = None) -> Rows:
    """
    Return what *sql* gives.

    Args:
        deck: Records, or replays.
        dsn: Where the connection string is found: `env:NAME` or `file:PATH`.
        sql: One query that reads.
        values: What its `%(name)s` stand for.

    Raises:
        BadParameter: The connection string is not where it should be.
        Refused: The account may not read that, or does not see what others do: then no row is believed.
        Unavailable: The driver is not installed, or no answer came in time.
    """
    status, told = deck.asked("SQL", URL, _sent(sql, values), DEADLINE_S, lambda: _ask(_secret(dsn), sql, values))
    if status != FAILED:
        return Rows(_rows(told))
    if told["sqlstate"] == DENIED:
        raise Refused(f"the database answered: {told['message']}; give the account pg_monitor")
    return Rows((), told["message"], STATES.get(told["sqlstate"]) or _said(told["message"]))


def command(deck: Deck, dsn: str, sql: str, values: Values) -> tuple[Mapping[str, Json], ...]:
    """
    Send *sql*, which changes something, once, and return its rows.

    Raises:
        Refused: The account may not, or the database does not take it. Nothing was done.
        Unavailable: No connection could be opened. Nothing was done.
        OutcomeUnknown: It was sent, and no definite answer came.
    """
    try:
        status, told = deck.asked(
            "SQL", URL, _sent(sql, values), DEADLINE_S, lambda: _ask(_secret(dsn), sql, values, read_only=False)
        )
    except Unavailable as error:
        raise OutcomeUnknown(str(error)) from error
    if status != FAILED:
        return _rows(told)
    if not told["sent"]:
        raise Unavailable(f"the database took no connection: {told['message']}; nothing was sent")
    if told["sqlstate"].startswith(REFUSING):
        raise Refused(f"the database answered: {told['message']}; ask for access")
    raise OutcomeUnknown(f"the database was told, and then: {told['message']}")


def _sent(sql: str, values: Values | None) -> Json:
    return sql if values is None else {"sql": sql, "values": values}


def _rows(told: Json) -> tuple[Mapping[str, Json], ...]:
    return tuple(dict(zip(told["columns"], row, strict=True)) for row in told["rows"])


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


def _ask(dsn: str, sql: str, values: Values | None, *, read_only: bool = True) -> Told:
    try:
        import psycopg
    except ImportError as error:
        raise Unavailable("psycopg is not installed; pip install 'firstwatch[postgres]'") from error
    options, sent = f"-c statement_timeout={STATEMENT_MS} -c timezone=UTC -c datestyle=ISO", False
    try:
        with (
            psycopg.connect(dsn, connect_timeout=CONNECT_S, options=options, application_name="firstwatch") as session,
            session.cursor() as cursor,
        ):
            session.read_only, session.autocommit, sent = read_only, not read_only, True
            if read_only and cursor.execute(SEES).fetchone() == (False,):
                return FAILED, {"sqlstate": DENIED, "message": "what other accounts do is hidden", "sent": True}
            cursor.execute(sql.encode(), values)
            columns = [each.name for each in cursor.description or ()]
            return 200, {"columns": columns, "rows": [[_plain(value) for value in row] for row in cursor.fetchall()]}
    except psycopg.Error as error:
        message = " ".join(str(error).replace(dsn, "").split())[:300]
        return FAILED, {"sqlstate": error.sqlstate or "", "message": message, "sent": sent}


def _plain(value: Any) -> Json:
    return value if isinstance(value, str | int | bool | type(None)) else float(value)
