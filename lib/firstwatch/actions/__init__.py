"""
Actions: each is a kind of change. It resolves to a plan against the live system, and plans are applied by `change`.

An action never writes. Only `change.apply` does, and only what its plan says.
"""

from firstwatch.actions.action import Action
from firstwatch.actions.flag import circuit_breaker, feature_toggle, reload
from firstwatch.actions.maintenance import maintenance
from firstwatch.actions.nodes import cordon
from firstwatch.actions.restart import restart
from firstwatch.actions.rollback import rollback
from firstwatch.actions.scale import autoscaler, scale
from firstwatch.actions.session import end_session
from firstwatch.actions.sync import pause_sync

__all__ = [
    "Action",
    "autoscaler",
    "circuit_breaker",
    "cordon",
    "end_session",
    "feature_toggle",
    "maintenance",
    "pause_sync",
    "reload",
    "restart",
    "rollback",
    "scale",
]
