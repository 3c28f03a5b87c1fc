"""History: any span in one query, each reading once as last written, bins over valid readings."""

import statistics
import time
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, event, func, select

from ward.errors import InvalidError
from ward.store import history as store
from ward.store.chunks import COLUMNS, History
from ward.store.history import (
    COMPACT_SPAN,
    Unassigned,
    bin_history,
    compact,
    latest,
    list_unassigned,
    read_history,
    read_unassigned,
    write_chunk,
    write_chunks,
)
from ward.store.tables import history

HOUR = 3_600_000
ALL = (0, 10**15)


def rows(readings: History) -> list[tuple]:
    return list(zip(*(getattr(readings, name).tolist() for name in COLUMNS), strict=True))


def written(engine: Engine, *batches: History, stay: str = "s1") -> None:
    for batch in batches:
        with engine.begin() as tx:
            write_chunk(tx, stay, batch)


def read(engine: Engine, stay: str = "s1", signals=None, start: int = ALL[0], end: int = ALL[1]) -> History:
    with engine.connect() as connection:
        return read_history(connection, stay, signals, start, end)


def test_what_was_written_comes_back_sorted_by_time(engine: Engine) -> None:
    written(
        engine,
        History.of(signal=[0, 2, 0], time=[3000, 3000, 1000], value=[80, 97, 0.0], seq=[3, 3, 1]),
        History.of(signal=[0], time=[2000], value=[81.5], seq=[2], mark=2, reason=4, device=7),
    )
    assert rows(read(engine)) == [
        (0, 1000, 0.0, 0, 0, 0, 1),
        (0, 2000, 81.5, 2, 4, 7, 2),
        (0, 3000, 80.0, 0, 0, 0, 3),
        (2, 3000, 97.0, 0, 0, 0, 3),
    ]


def test_zero_is_kept_and_nothing_is_empty(engine: Engine) -> None:
    written(engine, History.empty(), History.of(signal=[3], time=[1], value=[0.0]))
    assert read(engine).value.tolist() == [0.0]
    assert len(read(engine, "other")) == 0
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(history)) == 1


def test_start_is_in_and_end_is_out(engine: Engine) -> None:
    written(engine, History.of(signal=0, time=[1000, 2000, 3000], value=[1, 2, 3]))
    assert read(engine, start=1000, end=3000).time.tolist() == [1000, 2000]
    assert read(engine, start=3000, end=3001).time.tolist() == [3000]
    assert len(read(engine, start=3001, end=9000)) == 0


def test_signals_asked_for(engine: Engine) -> None:
    written(engine, History.of(signal=[0, 1, 2], time=1, value=[1, 2, 3]))
    assert read(engine, signals=[0, 2]).signal.tolist() == [0, 2]
    assert len(read(engine, signals=[])) == 0


def test_a_resolved_reading_is_there_once_as_last_written(engine: Engine) -> None:
    questionable = History.of(
        signal=2, time=[1000, 2000], value=[60, 97], seq=[1, 2], mark=[1, 0], reason=[3, 0]
    )
    resolved = History.of(signal=2, time=[1000], value=[60], seq=[1], mark=2, reason=3)
    written(engine, questionable, resolved)
    assert rows(read(engine)) == [(2, 1000, 60.0, 2, 3, 0, 1), (2, 2000, 97.0, 0, 0, 0, 2)]


def test_other_devices_and_seqs_are_other_readings(engine: Engine) -> None:
    written(engine, History.of(signal=0, time=1, value=[1, 2, 3], device=[1, 2, 2], seq=[5, 5, 4]))
    assert read(engine).value.tolist() == [3, 1, 2]


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 4), st.integers(0, 1), st.integers(-1, 1)),
        max_size=40,
    )
)
def test_latest_is_what_a_dictionary_would_keep(identities: list[tuple[int, int, int, int]]) -> None:
    kept = {identity: row for row, identity in enumerate(identities)}
    expected = sorted((when, seq, row) for (_, when, _, seq), row in kept.items())
    signal, when, device, seq = zip(*identities, strict=True) if identities else ((), (), (), ())
    found = latest(
        History.of(
            len(identities), signal=signal, time=when, device=device, seq=seq, value=range(len(identities))
        )
    )
    assert found.value.tolist() == [row for _, _, row in expected]


def test_unassigned_readings_belong_to_their_device(engine: Engine) -> None:
    with engine.begin() as tx:
        batches = [
            (None, "A/mon-1", History.of(signal=0, time=[1, 2], value=[80, 81])),
            (None, "A/mon-2", History.of(signal=0, time=[1], value=[60])),
            ("s1", None, History.of(signal=0, time=[1], value=[70])),
        ]
        write_chunks(tx, batches)
    with engine.connect() as connection:
        assert read_unassigned(connection, "A/mon-1", *ALL).value.tolist() == [80, 81]
        assert list_unassigned(connection) == [Unassigned("A/mon-1", 1, 2, 2), Unassigned("A/mon-2", 1, 1, 1)]
        assert list_unassigned(connection, since=2) == [Unassigned("A/mon-1", 1, 2, 2)]
    assert read(engine).value.tolist() == [70]


def test_a_day_is_one_query_and_quick(engine: Engine) -> None:
    """24 h of six signals at 1 Hz, as written each minute."""
    signals = 6
    minute = np.arange(60) * 1000
    for hour in range(24):
        with engine.begin() as tx:
            write_chunks(
                tx,
                (
                    (
                        "s1",
                        None,
                        History.of(
                            signal=np.tile(np.arange(signals), 60),
                            time=hour * HOUR + m * 60_000 + np.repeat(minute, signals),
                            value=np.tile(np.arange(signals) + 80.0, 60),
                            seq=np.repeat(np.arange(60) + 60 * (60 * hour + m), signals),
                        ),
                    )
                    for m in range(60)
                ),
            )
    statements = []
    event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    began = time.process_time()
    found = read(engine, start=0, end=24 * HOUR)
    assert len(found) == 24 * 3600 * signals
    assert len([s for s in statements if s.startswith("SELECT")]) == 1
    assert time.process_time() - began < 5  # measured 0.3 s
    assert compact(engine).gone == 24 * 59
    assert rows(read(engine, start=0, end=24 * HOUR)) == rows(found)


# ---- compacting --------------------------------------------------------------------------------

chunks = st.lists(
    st.lists(
        st.tuples(st.integers(0, 3 * COMPACT_SPAN // HOUR * 6), st.integers(0, 1)), min_size=1, max_size=4
    ),
    min_size=1,
    max_size=8,
)


@given(chunks)
def test_compacting_changes_nothing_that_is_read(sqlite_template: Engine, batches) -> None:
    """Also when chunks span hours and rewrite readings of each other: the last written still wins."""
    with sqlite_template.begin() as tx:
        tx.execute(history.delete())
        number = 0
        for batch in batches:
            ten_minutes, signal = zip(*batch, strict=True)
            values = range(number, number := number + len(batch))
            chunk = History.of(time=np.array(ten_minutes) * HOUR // 6, signal=signal, value=values)
            write_chunk(tx, "s1", chunk)
    before = rows(read(sqlite_template))
    compact(sqlite_template)
    assert rows(read(sqlite_template)) == before


@pytest.fixture(scope="module")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory):
    from tests.databases import migrated

    with migrated(f"sqlite:///{tmp_path_factory.mktemp('compact')}/ward.db") as engine:
        yield engine


def sizes(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        return list(connection.scalars(select(history.c.count).order_by(history.c.id)))


def test_compacting_goes_on_where_it_was(engine: Engine) -> None:
    """Hours that got no chunk since are not looked at; one that did becomes one again."""
    for hour in (0, 1, 2):
        written(engine, *(History.of(signal=0, time=[hour * HOUR + n], value=[n]) for n in range(3)))
    first = compact(engine, since=HOUR)
    assert first.gone == 4
    assert sizes(engine) == [1, 1, 1, 3, 3]
    written(engine, History.of(signal=0, time=[HOUR + 5], value=[5]))
    assert compact(engine, first.upto).gone == 1
    assert sizes(engine) == [1, 1, 1, 3, 4]


def test_compacting_rests_after_each_step_and_ends_when_told(engine: Engine) -> None:
    for hour in (0, 1, 2):
        written(engine, *(History.of(signal=0, time=[hour * HOUR + n], value=[n]) for n in range(3)))
    rests = []
    assert compact(engine, rest=lambda took: rests.append(took) or len(rests) == 2).upto == 0
    assert len(rests) == 2
    assert sorted(sizes(engine)) == [1, 1, 1, 3, 3]
    assert compact(engine).gone == 2


@pytest.mark.parametrize("gone", [0, 2])
def test_what_was_erased_meanwhile_does_not_come_back(
    engine: Engine, gone: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chunk that goes between reading and putting one in their place is not in that one."""
    written(engine, *(History.of(signal=0, time=[n], value=[n]) for n in range(3)))
    encode = store.encode

    def erasing(*given, **more):
        with engine.begin() as tx:
            tx.execute(history.delete().where(history.c.count == 1, history.c.start == gone))
        return encode(*given, **more)

    monkeypatch.setattr(store, "encode", erasing)
    assert compact(engine).gone == 0
    assert read(engine).value.tolist() == [n for n in range(3) if n != gone]


def test_a_batch_over_hours_is_a_chunk_in_each(engine: Engine) -> None:
    written(engine, History.of(signal=0, time=[HOUR - 1, HOUR, 3 * HOUR], value=[1, 2, 3]))
    assert sizes(engine) == [1, 1, 1]
    assert read(engine).value.tolist() == [1, 2, 3]


def test_a_chunk_of_before_that_reaches_over_hours_keeps_its_turn(engine: Engine) -> None:
    """Written by an older ward: what was written before it must not win over it."""
    across = History.of(signal=0, time=[HOUR - 1, HOUR], value=[10, 11])
    written(engine, *(History.of(signal=0, time=[HOUR - n, HOUR - 1], value=[n, n]) for n in (3, 2)))
    with engine.begin() as tx:
        tx.execute(
            history.insert().values(
                stay="s1", start=HOUR - 1, end=HOUR, count=2, payload=store.encode(across)
            )
        )
    written(engine, *(History.of(signal=0, time=[HOUR], value=[n]) for n in (20, 21)))
    assert compact(engine).gone == 2
    assert read(engine).value.tolist() == [3, 2, 10, 21]


def test_compacting_keeps_stays_and_devices_apart(engine: Engine) -> None:
    reading = History.of(signal=0, time=[5], value=[80])
    with engine.begin() as tx:
        write_chunks(tx, [("s1", None, reading), ("s2", None, reading), (None, "A/m", reading)] * 2)
    assert compact(engine).gone == 3
    with engine.connect() as connection:
        whose = connection.execute(select(history.c.stay, history.c.device, history.c.count)).all()
    assert {tuple(row) for row in whose} == {("s1", None, 1), ("s2", None, 1), (None, "A/m", 1)}
    assert len(whose) == 3


# ---- bins --------------------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2),
            st.integers(-50, 200),
            st.floats(-400, 400) | st.just(float("nan")),
            st.integers(0, 2),
        ),
        max_size=60,
    ),
    st.integers(1, 70),
)
def test_bins_are_those_of_a_plain_loop(readings, resolution: int) -> None:
    expected = defaultdict(list)
    for signal, when, value, mark in readings:
        if mark == 0 and value == value:
            expected[signal, when // resolution * resolution].append(value)
    signal, when, value, mark = zip(*readings, strict=True) if readings else ((), (), (), ())
    bins = bin_history(
        History.of(len(readings), signal=signal, time=when, value=value, mark=mark), resolution
    )
    assert len(bins) == len(expected)
    found = zip(bins.signal, bins.time, bins.min, bins.median, bins.max, bins.count, strict=True)
    for (key, values), (of, start, low, median, high, count) in zip(
        sorted(expected.items()), found, strict=True
    ):
        assert (of, start) == key
        assert (low, high, count) == (min(values), max(values), len(values))
        assert median == pytest.approx(statistics.median(values))


@pytest.mark.parametrize("resolution", [0, -1])
def test_a_bin_has_a_length(resolution: int) -> None:
    with pytest.raises(InvalidError):
        bin_history(History.empty(), resolution)
