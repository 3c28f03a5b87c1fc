"""A real recording played in a bed: its readings, re-based to the simulation's start."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

import numpy as np

from simulator.transport import SAMPLES_A_MESSAGE, Message, Place, encode, plain_number
from ward.clock import iso
from ward.signals import HOLD_INTERVALS, INDEX, MEASURED, SECOND, SIGNALS

if TYPE_CHECKING:
    from ward.ingest.recordings import Recording

DELAY: Final = 50
"""ms from a batch's last sample to the broker."""


class RecordingStream:
    """The messages of a recording's device. One sample holds all readings of one instant; of two of
    the same signal the later row counts. What only a person may enter is left out. When the recording
    ends, the device says goodbye."""

    def __init__(self, recording: Recording, place: Place, batch: int) -> None:
        self.place, self.batch = place, batch
        # A sparse recording's readings must hold as long as its format says: declare the interval for it.
        names = [SIGNALS[i].name for i in np.unique(recording.signal).tolist()]
        interval = None if recording.hold is None else recording.hold / SECOND / HOLD_INTERVALS
        self.declared = {name: interval for name in names if name in MEASURED} if interval else None
        keep = np.isin(recording.signal, [INDEX[name] for name in MEASURED])
        self.signal, self.value = recording.signal[keep], recording.value[keep]
        self.time = recording.time[keep]
        if len(self.time):
            self.time = self.time - self.time[0]
        instants = np.unique(self.time)
        self._seq = {int(t): i for i, t in enumerate(instants)} if len(instants) else {}
        self.length = int(instants[-1]) + 1 if len(instants) else 0

    def block(self, lo: int, hi: int) -> list[Message]:
        result = [self.place.status(0, "birth", 0, self.declared)] if lo == 0 else []
        first, last = np.searchsorted(self.time, (lo, hi)).tolist()
        names = [SIGNALS[i].name for i in self.signal[first:last].tolist()]
        readings = zip(self.time[first:last].tolist(), names, self.value[first:last].tolist(), strict=True)
        instants = [
            (t, {n: plain_number(v) for _, n, v in group}) for t, group in groupby(readings, lambda r: r[0])
        ]
        for _, group in groupby(instants, lambda instant: instant[0] // self.batch):
            chosen = list(group)
            for i in range(0, len(chosen), SAMPLES_A_MESSAGE):
                part = chosen[i : i + SAMPLES_A_MESSAGE]
                samples = [
                    {"seq": self._seq[t], "time": iso(self.place.start + t), "readings": values}
                    for t, values in part
                ]
                result.append(self.place.vitals(part[-1][0] + DELAY, encode(samples), 0))
        if lo <= self.length < hi:
            result.append(self.place.status(self.length + 2 * DELAY, "bye", 0))
        return result
