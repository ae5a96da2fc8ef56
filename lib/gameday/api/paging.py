"""Lists in pages: a token says where the next one begins, and as of which version the list is."""

import base64
import binascii
import json
from dataclasses import dataclass

from firstwatch.model import Json
from gameday.api import errors
from gameday.informer import Key, key_of


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a list's objects; `continue_` is empty on the last page."""

    items: list[Json]
    version: int
    continue_: str = ""
    remaining: int = 0


def page(items: list[Json], version: int, limit: int, token: str) -> Page:
    """
    Return at most *limit* of *items* (0 is all), from where *token* says.

    Objects that came or went meanwhile are seen as they are now, but the version is the first page's, so that a watch
    from there tells of them again and none is missed.
    """
    if token:
        version, after = _read(token)
        items = [each for each in items if key_of(each) > after]
    if not limit or len(items) <= limit:
        return Page(items, version)
    return Page(items[:limit], version, _token(version, key_of(items[limit - 1])), len(items) - limit)


def _token(version: int, key: Key) -> str:
    told = {"v": "meta.k8s.io/v1", "rv": version, "start": list(key)}
    return base64.urlsafe_b64encode(json.dumps(told).encode()).decode()


def _read(token: str) -> tuple[int, Key]:
    try:
        told = json.loads(base64.urlsafe_b64decode(token))
        namespace, name = told["start"]
        return int(told["rv"]), (str(namespace), str(name))
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise errors.bad_request("continue key is not valid") from error
