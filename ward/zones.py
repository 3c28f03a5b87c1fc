"""Time as a ward's own clock shows it, over summer time. Nothing here asks what time
it is now."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from ward.signals import HOUR, SECOND

DAY: Final = 24 * HOUR
_EPOCH: Final = date(1970, 1, 1)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def is_zone(name: str) -> bool:
    """Whether there is a time zone of this name, such as ``Europe/Zurich``."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return False
    return True


def local(zone: str, at: int) -> tuple[int, int]:
    """The local day (days since 1970-01-01) of an instant, and the ms that the clock shows on it."""
    here = datetime.fromtimestamp(at // SECOND, UTC).astimezone(ZoneInfo(zone))
    seconds = here.hour * 3600 + here.minute * 60 + here.second
    return (here.date() - _EPOCH).days, seconds * SECOND + at % SECOND


def instant(zone: str, day: int, clock: int) -> int:
    """When the clock shows ``clock`` ms on a local day; 24 h is the next midnight.

    A time that comes twice (clocks go back) is the first of them; one that never comes (they go
    forward) is as long after the change as it would have been before.
    """
    days, rest = divmod(clock, DAY)
    naive = datetime.combine(_EPOCH + timedelta(days=day + days), datetime.min.time())
    naive += timedelta(milliseconds=rest)
    moment = naive.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def weekday(day: int) -> int:
    """Monday is 0."""
    return (day + 3) % 7


def day_of(text: str) -> int:
    """Of ``2026-12-24``. Raises ValueError for anything else."""
    if _DAY.fullmatch(text) is None:
        raise ValueError("a day such as 2026-12-24")
    return (date.fromisoformat(text) - _EPOCH).days


def day_text(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).isoformat()


def clock_text(zone: str, at: int) -> str:
    """An instant as people of the ward write it: ``2026-11-22 03:05``."""
    day, clock = local(zone, at)
    minutes = clock // 60_000
    return f"{day_text(day)} {minutes // 60:02}:{minutes % 60:02}"
