"""Heartbeats: each long-lived thread says that it goes round; who is silent too long is late.

A thread that hangs cannot tell of it, and one that died cannot either; so it is the silence that is seen.
Times are monotonic seconds of the machine, given by the caller or read here.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass


@dataclass(slots=True)
class _Pulse:
    limit: float
    last: float


class Heartbeats:
    """Who must beat, how often, and when each did last. Safe from any thread; ``beat`` never waits long."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pulses: dict[str, _Pulse] = {}

    def expect(self, name: str, limit_s: float) -> None:
        """From now on ``name`` must beat at least every ``limit_s`` seconds. Again: a new limit, beating."""
        if limit_s <= 0:
            raise ValueError("a heartbeat's limit is more than 0 seconds")
        with self._lock:
            self._pulses[name] = _Pulse(limit_s, time.monotonic())

    def forget(self, name: str) -> None:
        """Nobody waits for ``name`` any more: it ended because it should."""
        with self._lock:
            self._pulses.pop(name, None)

    def beat(self, name: str) -> None:
        """``name`` goes on. Nothing happens for a name that nobody expects: parts run alone in tests."""
        with self._lock:
            pulse = self._pulses.get(name)
            if pulse is not None:
                pulse.last = time.monotonic()

    def late(self, monotonic_now: float) -> dict[str, float]:
        """Those that are over their limit, with the seconds since each beat last."""
        with self._lock:
            return {
                name: monotonic_now - pulse.last
                for name, pulse in self._pulses.items()
                if monotonic_now - pulse.last > pulse.limit
            }

    def ages(self, monotonic_now: float) -> dict[str, float]:
        """Seconds since the last beat of everybody who is expected."""
        with self._lock:
            return {name: monotonic_now - pulse.last for name, pulse in self._pulses.items()}
