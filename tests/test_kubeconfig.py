"""Kubeconfigs: which are refused before the client reads them, and what in them is known to be secret."""

import base64
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import fakes
import pytest

from firstwatch import settings
from firstwatch.errors import BadParameter
from firstwatch.record import redact
from firstwatch.record.redact import REDACTED, redacted
from firstwatch.systems import connect, credentials, kubeconfig


@pytest.fixture(autouse=True)
def _forgetting() -> Iterator[None]:
    before = set(redact._known)
    yield
    redact._known.intersection_update(before)
    redact._found.cache_clear()


def written(folder: Path, user: str, server: str = "http://127.0.0.1:1") -> settings.Kubernetes:
    """Write a kubeconfig whose user is *user*, in YAML's flow style."""
    path = folder / "config"
    path.write_text(f"""
apiVersion: v1
kind: Config
current-context: here
clusters: [{{name: c, cluster: {{server: "{server}"}}}}]
contexts: [{{name: here, context: {{cluster: c, user: u}}}}]
users: [{{name: u, user: {user}}}]
""")
    return settings.Kubernetes(kubeconfig=str(path))


SECRETS = ["token", "password", "client-key-data", "id-token", "refresh-token", "client-secret"]


@pytest.mark.parametrize("key", SECRETS)
def test_what_a_kubeconfig_holds_is_known_wherever_it_is_said_later(tmp_path: Path, key: str) -> None:
    value = base64.b64encode(f"of the {key}, which nobody has".encode()).decode()
    credentials.learn(written(tmp_path, f"{{{key}: {value}}}"))
    assert redacted(f"a {value} b") == f"a {REDACTED} b"
    assert redacted(f"a of the {key}, which nobody has b") == f"a {REDACTED} b"


def test_a_file_that_a_kubeconfig_names_is_known(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("in-a-file-0123456789\n")
    credentials.learn(written(tmp_path, "{tokenFile: token}"))
    assert redacted("it is in-a-file-0123456789") == f"it is {REDACTED}"


def test_the_token_of_an_exec_plugin_is_known_once_it_was_fetched(tmp_path: Path) -> None:
    answer = {
        "kind": "ExecCredential",
        "apiVersion": "client.authentication.k8s.io/v1",
        "status": {"token": "of-exec-0123456"},
    }
    plugin = tmp_path / "plugin"
    plugin.write_text(f"#!/bin/sh\necho '{json.dumps(answer)}'\n")
    plugin.chmod(0o755)
    where = written(tmp_path, f"{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: {plugin}, "
                              "interactiveMode: Never}}")  # fmt: skip
    kubeconfig.client(where)[1].close()
    assert redacted("it is of-exec-0123456") == f"it is {REDACTED}"


def test_connecting_makes_the_token_known(tmp_path: Path) -> None:
    connect(settings.load(fakes.configuration(tmp_path, "http://127.0.0.1:1"))).close()
    assert redacted("it is t-for-tests") == f"it is {REDACTED}"


BAD = {
    "an alias": ("a: &a [1, 2]\nb: *a\n", "line 2 has an alias"),
    "a tag": ("a: 1\nb: !!python/object:os.system {}\n", "line 2 has the tag"),
    "a key twice": ("users: []\nclusters: []\nusers: []\n", "line 3 has the key 'users' twice"),
    "a key that is a list": ("? [a, b]\n: 1\n", "a key that is no word"),
    "33 levels": ("[" * 33 + "]" * 33, "more than 32 levels"),
    "not YAML": ("a: [", "is not YAML"),
    "not UTF-8": (b"a: \xff\n", "cannot be read"),
    "too large": ("# " + "x" * 256_000, "larger than 256,000 bytes"),
    "a list": ("- a\n- b\n", "the kubeconfig"),
    "a text": ("hello\n", "the kubeconfig"),
    "nothing": ("", "no cluster: "),
    "a number for the users": ("users: 1\nclusters: 2\ncontexts: 3\n", "the kubeconfig"),
    "a context of nothing": ("current-context: x\ncontexts: [{name: x}]\nclusters: []\nusers: []\n", "no cluster: "),
}  # fmt: skip


@pytest.mark.parametrize(("text", "said"), BAD.values(), ids=BAD)
def test_a_kubeconfig_that_is_not_plain_is_refused_by_what_it_has(tmp_path: Path, text: str | bytes, said: str) -> None:
    path = tmp_path / "config"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(BadParameter, match=said.replace("(", r"\(")):
        kubeconfig.client(settings.Kubernetes(kubeconfig=str(path)))


def bombs() -> dict[str, str]:
    laughs = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    laughs += [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    return {
        "of aliases": "\n".join(laughs),
        "of levels": "[" * 250_000,
        "of maps": "{a: " * 60_000,
        "of size": "a" * 10**7,
    }


@pytest.mark.parametrize("text", bombs().values(), ids=bombs())
def test_a_bomb_is_refused_before_it_unfolds(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    tracemalloc.start()
    with pytest.raises(BadParameter):
        credentials.learn(settings.Kubernetes(kubeconfig=str(path)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50_000_000
