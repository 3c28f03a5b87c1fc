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


FORMS = pytest.mark.parametrize("is_dense", [False, True])


@FORMS
@given(readings=histories())
def test_every_bit_comes_back(readings: History, is_dense: bool) -> None:
    """Any value of any column, also NaN with its payload, -0.0, and times at the ends of int64."""
    assert bits(decode(encode(readings, is_dense=is_dense))) == bits(readings)


@st.composite
def monitored(draw: st.DrawFn) -> History:
    """As devices measure: some signals at a time, values with few decimals, and now and then anything."""
    samples = draw(st.integers(0, 30))
    signals = draw(st.lists(st.integers(0, 12), min_size=1, max_size=6, unique=True))
    n = samples * len(signals)
    decimals = draw(st.lists(st.integers(0, 4), min_size=1, max_size=6))
    value = draw(hnp.arrays(np.int32, n, elements=st.integers(-(10**6), 10**6)))
    value = value / 10.0 ** np.resize(decimals, n)
    odd = st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from([-0.0, 5e-324, 1.8e308, 0.1 + 0.2])
    for row in draw(st.lists(st.integers(0, max(n - 1, 0)), max_size=3 if n else 0)):
        value[row] = draw(odd)
    steps = draw(hnp.arrays(np.int64, samples, elements=st.integers(-2_000, 90_000)))
    return History.of(
        n,
        signal=np.tile(np.array(signals, np.int8), samples),
        time=np.repeat(1_790_000_000_000 + np.cumsum(steps), len(signals)),
        value=value,
        mark=draw(hnp.arrays(np.uint8, n, elements=st.integers(0, 2))),
        device=draw(st.integers(0, 2**31 - 1)),
        seq=np.repeat(np.arange(samples), len(signals)),
    )


@FORMS
@given(readings=monitored())
def test_what_devices_measure_comes_back(readings: History, is_dense: bool) -> None:
    """With repetitions, readings out of order, and values that are no decimals at all."""
    assert bits(decode(encode(readings, is_dense=is_dense))) == bits(readings)


@FORMS
@given(readings=histories())
def test_columns_come_back_in_their_kind(readings: History, is_dense: bool) -> None:
    back = decode(encode(readings, is_dense=is_dense))
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
    assert len(encode(readings, is_dense=False)) < 2.5 * n  # of 31 bytes a row
    assert len(encode(readings)) < 1.4 * n


@given(st.binary(max_size=200))
def test_noise_is_not_a_chunk(noise: bytes) -> None:
    with pytest.raises(ValueError, match="not a chunk of history"):
        decode(noise)


@FORMS
@given(readings=histories(), data=st.data())
def test_a_damaged_chunk_is_refused_or_the_same(
    readings: History, is_dense: bool, data: st.DataObject
) -> None:
    """One flipped bit never gives other readings: zlib's checksum covers the rows, the length the rest."""
    chunk = bytearray(encode(readings, is_dense=is_dense))
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


@pytest.mark.parametrize(
    "body",
    [
        b"\2\0\0\0" + b"\0\0",  # cut off behind the signals
        b"\0\0\0\0" + 3 * (b"\1" + b"\0" * 8) + b"!",  # more than its rows
        b"\0\0\0\0" + b"\3" + b"\0" * 8,  # numbers of three bytes
    ],
)
def test_a_dense_chunk_that_does_not_fit_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="not a chunk of history"):
        decode(b"W2" + zlib.compress(body))


def test_few_readings_are_written_quickly_and_many_densely() -> None:
    some = History.of(signal=0, time=np.arange(999), value=80)
    assert encode(some)[:2] == b"W1"
    assert encode(History.of(signal=0, time=np.arange(1000), value=80))[:2] == b"W2"


def test_defaults_and_broadcast() -> None:
    readings = History.of(signal=[1, 2], time=5, value=0.0)
    assert len(readings) == 2
    assert readings.seq.tolist() == [-1, -1]
    assert readings.mark.tolist() == [0, 0]
