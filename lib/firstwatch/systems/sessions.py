"""
The sessions of a PostgreSQL, each as an object that can be read, and ended.

A pid is given again, so a session is known by its pid and the moment at which it began, and what it holds by the moment
at which its transaction began. The one statement that ends it names all of these and its state: the database itself
refuses to end another session, or one that has moved on. What is no client's is never ended: replication, autovacuum, a
background worker; nor is the session that asks.

A server is known by the moment at which it was started: after a failover another one answers, and that a session is not
there says nothing of what became of it.
"""

from dataclasses import dataclass

from firstwatch.errors import Conflict, NotFound, OutcomeUnknown, Unavailable
from firstwatch.model import Json
from firstwatch.systems import postgres
from firstwatch.systems.deck import Deck

KIND = "Session"
CLIENT = "client backend"
IDLE = "idle in transaction"
IDLE_S = 60.0  # for how long a transaction may be idle before that is wrong
WAIT_S = 5.0  # for how long somebody may wait for a lock before that is wrong
ENDS_MS = 2000  # for how long the statement waits until the session is gone


WAITS = """\
WITH waits AS (
  SELECT a.pid, b.pid AS by_pid, extract(epoch FROM now() - a.query_start)::float AS waited
  FROM pg_stat_activity a, unnest(pg_blocking_pids(a.pid)) AS b(pid) WHERE a.wait_event_type = 'Lock')"""
READ = f"""\
{WAITS}
SELECT s.pid, coalesce(s.backend_start::text, '') AS began, coalesce(s.xact_start::text, '') AS transaction,
  coalesce(s.state_change::text, '') AS since,
  coalesce(extract(epoch FROM now() - s.state_change)::float, 0) AS since_s,
  s.backend_type AS kind, coalesce(s.state, '') AS state, coalesce(s.usename, '') AS user,
  s.application_name AS program, coalesce(host(s.client_addr), 'this host') AS client, s.query,
  (SELECT count(DISTINCT w.pid) FROM waits w WHERE w.by_pid = s.pid) AS waiting,
  coalesce((SELECT max(w.waited) FROM waits w WHERE w.by_pid = s.pid), 0) AS waited_s,
  coalesce((SELECT max(w.by_pid) FROM waits w WHERE w.pid = s.pid), -1) AS waits_for,
  (SELECT count(*) FROM pg_stat_activity o WHERE o.usename = s.usename AND o.application_name = s.application_name
    AND o.pid <> s.pid AND o.state ~ '^idle in transaction') AS alike,
  coalesce(CASE WHEN (SELECT r.rolsuper FROM pg_roles r WHERE r.oid = s.usesysid)
    THEN current_setting('is_superuser') = 'on'
    ELSE pg_has_role(s.usesysid, 'USAGE') OR pg_has_role('pg_signal_backend', 'USAGE') END, false) AS may,
  pg_postmaster_start_time()::text AS server
FROM pg_stat_activity s WHERE s.pid <> pg_backend_pid() AND CASE WHEN %(pid)s > 0 THEN s.pid = %(pid)s
  ELSE s.state ~ '^idle in transaction' OR s.pid IN (SELECT by_pid FROM waits) END
ORDER BY waiting DESC, s.xact_start LIMIT 20"""  # noqa: S608  # both halves are ours
SERVER = "SELECT pg_postmaster_start_time()::text AS server"
END = """\
SELECT pg_terminate_backend(s.pid, %(ends_ms)s) AS ended FROM pg_stat_activity s
WHERE s.pid = %(pid)s AND s.backend_start = %(began)s::timestamptz AND s.state = %(state)s
  AND s.xact_start IS NOT DISTINCT FROM nullif(%(transaction)s, '')::timestamptz
  AND s.backend_type = 'client backend' AND s.pid <> pg_backend_pid()
  AND (s.state ~ '^idle in transaction' OR s.pid IN (
    SELECT unnest(pg_blocking_pids(w.pid)) FROM pg_stat_activity w WHERE w.wait_event_type = 'Lock'))"""


@dataclass(frozen=True, slots=True)
class Session:
    """
    One session as the database shows it. Moments are as it writes them, in UTC; empty where there is none.

    `waiting` others wait for it directly, the longest for `waited_s`. `waits_for` is the session that it waits for
    itself; 0: a prepared transaction, -1: none. `alike` are other sessions of its program that are idle in a
    transaction. `may`: we could end it. `server` is when the server was started.
    """

    pid: int
    began: str
    transaction: str
    since: str
    since_s: float
    kind: str
    state: str
    user: str
    program: str
    client: str
    query: str
    waiting: int
    waited_s: float
    waits_for: int
    alike: int
    may: bool
    server: str

    @property
    def object(self) -> Json:
        """Return it in the shape of an object of a cluster; its version is the transaction that it holds."""
        uid = f"{self.pid} of {self.began}{_on(self.server)}"
        metadata = {"name": str(self.pid), "namespace": "", "uid": uid, "resourceVersion": self.transaction}
        return {"kind": KIND, "metadata": metadata, **self.bound}

    @property
    def bound(self) -> Json:
        """Return what the statement that ends it is bound to, besides its pid."""
        return {"began": self.began, "state": self.state, "transaction": self.transaction}

    @property
    def idle(self) -> bool:
        return self.state.startswith(IDLE)


def read(deck: Deck, dsn: str, pid: int = 0) -> tuple[Session, ...]:
    """
    Return the session *pid*, if it is there; with 0 those that hold what others wait for, or idle in a transaction.

    Whom most wait for comes first, then whose transaction is the oldest.

    Raises:
        Refused: The account does not see the sessions of others.
        Unavailable: The database did not answer, took no connection, or answered something else.
    """
    doing = "reading the sessions of the database"
    try:
        told = postgres.query(deck, dsn, READ, {"pid": pid})
        found = tuple(Session(**each) for each in told.rows)
    except TypeError as error:
        raise Unavailable(f"{doing}: the answer has an unexpected shape: {error!r}; look with psql") from error
    if told.failure:
        raise Unavailable(f"{doing}: {told.failure}; try again")
    return found


def _on(server: str) -> str:
    return f", on the server of {server}"


def lived_on(uid: str, deck: Deck, dsn: str) -> bool:
    """Return whether the session *uid* was one of the server that answers now; raises as `read`."""
    told = postgres.query(deck, dsn, SERVER)
    if told.failure or not told.rows:
        raise Unavailable(f"asking the database which server it is: {told.failure or 'no answer'}; try again")
    return uid.endswith(_on(str(told.rows[0]["server"])))


def get(deck: Deck, dsn: str, name: str) -> Json:
    """Return the session whose pid is *name*, as an object; NotFound when it is gone; otherwise as `read`."""
    found = read(deck, dsn, int(name))
    if not found:
        raise NotFound(f"there is no session {name}")
    return found[0].object


def end(deck: Deck, dsn: str, found: Json) -> None:
    """
    End the session *found*, as it was read, with one statement, and see that it is gone.

    Raises:
        Conflict: It is not what was read any more, or nobody waits for it. It was not ended.
        Refused: We may not end it.
        Unavailable: No connection could be opened. It was not ended.
        OutcomeUnknown: It was told to end, or may have been, and was not seen to.
    """
    pid = int(found["metadata"]["name"])
    bound = {key: found[key] for key in ("began", "state", "transaction")}
    rows = postgres.command(deck, dsn, END, {"pid": pid, "ends_ms": ENDS_MS, **bound})
    if not rows:
        raise Conflict(f"session {pid} is not what was read any more, or nobody waits for it; plan again")
    if not rows[0]["ended"]:
        raise OutcomeUnknown(f"session {pid} was told to end, and was not seen to within {ENDS_MS / 1000:g} s")
