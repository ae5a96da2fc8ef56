"""
Probes: each reads one thing from one system and says OK, BAD or UNKNOWN. None ever changes anything.

A probe is a function of the systems and the time of asking. `sweep` asks many at once.
"""

from firstwatch.probes.balancer import load_balancer, targets
from firstwatch.probes.configuration import references, settings
from firstwatch.probes.customers import customers
from firstwatch.probes.database import database, locks, replication, transactions
from firstwatch.probes.dependencies import dependencies, provider
from firstwatch.probes.events import events
from firstwatch.probes.health import health
from firstwatch.probes.limits import autoscalers, budgets, quotas, usage
from firstwatch.probes.logs import logs
from firstwatch.probes.merges import merges
from firstwatch.probes.nodes import nodes
from firstwatch.probes.page import page
from firstwatch.probes.pods import pods
from firstwatch.probes.probe import Probe, ask
from firstwatch.probes.rollouts import neighbours, rollouts, scaling
from firstwatch.probes.services import ingresses, services
from firstwatch.probes.settled import settled
from firstwatch.probes.smoke import smoke_tests
from firstwatch.probes.sweep import sweep, unasked
from firstwatch.probes.traffic import alerts, error_rate, error_shares, latency, request_rate

# What the first five minutes ask: everything. What nobody configured is left out.
FIRST_FIVE_MINUTES: tuple[Probe, ...] = (
    nodes, pods, rollouts, scaling, neighbours, events, services, ingresses, references, settings, autoscalers, quotas,
    budgets, usage, error_rate, error_shares, latency, request_rate, alerts, logs, health, dependencies, provider,
    database, locks, transactions, replication, load_balancer, targets, merges,
)  # fmt: skip

# The conditions of stability: errors, response time, health, database, dependencies, alerts. The last is a person's.
STABILITY: tuple[Probe, ...] = (error_rate, latency, health, database, dependencies, alerts, rollouts, pods, settled)

# What anybody may have changed, and the harm that it may have done.
CHANGES: tuple[Probe, ...] = (
    rollouts, neighbours, settings, scaling, nodes, merges, provider, dependencies, error_rate, latency,
)  # fmt: skip

__all__ = [
    "CHANGES",
    "FIRST_FIVE_MINUTES",
    "STABILITY",
    "Probe",
    "alerts",
    "ask",
    "autoscalers",
    "budgets",
    "customers",
    "database",
    "dependencies",
    "error_rate",
    "error_shares",
    "events",
    "health",
    "ingresses",
    "latency",
    "load_balancer",
    "locks",
    "logs",
    "merges",
    "neighbours",
    "nodes",
    "page",
    "pods",
    "provider",
    "quotas",
    "references",
    "replication",
    "request_rate",
    "rollouts",
    "scaling",
    "services",
    "settings",
    "settled",
    "smoke_tests",
    "sweep",
    "targets",
    "transactions",
    "unasked",
    "usage",
]
