"""When there is more to do than time: what is put off, and what never is.

In this order, and visibly: the history is written and snapshots are taken more rarely, then the board is
shown anew each 3 s in place of each second. Readings are made durable and evaluated, alerts are raised,
written and told as ever; what is still too much waits at the broker, which keeps it.
"""

from __future__ import annotations

from typing import Final

from ward.live import metrics
from ward.live.late import AT_ONCE

FULL: Final = 0.5
"""This much of the queue in use is overload."""
SLOW_S: Final = 0.8
"""So are two ticks in a row that take this long, for they are due each second. One alone has made good for a
start or for a database that was away, or has made a board of three seconds: overload would never end."""
CALM_S: Final = 10.0
"""Without overload for so long, nothing is put off any more."""
BOARD_S: Final = 3.0
"""How old the board may become meanwhile; a screen that is 9 s old says that it is not live."""
QUICK_S: Final = 0.25
"""A tick that takes less leaves room to build twice as many stays again, one of twice that for half."""
MOST_REBUILDS: Final = 32
FLUSH_S: Final = 60.0
SNAPSHOT_S: Final = 300.0
REASON: Final = "overloaded: trends are late"


class Load:
    """What the core's thread knows of its own load. Times in monotonic seconds."""

    def __init__(self) -> None:
        self.is_shedding = False
        self.rebuilds = AT_ONCE
        """Stays that the next tick may build again for readings that came late."""
        self._until = 0.0
        self._was_slow = False
        self._board_at = 0.0

    def look(self, now: float, queue: float, tick_s: float) -> None:
        """``queue``: how full the queue is, 0 to 1; ``tick_s``: how long the last tick took."""
        is_slow = tick_s >= SLOW_S
        if queue >= FULL or (is_slow and self._was_slow):
            self._until = now + CALM_S
        self._was_slow = is_slow
        self.is_shedding = now < self._until
        metrics.SHEDDING.set(self.is_shedding)
        if tick_s < QUICK_S:
            self.rebuilds = min(2 * self.rebuilds, MOST_REBUILDS)
        elif tick_s >= 2 * QUICK_S:
            self.rebuilds = max(self.rebuilds // 2, AT_ONCE)

    def wants_board(self, now: float) -> bool:
        """Whether the board is to be made at this tick."""
        if self.is_shedding and now - self._board_at < BOARD_S:
            return False
        self._board_at = now
        return True

    def put_off(self, due: float, pause_s: float) -> float:
        """When something is due that may wait ``pause_s`` seconds longer under load."""
        return due + pause_s if self.is_shedding else due
