"""A batch of readings as a few compressed bytes, and exactly back.

Two forms. The quick one is for what is written while the ward runs, a few readings of each stay at a time:
the header ``W1``, the number of rows (u32) and zlib over the columns one after another. Times and counts are
stored as differences, and 8-byte columns byte by byte (all first bytes, then all second bytes, ...):
neighbours are then alike and shrink well. Little endian on every machine. The dense one
(``ward.store.dense``) is for many readings: a quarter of the bytes, and for a few four times the work.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ward.store import dense

MAGIC: Final = b"W1"
HEADER: Final = struct.Struct("<2sI")
LEVEL: Final = 3
MANY: Final = 1_000
"""From so many rows on, the dense form is worth its work."""

ITSELF: Final = -1
"""The device's number of what ward made itself: derived scores."""

COLUMNS: Final[dict[str, Any]] = {
    "signal": "<i1",
    "time": "<i8",
    "value": "<f8",
    "mark": "<u1",
    "reason": "<u1",
    "device": "<i4",
    "seq": "<i8",
}
DIFFERENCES: Final = frozenset({"time", "seq"})
ROW_BYTES: Final = sum(np.dtype(kind).itemsize for kind in COLUMNS.values())
DEFAULTS: Final[dict[str, Any]] = {"mark": 0, "reason": 0, "device": 0, "seq": -1}


@dataclass(frozen=True, slots=True)
class History:
    """Readings of one stay (or of one unassigned device) as columns of equal length.

    signal: index into ``SIGNALS``; time: ms; value: in the signal's unit; mark: 0 valid,
    1 questionable, 2 invalid; reason: number of the filter's reason; device: number of the device;
    seq: the device's count, -1 where it has none.
    """

    signal: NDArray[np.int8]
    time: NDArray[np.int64]
    value: NDArray[np.float64]
    mark: NDArray[np.uint8]
    reason: NDArray[np.uint8]
    device: NDArray[np.int32]
    seq: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.time)

    @classmethod
    def of(cls, n: int | None = None, **columns: Any) -> History:
        """From keyword columns; scalars are broadcast, missing ones take their default."""
        if n is None:
            n = max((np.size(column) for column in columns.values()), default=0)
        filled = {**DEFAULTS, **columns}
        return cls(
            **{
                name: np.ascontiguousarray(np.broadcast_to(np.asarray(filled[name], kind), (n,)))
                for name, kind in COLUMNS.items()
            }
        )

    @classmethod
    def empty(cls) -> History:
        return cls(**{name: np.empty(0, kind) for name, kind in COLUMNS.items()})

    @classmethod
    def concat(cls, parts: Iterable[History]) -> History:
        listed = list(parts)
        if not listed:
            return cls.empty()
        return cls(**{name: np.concatenate([getattr(part, name) for part in listed]) for name in COLUMNS})

    def take(self, index: Any) -> History:
        """The rows of a mask, slice or index array."""
        return History(**{field.name: getattr(self, field.name)[index] for field in fields(self)})


def encode(readings: History, *, is_dense: bool | None = None) -> bytes:
    """The chunk of ``readings``; the order of rows is kept. ``is_dense``: None leaves it to their number."""
    if len(readings) >= MANY if is_dense is None else is_dense:
        return dense.pack(
            {n: np.ascontiguousarray(getattr(readings, n), kind) for n, kind in COLUMNS.items()}
        )
    parts = []
    for name, kind in COLUMNS.items():
        column = np.ascontiguousarray(getattr(readings, name), kind)
        if name in DIFFERENCES:
            # Differences of int64 wrap around, and so does the sum that undoes them: always exact.
            column = np.diff(column, prepend=column.dtype.type(0))
        if column.itemsize == 8:
            parts.append(column.view(np.uint8).reshape(-1, 8).T.tobytes())
        else:
            parts.append(column.tobytes())
    return HEADER.pack(MAGIC, len(readings)) + zlib.compress(b"".join(parts), LEVEL)


def decode(chunk: bytes) -> History:
    """The readings of a chunk. Raises ValueError if it is not one, or is damaged."""
    if chunk[: len(dense.MAGIC)] == dense.MAGIC:
        try:
            return History(**dense.unpack(chunk))
        except (struct.error, zlib.error, ValueError) as broken:
            raise ValueError(f"not a chunk of history: {broken}") from None
    return _columns([_body(chunk)])


def decode_all(chunks: Iterable[bytes]) -> tuple[History, int]:
    """The readings of many chunks, one after another, and how many chunks are damaged and passed over. Of
    those in the quick form the columns are made at once, which takes a third of the time."""
    found: list[History] = []
    quick: list[tuple[int, bytes]] = []
    damaged = 0
    for chunk in chunks:
        try:
            if chunk[: len(MAGIC)] == MAGIC:
                quick.append(_body(chunk))
                continue
            if quick:
                found.append(_columns(quick))
                quick = []
            found.append(decode(chunk))
        except ValueError:
            damaged += 1
    return History.concat([*found, _columns(quick)]), damaged


def _body(chunk: bytes) -> tuple[int, bytes]:
    """How many rows a chunk of the quick form has, and its columns. Raises ValueError."""
    try:
        magic, n = HEADER.unpack_from(chunk)
        body = zlib.decompress(memoryview(chunk)[HEADER.size :])
    except (struct.error, zlib.error) as broken:
        raise ValueError(f"not a chunk of history: {broken}") from None
    if magic != MAGIC or len(body) != n * ROW_BYTES:
        raise ValueError("not a chunk of history: wrong header or length")
    return n, body


def _columns(bodies: Sequence[tuple[int, bytes]]) -> History:
    """The rows of these bodies, one after another."""
    counts = np.array([n for n, _ in bodies if n], np.int64)
    starts = np.cumsum(counts) - counts
    columns: dict[str, NDArray[Any]] = {}
    begin = 0
    for name, kind in COLUMNS.items():
        size = np.dtype(kind).itemsize
        planes = range(begin, begin + size) if size == 8 else (begin,)
        width = 1 if size == 8 else size
        begin += size
        joined = b"".join([body[plane * n : (plane + width) * n] for plane in planes for n, body in bodies])
        raw = np.frombuffer(joined, np.uint8)
        if size == 8:
            raw = np.ascontiguousarray(raw.reshape(8, -1).T).reshape(-1)
        column = raw.view(kind)
        if name in DIFFERENCES:
            column = np.cumsum(column, dtype=kind)
            # Each body counts from 0. What wraps around on the way wraps back.
            column -= np.repeat(np.append(column.dtype.type(0), column)[starts], counts)
        columns[name] = column
    return History(**columns)
