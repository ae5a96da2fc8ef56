"""
Actions: each is a kind of change. It resolves to a plan against the live system, and plans are applied by `change`.

An action never writes. Only `change.apply` does, and only what its plan says.
"""

from firstwatch.actions.action import Action
from firstwatch.actions.rollback import rollback

__all__ = ["Action", "rollback"]
