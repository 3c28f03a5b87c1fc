"""A batch of the journal as bytes and back: many samples as columns, all else entry by entry.

A column is the plain bytes of its numbers, little endian. So the batches of an hour become one table by
joining bytes, and a start reads millions of samples without making an object of each.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count, groupby
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from ward.ingest.records import Entry, Sample, Value
from ward.scoring.readings import Bool, Float, Int
from ward.signals import N_OBSERVED

_NAN: Final = np.array(np.nan, "<f8").tobytes()
LEAST: Final = 8
"""Fewer samples in a row are written as entries: the columns would cost more than they save."""
NO_TIME: Final = -(2**63)
NO_SEQ: Final = -1


class Packed(msgspec.Struct, tag="p", array_like=True, frozen=True):
    """Samples as columns. ``names`` are the devices (``ward/device``), a line each: one string is read in a
    fraction of the time of many (a list in journals of before); an empty column is all default."""

    names: str | list[str]
    device: bytes
    received: bytes
    time: bytes
    seq: bytes
    counts: bytes
    """Values of each sample."""
    signal: bytes
    value: bytes
    """NaN: none now."""
    sessions: list[str | None]
    session: bytes = b""
    newest: bytes = b""
    quality: bytes = b""
    words: list[str | None] = msgspec.field(default_factory=lambda: [None])
    status: bytes = b""

    def __len__(self) -> int:
        return len(self.received) // 8

    def devices(self) -> list[str]:
        """The names, one by one."""
        return self.names.split("\n") if self.names and isinstance(self.names, str) else list(self.names)


Part = Packed | Entry
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[Part])


def encode(given: Sequence[Part]) -> bytes:
    """Entries as MessagePack; keeps every value and their order exactly."""
    parts: list[Part] = []
    for is_sample, group in groupby(given, key=lambda part: isinstance(part, Sample)):
        run = list(group)
        packed = pack(run) if is_sample and len(run) >= LEAST else None  # type: ignore[arg-type]
        parts += run if packed is None else [packed]
    return _encoder.encode(parts)


def newest_received(parts: Sequence[Part]) -> int:
    """When the last of them was received (ms); 0 of none."""
    found = 0
    for part in parts:
        own = int(np.frombuffer(part.received, "<i8").max()) if isinstance(part, Packed) else part.received
        found = max(found, own)
    return found


def parts_of(data: bytes) -> list[Part]:
    """What ``encode`` wrote, samples still in columns. Raises ``msgspec.DecodeError`` on anything else."""
    return _decoder.decode(data)


def decode(data: bytes) -> list[Entry]:
    """The inverse of ``encode``. Raises ``msgspec.DecodeError`` or ValueError on anything else."""
    return entries_of(parts_of(data))


def entries_of(parts: Sequence[Part]) -> list[Entry]:
    """Entries of which those in columns are made again. Raises ValueError where columns are damaged."""
    entries: list[Entry] = []
    for part in parts:
        if isinstance(part, Packed):
            run = Run.of([part])
            entries += run.samples(range(len(run)))
        else:
            entries.append(part)
    return entries


def pack(samples: Sequence[Sample]) -> Packed | None:
    """Samples as columns; None where one of them holds what a column cannot (no message ever does)."""
    table: dict[str, int] = {}
    sessions: dict[str | None, int] = {}
    words: dict[str | None, int] = {None: 0}
    values = [value for sample in samples for value in sample.values]
    try:
        columns: dict[str, Any] = {
            "device": _bytes([_number(table, f"{s.ward}/{s.device}") for s in samples], "<u4"),
            "received": _bytes([s.received for s in samples], "<i8"),
            "time": _bytes([NO_TIME if s.time is None else s.time for s in samples], "<i8"),
            "seq": _bytes([NO_SEQ if s.seq is None else s.seq for s in samples], "<i8"),
            "counts": _bytes([len(s.values) for s in samples], "<u2"),
            "signal": _bytes([v.signal for v in values], "<i1"),
            "value": _bytes([math.nan if v.value is None else v.value for v in values], "<f8"),
        }
        session = [_number(sessions, s.session) for s in samples]
        if len(sessions) > 1:
            columns["session"] = _bytes(session, "<u4")
        if not all(s.newest for s in samples):
            columns["newest"] = _bytes([s.newest for s in samples], "<u1")
        if any(v.quality is not None for v in values):
            columns["quality"] = _bytes([math.nan if v.quality is None else v.quality for v in values], "<f8")
        status = [_number(words, v.status) for v in values]
        if len(words) > 1:
            columns["status"] = _bytes(status, "<u4")
    except OverflowError:
        return None
    return Packed(names="\n".join(table), sessions=list(sessions), words=list(words), **columns)


def _number(table: dict[Any, int], thing: Any) -> int:
    return table.setdefault(thing, len(table))


def _bytes(numbers: list[Any], kind: str) -> bytes:
    return np.array(numbers, kind).tobytes()


@dataclass(frozen=True, slots=True)
class Run:
    """Samples as one table. [n] a sample: device (into ``names``), received, time (NO_TIME: none), seq
    (NO_SEQ: none), counts, session (into ``sessions``), newest; [m] a value: signal, value, quality (NaN:
    none), status (into ``words``). ``names`` are in the order in which they appear first."""

    names: tuple[str, ...]
    sessions: tuple[str | None, ...]
    words: tuple[str | None, ...]
    device: Int
    received: Int
    time: Int
    seq: Int
    counts: Int
    session: Int
    newest: Bool
    signal: NDArray[np.int8]
    value: Float
    quality: Float
    status: Int
    begins: Int
    """Where each sample's values begin, and where the last one's end."""

    def __len__(self) -> int:
        return len(self.received)

    @classmethod
    def of(cls, parts: Sequence[Packed]) -> Run:
        """One table of the batches, in their order. Raises ValueError where columns do not fit together."""
        sizes = [len(part) for part in parts]
        values = [len(part.signal) for part in parts]
        names, device = _joined((p.devices() for p in parts), (p.device for p in parts), sizes)
        sessions, session = _joined((p.sessions for p in parts), (p.session for p in parts), sizes)
        words, status = _joined((p.words for p in parts), (p.status for p in parts), values)
        counts = _column("counts", parts, "<u2").astype(np.int64)
        newest = b"".join(p.newest or b"\1" * n for p, n in zip(parts, sizes, strict=True))
        quality = b"".join(p.quality or _NANS(n) for p, n in zip(parts, values, strict=True))
        made = cls(
            names,
            sessions,
            words,
            device,
            _column("received", parts, "<i8"),
            _column("time", parts, "<i8"),
            _column("seq", parts, "<i8"),
            counts,
            session,
            np.frombuffer(newest, np.bool_),
            _column("signal", parts, "<i1"),
            _column("value", parts, "<f8"),
            np.frombuffer(quality, "<f8"),
            status,
            np.concatenate([[0], np.cumsum(counts)]),
        )
        n, m = sum(sizes), sum(values)
        own = (made.device, made.time, made.seq, made.counts, made.session, made.newest)
        if any(len(a) != n for a in own) or any(len(a) != m for a in (made.value, made.quality, made.status)):
            raise ValueError("columns of different lengths")
        known = (made.signal >= 0) & (made.signal < N_OBSERVED)
        if made.begins[-1] != m or not known.all():
            raise ValueError("samples and values do not fit together")
        return made

    def samples(self, rows: Sequence[int], *, heads: bool = False) -> Iterator[Sample]:
        """These rows as entries, in their order. ``heads``: values only where nothing else tells whether a
        sample is new."""
        some = np.asarray(rows, np.int64)
        columns = (self.device, self.received, self.time, self.seq, self.session, self.newest)
        for n, device, received, time, seq, session, newest in zip(
            rows, *(column[some].tolist() for column in columns), strict=True
        ):
            ward, _, name = self.names[device].partition("/")
            yield Sample(
                ward,
                name,
                received,
                None if time == NO_TIME else time,
                None if seq == NO_SEQ else seq,
                self.sessions[session],
                [] if heads and seq != NO_SEQ else self._values(n),
                newest,
            )

    def _values(self, n: int) -> list[Value]:
        here = slice(int(self.begins[n]), int(self.begins[n + 1]))
        columns = (self.signal, self.value, self.quality, self.status)
        return [
            Value(
                signal,
                None if math.isnan(value) else value,
                None if math.isnan(quality) else quality,
                self.words[status],
            )
            for signal, value, quality, status in zip(*(c[here].tolist() for c in columns), strict=True)
        ]


def _column(name: str, parts: Sequence[Packed], kind: str) -> NDArray[Any]:
    return np.frombuffer(b"".join([getattr(part, name) for part in parts]), kind)


def _NANS(n: int) -> bytes:  # noqa: N802 - a constant of any length
    return _NAN * n


def _joined(
    tables: Iterable[Sequence[Any]], columns: Iterable[bytes], sizes: Sequence[int]
) -> tuple[tuple[Any, ...], Int]:
    """One table of names for all batches, and the column that points into it."""
    listed = list(tables)
    flat = list(chain.from_iterable(listed))
    known = dict(zip(dict.fromkeys(flat), count()))
    total = sum(sizes)
    if not any(given := list(columns)) and (len(known) == 1 or not total):
        if not all(listed[n] for n, size in enumerate(sizes) if size):
            raise ValueError("a name that is not there")
        return tuple(known), np.zeros(total, np.int64)
    numbers = np.array(list(map(known.__getitem__, flat)), np.int64)
    offsets = np.cumsum([0, *map(len, listed)])[:-1]
    local = np.frombuffer(b"".join([c or bytes(4 * n) for c, n in zip(given, sizes, strict=True)]), "<u4")
    if len(local) != total:
        raise ValueError("columns of different lengths")
    if not total:
        return tuple(known), local.astype(np.int64)
    place = local + np.repeat(offsets, sizes)
    if int(place.max()) >= len(flat):
        raise ValueError("a name that is not there")
    return tuple(known), numbers[place]
