"""Readings on their way to the history: kept with the filter's marks until they are written in chunks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection

from ward.ingest.rows import Rows
from ward.scoring.filter import QUESTIONABLE, REASONS, Marked
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


class HistoryBuffer:
    """What is not written yet, by stay or by the device that has none."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str | None, str | None], list[History]] = defaultdict(list)

    def add(self, marked: Marked, stay_of: Mapping[int, str]) -> None:
        """Marked readings; ``stay_of`` names the stay of each slot."""
        slots = marked.readings.slot
        for slot in np.unique(slots):
            mine = slots == slot
            kept = as_history(marked.readings.take(mine), mark=marked.mark[mine], reason=marked.reason[mine])
            self._waiting[stay_of[int(slot)], None].append(kept)

    def add_unjudged(self, stays: Sequence[str], readings: Readings) -> None:
        """Readings of stays that are over: kept, marked as in doubt, for no filter has seen them."""
        for n in np.unique(readings.slot):
            mine = readings.take(readings.slot == n)
            self._waiting[stays[int(n)], None].append(as_history(mine, mark=QUESTIONABLE))

    def add_unassigned(self, rows: Rows, device_key: Any) -> None:
        """Readings of no stay, kept under their device."""
        for number in np.unique(rows.readings.device):
            mine = rows.readings.take(rows.readings.device == number)
            self._waiting[None, device_key(int(number))].append(as_history(mine))

    def flush(self, tx: Connection) -> None:
        """Write everything; call ``forget`` when the transaction is through."""
        write_chunks(
            tx, ((stay, device, History.concat(parts)) for (stay, device), parts in self._waiting.items())
        )

    def forget(self) -> None:
        self._waiting.clear()

    def of(self, stay: str) -> Iterable[History]:
        return self._waiting.get((stay, None), ())


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
) -> Readings:
    """One stay's readings of a span as the engine takes them, from the database and the buffer.

    ``intervals`` maps a device's number to what it declares. What the device itself had said of a
    reading is not stored; the reason of its mark tells it.
    """
    found = latest(History.concat([read_history(connection, stay, None, start, end), *buffer.of(stay)]))
    found = found.take((found.time >= start) & (found.time <= end))
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
