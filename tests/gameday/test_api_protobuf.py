"""What kubectl sends in its binary form: bytes as they were seen on the wire, and what is refused."""

import pytest

from gameday.api import protobuf
from gameday.api.errors import Refusal


def field(number: int, value: bytes | int) -> bytes:
    """Return one field; lengths and numbers here are below 128."""
    tag = number << 3
    return bytes([tag, value]) if isinstance(value, int) else bytes([tag | 2, len(value)]) + value


def message(kind: bytes, raw: bytes, api: bytes = b"v1") -> bytes:
    return b"k8s\x00" + field(1, field(1, api) + field(2, kind)) + field(2, raw)


EMPTY_METADATA = b'\x12\x00\x1a\x00"\x00*\x002\x008\x00B\x00'


def test_a_namespace_is_read_without_what_is_unset() -> None:
    content = message(b"Namespace", field(1, field(1, b"prod") + EMPTY_METADATA) + field(2, b"") + field(3, b""))
    expected = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "prod"}, "spec": {}, "status": {}}
    assert protobuf.decoded(content) == expected


def test_maps_and_bytes_are_read() -> None:
    entry = field(1, b"key") + field(2, b"value")
    assert protobuf.decoded(message(b"ConfigMap", field(2, entry)))["data"] == {"key": "value"}
    assert protobuf.decoded(message(b"Secret", field(2, entry)))["data"] == {"key": "dmFsdWU="}


def test_a_zero_that_was_set_is_not_dropped() -> None:
    deployment = protobuf.decoded(message(b"Deployment", field(2, field(1, 0)), b"apps/v1"))
    assert deployment["spec"]["replicas"] == 0


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(message(b"Ingress", b""), 415, id="another-kind"),
        pytest.param(message(b"Namespace", field(9, b"x")), 415, id="a-field-that-is-not-read"),
        pytest.param(b"{}", 400, id="no-envelope"),
        pytest.param(message(b"Namespace", field(1, b"\x0a\x7fpr")), 400, id="cut-off"),
        pytest.param(message(b"Namespace", field(1, field(1, b"\xff"))), 400, id="no-text"),
    ],
)
def test_what_cannot_be_read_is_refused(content, code) -> None:
    with pytest.raises(Refusal) as refused:
        protobuf.decoded(content)
    assert refused.value.code == code
