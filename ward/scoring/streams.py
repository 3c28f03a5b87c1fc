"""Growing tables of state, one row a key: streams (stay, device, signal) and devices (stay, device)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ward.scoring.readings import Int, Readings

LONG_AGO: Final = -(2**60)
"""Earlier than any reading; differences to it do not overflow."""

_DEVICE_BITS, _SIGNAL_BITS = 32, 8
SIGNAL_MASK: Final = 2**_SIGNAL_BITS - 1
"""The signal in a stream's key."""


def stream_keys(readings: Readings) -> Int:
    """One number for each (slot, device, signal), [n]; ordered by slot first."""
    return (device_keys(readings) << _SIGNAL_BITS) | readings.signal.astype(np.int64)


def device_keys(readings: Readings) -> Int:
    """One number for each (slot, device), [n]."""
    device: Int = readings.device.astype(np.int64) & (2**_DEVICE_BITS - 1)
    slot: Int = readings.slot.astype(np.int64)
    return (slot << _DEVICE_BITS) | device


class Registry:
    """Columns of state, sorted by key. Attributes named by ``columns`` are arrays of one length."""

    def __init__(self, columns: Mapping[str, tuple[Any, Any]], key_bits: int) -> None:
        """``columns``: name → (dtype, value of a new row); ``key_bits``: those below the slot."""
        self.columns = dict(columns)
        self._bits = key_bits
        self.key: Int = np.empty(0, np.int64)
        self.data: dict[str, NDArray[Any]] = {name: np.empty(0, kind) for name, (kind, _) in columns.items()}

    def __getitem__(self, column: str) -> NDArray[Any]:
        return self.data[column]

    def find(self, keys: Int) -> Int:
        """Row of each key [n]; keys that are new get a row."""
        unique, inverse = np.unique(keys, return_inverse=True)
        at = np.searchsorted(self.key, unique)
        known = at < len(self.key)
        known[known] = self.key[at[known]] == unique[known]
        if not known.all():
            new = at[~known]
            self.key = np.insert(self.key, new, unique[~known])
            for name, (_, value) in self.columns.items():
                self.data[name] = np.insert(self.data[name], new, value)
            at = np.searchsorted(self.key, unique)
        return at[inverse]

    @property
    def slot(self) -> Int:
        return self.key >> self._bits

    def forget(self, slot: int) -> None:
        self._keep(self.slot != slot)

    def adopt(self, slot: int, other: Registry, source: int) -> None:
        """Take over another registry's rows of slot ``source`` as those of ``slot``."""
        self.forget(slot)
        own = other.slot == source
        rows = self.find(other.key[own] + ((slot - source) << self._bits))
        for name in self.columns:
            self.data[name][rows] = other.data[name][own]

    def snapshot(self) -> dict[str, NDArray[Any]]:
        return {"key": self.key.copy(), **{name: column.copy() for name, column in self.data.items()}}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        self.key = np.array(state["key"], np.int64)
        # What an older version did not keep yet begins anew.
        self.data = {
            name: np.array(state[name] if name in state else np.full(len(self.key), value), kind)
            for name, (kind, value) in self.columns.items()
        }

    def _keep(self, rows: NDArray[np.bool_]) -> None:
        self.key = self.key[rows]
        self.data = {name: column[rows] for name, column in self.data.items()}


def stream_registry() -> Registry:
    """What the filter remembers of a stream.

    level: what the stream is expected to show, its last valid value that was not in doubt (or a
    confirmed run's median); level_time: of its last valid reading; raw, raw_time: last possible value;
    seen: time of the last reading that was judged. Of an open run of doubtful readings: run_start
    (LONG_AGO: none open), run_value its first value, run_last its last reading's time, run_end when
    the wait for another ends, run_count, and whether the stream was dense when it began. peak: the
    highest SpO2 or respiratory rate so far, the longer ago the lower; trough: the lowest rate, turned
    round (see ``detectors.find_fast``); off_since, off_last: first and last reading of the spell in which
    leads were last found off.
    """
    return Registry(
        {
            "level": (np.float64, np.nan),
            "level_time": (np.int64, LONG_AGO),
            "raw": (np.float64, np.nan),
            "raw_time": (np.int64, LONG_AGO),
            "seen": (np.int64, LONG_AGO),
            "run_start": (np.int64, LONG_AGO),
            "run_value": (np.float64, np.nan),
            "run_last": (np.int64, LONG_AGO),
            "run_end": (np.int64, LONG_AGO),
            "run_count": (np.int32, 0),
            "run_dense": (np.bool_, False),
            "peak": (np.int64, LONG_AGO),
            "trough": (np.int64, LONG_AGO),
            "off_since": (np.int64, LONG_AGO),
            "off_last": (np.int64, LONG_AGO),
        },
        _DEVICE_BITS + _SIGNAL_BITS,
    )


def device_registry() -> Registry:
    """What the filter remembers of a device: when any beating signal last changed, how many it has."""
    return Registry({"changed": (np.int64, LONG_AGO), "signals": (np.int32, 0)}, _DEVICE_BITS)
