"""Samples of a whole table through the router at once: what a start reads from the journal.

Device by device in place of sample by sample, where a device did what devices do: its count grew, its
clock kept its pace, one stay had it all the time. Any other device goes the router's own way, sample by
sample. Both ways lead to the same rows and the same state; a test compares them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress, groupby
from operator import sub
from typing import Any, Final

import numpy as np

from ward.ingest.assignments import Span
from ward.ingest.devices import (
    BASE,
    EXACT,
    FUTURE,
    JITTER,
    MAX_SESSIONS,
    STEP,
    WINDOW,
    Device,
    SeqSet,
    keeps_pace,
)
from ward.ingest.packed import NO_SEQ, NO_TIME, Packed, Part, Run
from ward.ingest.records import Entry
from ward.ingest.router import Batch, Routed, Router
from ward.ingest.rows import Rows
from ward.scoring.readings import Bool, Int, Readings
from ward.signals import STATUS_INDEX

NOBODY: Final = -1
REPEATED: Final = -2


@dataclass(frozen=True, slots=True)
class Placed:
    """A table whose samples have their stays; its rows are made in whatever order they are wanted in.

    place, time [samples]: index into ``stays``, NOBODY or REPEATED, and the time by the ward's clock; sample
    [values]: of which sample each value is; own: the values that are some stay's, in the journal's order.
    """

    run: Run
    stays: tuple[str, ...]
    place: Int
    time: Int
    sample: Int
    own: Int
    _nobodys: Int
    _nulls: int
    _devices: Sequence[Device]
    _batch: Batch

    def rows(self, values: Int, stays: tuple[str, ...]) -> Rows:
        """These values, in their order."""
        run = self.run
        if not len(values):
            return Rows(stays, Readings.empty())
        whole = len(values) == len(self.sample) and bool((values[1:] > values[:-1]).all())
        chosen: Int | slice = slice(None) if whole else values
        of = self.sample[chosen]
        device, signal = run.device[of], run.signal[chosen]
        numbers = np.array([d.number for d in self._devices], np.int32)
        holds = np.array([d.holds for d in self._devices], np.int64)
        unknown = STATUS_INDEX["unknown"]
        words = np.array([0 if w is None else STATUS_INDEX.get(w, unknown) for w in run.words], np.int8)
        readings = Readings.of(
            len(of),
            slot=self.place[of],
            signal=signal,
            time=self.time[of],
            value=run.value[chosen],
            seq=run.seq[of],
            device=numbers[device],
            hold=holds.reshape(-1)[device * holds.shape[1] + signal],
            status=words[run.status[chosen]],
            quality=run.quality[chosen],
        )
        return Rows(stays, readings)

    def routed(self, rows: Rows | None = None) -> Routed:
        """All that the table came to; ``rows``: in place of those of ``own``."""
        own = self.rows(self.own, self.stays) if rows is None else rows
        return self._batch.routed(own, self.rows(self._nobodys, ()), self._nulls)


@dataclass(frozen=True, slots=True)
class _Facts:
    """Of each device in the table, [devices]: what decides whether it can be taken as a whole."""

    order: Int
    begins: Int
    plain: Bool
    single: Bool
    """Each sample is its message's newest: all tell of the device's clock."""
    apart: Bool
    """Each sample so long after the one before that it tells of the device's clock."""
    least_lag: Int
    most_lag: Int
    steady: Bool
    last: Int
    first_time: Int
    last_time: Int
    newest: Int


def route(router: Router, run: Run, measure_offset: bool) -> Routed:
    """The table in the journal's order, as ``Router.apply`` would take its samples one by one."""
    return place(router, run, measure_offset).routed()


def place(router: Router, run: Run, measure_offset: bool) -> Placed:
    """As ``route``, but the rows are yet to be made."""
    batch = Batch()
    found, time = np.full(len(run), REPEATED, np.int64), run.time.copy()
    slots: dict[str, int] = {}
    devices: list[Device] = []
    seen = np.unique(run.device, return_index=True)[1]
    for name, at in zip(run.names, run.received[seen].tolist(), strict=True):
        ward, _, own = name.partition("/")
        devices.append(router.device(ward, own, at)[1])
    if len(run) < A_DEVICE * len(devices):
        _one_by_one(router, run, range(len(run)), measure_offset, batch, found, time, slots)
        return _placed(run, devices, found, time, slots, batch)
    if measure_offset:
        applied = np.array([d.clock.applied for d in devices], np.int64)[run.device]
        time += applied
        np.copyto(time, run.received, where=time > run.received + FUTURE)
    facts = _facts(run, time)
    received, own_time = run.received[facts.order].tolist(), run.time[facts.order].tolist()
    for number, (key, device) in enumerate(zip(run.names, devices, strict=True)):
        begin, end = int(facts.begins[number]), int(facts.begins[number + 1])
        rows = facts.order[begin:end]
        heard = (own_time[begin:end], received[begin:end]) if measure_offset else None
        span = _whole(router, key, device, run, rows, facts, number, heard)
        if span is None:
            _one_by_one(router, run, rows.tolist(), measure_offset, batch, found, time, slots)
            continue
        found[rows] = NOBODY if span is _NO_SPAN else slots.setdefault(span.stay, len(slots))
        batch.seen[key] = int(facts.last[number])
    return _placed(run, devices, found, time, slots, batch)


def route_parts(
    router: Router, parts: Sequence[Part], measure_offset: bool
) -> Iterator[tuple[list[Entry], Routed]]:
    """What a batch comes to, in its order: entries (none where they were columns) and what they came to."""
    for is_packed, group in groupby(parts, key=lambda part: isinstance(part, Packed)):
        alike: list[Any] = list(group)
        if is_packed:
            yield [], route(router, Run.of(alike), measure_offset)
        else:
            yield alike, router.apply(alike, measure_offset)


_NO_SPAN: Final = Span(0, 0, "")
A_DEVICE: Final = 3
"""Of fewer samples a device it takes longer to look at a device's as a whole than one by one."""


def _facts(run: Run, time: Int) -> _Facts:
    order = np.argsort(run.device, kind="stable")
    begins = np.searchsorted(run.device[order], np.arange(len(run.names) + 1))
    first = begins[:-1]

    def every(condition: Bool) -> Bool:
        found: Bool = np.logical_and.reduceat(condition[order], first)
        return found

    def growing(column: Int, least: int) -> Bool:
        """Whether it grows by at least so much from each sample of a device to its next."""
        fine = np.diff(column[order], prepend=0) >= least
        fine[first] = True
        found: Bool = np.logical_and.reduceat(fine, first)
        return found

    lag = run.received - run.time
    steps = np.diff(run.seq[order], prepend=0) == 1
    steps[first] = True
    session = run.session == run.session[order[first]][run.device]
    plain = every((run.seq != NO_SEQ) & (run.time != NO_TIME) & session)
    plain &= growing(run.seq, 1) & growing(run.received, 0)
    return _Facts(
        order,
        begins,
        plain,
        every(run.newest),
        growing(run.received, BASE),
        np.minimum.reduceat(lag[order], first),
        np.maximum.reduceat(lag[order], first),
        np.logical_and.reduceat(steps, first),
        run.received[order[begins[1:] - 1]],
        np.minimum.reduceat(time[order], first),
        np.maximum.reduceat(time[order], first),
        np.maximum.reduceat(run.time[order], first),
    )


def _whole(
    router: Router,
    key: str,
    device: Device,
    run: Run,
    rows: Int,
    facts: _Facts,
    number: int,
    clock: tuple[list[int], list[int]] | None,
) -> Span | None:
    """Take all samples of a device at once; None, and nothing has changed, where that is not certain."""
    if not facts.plain[number] or device.online is False:
        return None
    span = _span(router, key, int(facts.first_time[number]), int(facts.last_time[number]))
    if span is None:
        return None
    session = run.sessions[run.session[rows[0]]]
    name = (session if session is not None else device.session) or ""
    heard = device.heard.get(name)
    if heard is not None and heard.lasts and int(run.seq[rows[0]]) <= heard.lasts[-1]:
        return None
    if clock is not None:
        even = facts.single[number] and _hear_even(device, *clock, facts, number)
        if not even and not _hear(device, *_newest_of(clock, run, rows, facts.single[number])):
            return None
    if heard is None:
        heard = device.heard[name] = SeqSet()
        if len(device.heard) > MAX_SESSIONS:
            del device.heard[next(iter(device.heard))]
    if facts.steady[number]:
        heard.add(int(run.seq[rows[0]]))
        heard.lasts[-1] = int(run.seq[rows[-1]])
    else:
        for seq in run.seq[rows].tolist():
            heard.add(seq)
    device.back = None
    device.last_seen = max(device.last_seen, int(facts.last[number]))
    device.newest = _later(device.newest, int(facts.newest[number]))
    device.last_time = _later(device.last_time, int(facts.last_time[number]))
    return span


def _newest_of(
    clock: tuple[list[int], list[int]], run: Run, rows: Int, single: bool
) -> tuple[list[int], list[int]]:
    """Times and received times of each message's newest sample."""
    if single:
        return clock
    times, received = clock
    newest = run.newest[rows].tolist()
    return list(compress(times, newest)), list(compress(received, newest))


def _later(before: int | None, now: int) -> int:
    return now if before is None else max(before, now)


def _span(router: Router, key: str, first: int, last: int) -> Span | None:
    """The span that holds it all; ``_NO_SPAN`` where none touches it, None where one does in part."""
    for span in router.spans(key):
        if span.holds(first) and span.holds(last):
            return span
        if span.start <= last and (span.end is None or first < span.end):
            return None
    return _NO_SPAN


def _hear_even(device: Device, times: list[int], received: list[int], facts: _Facts, number: int) -> bool:
    """As ``_hear``, at a glance, for a clock that kept its pace to within the jitter: all it says counts."""
    clock = device.clock
    low, high = int(facts.least_lag[number]), int(facts.most_lag[number])
    if clock.time is not None:
        before = clock.received - clock.time
        low, high = min(low, before, clock.freshest), max(high, before, clock.freshest)
    if high - low > JITTER or not _leaves(clock.applied, [low, high, *clock.lags]):
        return False
    size = len(times)
    n = 0 if clock.time is None else bisect_left(received, clock.received + BASE)
    if facts.apart[number]:
        told = list(range(n, size))
    else:
        told = []
        while n < size:
            told.append(n)
            n = bisect_left(received, received[n] + BASE, n + 1)
    counted = told[1:] if clock.time is None else told
    clock.lags = [*clock.lags, *(received[n] - times[n] for n in counted[-WINDOW:])][-WINDOW:]
    if told:
        last = told[-1]
        clock.time, clock.received = times[last], received[last]
        clock.freshest = min(map(sub, received[last:], times[last:]))
    else:
        clock.freshest = min(clock.freshest, int(facts.least_lag[number]))
    return True


def _leaves(applied: int, lags: list[int]) -> bool:
    """Whether no median of such lags can change the offset."""
    low, high = min(lags), max(lags)
    right = applied == 0 and low >= -EXACT and high <= EXACT
    off = (low > EXACT or high < -EXACT) and applied - EXACT <= low and high <= applied + EXACT
    return high - low <= STEP and (right or off)


def _hear(device: Device, times: list[int], received: list[int]) -> bool:
    """As ``DeviceClock.hear`` for each in turn, where that leaves the offset as it is; else False."""
    clock = device.clock
    at, since, freshest, new = clock.time, clock.received, clock.freshest, []
    every = [r - t for r, t in zip(received, times, strict=True)]
    n, size = 0, len(times)
    while n < size:
        if at is not None:
            later = bisect_left(received, since + BASE, n)
            freshest = min([freshest, *every[n:later]])
            n = later
            if n == size:
                break
        before, elapsed = at, received[n] - since
        was_behind = at is not None and since - at - freshest > JITTER
        at, since, freshest = times[n], received[n], every[n]
        n += 1
        if before is not None and not was_behind and keeps_pace(at - before, elapsed):
            new.append(since - at)
    lags = [*clock.lags, *new]
    if new and not _leaves(clock.applied, lags):
        return False
    clock.lags, clock.time, clock.received, clock.freshest = lags[-WINDOW:], at, since, freshest
    return True


def _one_by_one(
    router: Router,
    run: Run,
    rows: Sequence[int],
    measure_offset: bool,
    batch: Batch,
    place: Int,
    time: Int,
    slots: dict[str, int],
) -> None:
    for row, sample in zip(rows, run.samples(rows, heads=True), strict=True):
        placed = router.place(sample, measure_offset, batch)
        if placed is not None:
            _, stay, at = placed
            place[row] = NOBODY if stay is None else slots.setdefault(stay, len(slots))
            time[row] = at


def _placed(
    run: Run, devices: list[Device], place: Int, time: Int, slots: dict[str, int], batch: Batch
) -> Placed:
    sample = np.repeat(np.arange(len(run)), run.counts)
    of_stay = place[sample]
    is_new = of_stay != REPEATED
    there = is_new & ~np.isnan(run.value)
    taken = np.bincount(run.device[sample[there]], minlength=len(devices)).tolist()
    for device, count in zip(devices, taken, strict=True):
        device.readings += count
    return Placed(
        run,
        tuple(slots),
        place,
        time,
        sample,
        np.flatnonzero(there & (of_stay >= 0)),
        np.flatnonzero(there & (of_stay == NOBODY)),
        int(is_new.sum() - there.sum()),
        devices,
        batch,
    )
