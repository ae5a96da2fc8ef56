"""Kubernetes quantities as numbers: `250m`, `1.5`, `64Mi`, `2G`, `1e3`."""

import re
from decimal import Decimal

from firstwatch.errors import BadParameter

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)  # Decimal alone would read NaN, and 1_000
_FACTORS = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1),
    "k": Decimal(10**3), "M": Decimal(10**6), "G": Decimal(10**9), "T": Decimal(10**12), "P": Decimal(10**15),
    "E": Decimal(10**18), "Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30), "Ti": Decimal(2**40),
    "Pi": Decimal(2**50), "Ei": Decimal(2**60),
}  # fmt: skip


def parse(quantity: str | float) -> Decimal:
    """Return *quantity* in its base unit (cores, bytes, pieces); BadParameter when it is none."""
    text = str(quantity).strip()
    for length in (2, 1, 0):
        suffix = text[len(text) - length :]
        if suffix in _FACTORS:
            return _number(text[: len(text) - length], text) * _FACTORS[suffix]
    return _number(text, text)


def _number(digits: str, text: str) -> Decimal:
    if not _NUMBER.fullmatch(digits):
        raise BadParameter(f"{text!r} is no Kubernetes quantity, such as 250m or 64Mi")
    return Decimal(digits)
