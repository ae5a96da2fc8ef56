"""The judge of a game: it finds the record that belongs to it, looks at the world, and has both scored."""

from collections.abc import Sequence
from datetime import UTC, datetime

from firstwatch.cli.duties import owed
from firstwatch.record.event import Event
from firstwatch.record.incident import fold
from firstwatch.record.journal import read
from firstwatch.record.store import Record
from gameday.game import Game, failed
from gameday.scenarios import seen
from gameday.score import After, Score, score
from gameday.world.folder import Folder, State


def scored(game: Game, state: State, folder: Folder, records: Sequence[Record]) -> Score:
    """Return the score of *game* by the newest of *records* that was written to since it began."""
    events = next((found for each in reversed(records) if (found := _since(each, game.since))), ())
    incident = fold(events)
    duties = owed(incident, incident.pace.world(datetime.now(UTC)))
    world = After(not seen.ill(state), game.left(state), failed(folder) - game.failed)
    return score(game.scenario, game.since, events, duties, world)


def _since(record: Record, moment: datetime) -> tuple[Event, ...]:
    """Return the events of *record*; none when the last of them is older than *moment*."""
    found = tuple(read(record.journal))
    return found if found and found[-1].time >= moment else ()
