"""Where time comes from. The only rooms that read a clock are the drivers; the core is given ``now``."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, Protocol


class Clock(Protocol):
    @property
    def speed(self) -> float: ...

    def now(self) -> int:
        """The ward's time, ms since 1970."""
        ...


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


BACK: Final = 2_000
"""A machine's clock that was set back by more than this (ms) is not followed."""


FORWARD: Final = 60_000
"""Nor is one that was set forward by more than this (ms): it would end every hold and lose every device."""


def steady_s() -> float:
    """Seconds that pass, also while the machine sleeps; nobody can set them."""
    # macOS has no BOOTTIME: there MONOTONIC goes on in sleep, which Python's own ``monotonic`` does not.
    clock: int | None = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class WallClock:
    """The machine's clock as long as it goes as time does.

    Set back, it would stop the evaluation for as long; set far forward, an hour without readings would
    seem to have passed. Then this clock goes on at its own pace, and ``behind`` or ``ahead`` says how far
    off the machine's is; devices whose clocks are right are corrected by the same amount, so nobody waits.
    """

    speed: Final = 1.0

    def __init__(self, wall: Callable[[], int] = wall_ms, steady: Callable[[], float] = steady_s) -> None:
        self._wall, self._steady = wall, steady
        self._lock = threading.Lock()
        self._last, self._at = wall(), steady()
        self.behind = 0
        """How far the machine's clock is behind this one, ms."""
        self.ahead = 0
        """How far it is ahead of this one, ms."""

    def now(self) -> int:
        with self._lock:
            wall, at = self._wall(), self._steady()
            going_on = self._last + round((at - self._at) * 1000)
            self.behind = going_on - wall if wall < going_on - BACK else 0
            self.ahead = wall - going_on if wall > going_on + FORWARD else 0
            own = self.behind or self.ahead
            self._last, self._at = (going_on if own else max(wall, self._last)), at
            return self._last


@dataclass(frozen=True, slots=True)
class ReplayClock:
    """now = origin + speed * elapsed; programs that share origin and speed share the time."""

    origin: int
    speed: float

    def now(self) -> int:
        return self.origin + round((wall_ms() - self.origin) * self.speed)


def iso(ms: int | None) -> str | None:
    """RFC 3339 in UTC with milliseconds; None stays None."""
    return None if ms is None else f"{_second(ms // 1000)}.{ms % 1000:03}Z"


@lru_cache(4_096)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().removesuffix("+00:00")
