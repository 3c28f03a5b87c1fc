"""The chunk codec: exact for every bit, and what is not a chunk is said so."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ward.store.chunks import COLUMNS, HEADER, History, decode, encode


def bits(readings: History) -> dict[str, bytes]:
    return {name: getattr(readings, name).astype(kind).tobytes() for name, kind in COLUMNS.items()}


@st.composite
def histories(draw: st.DrawFn) -> History:
    n = draw(st.integers(0, 40))
    return History(**{name: draw(hnp.arrays(np.dtype(kind), n)) for name, kind in COLUMNS.items()})


@given(histories())
def test_every_bit_comes_back(readings: History) -> None:
    """Any value of any column, also NaN with its payload, -0.0, and times at the ends of int64."""
    assert bits(decode(encode(readings))) == bits(readings)


@given(histories())
def test_columns_come_back_in_their_kind(readings: History) -> None:
    back = decode(encode(readings))
    for name, kind in COLUMNS.items():
        column = getattr(back, name)
        assert column.dtype == np.dtype(kind)
        assert column.flags.c_contiguous


def test_an_hour_at_1_hz_is_small() -> None:
    rng = np.random.default_rng(1)
    n = 3600
    readings = History.of(
        signal=0,
        time=1_790_000_000_000 + 1000 * np.arange(n) + rng.integers(0, 20, n),
        value=np.round(80 + rng.normal(0, 1, n).cumsum() / 10),
        seq=np.arange(n),
        device=3,
    )
    assert len(encode(readings)) < 2.5 * n  # of 31 bytes a row


@given(st.binary(max_size=200))
def test_noise_is_not_a_chunk(noise: bytes) -> None:
    with pytest.raises(ValueError, match="not a chunk of history"):
        decode(noise)


@given(histories(), st.data())
def test_a_damaged_chunk_is_refused_or_the_same(readings: History, data: st.DataObject) -> None:
    """One flipped bit never gives other readings: zlib's checksum covers the rows, the length the rest."""
    chunk = bytearray(encode(readings))
    place = data.draw(st.integers(0, len(chunk) - 1))
    chunk[place] ^= 1 << data.draw(st.integers(0, 7))
    try:
        back = decode(bytes(chunk))
    except ValueError:
        return
    assert bits(back) == bits(readings)


def test_a_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match="wrong header or length"):
        decode(HEADER.pack(b"W1", 2) + zlib.compress(b"\0" * 31))


def test_defaults_and_broadcast() -> None:
    readings = History.of(signal=[1, 2], time=5, value=0.0)
    assert len(readings) == 2
    assert readings.seq.tolist() == [-1, -1]
    assert readings.mark.tolist() == [0, 0]
