"""From entries to readings of stays: repetitions out, clocks corrected, devices to their stays.

The router is a fold: what it knows depends on the entries it was given and on nothing else, so the
same journal gives the same state, and a restored router goes on as if it had never stopped.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, Literal, NamedTuple

import msgspec

from ward.ingest.assignments import Assignments, Span, StayInfo
from ward.ingest.devices import Device
from ward.ingest.records import Announcement, Entry, Observation, Sample
from ward.ingest.rows import Rows, RowsBuilder
from ward.signals import MINUTE, SECOND, STATUS_INDEX, hold_of

PERSON: Final = 0
"""The device number of what a person entered."""
NUMBERS: Final = 1 << 20
"""So many numbers of devices each partition has: history names devices of all of them."""
ECHO: Final = SECOND
"""Samples this soon (ms) after a device's will may have been on their way before it."""
RECENT: Final = 5 * MINUTE
_UNKNOWN: Final = STATUS_INDEX["unknown"]


Seen = tuple[bool | None, int, int]
"""Whether a device is online, when it was last heard (ms), its clock's offset (ms)."""


class DeviceEvent(NamedTuple):
    """``seen``: at least one new sample in this call; at most one per device and call."""

    device: str
    kind: Literal["online", "offline", "seen"]
    at: int


class Declared(NamedTuple):
    """A device of this stay said that it measures this signal; known from ``at`` (ms) on."""

    stay: str
    signal: int
    at: int


@dataclass(frozen=True, slots=True)
class Routed:
    """What entries came to. ``rows`` are of stays, ``unassigned`` of devices without one."""

    rows: Rows
    unassigned: Rows
    duplicates: int = 0
    nulls: int = 0
    strays: int = 0
    """Observations of stays that are not known here."""
    late_wills: int = 0
    """Wills of a session that is not the present one; they changed nothing."""
    device_events: list[DeviceEvent] = field(default_factory=list)
    declared: list[Declared] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class DeviceView:
    """A device as others may see it; times in ms, ``last_time`` corrected by ``offset`` (ms)."""

    key: str
    number: int
    ward: str
    device: str
    stay: str | None
    online: bool | None
    session: str | None
    first_seen: int
    last_seen: int
    last_time: int | None
    offset: int
    intervals: dict[int, float]
    readings: int
    duplicates: int


class _State(msgspec.Struct):
    devices: dict[str, Device]
    stays: list[StayInfo]
    declared: dict[str, dict[int, int]]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_State)


@dataclass(slots=True)
class Batch:
    """What one call of ``apply`` collects."""

    rows: RowsBuilder = field(default_factory=RowsBuilder)
    unassigned: RowsBuilder = field(default_factory=RowsBuilder)
    duplicates: int = 0
    nulls: int = 0
    strays: int = 0
    late_wills: int = 0
    events: list[DeviceEvent] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)
    declared: list[Declared] = field(default_factory=list)

    def routed(self, rows: Rows, unassigned: Rows, nulls: int) -> Routed:
        self.events.extend(DeviceEvent(key, "seen", at) for key, at in self.seen.items())
        return Routed(
            rows,
            unassigned,
            self.duplicates,
            nulls,
            self.strays,
            self.late_wills,
            self.events,
            self.declared,
        )


class Router:
    """The devices of one partition and the stays they belong to. Devices are unique per ward; their numbers
    begin behind ``first``."""

    def __init__(self, stays: Iterable[StayInfo] = (), first: int = 0) -> None:
        self._first = first
        self._devices: dict[str, Device] = {}
        self._keys: list[str] = [""]
        self._in_ward: Counter[str] = Counter()
        self._assignments = Assignments()
        self._declared: dict[str, dict[int, int]] = {}
        for stay in stays:
            self.set_stay(stay)

    def set_stay(self, stay: StayInfo) -> list[Declared]:
        """Take a new or changed stay; what its devices had declared already counts from now on."""
        self._assignments.put(stay)
        before = self._declared.pop(stay.id, {})
        now: dict[int, int] = {}
        for key, span in stay.spans():
            device = self._devices.get(key)
            if device is None or span.end is not None:
                continue
            for signal in device.intervals:
                now[signal] = before.get(signal, min(span.start, now.get(signal, span.start)))
        if now:
            self._declared[stay.id] = now
        return [Declared(stay.id, signal, at) for signal, at in now.items() if signal not in before]

    def remove_stay(self, stay: str) -> None:
        """Forget a stay that ended long ago: later readings of its time are then nobody's."""
        self._assignments.remove(stay)
        self._declared.pop(stay, None)

    def apply(self, entries: Sequence[Entry], measure_offset: bool = True) -> Routed:
        """Take entries in the journal's order.

        ``measure_offset`` False takes device times as they are (replayed clocks).
        """
        batch = Batch()
        for entry in entries:
            if isinstance(entry, Sample):
                self._sample(entry, measure_offset, batch)
            elif isinstance(entry, Announcement):
                self._announcement(entry, batch)
            elif isinstance(entry, Observation):
                self._observation(entry, batch)
        return batch.routed(batch.rows.build(), batch.unassigned.build(), batch.nulls)

    def device(self, ward: str, name: str, received: int) -> tuple[str, Device]:
        """Its key (``ward/device``) and what is known of it; from now on where it is new."""
        key = f"{ward}/{name}"
        device = self._devices.get(key)
        if device is None:
            device = Device(self._first + len(self._keys), ward, name, received, received)
            self._devices[key] = device
            self._keys.append(key)
            self._in_ward[ward] += 1
        return key, device

    def place(
        self, sample: Sample, measure_offset: bool, batch: Batch
    ) -> tuple[Device, str | None, int] | None:
        """Whose sample it is and of when: device, stay (None: nobody's) and corrected time; None where it
        was heard before."""
        received = sample.received
        key, device = self.device(sample.ward, sample.device, received)
        device.last_seen = max(device.last_seen, received)
        if not device.is_new(sample):
            device.duplicates += 1
            batch.duplicates += 1
            return None
        batch.seen[key] = received
        if device.online is False and received > device.online_changed + ECHO:
            self._turn(key, device, True, received, batch)
        time = self._time(device, sample, measure_offset)
        if device.last_time is None or time > device.last_time:
            device.last_time = time
        return device, self._assignments.stay_at(key, time), time

    def _sample(self, sample: Sample, measure_offset: bool, batch: Batch) -> None:
        placed = self.place(sample, measure_offset, batch)
        if placed is None:
            return
        device, stay, time = placed
        to = batch.unassigned if stay is None else batch.rows
        slot = to.slot_of(stay)
        seq = -1 if sample.seq is None else sample.seq
        number, holds = device.number, device.holds
        for value in sample.values:
            if value.value is None:
                batch.nulls += 1
                continue
            to.slot.append(slot)
            to.signal.append(value.signal)
            to.time.append(time)
            to.value.append(value.value)
            to.seq.append(seq)
            to.device.append(number)
            to.hold.append(holds[value.signal])
            to.status.append(0 if value.status is None else STATUS_INDEX.get(value.status, _UNKNOWN))
            to.quality.append(math.nan if value.quality is None else value.quality)
            device.readings += 1

    @staticmethod
    def _time(device: Device, sample: Sample, measure_offset: bool) -> int:
        """The sample's time as the ward counts it, ms; also measures the device's clock."""
        if sample.time is None:
            return sample.received
        if device.newest is None or sample.time > device.newest:
            device.newest = sample.time
        if not measure_offset:
            return sample.time
        if sample.newest:
            device.clock.hear(sample.time, sample.received)
        return device.clock.correct(sample.time, sample.received)

    def _turn(self, key: str, device: Device, online: bool, at: int, batch: Batch) -> None:
        device.online, device.online_changed = online, at
        batch.events.append(DeviceEvent(key, "online" if online else "offline", at))

    def _announcement(self, said: Announcement, batch: Batch) -> None:
        key, device = self.device(said.ward, said.device, said.received)
        if not said.retained and said.state == "online":
            device.last_seen = max(device.last_seen, said.received)
        if said.state == "offline":
            # The will of a connection long gone may come at any time: it ends its own session only.
            if None not in (said.session, device.session) and said.session != device.session:
                batch.late_wills += 1
            elif device.online is not False and self._is_news(device, said):
                self._turn(key, device, False, said.received, batch)
            return
        if said.session != device.session:
            device.session = said.session
            device.clock.restart()
        elif device.online is True and said.intervals == device.intervals:
            return
        if device.online is not True:
            self._turn(key, device, True, said.received, batch)
        device.declare(said.intervals)
        span = self._assignments.span_at(key, said.received)
        if span is None:
            return
        known = self._declared.setdefault(span.stay, {})
        for signal in said.intervals:
            if signal not in known:
                known[signal] = said.received
                batch.declared.append(Declared(span.stay, signal, said.received))

    @staticmethod
    def _is_news(device: Device, will: Announcement) -> bool:
        """A retained will may be old: it does not count against a device that was heard just now."""
        return not will.retained or not device.readings or will.received - device.last_seen > RECENT

    def _observation(self, seen: Observation, batch: Batch) -> None:
        if seen.stay not in self._assignments.stays:
            batch.strays += 1
            return
        to = batch.rows
        slot = to.slot_of(seen.stay)
        for signal, value in seen.values.items():
            to.slot.append(slot)
            to.signal.append(signal)
            to.time.append(seen.time)
            to.value.append(value)
            to.seq.append(-1)
            to.device.append(PERSON)
            to.hold.append(hold_of(signal, by_person=True))
            to.status.append(0)
            to.quality.append(math.nan)

    def stay(self, stay: str) -> StayInfo | None:
        return self._assignments.stays.get(stay)

    def stays(self) -> list[StayInfo]:
        return list(self._assignments.stays.values())

    def know(self, number: int, ward: str, name: str, first_seen: int, last_seen: int) -> None:
        """A device as the database remembers it, where the router's state is lost: it keeps its number."""
        key = f"{ward}/{name}"
        if (place := number - self._first) > 0 and key not in self._devices:
            self._keys += [""] * (place + 1 - len(self._keys))
            self._keys[place] = key
            self._devices[key] = Device(number, ward, name, first_seen, last_seen)
            self._in_ward[ward] += 1

    def number(self, key: str) -> int | None:
        """The number of a device (``ward/device``); None where it was never heard."""
        known = self._devices.get(key)
        return None if known is None else known.number

    def knows(self, key: str) -> bool:
        """Whether the device (``ward/device``) was ever heard."""
        return key in self._devices

    def known(self) -> int:
        """How many devices were ever heard."""
        return len(self._devices)

    def known_in(self, ward: str) -> int:
        """How many of them in this ward."""
        return self._in_ward[ward]

    def spans(self, key: str) -> Sequence[Span]:
        """The device's times with stays, the latest first."""
        return self._assignments.spans(key)

    def present_stay(self, key: str) -> str | None:
        """The stay that has the device (``ward/device``) now."""
        span = self._assignments.present(key)
        return None if span is None else span.stay

    def declared(self, stay: str) -> dict[int, int]:
        """Signals that the stay's devices declare, with the time (ms) from which that is known."""
        return dict(self._declared.get(stay, {}))

    def device_key(self, number: int) -> str:
        """``ward/device`` of a device number; empty for a person (0)."""
        return self._keys[number - self._first] if number else ""

    def seen(self) -> dict[str, Seen]:
        """Of all devices ever heard, by ``ward/device``."""
        return {key: (d.online, d.last_seen, d.clock.applied) for key, d in self._devices.items()}

    def devices(self, after: int = 0) -> list[DeviceView]:
        """All devices ever heard, in the order of their numbers, but for the first ``after``."""
        return [self.view(key) for key in islice(self._devices, after, None)]

    def intervals(self) -> dict[int, Mapping[int, float]]:
        """What devices declare, by their number: the interval (s) of each signal (index)."""
        return {d.number: d.intervals for d in self._devices.values() if d.intervals}

    def view(self, key: str) -> DeviceView:
        """A device (``ward/device``) that was ever heard."""
        device = self._devices[key]
        span = self._assignments.present(key)
        return DeviceView(
            key,
            device.number,
            device.ward,
            device.name,
            None if span is None else span.stay,
            device.online,
            device.session,
            device.first_seen,
            device.last_seen,
            device.last_time,
            device.clock.applied,
            dict(device.intervals),
            device.readings,
            device.duplicates,
        )

    def snapshot(self) -> bytes:
        """All of the state, for ``restore``."""
        return _encoder.encode(_State(self._devices, self.stays(), self._declared))

    def restore(self, data: bytes) -> None:
        """Become the router that wrote this. Raises ``msgspec.DecodeError`` on anything else."""
        state = _decoder.decode(data)
        self._devices = state.devices
        self._keys = ["", *state.devices]
        self._in_ward = Counter(device.ward for device in state.devices.values())
        self._assignments = Assignments(state.stays)
        self._declared = state.declared
