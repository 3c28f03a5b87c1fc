"""Readings as arrays: one row is one value of one signal of one stay at one instant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ward.signals import N_OBSERVED

Int = NDArray[np.int64]
Float = NDArray[np.float64]
Bool = NDArray[np.bool_]

DTYPES: Final[dict[str, Any]] = {
    "slot": np.int32,
    "signal": np.int8,
    "time": np.int64,
    "value": np.float64,
    "seq": np.int64,
    "device": np.int32,
    "hold": np.int64,
    "status": np.int8,
    "quality": np.float32,
}
DEFAULTS: Final[dict[str, Any]] = {"seq": -1, "device": 0, "status": 0, "quality": np.nan}


@dataclass(frozen=True, slots=True)
class Readings:
    """Columns of equal length n.

    slot: the engine's row of the stay; signal: index into ``SIGNALS``; time: ms; value: in the
    signal's unit, always finite; seq: the device's count, -1 where it has none; device: a number
    that tells devices of a stay apart; hold: ms; status: index into ``STATUS_WORDS``; quality:
    0..1 as the device says, NaN where it does not.
    """

    slot: NDArray[np.int32]
    signal: NDArray[np.int8]
    time: Int
    value: Float
    seq: Int
    device: NDArray[np.int32]
    hold: Int
    status: NDArray[np.int8]
    quality: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.time)

    @classmethod
    def of(cls, n: int | None = None, **columns: Any) -> Readings:
        """From keyword columns; scalars are broadcast, missing ones take their default."""
        if n is None:
            n = next((len(v) for v in columns.values() if np.ndim(v)), 1 if columns else 0)
        filled = {**DEFAULTS, **columns}
        return cls(
            **{
                name: np.ascontiguousarray(np.broadcast_to(np.asarray(filled[name], kind), (n,)))
                for name, kind in DTYPES.items()
            }
        )

    @classmethod
    def empty(cls) -> Readings:
        return cls(**{name: np.empty(0, kind) for name, kind in DTYPES.items()})

    @classmethod
    def concat(cls, parts: Iterable[Readings]) -> Readings:
        kept = [p for p in parts if len(p)]
        if not kept:
            return cls.empty()
        if len(kept) == 1:
            return kept[0]
        return cls(**{f.name: np.concatenate([getattr(p, f.name) for p in kept]) for f in fields(cls)})

    def take(self, index: Any) -> Readings:
        """The rows of a mask, slice or index array."""
        return Readings(**{f.name: getattr(self, f.name)[index] for f in fields(self)})

    def where(self, mask: Bool) -> Readings:
        """The rows of a mask; itself where that is all of them."""
        return self if mask.all() else self.take(mask)

    def in_order(self) -> Readings:
        """Sorted by time, then seq, then the order given: the contract's order of one instant."""
        if len(self) < 2:
            return self
        return self.take(np.lexsort((self.seq, self.time)))

    def cell_order(self, some: Int | None = None) -> Int | None:
        """What sorts by signal, slot, time, seq, then the order given, ``some`` rows or all; None where they
        are all, and so already."""
        if some is None:
            return cell_order(self.slot, self.signal, self.time, self.seq)
        order = cell_order(self.slot[some], self.signal[some], self.time[some], self.seq[some])
        return some if order is None else some[order]

    def in_cell_order(self, some: Int | None = None) -> Readings:
        """Sorted by signal, slot, time, seq, then the order given: ``some`` rows (ascending), or all."""
        if some is not None and len(some) == len(self):
            some = None
        order = self.cell_order(some)
        return self if order is None else self.take(order)

    def at_slot(self, slot: int) -> Readings:
        """The same readings, of one slot."""
        return replace(self, slot=np.full(len(self), slot, np.int32))

    def columns(self) -> dict[str, NDArray[Any]]:
        return {f.name: getattr(self, f.name) for f in fields(self)}


def cell_order(slot: NDArray[np.int32], signal: NDArray[np.int8], time: Int, seq: Int) -> Int | None:
    """What sorts rows by signal, slot, time, seq, then the order given; None where they are so already."""
    if len(slot) < 2:
        return None
    slots = int(slot.max()) + 1
    few = slots * N_OBSERVED < 2**16  # so few are sorted without comparing them
    cell: NDArray[Any] = signal * (np.uint16(slots) if few else np.int64(slots)) + slot
    if _follow(cell, time):
        return None
    if few:
        cell = cell.astype(np.uint16)
    # Where there are many: samples that come stay by stay are in order once their signals stand together.
    order: Int = np.argsort(cell if few else signal, kind="stable")
    if not _follow(cell[order], time[order]):
        key = Packing.of(time).key(cell.astype(np.int64), time)
        order = np.argsort(key, kind="stable")
        ordered = key[order]
        if (ordered[1:] == ordered[:-1]).any():
            order = np.lexsort((seq, key))
    return order


def distinct(number: Int) -> Int:
    """The numbers [n] in order, each once. ``np.unique`` hashes them first, which takes ten times as long."""
    ordered: Int = np.sort(number)
    new = np.ones(len(ordered), np.bool_)
    new[1:] = ordered[1:] != ordered[:-1]
    return ordered[new]


def _follow(cell: NDArray[Any], time: Int) -> bool:
    """Whether the rows are sorted by cell, then time, and no two are of one cell and time."""
    same = cell[1:] == cell[:-1]
    return bool(((cell[1:] > cell[:-1]) | (same & (time[1:] > time[:-1]))).all())


@dataclass(frozen=True, slots=True)
class Packing:
    """A number (of a slot or cell) and a time as one sortable number; its bits are dealt out by the times
    at hand."""

    base: int
    bits: int

    @classmethod
    def of(cls, *times: Int) -> Packing:
        some = [t for t in times if len(t)]
        base = min((int(t.min()) for t in some), default=0)
        return cls(base, (max((int(t.max()) for t in some), default=0) - base).bit_length())

    def key(self, number: Int, time: Int) -> Int:
        return (number << self.bits) | (time - self.base)

    def open(self, key: Int) -> tuple[Int, Int]:
        """The inverse of ``key``: number and time."""
        return key >> self.bits, (key & ((1 << self.bits) - 1)) + self.base
