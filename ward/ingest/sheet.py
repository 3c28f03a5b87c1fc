"""Samples of many messages as they are decoded: appended to columns, without an object of each."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from ward.ingest.packed import NO_SEQ, NO_TIME, Packed, Part
from ward.ingest.records import Sample, Value

LEAST: Final = 32
"""Of fewer samples entries are cheaper to take than columns."""


@dataclass(slots=True)
class Sheet:
    """The columns of ``Packed``, as lists. ``device`` points into ``names`` (``ward/device``), ``session``
    into ``sessions``; ``quality`` and ``status`` (into ``words``) are by the place of their value."""

    names: dict[str, int] = field(default_factory=dict)
    sessions: dict[str | None, int] = field(default_factory=dict)
    words: dict[str | None, int] = field(default_factory=lambda: {None: 0})
    device: list[int] = field(default_factory=list)
    received: list[int] = field(default_factory=list)
    time: list[int] = field(default_factory=list)
    seq: list[int] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    session: list[int] = field(default_factory=list)
    newest: list[bool] = field(default_factory=list)
    signal: list[int] = field(default_factory=list)
    value: list[float | None] = field(default_factory=list)
    quality: dict[int, float] = field(default_factory=dict)
    status: dict[int, int] = field(default_factory=dict)
    _values: int = 0
    """Values up to the end of the last message."""

    def __len__(self) -> int:
        return len(self.received)

    def end_message(self, name: str, received: int, newest: int) -> None:
        """The samples since the last message are this device's; ``newest``: which it measured last."""
        self._values = len(self.signal)
        begin, count = len(self.received), len(self.time) - len(self.received)
        self.device += [self.names.setdefault(name, len(self.names))] * count
        self.received += [received] * count
        self.newest += [False] * count
        self.newest[begin + newest] = True

    def drop_message(self) -> None:
        """Forget the samples since the last message."""
        begin, values = len(self.received), self._values
        for column in (self.time, self.seq, self.counts, self.session):
            del column[begin:]
        del self.signal[values:], self.value[values:]
        for sparse in (self.quality, self.status):
            for place in [place for place in sparse if place >= values]:
                del sparse[place]

    def parts(self) -> list[Part]:
        """For the journal and the router: columns where there is enough to fill them, else entries."""
        if len(self) < LEAST:
            return list(self.samples())
        return [self._packed()]

    def samples(self) -> list[Sample]:
        names = [name.partition("/") for name in self.names]
        sessions, words = list(self.sessions), list(self.words)
        made, at = [], 0
        for n, count in enumerate(self.counts):
            values = [
                Value(self.signal[v], self.value[v], self.quality.get(v), words[self.status.get(v, 0)])
                for v in range(at, at + count)
            ]
            at += count
            ward, _, device = names[self.device[n]]
            time, seq = self.time[n], self.seq[n]
            made.append(
                Sample(
                    ward,
                    device,
                    self.received[n],
                    None if time == NO_TIME else time,
                    None if seq == NO_SEQ else seq,
                    sessions[self.session[n]],
                    values,
                    self.newest[n],
                )
            )
        return made

    def _packed(self) -> Packed:
        size = len(self.value)
        quality = np.full(size if self.quality else 0, math.nan, "<f8")
        quality[list(self.quality)] = list(self.quality.values())
        status = np.zeros(size if len(self.words) > 1 else 0, "<u4")
        status[list(self.status)] = list(self.status.values())
        return Packed(
            names="\n".join(self.names),
            device=np.array(self.device, "<u4").tobytes(),
            received=np.array(self.received, "<i8").tobytes(),
            time=np.array(self.time, "<i8").tobytes(),
            seq=np.array(self.seq, "<i8").tobytes(),
            counts=np.array(self.counts, "<u2").tobytes(),
            signal=np.array(self.signal, "<i1").tobytes(),
            value=np.array(self.value, "<f8").tobytes(),
            sessions=list(self.sessions),
            session=np.array(self.session, "<u4").tobytes() if len(self.sessions) > 1 else b"",
            newest=b"" if all(self.newest) else np.array(self.newest, "<u1").tobytes(),
            quality=quality.tobytes(),
            words=list(self.words),
            status=status.tobytes(),
        )
