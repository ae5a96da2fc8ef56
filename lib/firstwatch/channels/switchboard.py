"""Which channels there are: those that the configuration names, and for each that it does not, a person's hands."""

from firstwatch.channels.channel import ByHand, Channel
from firstwatch.channels.lint import House
from firstwatch.channels.mail import Mail
from firstwatch.channels.pager import Pager
from firstwatch.channels.phone import phone
from firstwatch.channels.slack import Slack
from firstwatch.channels.statuspage import StatusPage
from firstwatch.channels.tracker import Tracker
from firstwatch.channels.wiki import Wiki
from firstwatch.clock import Clock, WallClock
from firstwatch.settings import Settings

NAMES = ("pager", "slack", "mail", "statuspage", "tracker", "wiki", "phone")


def connect(settings: Settings | None, clock: Clock | None = None) -> dict[str, Channel]:
    """Return every channel by its name; one that *settings* do not configure says so when it is used."""
    made = _configured(settings, clock or WallClock()) if settings else {}
    absent = {name: ByHand(name, f"not configured: there is no [channels.{name}]") for name in NAMES}
    return absent | {"phone": phone()} | made


def _configured(settings: Settings, clock: Clock) -> dict[str, Channel]:
    where, within = settings.channels, settings.channels.deadline_s
    made: list[Channel | None] = [
        Pager.open(where.pager, within) if where.pager else None,
        Slack.open(where.slack, within) if where.slack else None,
        Mail(where.mail, within) if where.mail else None,
        StatusPage.open(where.statuspage, within, clock) if where.statuspage else None,
        Tracker.open(where.tracker, within) if where.tracker else None,
        Wiki.open(where.wiki) if where.wiki else None,
    ]
    return {each.name: each for each in made if each}


def house(settings: Settings | None) -> House:
    """Return what customers may read of hosts, and which names of ours they may not."""
    if settings is None:
        return House()
    page, service = settings.channels.statuspage, settings.service
    site = [page.site.removeprefix("https://").partition("/")[0]] if page and page.site else []
    own = (service.name, service.namespace, service.deployment, service.configmap)
    return House((*site, *settings.channels.public), tuple(name for name in own if name))
