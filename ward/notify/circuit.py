"""Whether a channel works: after some failures in a row it is only tried now and then, not by everyone."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final

OPENS_AFTER: Final = 3
"""Failures in a row."""
PROBE_MS: Final = 2_000
"""While it is open, one attempt in so long is let through: a channel that works again is soon found."""


@dataclass(frozen=True, slots=True)
class Condition:
    """How a channel does. ``broken_since``: its first failure in a row, None unless its circuit is open."""

    broken_since: int | None
    last_error: str | None
    last_error_at: int | None
    last_sent_at: int | None


class Circuit:
    """Safe from any thread. Times in ms, given by the caller."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0
        self._since: int | None = None
        self._probed = 0
        self._error: str | None = None
        self._error_at: int | None = None
        self._sent_at: int | None = None

    def lets_through(self, now: int) -> bool:
        """Whether to try now; one that is let through is to be followed by ``worked`` or ``failed``."""
        with self._lock:
            if self._failures < OPENS_AFTER or not 0 <= now - self._probed < PROBE_MS:
                self._probed = now
                return True
            return False

    def worked(self, now: int) -> None:
        with self._lock:
            self._failures, self._since, self._sent_at = 0, None, now

    def failed(self, now: int, error: str) -> None:
        with self._lock:
            self._failures += 1
            self._since = now if self._since is None else self._since
            self._error, self._error_at = error, now

    def noted(self, now: int, error: str) -> None:
        """Something was refused: worth showing, and nothing against the channel."""
        with self._lock:
            self._error, self._error_at = error, now

    def condition(self) -> Condition:
        with self._lock:
            since = self._since if self._failures >= OPENS_AFTER else None
            return Condition(since, self._error, self._error_at, self._sent_at)
