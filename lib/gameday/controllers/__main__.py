"""Run all controllers and the scheduler in one process, against the API of a kubeconfig."""

import argparse
import asyncio
from pathlib import Path

from firstwatch.clock import WallClock
from gameday import kinds, kubeconfig, program
from gameday.client import Client
from gameday.controllers.controller import Controller
from gameday.controllers.deployment import Deployments
from gameday.controllers.disruption import DisruptionBudgets
from gameday.controllers.endpoints import Endpoints
from gameday.controllers.endpointslice import EndpointSlices
from gameday.controllers.nodelifecycle import NodeLifecycle
from gameday.controllers.replicaset import ReplicaSets
from gameday.events import Recorder
from gameday.informer import Informer
from gameday.scheduler import NAME, Scheduler


async def control(path: Path) -> None:
    """Run until cancelled."""
    clock = WallClock()
    async with Client(kubeconfig.load(path)) as client, asyncio.TaskGroup() as tasks:
        by_us, by_scheduler = (Recorder(client, clock, name) for name in ("gameday-controllers", NAME))
        for recorder in (by_us, by_scheduler):
            tasks.create_task(recorder.run())
        informers, controllers = assemble(client, clock, by_us, by_scheduler)
        for informer in informers:
            tasks.create_task(informer.run())
        for controller in controllers:
            tasks.create_task(controller.run())


def assemble(
    client: Client, clock: WallClock, by_us: Recorder, by_scheduler: Recorder
) -> tuple[list[Informer], list[Controller]]:
    """Return what watches and what acts; the informers are shared, one a kind."""
    pods, nodes, services = (Informer(client, each) for each in (kinds.POD, kinds.NODE, kinds.SERVICE))
    deployments, replicasets = (Informer(client, each) for each in (kinds.DEPLOYMENT, kinds.REPLICA_SET))
    slices, endpoints = (Informer(client, each) for each in (kinds.ENDPOINT_SLICE, kinds.ENDPOINTS))
    budgets, leases = (Informer(client, each) for each in (kinds.DISRUPTION_BUDGET, kinds.LEASE))
    controllers: list[Controller] = [
        Deployments(client, clock, by_us, deployments=deployments, replicasets=replicasets, pods=pods),
        ReplicaSets(client, clock, by_us, replicasets=replicasets, pods=pods),
        EndpointSlices(client, services=services, pods=pods, slices=slices),
        Endpoints(client, services=services, pods=pods, endpoints=endpoints),
        DisruptionBudgets(client, clock, budgets=budgets, pods=pods, replicasets=replicasets),
        NodeLifecycle(client, clock, nodes=nodes, leases=leases, pods=pods),
        Scheduler(client, clock, by_scheduler, nodes=nodes, pods=pods),
    ]
    informers = [pods, nodes, services, deployments, replicasets, slices, endpoints, budgets, leases]
    return informers, controllers


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m gameday.controllers", description=__doc__)
    parser.add_argument("--kubeconfig", type=Path, required=True)
    program.run(control(parser.parse_args().kubeconfig))


if __name__ == "__main__":
    main()
