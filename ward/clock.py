"""Where time comes from. The only rooms that read a clock are the drivers; the core is given ``now``."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    @property
    def speed(self) -> float: ...

    def now(self) -> int:
        """The ward's time, ms since 1970."""
        ...


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class WallClock:
    speed: float = 1.0

    def now(self) -> int:
        return wall_ms()


@dataclass(frozen=True, slots=True)
class ReplayClock:
    """now = origin + speed * elapsed; programs that share origin and speed share the time."""

    origin: int
    speed: float

    def now(self) -> int:
        return self.origin + round((wall_ms() - self.origin) * self.speed)


def iso(ms: int | None) -> str | None:
    """RFC 3339 in UTC with milliseconds; None stays None."""
    if ms is None:
        return None
    moment = datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
