"""The proof as a page: what was found, healed, refuted and restored, with its figures."""

from firstwatch.model import Json, cell, table
from gameday.scenarios import OURS, SCENARIOS

SEEDS = 3
HEAD = ("Scenario", "Seed", "First finding", "Named", "Sweep", "Healed", "By hand too", "Gone", "Undo")


def held(each: Json) -> bool:
    """Return whether a trial showed all that it should."""
    return not each["error"] and each["named"] and all(value is not False for value in _seen(each))


def _seen(each: Json) -> list[bool | None]:
    return [each["gone"], each["restored"], *each["cures"].values()]


def page(found: Json, when: str) -> str:
    """Return the page of what the proof has *found*, as it is kept, made *when*."""
    kept = sorted(found["trials"].values(), key=lambda each: (each["scenario"], each["seed"]))
    refuted = found["refuted"]
    lines = [
        "# Proof", "", "Each scenario in a live world, by the commands that a responder types: `make proof`.", "",
        f"Made {when}.", "",
        f"- {_share(kept, 'named')} first findings name object and mechanism",
        f"- {_share(kept, 'gone')} were gone after the cure",
        f"- {_share(kept, 'restored')} undos restored an equal spec",
        f"- {_healed(kept)} cures healed",
        f"- {_refuted(refuted)} wrong remedies were refuted", "", *_gaps(found), "", table(HEAD, map(_row, kept)), "",
        "*Named*: the first finding has an object and a mechanism that the scenario accepts. *Healed*: all of",
        "twenty users are served fast, the rollout is done and the error rate is measured, for five seconds.",
    ]  # fmt: skip
    lines += [
        "",
        "## Wrong remedies",
        "",
        table(("Scenario", "Refuted", "Not refuted"), map(_wrong, sorted(refuted.items()))),
    ]
    lines += ["", "## Made again", "", *_earlier(found["earlier"])]
    failed = [each for each in kept if each["error"]]
    told = [f"- {each['scenario']} {each['seed']}: {cell(each['error'])}" for each in failed]
    return "\n".join([*lines, *(["", "Not done:", "", *told] if told else []), ""])


def _earlier(failed: Json) -> tuple[str, ...]:
    """Return what was found in the trials that failed before the rules or the judge were mended."""
    if not failed:
        return ("None.",)
    heads = ("Trial", "First finding then", "Named", "Gone", "Undo")
    rows = ((key, each["first"], *(_said(each[name]) for name in ("named", "gone", "restored")))
            for key, each in sorted(failed.items()))  # fmt: skip
    return (table(heads, rows),)


def _gaps(found: Json) -> tuple[str, ...]:
    """Return what the figures leave out: what was not tried yet, and that a failure was tried again."""
    wanted = [f"{name} {seed}" for name in sorted(OURS) for seed in range(SEEDS)]
    never = [name for name in sorted(OURS) if f"{name} 0" not in found["trials"]]
    tried = sum(each in found["trials"] for each in wanted)
    faults, refuted = sum(bool(each.cures) for each in OURS.values()), len(found["refuted"])
    return (
        f"**{tried} of {len(wanted)} trials are made so far**, and wrong remedies of {refuted} of {faults} faults.",
        f"Without a result as yet: {', '.join(never) or 'none'}.",
        f"On a real control plane only, by `make test-cluster`: {', '.join(sorted({*SCENARIOS} - {*OURS}))}.",
        f"A trial that failed is made again once what it showed was mended: {len(found['earlier'])} were.",
        "A result is of the code of the day on which it was made; without the file of results all are made anew.",
        "The rules that rank were mended with these faults in view, which says little of others.",
    )  # fmt: skip


def _wrong(item: tuple[str, Json]) -> tuple[str, str, str]:
    name, tried = item
    return name, ", ".join(k for k, v in tried.items() if v), ", ".join(k for k, v in tried.items() if not v) or "-"


def _row(each: Json) -> tuple[str, ...]:
    tried = list(each["cures"].values())
    healed = f"{each['heal_s']} s" if each["heal_s"] and tried and tried[0] else _said(tried[0] if tried else None)
    return (
        each["scenario"], str(each["seed"]), each["first"], _said(each["named"]), f"{each['sweep_s']} s", healed,
        _said(all(tried[1:]) if tried[1:] else None), _said(each["gone"]), _said(each["restored"]),
    )  # fmt: skip


def _said(value: bool | None) -> str:
    return "-" if value is None else "yes" if value else "NO"


def _share(kept: list[Json], name: str) -> str:
    told = [each[name] for each in kept if each[name] is not None and not each["error"]]
    return f"{sum(told)} of {len(told)}"


def _healed(kept: list[Json]) -> str:
    told = [value for each in kept for value in each["cures"].values()]
    return f"{sum(told)} of {len(told)}"


def _refuted(refuted: Json) -> str:
    told = [value for tried in refuted.values() for value in tried.values()]
    return f"{sum(told)} of {len(told)}"
