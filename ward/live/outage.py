"""While the broker is out of reach messages wait there, and evaluation waits for them: not for long."""

from __future__ import annotations

from typing import Final

LONGEST_S: Final = 30.0
"""After so long without all that waits there, time goes on without them; what comes then comes late."""
SILENCE_S: Final = 2.0
"""So long after the connection is back, or after what came last, nothing is left there."""


class Outage:
    """Times in seconds of a steady clock, but ``now`` and ``since``: ms of the ward's."""

    def __init__(self) -> None:
        self.since: int | None = None
        """Not to be evaluated beyond."""
        self._connected_at: int | None = None
        """When it was connected last; None before it ever was, which a start waits for."""
        self._begun: float | None = None
        self._is_back = False
        self._heard = 0.0
        """When something old came last, or the connection came back."""

    def look(self, now: int, machine: float, *, is_connected: bool, is_current: bool | None) -> None:
        """``is_current``: whether the messages that came just now are all there were, and of now; None where
        none came."""
        if self._begun is None:
            if is_connected:
                self._connected_at = now
            elif self._connected_at is not None:
                self._begun, self._is_back, self.since = machine, False, self._connected_at
            return
        if not is_connected or not self._is_back or is_current is False:
            self._heard, self._is_back = machine, is_connected
        if is_connected and (is_current or machine - self._heard >= SILENCE_S):
            self._begun = self.since = None
        elif machine - self._begun >= LONGEST_S:
            self.since = None
