"""Durations as people write them in packs: 90s, 10m, 1.5h."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from ward.signals import HOUR, MINUTE, SECOND

UNITS: Final[dict[str, int]] = {"s": SECOND, "m": MINUTE, "h": HOUR}
LONGEST: Final = 366 * 24 * HOUR
ALLOWED: Final = 'a number and s, m or h, such as "90s", "10m" or "1.5h"; at most a year'

_PATTERN: Final = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)\s?([smh])", re.ASCII)


def parse_duration(text: str) -> int:
    """Milliseconds. ValueError (which says what is allowed) for anything else, also for fractions of a ms."""
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise ValueError(ALLOWED)
    ms = Decimal(match[1]) * UNITS[match[2]]
    if ms != int(ms):
        raise ValueError("a whole number of milliseconds")
    if ms > LONGEST:
        raise ValueError(ALLOWED)
    return int(ms)


def format_duration(ms: int) -> str:
    """The shortest exact way to write it; ``parse_duration`` gives the same number back."""
    for unit in ("h", "m", "s"):
        if ms and ms % UNITS[unit] == 0:
            return f"{ms // UNITS[unit]}{unit}"
    return f"{Decimal(ms).scaleb(-3).normalize():f}s"
