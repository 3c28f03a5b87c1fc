"""Readings on their way to the history: kept with the filter's marks until they are written in chunks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from ward.ingest.rows import Rows
from ward.live import metrics
from ward.scoring.filter import QUESTIONABLE, REASONS, VALID, Marked
from ward.scoring.readings import Int, Readings
from ward.signals import N_OBSERVED, STATUS_INDEX, hold_of
from ward.store.chunks import History
from ward.store.history import latest, read_history, write_chunks

_DEVICE_SAID: Final = [i for i, reason in enumerate(REASONS) if reason == "device-status"]
_DEVICE_DOUBTED: Final = [i for i, reason in enumerate(REASONS) if reason == "device-quality"]


def as_history(readings: Readings, **marks: Any) -> History:
    return History.of(
        len(readings),
        signal=readings.signal,
        time=readings.time,
        value=readings.value,
        device=readings.device,
        seq=readings.seq,
        **marks,
    )


MOST: Final = 20_000_000
"""Readings that may wait (about 700 MB). More come only where the database takes journal and alerts but no
history, for hours; then history is what is given up."""
Key = tuple[str | None, str | None]
"""A stay, or a device that has none."""


class HistoryBuffer:
    """What is not written yet, by stay or by the device that has none."""

    def __init__(self) -> None:
        self._new: list[tuple[dict[int, Key], NDArray[np.integer], History]] = []
        """As it came: what each number stands for, one number a reading, and the readings."""
        self._sorted: dict[Key, list[History]] = defaultdict(list)
        self._rows = 0
        self._named: tuple[Mapping[int, str], dict[int, Key]] = ({}, {})
        """The stays that were named last, and their keys: mostly they are the same as a second ago."""

    def __len__(self) -> int:
        """Readings that wait."""
        return self._rows

    def add(self, marked: Marked, stay_of: Mapping[int, str]) -> None:
        """Marked readings; ``stay_of`` names the stay of each slot."""
        kept = as_history(marked.readings, mark=marked.mark, reason=marked.reason)
        self._put(self._keys(stay_of), marked.readings.slot, kept)

    def add_scores(self, stay_of: Mapping[int, str], slot: NDArray[np.int64], scores: History) -> None:
        """Derived scores, which nothing is computed from; ``stay_of`` names the stay of each slot."""
        self._put(self._keys(stay_of), slot, scores)

    def add_unjudged(self, stay_of: Mapping[int, str], readings: Readings) -> None:
        """Readings that no filter has seen, of stays by their slots: kept, marked as in doubt."""
        self._put(self._keys(stay_of), readings.slot, as_history(readings, mark=QUESTIONABLE))

    def add_unassigned(self, rows: Rows, device_key: Callable[[int], str]) -> None:
        """Readings of no stay, kept under their device."""
        numbers = rows.readings.device
        keys: dict[int, Key] = {n: (None, device_key(n)) for n in np.unique(numbers).tolist()}
        self._put(keys, numbers, as_history(rows.readings))

    def _keys(self, stay_of: Mapping[int, str]) -> dict[int, Key]:
        named, keys = self._named
        if stay_of != named:
            keys = {number: (stay, None) for number, stay in stay_of.items()}
            self._named = dict(stay_of), keys
        return keys

    def _put(self, keys: dict[int, Key], number: NDArray[np.integer], kept: History) -> None:
        if self._rows + len(kept) > MOST:
            metrics.HISTORY_LOST.inc(len(kept))
        elif len(kept):
            self._new.append((keys, number, kept))
            self._rows += len(kept)

    def _sort(self) -> None:
        """Readings to their stays; in one go for all that came since, for there may be millions."""
        if not self._new:
            return
        place: dict[Key, int] = {}
        codes = []
        for keys, numbers, _ in self._new:
            table = np.zeros(max(keys) + 1, np.int64)
            for number, key in keys.items():
                table[number] = place.setdefault(key, len(place))
            codes.append(table[numbers])
        code, every = np.concatenate(codes), History.concat(kept for *_, kept in self._new)
        order = np.argsort(code, kind="stable")
        every, edges = every.take(order), np.searchsorted(code[order], np.arange(len(place) + 1)).tolist()
        for key, n in place.items():
            self._sorted[key].append(every.take(slice(edges[n], edges[n + 1])))
        self._new = []

    def flush(self, tx: Connection, at_most: int | None = None, stay: str | None = None) -> list[Key]:
        """Write what waits, of all or of one stay, or at least ``at_most`` readings of it; hand the answer to
        ``forget`` when the transaction is through."""
        self._sort()
        written: list[Key] = []
        rows = 0
        for key in self._sorted if stay is None else self._sorted.keys() & {(stay, None)}:
            if at_most is not None and rows >= at_most:
                break
            written.append(key)
            rows += sum(len(part) for part in self._sorted[key])
        write_chunks(tx, ((*key, History.concat(self._sorted[key])) for key in written))
        return written

    def forget(self, written: Iterable[Key]) -> None:
        for key in written:
            self._rows -= sum(len(part) for part in self._sorted.pop(key))

    def of(self, stay: str) -> Sequence[History]:
        self._sort()
        return self._sorted.get((stay, None), ())


def identity(readings: Readings) -> Int:
    """One number per reading that tells it apart within its stay: signal, time, device and seq."""
    found = np.zeros(len(readings), np.int64)
    for part in (readings.signal, readings.time, readings.device, readings.seq):
        found = found * 1_000_003 + part
    return found


def unique_readings(parts: Iterable[Readings]) -> Readings:
    """Each reading of one stay once; where it is there again, the later one."""
    every = Readings.concat(parts)
    _, last = np.unique(identity(every)[::-1], return_index=True)
    return every.take(np.sort(len(every) - 1 - last))


def stored_readings(
    connection: Connection,
    buffer: HistoryBuffer,
    stay: str,
    start: int,
    end: int,
    intervals: Mapping[int, Mapping[int, float]],
    signals: Collection[int] | None = None,
    *,
    only_valid: bool = False,
) -> Readings:
    """One stay's readings of a span as the engine takes them, from the database and the buffer.

    ``intervals`` maps a device's number to what it declares; ``signals``: None is all that are measured or
    entered. What the device itself had said of a reading is not stored; the reason of its mark tells it.
    """
    asked = range(N_OBSERVED) if signals is None else signals
    found = latest(History.concat([read_history(connection, stay, asked, start, end + 1), *buffer.of(stay)]))
    wanted = (found.time >= start) & (found.time <= end) & np.isin(found.signal, list(asked))
    if only_valid:
        wanted &= found.mark == VALID
    return as_readings(found.take(wanted), intervals)


def as_readings(found: History, intervals: Mapping[int, Mapping[int, float]]) -> Readings:
    """One stay's history as the engine takes it, slot 0; ``intervals`` as above."""
    holds = np.array([hold_of(s) for s in range(N_OBSERVED)], np.int64)[found.signal]
    for device in np.unique(found.device):
        mine = found.device == device
        table = [hold_of(s, intervals.get(int(device), {}).get(s), device == 0) for s in range(N_OBSERVED)]
        holds[mine] = np.array(table, np.int64)[found.signal[mine]]
    return Readings.of(
        len(found),
        slot=0,
        signal=found.signal,
        time=found.time,
        value=found.value,
        seq=found.seq,
        device=found.device,
        hold=holds,
        status=np.where(np.isin(found.reason, _DEVICE_SAID), STATUS_INDEX["invalid"], 0),
        quality=np.where(np.isin(found.reason, _DEVICE_DOUBTED), 0.0, np.nan),
    )
