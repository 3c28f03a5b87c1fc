"""How one device's samples travel: sessions, births and wills, stored samples, stray clocks.

All of it is known in advance from the device's faults, so any block of time can be asked for.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec
import numpy as np

from simulator.devices import Device
from simulator.faults import Fault, Measured
from simulator.noise import Int, generator, uniform
from simulator.patients import Patient
from ward.signals import INDEX, SECOND, SIGNALS, STATUS_WORDS

SAMPLES_A_MESSAGE: Final = 400
FORMATS: Final = (("Z", 0), ("+01:00", 3_600_000), ("+00:00", 0))
"""How devices write their time: the offset's text, and what it adds to UTC (ms)."""

What = Literal["birth", "vitals", "will", "bye"]


@dataclass(frozen=True, slots=True)
class Message:
    """One MQTT message. ``at``: when it reaches the broker, ms since 1970; a 'will' is published by
    the broker when it loses the connection of ``session``, a 'birth' by the device on connecting and a
    'bye' before it leaves in good order."""

    at: int
    topic: str
    payload: bytes
    qos: int
    retain: bool
    what: What
    device: str
    session: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a device publishes; ``start``: ms since 1970 of the simulation's time 0."""

    ward: str
    device: str
    number: int
    start: int

    def session(self, count: int) -> str:
        # The start is part of it: a simulator that is started again must not repeat a session's numbers.
        return f"{self.start:x}-{self.number}-{count}"

    def vitals(self, at: int, payload: bytes, count: int) -> Message:
        topic = f"ward/v1/{self.ward}/{self.device}/vitals"
        return Message(self.start + at, topic, payload, 1, False, "vitals", self.device, self.session(count))

    def status(self, at: int, what: What, count: int, interval_s: dict[str, float] | None = None) -> Message:
        topic = f"ward/v1/{self.ward}/{self.device}/status"
        content: dict[str, Any] = {
            "state": "online" if what == "birth" else "offline",
            "session": self.session(count),
        }
        if interval_s is not None:
            content["interval_s"] = interval_s
        payload = msgspec.json.encode(content)
        return Message(self.start + at, topic, payload, 1, True, what, self.device, self.session(count))


class DeviceStream:
    """The messages of one simulated device, block by block."""

    def __init__(self, device: Device, patient: Patient, place: Place, batch: int) -> None:
        """``batch``: ms of samples that go into one message at most; one sample each at 1000 and below."""
        self.device, self.patient, self.place, self.batch = device, patient, place, batch
        self._stagger = int(generator((*device.key, 40)).integers(max(batch, 1)))
        self._shift = FORMATS[generator((*device.key, 41)).integers(len(FORMATS))]
        self._outages = [f for f in device.faults if f.kind == "backlog"]
        reboots = [f for f in device.faults if f.kind == "reboot"]
        self._off = [(f.start, f.end) for f in reboots]
        self._session_starts = [0, *(f.end for f in reboots)]
        self._status = sorted(self._births_and_wills(reboots), key=lambda m: m.at)

    def _births_and_wills(self, reboots: list[Fault]) -> Iterable[Message]:
        interval = self.device.of.interval / SECOND
        declared = {s: int(interval) if interval.is_integer() else interval for s in self.device.of.signals}
        yield self.place.status(0, "birth", 0, declared)
        for number, fault in enumerate(reboots):
            # The broker notices late, when the device is long back with a new session.
            yield self.place.status(fault.end, "birth", number + 1, declared)
            yield self.place.status(fault.end + 20_000 + fault.start % 30_000, "will", number)
        for fault in self._outages:
            session = self._session(fault.start)
            yield self.place.status(min(fault.start + 45_000, fault.end - 1_000), "will", session)
            yield self.place.status(fault.end, "birth", session, declared)

    def _session(self, t: int) -> int:
        return bisect_right(self._session_starts, t) - 1

    def block(self, lo: int, hi: int) -> list[Message]:
        """Messages that stem from [lo, hi) (ms since start); some may arrive after ``hi``."""
        start = self.place.start
        result = [m for m in self._status if lo <= m.at - start < hi]
        # Blocks are shifted by the device's stagger, so that no batch is cut by the end of a block.
        k, t = self.device.samples(lo + self._stagger if lo else 0, hi + self._stagger)
        kept = ~self.device.lost(k, t)
        for off, on in self._off:
            kept &= ~((t >= off) & (t < on))
        k, t = k[kept], t[kept]
        if len(k):
            samples = self._samples(k, t)
            result += self._live(k, t, samples)
            result += self._stored(t, samples)
        return result

    def _samples(self, k: Int, t: Int) -> list[dict[str, Any]]:
        session = np.searchsorted(self._session_starts, t, side="right") - 1
        first = np.array(
            [self.device.samples(s, s + self.device.of.interval)[0][0] for s in self._session_starts]
        )
        told = t.copy()
        for fault in self.device.faults:
            if fault.kind == "clock-skew":
                told[(t >= fault.start) & (t < fault.end)] += fault.amount
        return rows(
            self.device.measure(self.patient, k, t, self.place.start),
            self.place.start + told,
            (k - first[session]).tolist(),
            self._shift,
        )

    def _active(self, kind: str, t: Int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        inside = np.zeros(len(t), np.bool_)
        for fault in self.device.faults:
            if fault.kind == kind:
                inside |= (t >= fault.start) & (t < fault.end)
        return inside

    def _live(self, k: Int, t: Int, samples: list[dict[str, Any]]) -> list[Message]:
        batch = (t - self._stagger) // self.batch
        session = np.searchsorted(self._session_starts, t, side="right") - 1
        live = ~self._active("backlog", t)
        stray, again = self._active("reordering", t), self._active("duplicates", t)
        delay = 20 + 230 * uniform((*self.device.key, 42), k)
        # Out of order, yet within the lateness that evaluation waits (2 s live).
        delay = np.where(stray, 20 + 1_680 * uniform((*self.device.key, 43), k), delay).astype(np.int64)
        result: list[Message] = []
        for part in _runs(batch, session, live.astype(np.int64)):
            if not live[part.start]:
                continue
            last = part.stop - 1
            at, chosen = int(t[last] + delay[last]), samples[part]
            if stray[last] and len(chosen) > 1:
                chosen = [
                    chosen[i]
                    for i in generator((*self.device.key, 44, int(k[last]))).permutation(len(chosen))
                ]
            message = self.place.vitals(at, encode(chosen), int(session[last]))
            result.append(message)
            if again[last]:
                wait = 300 + int(delay[last]) * 5
                result.append(self.place.vitals(at + wait, message.payload, int(session[last])))
        return result

    def _stored(self, t: Int, samples: list[dict[str, Any]]) -> list[Message]:
        """Samples taken without a connection: sent in one flood when it is back, oldest first."""
        result = []
        for fault in self._outages:
            lo, hi = np.searchsorted(t, (fault.start, fault.end)).tolist()
            for first in range(lo, hi, SAMPLES_A_MESSAGE):
                chosen = samples[first : min(first + SAMPLES_A_MESSAGE, hi)]
                at = fault.end + 500 + (int(t[first]) - fault.start) // 200
                result.append(self.place.vitals(at, encode(chosen), self._session(fault.start)))
        return result


def _runs(*columns: Int) -> list[slice]:
    """Slices of rows in which every column stays the same, at most SAMPLES_A_MESSAGE long."""
    n = len(columns[0])
    change = np.zeros(n, np.bool_)
    change[0] = True
    for column in columns:
        change[1:] |= column[1:] != column[:-1]
    starts = np.flatnonzero(change).tolist()
    return [
        slice(first, min(first + SAMPLES_A_MESSAGE, end))
        for begin, end in zip(starts, [*starts[1:], n], strict=True)
        for first in range(begin, end, SAMPLES_A_MESSAGE)
    ]


def rows(
    measured: Measured, epoch: Int, seq: list[int] | None, shift: tuple[str, int] = FORMATS[0]
) -> list[dict[str, Any]]:
    """Samples as the contract's JSON objects; ``epoch``: the device's times, ms since 1970."""
    offset, add = shift
    times = np.datetime_as_string((epoch + add).astype("datetime64[ms]"), unit="ms").tolist()
    names = list(measured.values)
    columns = [_plain(values, SIGNALS[INDEX[name]].decimals) for name, values in measured.values.items()]
    samples: list[dict[str, Any]] = [
        {"time": time + offset, "readings": dict(zip(names, values, strict=True))}
        for time, values in zip(times, zip(*columns, strict=True), strict=True)
    ]
    if seq is not None:
        samples = [{"seq": number, **sample} for number, sample in zip(seq, samples, strict=True)]
    for signal, status in measured.status.items():
        for i in np.flatnonzero(status).tolist():
            samples[i].setdefault("status", {})[signal] = STATUS_WORDS[status[i]]
    for signal, quality in measured.quality.items():
        for i in np.flatnonzero(~np.isnan(quality)).tolist():
            samples[i].setdefault("quality", {})[signal] = float(quality[i])
    return samples


def _plain(values: np.ndarray[tuple[int], np.dtype[np.float64]], decimals: int) -> list[Any]:
    """Numbers as JSON shows them best: whole ones without a point, null for NaN."""
    missing = np.isnan(values)
    if decimals:
        plain: list[Any] = values.tolist()
    else:
        plain = np.where(missing, 0, values).astype(np.int64).tolist()
    for i in np.flatnonzero(missing).tolist():
        plain[i] = None
    return plain


def plain_number(value: float) -> int | float:
    """A whole number without its point."""
    return int(value) if value.is_integer() else value


def encode(samples: list[dict[str, Any]]) -> bytes:
    return msgspec.json.encode(samples[0] if len(samples) == 1 else {"samples": samples})
