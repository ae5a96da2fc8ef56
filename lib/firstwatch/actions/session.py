"""
Sessions: end one of the database's, whose transaction holds what others wait for, or has been idle for long.

There is no undo: what it has not committed is rolled back. Only the root is ended, never those that wait for it.
"""

from firstwatch.actions.action import Action, action, target_of
from firstwatch.actions.stick import says
from firstwatch.errors import BadParameter, NotFound, Refused
from firstwatch.model import Change, Finding, Findings, Plan, Target, Verdict, parse_time, timestamp
from firstwatch.record.redact import redacted
from firstwatch.systems import Systems, sessions
from firstwatch.systems.sessions import CLIENT, IDLE_S, WAIT_S, Session

MOST_LETTERS = 120  # of its query


@action("Which session would be ended?", destructive=True)
def end_session(self: Action, systems: Systems, *, pid: int = 0) -> Plan:
    """
    Plan to end one session that waits for nobody.

    Args:
        self: The action.
        systems: Where.
        pid: Which; 0: the one that most others wait for, else the one that is longest idle in a transaction.

    Raises:
        NotFound: There is no such session, or none that is to be ended.
        BadParameter: It does no harm, is no client's, waits for another itself, or no database is configured.
        Refused: We may not see it, or may not end it.
    """
    found = _permitted(_chosen(systems, pid))
    target = target_of(found.object)
    return Plan(
        action=self.name, target=target, changes=(Change("", found.bound, None),), undo=(),
        destructive=self.destructive, parameters={"pid": pid}, summary=_summary(found),
        sticks=Findings((_comes_back(target, found),)),
    )  # fmt: skip


def _chosen(systems: Systems, pid: int) -> Session:
    if isinstance(pid, bool) or not isinstance(pid, int) or pid < 0:
        raise BadParameter(f"pid {pid!r} is not the number of a session, nor 0 for the root")
    if not systems.settings.database.dsn:
        raise BadParameter("no database is configured: set [database] dsn")
    found = sessions.read(systems.deck, systems.settings.database.dsn, pid)
    return _named(found, pid) if pid else _root(found)


def _named(found: tuple[Session, ...], pid: int) -> Session:
    if not found:
        raise NotFound(f"there is no session {pid}; firstwatch run investigate/database shows who holds what")
    if why := _spared(found[0]):
        raise BadParameter(f"session {pid} is not ended: {why}")
    return found[0]


def _root(found: tuple[Session, ...]) -> Session:
    harmful = (each for each in found if not _spared(each))
    if root := next(harmful, None):
        return root
    raise NotFound(f"no session is to be ended: {_limits()}")


def _spared(found: Session) -> str:
    """Return why *found* is not to be ended; empty when it is."""
    if found.kind != CLIENT:
        return f"it is the database's own, {found.kind}"
    if found.waits_for >= 0:
        root = f"session {found.waits_for}" if found.waits_for else "a prepared transaction"
        return f"it waits for {root} itself; end the root"
    if (found.waiting and found.waited_s >= WAIT_S) or (found.idle and found.since_s >= IDLE_S):
        return ""
    return f"it is {found.state} since {found.since_s:.0f} s, and {found.waiting} others wait for it; {_limits()}"


def _limits() -> str:
    return f"others must wait for it for {WAIT_S:.0f} s, or its transaction be idle for {IDLE_S:.0f} s"


def _permitted(found: Session) -> Session:
    if found.may:
        return found
    whose = f"session {found.pid} of {found.user}"
    raise Refused(f"this account may not end {whose}; GRANT pg_signal_backend, or ask a superuser when it is one's")


def _summary(found: Session) -> tuple[str, ...]:
    """Return who it is and what is lost; moments, not ages, so that it is the same when it is planned again."""
    who = f"session {found.pid} of {found.user} ({found.program or 'no name'}, from {found.client})"
    query = " ".join(str(redacted(found.query)).split())
    shown = query if len(query) <= MOST_LETTERS else f"{query[:MOST_LETTERS]}…"
    return (
        f"{who} is ended, and what it has not committed is rolled back; there is no undo",
        f"{found.state} since {_moment(found.since)}, in a transaction since {_moment(found.transaction)}",
        f"{found.waiting} others wait for it",
        f"its last query: {shown}",
    )


def _moment(text: str) -> str:
    return timestamp(parse_time(text)) if text else "(none)"


def _comes_back(target: Target, found: Session) -> Finding:
    others = f"; {found.alike} more of its program are idle in a transaction now" if found.alike else ""
    said = f"its client may come back and do the same{others}: mend it, or set idle_in_transaction_session_timeout"
    return says(target, Verdict.UNKNOWN, said)
