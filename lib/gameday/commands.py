"""`firstwatch gameday`: bring a world up, break it, look at it, take it down."""

import json as json_
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

import gameday
from firstwatch.cli import screen
from firstwatch.cli.app import Json, office
from gameday import scenarios
from gameday.game import Game
from gameday.scenarios import Scenario
from gameday.world import control
from gameday.world.folder import Folder, State

ControlPlane = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="A folder with kube-apiserver and its like: the real one, in place of ours."),
]


Speed = Annotated[
    float | None,
    typer.Option(min=1, max=1000, metavar="N", help="Let its time go N times as fast: 20 makes 2 hours of 6 minutes."),
]
app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help=f"""
    {gameday.__doc__}

    Nothing is reached from outside and nothing outside is reached. `firstwatch gameday SCENARIO` breaks it.

    Examples:

        firstwatch gameday up

        firstwatch gameday bad-release

        firstwatch gameday down
    """,
)


@app.command()
def up(control_plane: ControlPlane = None, speed: Speed = None, json: Json = False) -> None:
    """
    Start a world, unless one is up, and wait until its service is healthy.

    With `--speed 20` two hours of duties pass in six minutes.
    """
    folder = Folder.default()
    found = State.read(folder.state).state
    if found in {"up", "starting"}:
        screen.err.print(f"a world is {found} already in {folder.path}")
    with screen.busy("starting") as tell:
        state = control.up(folder, control_plane, tell, speed)
    return screen.document(_document(folder, state)) if json else _show(folder, state)


@app.command()
def down(json: Json = False) -> None:
    """End the world and all that it started; its records stay."""
    folder = Folder.default()
    with screen.busy("ending the world"):
        ended = control.down(folder)
    if json:
        return screen.document({"state": "down", "ended": ended})
    return screen.say("the world is down" if ended else "no world is up")


@app.command()
def status(json: Json = False) -> None:
    """Show whether a world is up, what is real in it, and where its parts listen."""
    folder = Folder.default()
    state = State.read(folder.state)
    return screen.document(_document(folder, state)) if json else _show(folder, state)


@app.command("list")
def list_scenarios(json: Json = False) -> None:
    """List the scenarios."""
    found = [scenarios.SCENARIOS[name] for name in sorted(scenarios.SCENARIOS)]
    if json:
        return screen.document([{"name": s.name, "title": s.title, "sees": s.sees, "heals": s.heals} for s in found])
    return screen.rows(("SCENARIO", "WHAT", "HEALED BY"), [(s.name, s.title, s.heals) for s in found])


@app.command()
def score(json: Json = False) -> None:
    """
    Score the game: diagnosis, cure, wrong cures, what else was changed, duties, time, and minutes lost by users.

    It reads the record that was written since the fault began, and looks at the world as it is now.
    """
    from gameday.judge import scored

    here, folder = office(), Folder.default()
    game, state = Game.read(folder), State.read(folder.state)
    with screen.busy("looking at the users"):
        told = scored(game, state, folder, here.store.records())
    if json:
        return screen.document({**asdict(told), "passed": told.passed})
    screen.rows(("POINT", "WON"), [(name, "yes" if won else "NO") for name, won in told.passed.items()])
    return screen.say("\n".join(screen.safe(line) for line in told.lines))


def _scenario(scenario: Scenario) -> None:
    """Add the command that injects *scenario*."""

    @app.command(scenario.name, help=f"{scenario.title}.", rich_help_panel="Scenarios")
    def inject(json: Json = False) -> None:
        folder = Folder.default()
        with screen.busy("starting a world") as tell:
            state = control.up(folder, None, tell)
            tell(f"{scenario.name}: waiting until it shows")
            game = Game.begin(scenario, folder, state, datetime.now(UTC))
            said = scenarios.inject(scenario, state)
            game.keep(folder, state)
        if json:
            return screen.document({"scenario": scenario.name, "shown": said, **_document(folder, state)})
        screen.say(f"[bold]{scenario.title}[/]\n{screen.safe(said)}")
        return screen.say(f"[dim]{_next(folder)}\nfirstwatch run investigate/first-five-minutes[/]")


for each in scenarios.SCENARIOS.values():
    _scenario(each)


def _next(folder: Folder) -> str:
    return f"export FIRSTWATCH_CONFIG={folder.config}"


def _document(folder: Folder, state: State) -> dict[str, Any]:
    up_ = state.state == "up"
    return {
        "state": state.state, "why": state.why, "doing": state.doing, "folder": str(folder.path),
        "config": str(folder.config) if up_ else "", "kubeconfig": state.kubeconfig,
        "service_url": state.service_url, "prometheus_url": state.prometheus_url,
        "services_url": state.services_url, "speed": state.speed, "parts": dict(state.parts),
        "processes": {name: each.pid for name, each in state.processes.items() if each.alive},
        "load": _load(folder) if up_ else None,
    }  # fmt: skip


def _load(folder: Folder) -> Any:
    try:
        return json_.loads(folder.load.read_text())
    except (OSError, ValueError):
        return None


def _show(folder: Folder, state: State) -> None:
    colours = {"up": "green", "failed": "bold red"}
    said = f"world [{colours.get(state.state, 'dim')}]{state.state}[/]  {screen.safe(state.why or state.doing)}"
    screen.say(said)
    if state.state == "down":
        return screen.say("[dim]firstwatch gameday up[/]")
    screen.rows(("PART", "WHAT IT IS"), state.parts.items())
    screen.say(f"service     {state.service_url}\nprometheus  {state.prometheus_url}\nkubeconfig  {state.kubeconfig}")
    screen.say(f"messages    {state.services_url}/  [dim]what people see[/]")
    if state.speed != 1:
        screen.say(f"clock       {state.speed:g} times as fast: duties are due so much sooner")
    load = _load(folder) if state.state == "up" else None
    if load and load["failing"] is not None:
        screen.say(f"traffic     {load['failing']:.0%} of requests failed in the last ten seconds")
    if state.state == "failed":
        return screen.say("[dim]firstwatch gameday up    starts it anew[/]")
    return screen.say(f"[dim]{_next(folder)}\nfirstwatch gameday list[/]")
