"""
Prometheus' own configuration file, as far as a game day writes one.

The same file is given to Debian's Prometheus and to ours. So whatever ours does not know is refused by its name: a rule
or a target that was silently left out would be missed only during an incident.
"""

from dataclasses import dataclass
from pathlib import Path

from firstwatch.errors import BadParameter
from gameday.prometheus import rulefile, sections
from gameday.prometheus.discovery import Job, Sought, Static
from gameday.prometheus.rulefile import Group
from gameday.prometheus.sections import Section

MINUTE_MS = 60_000
TIMEOUT_MS = 10_000


@dataclass(frozen=True, slots=True)
class Configuration:
    jobs: tuple[Job, ...]
    groups: tuple[Group, ...]


def load(path: Path) -> Configuration:
    """
    Return what the file at *path*, and the rule files that it names, say.

    Raises:
        BadParameter: It cannot be read, is wrong, or has a part that is not known here.
    """
    top = Section(sections.read(path), str(path))
    settings = top.section("global")
    interval = settings.interval("scrape_interval", MINUTE_MS)
    timeout = min(settings.interval("scrape_timeout", TIMEOUT_MS), interval)
    evaluation = settings.interval("evaluation_interval", MINUTE_MS)
    settings.end()
    groups = [
        group for file in _files(top, path.parent) for group in rulefile.groups(sections.read(file), file, evaluation)
    ]
    jobs = tuple(_job(each, interval, timeout) for each in top.sections("scrape_configs"))
    top.end()
    _unique("job_name", [job.name for job in jobs], path)
    for file in {group.file for group in groups}:
        _unique("group", [group.name for group in groups if group.file == file], file)
    return Configuration(jobs, tuple(groups))


def _files(top: Section, folder: Path) -> list[Path]:
    """Return the rule files; a pattern may match none, a plain name must be there."""
    found: list[Path] = []
    for name in top.texts("rule_files"):
        path = folder / name
        found += sorted(path.parent.glob(path.name)) if set("*?[") & set(path.name) else [path]
    return found


def _job(section: Section, interval: int, timeout: int) -> Job:
    scheme = section.text("scheme", "http")
    if scheme != "http":
        raise BadParameter(f"{section.where}: scheme {scheme!r} is not supported, only 'http'")
    every = section.interval("scrape_interval", interval)
    within = section.interval("scrape_timeout", min(timeout, every))
    if within > every:
        raise BadParameter(f"{section.where}: scrape_timeout is longer than scrape_interval")
    static = tuple(_static(each) for each in section.sections("static_configs"))
    sought = tuple(_sought(each) for each in section.sections("http_sd_configs"))
    name, path = section.text("job_name"), section.text("metrics_path", "/metrics")
    section.end()
    job = Job(name, every, within, path, static, sought)
    section.parsed("static_configs", lambda: job.targets([]))
    return job


def _static(section: Section) -> Static:
    static = Static(section.texts("targets"), section.labels("labels"))
    section.end()
    return static


def _sought(section: Section) -> Sought:
    sought = Sought(section.text("url"), section.interval("refresh_interval", MINUTE_MS))
    section.end()
    if not sought.url.startswith("http://"):
        raise BadParameter(f"{section.where}: url {sought.url!r} is not supported, only http://")
    return sought


def _unique(what: str, names: list[str], where: Path | str) -> None:
    if twice := sorted({each for each in names if names.count(each) > 1}):
        raise BadParameter(f"{where}: {what} {twice[0]!r} is there twice")
