"""
The database as it sees itself: connections, who waits for whom, who holds what, replication.

Each query reads PostgreSQL's own views; `pg_monitor` is needed, and enough. A refused connection is a finding: that
there is none left is just what a responder must know.
"""

from collections.abc import Mapping
from datetime import datetime

from firstwatch.mechanisms import END_SESSION
from firstwatch.model import Finding, Findings, Json
from firstwatch.probes.probe import Probe, probe
from firstwatch.systems import Systems, postgres
from firstwatch.systems.sessions import IDLE_S, WAIT_S, WAITS

FULL = 0.9  # the share of connections from which on there are too few left
SLOW_S = 30.0
LAG_S = 30.0
HELD_BYTES = 1_000_000_000
SETTING = "database.dsn"
PREPARED = "no session holds it: whoever prepared it must commit it or roll it back"
GIDS = "psql -c 'SELECT gid, owner, prepared FROM pg_prepared_xacts ORDER BY prepared'"

CONNECTIONS = """\
SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
  (SELECT setting::int FROM pg_settings WHERE name = 'max_connections') AS most,
  (SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction') AS idle,
  pg_is_in_recovery() AS standby, current_setting('default_transaction_read_only') = 'on' AS closed"""
LOCKS = f"""\
{WAITS}
SELECT w.by_pid AS pid, coalesce(h.state, '') AS state, h.application_name AS program, left(h.query, 120) AS query,
  count(DISTINCT w.pid) AS waiting, max(w.waited) AS waited
FROM waits w LEFT JOIN pg_stat_activity h ON h.pid = w.by_pid
WHERE w.by_pid NOT IN (SELECT pid FROM waits) GROUP BY 1, 2, 3, 4 ORDER BY waiting DESC, waited DESC LIMIT 5"""  # noqa: S608  # both halves are ours
TRANSACTIONS = """\
SELECT pid, coalesce(state, '') AS state, application_name AS program, left(query, 120) AS query,
  extract(epoch FROM now() - xact_start)::float AS age,
  extract(epoch FROM now() - state_change)::float AS since,
  wait_event_type IS NOT DISTINCT FROM 'Lock' AS waits FROM pg_stat_activity
WHERE xact_start IS NOT NULL AND backend_type = 'client backend' AND pid <> pg_backend_pid()
ORDER BY waits, xact_start LIMIT 5"""
REPLICATION = """\
SELECT 'replica' AS kind, application_name AS name, coalesce(extract(epoch FROM replay_lag)::float, 0) AS lag,
  0::float AS held, true AS active FROM pg_stat_replication
UNION ALL SELECT 'slot', slot_name, 0,
  coalesce(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
    restart_lsn)::float, 0), active FROM pg_replication_slots
ORDER BY 1, 2"""


def _failed(self: Probe, systems: Systems, found: postgres.Rows) -> Findings:
    return Findings((self.bad(systems, found.mechanism, found.failure),))


def _read(systems: Systems, sql: str) -> postgres.Rows:
    return postgres.query(systems.deck, systems.settings.database.dsn, sql)


@probe(
    "Does the database take connections and writes?",
    about="Database//{name}",
    expected="fewer than 90 % of its connections in use, and writes taken",
    command="psql -c 'SELECT count(*) FROM pg_stat_activity'",
    setting=SETTING,
)
def database(self: Probe, systems: Systems, now: datetime) -> Findings:
    found = _read(systems, CONNECTIONS)
    if found.failure:
        return _failed(self, systems, found)
    told = found.rows[0]
    said = f"{told['used']} of {told['most']} connections, {told['idle']} idle in a transaction"
    if told["standby"] or told["closed"]:
        why = "it is a standby" if told["standby"] else "it is set to read only"
        return Findings((self.bad(systems, "database-read-only", f"{why}; {said}"),))
    if told["used"] >= FULL * told["most"]:
        advice = "lower a pool, or end idle sessions"
        return Findings((self.bad(systems, "connections-exhausted", said, next=advice),))
    return self.ok(systems, said)


@probe(
    "Who waits for a lock, and who holds it?",
    about="Database//{name}",
    expected="nobody waits for longer than 5 s",
    command="psql -c 'SELECT pid, pg_blocking_pids(pid), query FROM pg_stat_activity'",
    setting=SETTING,
)
def locks(self: Probe, systems: Systems, now: datetime) -> Findings:
    found = _read(systems, LOCKS)
    if found.failure:
        return _failed(self, systems, found)
    roots = [each for each in found.rows if each["waited"] >= WAIT_S]
    return Findings(_root(self, systems, each) for each in roots) if roots else self.ok(systems, "nobody waits")


def _root(self: Probe, systems: Systems, holder: Mapping[str, Json]) -> Finding:
    if not holder["pid"]:
        said = f"a prepared transaction holds what {holder['waiting']} others wait for since {holder['waited']:.0f} s"
        return self.bad(systems, "lock-wait", said, next=PREPARED, command=GIDS)
    idle = holder["state"].startswith("idle in transaction")
    said = (
        f"session {holder['pid']} ({holder['program'] or 'no name'}, {holder['state']}) holds what {holder['waiting']}"
        f" others wait for since {holder['waited']:.0f} s: {holder['query']}"
    )
    advice = f"end that session, the root: {END_SESSION} -p pid={holder['pid']}"
    return self.bad(systems, "idle-in-transaction" if idle else "lock-wait", said, next=advice)


@probe(
    "Which transactions are old?",
    about="Database//{name}",
    expected="none idle for a minute, none running for half a minute",
    command="psql -c 'SELECT pid, state, xact_start, query FROM pg_stat_activity ORDER BY xact_start'",
    setting=SETTING,
)
def transactions(self: Probe, systems: Systems, now: datetime) -> Findings:
    found = _read(systems, TRANSACTIONS)
    if found.failure:
        return _failed(self, systems, found)
    bad = tuple(finding for each in found.rows if (finding := _aged(self, systems, each)))
    oldest = max((each["age"] for each in found.rows), default=0)
    return Findings(bad) if bad else self.ok(systems, f"the oldest is {oldest:.0f} s old")


def _aged(self: Probe, systems: Systems, each: Mapping[str, Json]) -> Finding | None:
    who = f"session {each['pid']} ({each['program'] or 'no name'})"
    if each["state"].startswith("idle in transaction") and each["since"] >= IDLE_S:
        said = f"{who} is idle in a transaction since {each['since']:.0f} s: {each['query']}"
        return self.bad(systems, "idle-in-transaction", said, next=f"{END_SESSION} -p pid={each['pid']}")
    if each["state"] == "active" and each["age"] >= SLOW_S and not each["waits"]:  # who waits is a victim of another
        return self.bad(systems, "slow-query", f"{who} runs since {each['age']:.0f} s: {each['query']}")
    return None


@probe(
    "Do the replicas keep up?",
    about="Database//{name}",
    expected="every replica within 30 s, no slot that holds 1 GB",
    command="psql -c 'SELECT * FROM pg_stat_replication' -c 'SELECT * FROM pg_replication_slots'",
    setting=SETTING,
)
def replication(self: Probe, systems: Systems, now: datetime) -> Findings:
    found = _read(systems, REPLICATION)
    if found.failure:
        return _failed(self, systems, found)
    bad = [finding for each in found.rows if (finding := _behind(self, systems, each))]
    return Findings(bad) if bad else self.ok(systems, f"{len(found.rows)} replicas and slots keep up")


def _behind(self: Probe, systems: Systems, each: Mapping[str, Json]) -> Finding | None:
    if each["kind"] == "replica" and each["lag"] >= LAG_S:
        return self.bad(systems, "replica-lag", f"replica {each['name']} is {each['lag']:.0f} s behind")
    if each["kind"] == "slot" and not each["active"] and each["held"] >= HELD_BYTES:
        said = f"slot {each['name']} is read by nobody and holds {each['held'] / 1e9:.1f} GB"
        return self.bad(systems, "replication-slot-held", said, next="drop the slot, once nobody needs it")
    return None
