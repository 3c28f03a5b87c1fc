"""RFC 3339 times of messages to ms since 1970 UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND: Final = timedelta(milliseconds=1)
LATEST: Final = 4_102_444_800_000
"""The year 2100. A device may believe in any year since 1970 (its offset is measured), not in all."""

_LEAP = re.compile(r"(.{17})60(.*)", re.DOTALL)


def to_ms(moment: datetime) -> int | None:
    """Whole ms, or None for a time without offset or outside 1970 to 2099."""
    if moment.tzinfo is None:
        return None
    ms = (moment - EPOCH) // MILLISECOND
    return ms if 0 <= ms < LATEST else None


def parse_time(text: object) -> int | None:
    """RFC 3339 with an offset, a leap second included; None for anything else."""
    if not isinstance(text, str) or not text.isascii():
        return None
    leap = _LEAP.fullmatch(text)
    try:
        moment = msgspec.convert(f"{leap[1]}59{leap[2]}" if leap else text, datetime)
    except msgspec.ValidationError:
        return None
    ms = to_ms(moment)
    return ms + 1000 if ms is not None and leap else ms
