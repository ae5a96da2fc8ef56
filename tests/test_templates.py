"""Two pod templates, compared: what is shown of a field that differs."""

from typing import Any

import pytest

from firstwatch.systems.templates import touched

PROBE = {"httpGet": {"path": "/health", "port": 8080}, "periodSeconds": 1}
VOLUMES = [{"name": "a", "emptyDir": {}}, {"name": "certificate", "secret": {"defaultMode": 420, "secretName": "web"}}]
NEXT = [VOLUMES[0], {"name": "certificate", "secret": {"defaultMode": 420, "secretName": "web-next"}}]


def template(volumes: Any = None, **container: Any) -> Any:
    return {"spec": {"containers": [{"name": "web", **container}], "volumes": volumes or []}}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (template(image="web:1"), template(image="web:2"), "image web:1 → web:2"),
        (template(VOLUMES), template(NEXT), "volumes secret.secretName web → secret.secretName web-next"),
        (
            template(readinessProbe=PROBE), template(readinessProbe={**PROBE, "periodSeconds": 5}),
            "readinessProbe periodSeconds 1 → periodSeconds 5",
        ),
        (
            template(readinessProbe=PROBE), template(readinessProbe={**PROBE, "timeoutSeconds": 2}),
            "readinessProbe (without) → timeoutSeconds 2",
        ),
        (template(args=["a", "b"]), template(args=["b", "a"]), "args a, b → b, a"),
        (template(), template(args=["a"]), "args (absent) → a"),
    ],
    ids=["a text", "one of several", "a part", "a part more", "another order", "a field more"],
)  # fmt: skip
def test_only_what_differs_within_a_field_is_shown(before: Any, after: Any, said: str) -> None:
    assert [str(each) for each in touched(before, after)] == [said]
