"""Readings with the stay each belongs to, on their way from entries to the engine's arrays."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ward.scoring.readings import Readings


@dataclass(frozen=True, slots=True)
class Rows:
    """n readings; ``readings.slot`` is an index into ``stays``, -1 where a reading is nobody's."""

    stays: tuple[str, ...]
    readings: Readings

    def __len__(self) -> int:
        return len(self.readings)

    def for_slots(self, slots: NDArray[np.int32]) -> Readings:
        """The readings with ``slots[i]`` as the slot of ``stays[i]``."""
        columns = self.readings.columns()
        columns["slot"] = np.asarray(slots, np.int32)[columns["slot"]]
        return Readings(**columns)


@dataclass(slots=True)
class RowsBuilder:
    """Flat lists while collecting, arrays at the end: appending is the hot part."""

    slots: dict[str, int] = field(default_factory=dict)
    slot: list[int] = field(default_factory=list)
    signal: list[int] = field(default_factory=list)
    time: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    seq: list[int] = field(default_factory=list)
    device: list[int] = field(default_factory=list)
    hold: list[int] = field(default_factory=list)
    status: list[int] = field(default_factory=list)
    quality: list[float] = field(default_factory=list)

    def slot_of(self, stay: str | None) -> int:
        return -1 if stay is None else self.slots.setdefault(stay, len(self.slots))

    def build(self) -> Rows:
        if not self.slot:
            return Rows((), Readings.empty())
        return Rows(
            tuple(self.slots),
            Readings.of(
                len(self.slot),
                slot=self.slot,
                signal=self.signal,
                time=self.time,
                value=self.value,
                seq=self.seq,
                device=self.device,
                hold=self.hold,
                status=self.status,
                quality=self.quality,
            ),
        )
