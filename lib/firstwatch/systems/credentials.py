"""
What a kubeconfig may be, and what in it is secret.

It is looked at before the official client reads it: a file of three lines can unfold to billions (aliases), name one
key twice so that two readers see two files, or nest so deep that the reader falls over. What is secret in it is made
known to the redaction, so that it reaches no record, however a cell comes to print it.
"""

import base64
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firstwatch import settings
from firstwatch.errors import BadParameter
from firstwatch.model import Json
from firstwatch.record import redact, shapes

if TYPE_CHECKING:
    import yaml
    from kubernetes.client import Configuration

MOST_BYTES = 256_000
MOST_DEEP = 32
OWN = "~/.kube/config"
_FILES = ("tokenFile", "client-key")  # keys whose value names a file that is secret


def files(where: settings.Kubernetes, environ: Mapping[str, str]) -> list[Path]:
    """Return the kubeconfigs that apply and exist, in the order in which the official client merges them."""
    named = where.kubeconfig or environ.get("KUBECONFIG", "") or OWN
    paths = (Path(each).expanduser() for each in named.split(os.pathsep) if each)
    return [path for path in paths if path.is_file()]


def learn(where: settings.Kubernetes) -> None:
    """Make known what is secret in the kubeconfigs that apply; BadParameter when one of them cannot be used."""
    for path in files(where, os.environ):
        for value in _secrets(checked(path), path.parent):
            redact.know(value)


def learn_used(configuration: Any) -> None:
    """Make known what *configuration* proves itself with: an exec plugin's token is in no file."""
    for value in (*configuration.api_key.values(), configuration.password or "", _read(configuration.key_file or "")):
        redact.know(str(value).removeprefix("Bearer ").strip())
    renew = configuration.refresh_api_key_hook
    if renew:
        configuration.refresh_api_key_hook = lambda renewed: _renewed(renew, renewed)


def _renewed(renew: "Callable[[Configuration], object]", configuration: "Configuration") -> None:
    renew(configuration)
    for value in configuration.api_key.values():
        redact.know(str(value).removeprefix("Bearer ").strip())


def checked(path: Path) -> Json:
    """
    Return what the YAML file at *path* holds.

    Raises:
        BadParameter: It cannot be read, is larger than 256 KB or not YAML, or holds an alias, a tag, one key twice, or
            more than 32 levels; the line is named.
    """
    import yaml

    try:
        text = _small(path).decode("utf-8")
        _plain(text)
        loader = yaml.CSafeLoader(text)
        node = loader.get_single_node()
        _no_key_twice(node)
        return loader.construct_document(node) if node else None
    except (OSError, ValueError, RecursionError) as error:
        raise BadParameter(f"the kubeconfig {path} cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise BadParameter(f"the kubeconfig {path} is not YAML: {' '.join(str(error).split())}") from error


def _small(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ValueError(f"it is larger than {MOST_BYTES:,} bytes")
    return data


def _plain(text: str) -> None:
    """Refuse what unfolds or makes objects, before anything is built of it."""
    import yaml

    deep = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        deep += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if deep > MOST_DEEP:
            raise _refused(event, f"more than {MOST_DEEP} levels")
        if isinstance(event, yaml.AliasEvent):
            raise _refused(event, "an alias")
        if (tag := getattr(event, "tag", None)) not in (None, "!"):
            raise _refused(event, f"the tag {tag}")


def _refused(event: Any, what: str) -> ValueError:
    return ValueError(f"line {event.start_mark.line + 1} has {what}, which a kubeconfig needs not")


def _no_key_twice(node: "yaml.Node | None") -> None:
    import yaml

    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value.__hash__ is None or key.value in seen:
                raise _refused(key, f"the key {key.value!r} twice" if key.value.__hash__ else "a key that is no word")
            seen.add(key.value)
    for child in _children(node):
        _no_key_twice(child)


def _children(node: "yaml.Node | None") -> Iterator["yaml.Node"]:
    for each in node.value if node and isinstance(node.value, list) else ():
        yield from each if isinstance(each, tuple) else (each,)


def _secrets(value: Json, folder: Path) -> Iterator[str]:
    """Yield each text in *value* that is secret by its name, and what is in the files that it names."""
    if isinstance(value, list):
        for each in value:
            yield from _secrets(each, folder)
    if not isinstance(value, dict):
        return
    if isinstance(value.get("value"), str) and shapes.says_secret(str(value.get("name"))):
        yield value["value"]
    for key, item in value.items():
        if isinstance(item, str):
            yield from _own(str(key), item, folder)
        else:
            yield from _secrets(item, folder)


def _own(key: str, value: str, folder: Path) -> Iterator[str]:
    if key in _FILES:
        yield _read(str(folder / value)).strip()
    elif shapes.says_secret(key):
        yield value
        with suppress(ValueError):
            yield base64.b64decode(value, validate=True).decode().strip()


def _read(path: str) -> str:
    """Return what the file at *path* holds; empty when it cannot be read, which is for its user to say."""
    try:
        return Path(path).read_bytes()[:MOST_BYTES].decode() if path else ""
    except (OSError, ValueError):
        return ""
