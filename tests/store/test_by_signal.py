"""Long spans signal by signal are what the history of each stay says, whatever was written again or late."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from ward.store.by_signal import each_once, read_by_signal
from ward.store.chunks import COLUMNS, History, decode, decode_all, encode
from ward.store.history import latest, read_history, write_chunk
from ward.store.tables import history

HOUR = 3_600_000
readings = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 9), st.integers(0, 2), st.integers(-1, 2)), max_size=12
)


def made(rows: list[tuple[int, int, int, int]], value: float = 1.0, step: int = 1) -> History:
    signal, time, device, seq = zip(*rows, strict=True) if rows else ((), (), (), ())
    number = value + np.arange(len(rows)) / 100
    return History.of(len(rows), signal=signal, time=np.array(time, np.int64) * step, value=number,
                      device=device, seq=seq, mark=np.arange(len(rows)) % 3)  # fmt: skip


def rows(found: History) -> list[tuple]:
    return list(zip(*(getattr(found, name).tolist() for name in COLUMNS), strict=True))


def by_signal(found: History) -> History:
    return found.take(np.argsort(found.signal, kind="stable"))


@given(readings)
def test_each_is_there_once_as_last_written(given_rows: list[tuple[int, int, int, int]]) -> None:
    written = made(given_rows)
    assert rows(each_once(by_signal(written))) == rows(by_signal(latest(written)))


@given(st.lists(st.tuples(readings, st.booleans()), max_size=6), st.integers(0, 5))
@settings(max_examples=60)
def test_many_chunks_are_decoded_as_each_is(parts: list, broken: int) -> None:
    chunks = [encode(made(own, n), is_dense=dense) for n, (own, dense) in enumerate(parts)]
    expected = [row for chunk in chunks for row in rows(decode(chunk))]
    chunks.insert(broken, b"W1 and no chunk")
    found, damaged = decode_all(chunks)
    assert (rows(found), damaged) == (expected, 1)


def test_a_count_that_wraps_around_comes_back() -> None:
    far = [np.iinfo(np.int64).min, np.iinfo(np.int64).max, 0]
    one = History.of(signal=0, time=far, value=[1.0, 2.0, 3.0], seq=far[::-1])
    found, _ = decode_all([encode(one, is_dense=False)] * 3)
    assert rows(found) == rows(one) * 3


@pytest.mark.parametrize("step", [1, HOUR // 4])
def test_a_span_of_many_stays_is_what_each_history_says(engine: Engine, step: int) -> None:
    rng = np.random.default_rng(step)
    for stay in ("a", "b"):
        for batch in range(12):
            low = rng.integers(0, 14)
            own = [(int(rng.integers(0, 13)), int(low + rng.integers(0, 4)), int(rng.integers(0, 2)),
                    int(rng.integers(-1, 2))) for _ in range(8)]  # fmt: skip
            with engine.begin() as tx:
                write_chunk(tx, stay, made(own, float(batch), step))
    with engine.begin() as tx:
        tx.execute(history.insert().values(stay="a", start=0, end=10 * step, count=1, payload=b"broken"))
    for start, end in ((0, 99 * step), (3 * step, 11 * step)):
        with engine.connect() as connection:
            found = read_by_signal(connection, ["a", "b", "none"], 11, start, end)
            for stay, own in found.items():
                expected = by_signal(read_history(connection, stay, range(11), start, end))
                assert rows(own) == rows(expected)
        assert len(found["a"])
        assert not len(found["none"])
