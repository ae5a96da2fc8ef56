"""
Injecting: a fault is put in as somebody's ordinary changes, and the clock starts once harm can be seen.

It waits until the world has lived for a while: where nothing was measured before, nobody can say what changed.

With an odd seed an innocent change comes just before, so that "the last change did it" is wrong half of the time.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import httpx2

from firstwatch.errors import Unavailable
from firstwatch.model import Json
from gameday import kinds, kubeconfig
from gameday.client import MERGE, ApiError, Client
from gameday.scenarios import seen
from gameday.scenarios.scenario import CONTROL_PLANE, Scenario, Signal, Write, release
from gameday.world.folder import State

WITHIN_S = 100.0
BEFORE_S, BEFORE_RELEASE_S = 30, 10  # of measured life; what is released rolls out while it is measured
POLL_S, NOT_FOUND = 0.5, 404
HOW = {CONTROL_PLANE: "firstwatch gameday up --control-plane DIR starts one"}
INNOCENT_RELEASE = release("1.4.3")
INNOCENT_SETTING = Write(
    {"data": {"banner": "New models are here."}}, kinds.CONFIG_MAP, "claude-deployment-config", MERGE
)  # fmt: skip


def inject(scenario: Scenario, state: State, seed: int = 0) -> str:
    """
    Put the fault into the world that is up, and return what is to be seen of it.

    Args:
        scenario: The fault.
        state: The world.
        seed: Odd puts an innocent change just before it.

    Raises:
        ApiError: The API refused the change.
        Unavailable: It was done, and nothing could be seen of it in time; or this world lacks the part that it needs.
    """
    if scenario.needs and scenario.needs not in state.processes:
        here = state.parts.get(scenario.needs, f"none; {HOW.get(scenario.needs, '')}")
        raise Unavailable(f"{scenario.name} needs a real {scenario.needs}: {here}")
    before_s = BEFORE_S if scenario.change and not scenario.release else BEFORE_RELEASE_S
    _until(lambda: seen.lived(state, before_s), "the error rate to be measured for a while")
    if seed % 2 and scenario.change:
        put((INNOCENT_SETTING if scenario.release else INNOCENT_RELEASE,), state)
        _until(lambda: not seen.unsettled(seen.deployment(state)), "the innocent change to be rolled out")
    put(scenario.change, state)
    found: list[str] = []
    _until(lambda: bool(_looked(scenario, state, found)), f"{scenario.name}, which was injected, to show")
    return found[-1]


def _looked(scenario: Scenario, state: State, found: list[str]) -> str:
    found.append(scenario.shown(state))
    return found[-1]


def _until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not _tried(holds):
        if time.monotonic() > deadline:
            raise Unavailable(f"waited {WITHIN_S:.0f} s for {what}")
        time.sleep(POLL_S)


def _tried(holds: Callable[[], bool]) -> bool:
    """Return what *holds* says; what does not answer in time says nothing yet."""
    try:
        return holds()
    except httpx2.HTTPError:
        return False


def put(changes: tuple[Write | Signal, ...], state: State) -> None:
    """Send the signals of *changes*, then make its writes in order, by the world's own client; ApiError for a no."""
    for each in changes:
        if isinstance(each, Signal):
            os.kill(state.processes[each.part].pid, each.number)
    asyncio.run(_put([each for each in changes if isinstance(each, Write)], Path(state.kubeconfig)))


async def _put(writes: Iterable[Write], path: Path) -> None:
    access = kubeconfig.load(path)
    async with Client(access) as client:
        for each in writes:
            named = {"metadata": {"name": each.name, "namespace": access.namespace}}
            if each.change:
                await _written(client, each, named)
            else:
                await client.delete(each.kind, await client.get(each.kind, access.namespace, each.name))


async def _written(client: Client, write: Write, named: Json) -> None:
    try:
        await client.patch(write.kind, named, dict(write.change), form=write.form)
    except ApiError as error:
        if error.status != NOT_FOUND:
            raise
        metadata = {**write.change.get("metadata", {}), **named["metadata"]}
        kind = {"apiVersion": write.kind.api, "kind": write.kind.kind}
        await client.create(write.kind, {**kind, **write.change, "metadata": metadata})
