"""
What a page of a record needs besides the record: the policy that its duties follow from, and where its graphs are.

A configuration that is not there, or cannot be read, takes no page away: then the duties are those of the shipped
policy, and nothing is linked.
"""

import hashlib
import os
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Self

from firstwatch import environment
from firstwatch import settings as configuration
from firstwatch.errors import FirstwatchError
from firstwatch.policy import tables
from firstwatch.policy.duties import Duty, duties
from firstwatch.policy.links import Link, links
from firstwatch.policy.tables import Policy
from firstwatch.record.incident import Incident
from firstwatch.settings import Settings


@dataclass(frozen=True, slots=True)
class Around:
    """`digest` changes when what it was read from does."""

    policy: Policy = field(default_factory=tables.load)
    settings: Settings | None = None
    digest: str = ""

    @classmethod
    def here(cls) -> Self:
        """Return what applies to this command."""
        return cls.beside(environment.find(os.environ, Path.cwd()))

    @classmethod
    def beside(cls, path: Path | None) -> Self:
        """Return what the `firstwatch.toml` at *path* and the `policy.toml` beside it say."""
        if path is None:
            return cls()
        files = [each for each in (path, path.with_name(tables.FILE)) if each.is_file()]
        try:
            digest = hashlib.sha256(b"\0".join(each.read_bytes() for each in files)).hexdigest()
            return cls(tables.load(path), configuration.load(path), digest)
        except (FirstwatchError, OSError):
            return cls()

    def owed(self, incident: Incident) -> tuple[Duty, ...]:
        """Return who owed what as the record ends: now is its last event, so that a page says the same at any time."""
        if not incident.timeline:
            return ()
        return duties(self.policy, incident.people, incident.pace.world(incident.timeline[-1].time))

    def links(self, incident: Incident, until: datetime | None = None) -> tuple[Link, ...]:
        """
        Return where to look, from before the incident to its resolution, else to *until*, else to its last event.

        A record of another service has none.
        """
        opened, ends = incident.opened_at, incident.resolved_at or until
        if self.settings is None or opened is None or incident.service not in ("", self.settings.service.name):
            return ()
        return links(self.settings, opened, ends or incident.timeline[-1].time)
