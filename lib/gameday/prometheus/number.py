"""Numbers as Prometheus reads and writes them: NaN, infinities, and as many digits as tell a float from all others."""

import math
import re
from decimal import Decimal

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*(e[+-]?\d+)?|\.\d+(e[+-]?\d+)?|inf|infinity|nan)", re.IGNORECASE | re.ASCII)


def parse(text: str) -> float:
    """Return the number that *text* is; ValueError when it is none."""
    if _NUMBER.fullmatch(text):
        return float(text)
    if re.fullmatch(r"[+-]?0x[0-9a-fA-F]+", text):
        return float(int(text, 16))
    raise ValueError(f"{text!r} is no number")


def show(value: float, smallest: float = 1e-6) -> str:
    """Return *value* as the API writes it: with an exponent only under *smallest* and from 1e21."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'+' if value > 0 else '-'}Inf"
    digits = repr(value).removesuffix(".0")
    if value and not smallest <= abs(value) < 1e21:
        return scientific(value)
    return f"{Decimal(digits):f}"


def scientific(value: float) -> str:
    """Return *value* with an exponent, as an alert's value is written: `6.25e-02`."""
    if not math.isfinite(value):
        return show(value)
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    power = int(exponent) + len(digits) - 1 if value else 0
    fraction = "".join(map(str, digits[1:]))
    return f"{'-' * sign}{digits[0]}{'.' * bool(fraction)}{fraction}e{power:+03d}"
