"""Finds the technical alerts that are always on. Level in, edges out; pure, ``now`` is given."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from ward.alerts.technical import OFFSET, SILENCE
from ward.signals import HOLD_INTERVALS, SECOND


class DeviceFact(NamedTuple):
    """One device as it is now. ``stay`` is None while it is nobody's (then nothing is told)."""

    stay: str | None
    device: str
    online: bool | None
    """what it, or its will, last said; None: it never said"""
    last_seen: int | None
    """when something of it was last received (ms)"""
    offset: int
    """its clock's measured offset (ms)"""
    attached: int | None = None
    """since when it is the stay's; counts where it was never seen"""
    interval_s: float | None = None
    """the shortest interval it declares"""


class StayFact(NamedTuple):
    """One present stay as it is now."""

    stay: str
    has_devices: bool
    last_valid: int | None
    """time of its latest valid reading (ms)"""
    start: int
    interval_s: float | None = None
    """the shortest interval that any of its devices declares"""


class Standing(NamedTuple):
    """A technical condition that others found: 'measure-again' of a rule, a 'service-fault'."""

    stay: str
    rule: str
    key: str
    since: int


class Edge(NamedTuple):
    """``key`` is the device (or rule, or fault), '' where there is none; see ``technical.rule_for``."""

    event: Literal["raised", "cleared"]
    stay: str
    rule: str
    key: str
    since: int
    at: int


def silence(interval_s: float | None) -> int:
    """How long it may be quiet (ms): 5 min, or longer where it measures more rarely than that.

    A cuff that measures each half hour is not lost between two measurements.
    """
    return max(SILENCE, round(HOLD_INTERVALS * interval_s * SECOND) if interval_s is not None else 0)


def may_tell(now: int, last: int, online: bool | None = None, offset: int = 0) -> bool:
    """Whether there may be anything to tell of a device, or of a stay's readings, last heard then; else its
    fact may be left out of an update."""
    return now - last >= SILENCE or online is False or abs(offset) > OFFSET


class Watch:
    """Remembers what is raised, so that each condition is told once when it begins and once when it ends.

    ``listening_since``: when this service began to listen (ms). Silence before that is its own, not a
    device's, and starts no alert.
    """

    def __init__(self, listening_since: int = 0) -> None:
        self._listening = listening_since
        self._raised: dict[tuple[str, str, str], int] = {}

    def update(
        self,
        now: int,
        devices: Iterable[DeviceFact],
        stays: Iterable[StayFact],
        standing: Iterable[Standing] = (),
    ) -> list[Edge]:
        """All facts of now (see ``may_tell``); what is no longer listed is over. Raised is stamped at its
        exact instant."""
        found: dict[tuple[str, str, str], tuple[int, int]] = {}
        for device in devices:
            if device.stay is not None:
                self._device(now, device.stay, device, found)
        for stay in stays:
            if stay.has_devices:
                quiet = stay.stay, "no-valid-reading", ""
                last = max(stay.last_valid or stay.start, stay.start)
                self._silence(now, quiet, last, silence(stay.interval_s), found)
        for item in standing:
            found[item.stay, item.rule, item.key] = item.since, now
        cleared = [(key, since) for key, since in self._raised.items() if key not in found]
        raised = [(key, times) for key, times in found.items() if key not in self._raised]
        for key, _ in cleared:
            del self._raised[key]
        for key, (since, _) in raised:
            self._raised[key] = since
        return [
            *(Edge("cleared", *key, since, now) for key, since in cleared),
            *(Edge("raised", *key, since, at) for key, (since, at) in raised),
        ]

    def _device(
        self,
        now: int,
        stay: str,
        device: DeviceFact,
        found: dict[tuple[str, str, str], tuple[int, int]],
    ) -> None:
        lost, offset = (stay, "device-lost", device.device), (stay, "clock-offset", device.device)
        seen = device.last_seen if device.last_seen is not None else device.attached
        if device.online is False:
            # The will says so at once; from its own time on nothing could come.
            found[lost] = self._raised.get(lost, now), now
        elif seen is not None:
            self._silence(now, lost, seen, silence(device.interval_s), found)
        if abs(device.offset) > OFFSET:
            found[offset] = self._raised.get(offset, now), now

    def _silence(
        self,
        now: int,
        key: tuple[str, str, str],
        last: int,
        allowed: int,
        found: dict[tuple[str, str, str], tuple[int, int]],
    ) -> None:
        since = last if key in self._raised else max(last, self._listening)
        if now - since >= allowed:
            found[key] = since, since + allowed

    def dump(self) -> list[list[Any]]:
        """JSON-ready."""
        return [[*key, since] for key, since in self._raised.items()]

    def load(self, data: Iterable[Iterable[Any]]) -> None:
        self._raised = {(stay, rule, key): since for stay, rule, key, since in data}
