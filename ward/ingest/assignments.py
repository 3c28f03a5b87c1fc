"""Which stay a device's reading belongs to, by the time of the reading."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec


class Assigned(msgspec.Struct, frozen=True):
    """A device's time with a stay: from ``start`` up to but not including ``end`` (None: still).

    ``ward`` is the ward the device publishes in, where that is not the stay's present ward.
    """

    device: str
    start: int
    end: int | None = None
    ward: str | None = None


class StayInfo(msgspec.Struct, frozen=True):
    """What the core needs to know of a stay; times in ms, ``end`` None while the patient is there."""

    id: str
    ward: str
    bed: str
    flags: tuple[str, ...] = ()
    start: int = 0
    end: int | None = None
    devices: tuple[Assigned, ...] = ()
    paused_until: int | None = None

    def spans(self) -> Iterator[tuple[str, Span]]:
        """Device keys with their spans within the stay."""
        for own in self.devices:
            ends = [e for e in (own.end, self.end) if e is not None]
            span = Span(max(own.start, self.start), min(ends) if ends else None, self.id)
            if span.end is None or span.start < span.end:
                yield f"{own.ward or self.ward}/{own.device}", span


class Span(NamedTuple):
    start: int
    end: int | None
    stay: str

    def holds(self, time: int) -> bool:
        return self.start <= time and (self.end is None or time < self.end)


class Assignments:
    """All devices' spans. Where two overlap, the one that began later has the device."""

    def __init__(self, stays: Iterable[StayInfo] = ()) -> None:
        self.stays: dict[str, StayInfo] = {}
        self._spans: dict[str, list[Span]] = {}
        for stay in stays:
            self.put(stay)

    def put(self, stay: StayInfo) -> None:
        """Take a new stay, or what is now known of an old one."""
        self.remove(stay.id)
        self.stays[stay.id] = stay
        for key, span in stay.spans():
            spans = self._spans.setdefault(key, [])
            spans.append(span)
            spans.sort(key=lambda s: (s.start, s.stay), reverse=True)

    def remove(self, stay: str) -> None:
        known = self.stays.pop(stay, None)
        if known is None:
            return
        for key, _ in known.spans():
            kept = [s for s in self._spans.get(key, []) if s.stay != stay]
            if kept:
                self._spans[key] = kept
            else:
                self._spans.pop(key, None)

    def span_at(self, key: str, time: int) -> Span | None:
        """The span of the device (``ward/device``) that holds this time (ms)."""
        for span in self._spans.get(key, ()):
            if span.start <= time and (span.end is None or time < span.end):
                return span
        return None

    def spans(self, key: str) -> tuple[Span, ...]:
        """All spans of the device, the one that began last first."""
        return tuple(self._spans.get(key, ()))

    def stay_at(self, key: str, time: int) -> str | None:
        span = self.span_at(key, time)
        return None if span is None else span.stay

    def present(self, key: str) -> Span | None:
        """The device's span without an end."""
        return next((s for s in self._spans.get(key, ()) if s.end is None), None)
