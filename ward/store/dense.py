"""The dense form of a chunk: what many small ones become.

Rows that share time, seq and device are one sample and keep these three once. Values stand signal by signal,
as whole numbers where they have up to three decimals (as almost all have), else as their bits; numbers as
differences, in as few bytes as hold all of them, byte by byte (all first bytes, then all second bytes, …).
zlib then finds little but what is new. Every bit of every column comes back, in the same order of rows.

The body, before zlib: number of rows (u32); signal of each row; a bit for each row, whether it begins a
sample; time, seq and device of each sample; mark and reason of each row and the values, by signal. Little
endian on every machine.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

MAGIC: Final = b"W2"
LEVEL: Final = 6
"""Beyond it the time grows tenfold for 2 % of the bytes."""
MEMORY: Final = 4
"""zlib's ``memLevel``: new tables of codes often, for one column is unlike the next."""
OF_SAMPLE: Final = ("time", "seq", "device")
SCALES: Final = (1.0, 10.0, 100.0, 1000.0)
AS_BITS: Final = 255
WHOLE: Final = 2.0**52
"""Beyond it a float has no decimals."""
_COUNT: Final = struct.Struct("<I")
_NUMBERS: Final = struct.Struct("<Bq")
_WIDTHS: Final = (1, 2, 4, 8)

Columns = Mapping[str, NDArray[Any]]
Numbers = NDArray[np.int64]


def pack(columns: Columns) -> bytes:
    """``signal`` (i1), ``time``, ``seq`` (i8), ``device`` (i4), ``mark``, ``reason`` (u1) and ``value`` (f8)
    of equal length as one chunk, whatever is in them."""
    signal = columns["signal"]
    begins = np.ones(len(signal), np.bool_)
    begins[1:] = np.logical_or.reduce([np.diff(columns[name]) != 0 for name in OF_SAMPLE])
    order, edges = _by_signal(signal)
    value = columns["value"][order]
    parts = [_COUNT.pack(len(signal)), signal.tobytes(), np.packbits(begins).tobytes()]
    parts += [_pack_numbers(columns[name][begins].astype(np.int64)) for name in OF_SAMPLE]
    parts += [columns[name][order].tobytes() for name in ("mark", "reason")]
    parts += [_pack_values(value[a:b]) for a, b in pairwise(edges)]
    squeeze = zlib.compressobj(LEVEL, zlib.DEFLATED, zlib.MAX_WBITS, MEMORY)
    return MAGIC + squeeze.compress(b"".join(parts)) + squeeze.flush()


def unpack(chunk: bytes) -> dict[str, NDArray[Any]]:
    """The columns again. Raises ValueError, struct.error or zlib.error if they are damaged."""
    body = _Body(zlib.decompress(memoryview(chunk)[len(MAGIC) :]))
    (n,) = _COUNT.unpack(body.take(_COUNT.size))
    signal = body.array(n, np.int8)
    begins = np.unpackbits(body.array(-(-n // 8), np.uint8), count=n)
    sample = np.cumsum(begins) - 1
    samples = int(begins.sum())
    columns = {name: body.numbers(samples)[sample] for name in OF_SAMPLE}
    columns["device"] = columns["device"].astype(np.int32)
    order, edges = _by_signal(signal)
    for name in ("mark", "reason"):
        columns[name] = np.empty(n, np.uint8)
        columns[name][order] = body.array(n, np.uint8)
    value = np.empty(n, np.float64)
    for a, b in pairwise(edges):
        value[order[a:b]] = body.values(b - a)
    if not body.is_over:
        raise ValueError("more than its rows")
    return {**columns, "signal": signal, "value": value}


def _by_signal(signal: NDArray[np.int8]) -> tuple[NDArray[np.intp], list[int]]:
    """The rows signal by signal, each in its order, and where each signal begins, and the end."""
    order = np.argsort(signal, kind="stable")
    edges = np.flatnonzero(np.diff(signal[order])) + 1
    return order, [0, *edges.tolist(), len(signal)] if len(signal) else []


def _pack_numbers(numbers: Numbers) -> bytes:
    """The first, and the differences: of int64 they wrap around, and so does the sum that undoes them."""
    steps = np.diff(numbers)
    low, high = int(steps.min(initial=0)), int(steps.max(initial=0))
    width = next(w for w in _WIDTHS if -(1 << (8 * w - 1)) <= low and high < 1 << (8 * w - 1))
    planes = steps.astype(f"<i{width}").view(np.uint8).reshape(-1, width).T
    return _NUMBERS.pack(width, numbers[0] if len(numbers) else 0) + planes.tobytes()


def _pack_values(values: NDArray[np.float64]) -> bytes:
    bits = values.view(np.int64)
    for place, scale in enumerate(SCALES):
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = np.round(values * scale)
        if not (np.abs(scaled) < WHOLE).all():  # nor is NaN
            break
        whole = scaled.astype(np.int64)
        if ((whole / scale).view(np.int64) == bits).all():
            return bytes([place]) + _pack_numbers(whole)
    return bytes([AS_BITS]) + _pack_numbers(bits)


class _Body:
    """Reads the parts one after another."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    @property
    def is_over(self) -> bool:
        return self._at == len(self._data)

    def take(self, size: int) -> memoryview:
        begin, self._at = self._at, self._at + size
        if self._at > len(self._data):
            raise ValueError("cut off")
        return memoryview(self._data)[begin : self._at]

    def array(self, n: int, kind: Any) -> NDArray[Any]:
        return np.frombuffer(self.take(n * np.dtype(kind).itemsize), kind)

    def numbers(self, n: int) -> Numbers:
        width, first = _NUMBERS.unpack(self.take(_NUMBERS.size))
        if width not in _WIDTHS:
            raise ValueError("numbers of no known width")
        steps = max(n - 1, 0)
        planes = self.array(steps * width, np.uint8).reshape(width, steps)
        found = np.empty(n, np.int64)
        found[:1] = first
        found[1:] = np.ascontiguousarray(planes.T).view(f"<i{width}").reshape(-1)
        return np.cumsum(found, out=found)

    def values(self, n: int) -> NDArray[np.float64]:
        (place,) = self.take(1)
        numbers = self.numbers(n)
        if place == AS_BITS:
            return numbers.view(np.float64)
        if place >= len(SCALES):
            raise ValueError("values of no known form")
        return numbers / SCALES[place]
