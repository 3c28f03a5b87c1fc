"""Samples in columns: exactly back, and through the router at once exactly as one by one."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ingest.test_router_restore import stays
from ward.ingest import bulk
from ward.ingest.assignments import Assigned, StayInfo
from ward.ingest.packed import LEAST, Packed, Run, decode, encode, pack, parts_of
from ward.ingest.records import Announcement, Sample, StayChanged, Value
from ward.ingest.router import Router

T = 1_795_258_800_000
DEVICES = ["mon", "patch", "cuff"]
HAPPENS = ["lost", "again", "clock", "session", "late", "bare", "born", "will", "batch"]

words = st.none() | st.sampled_from(["ok", "motion", "never heard of"])
values = st.lists(
    st.builds(
        Value,
        st.integers(0, 5),
        st.none() | st.floats(-1e3, 1e3),
        st.none() | st.floats(0, 1),
        words,
    ),
    max_size=4,
)
samples = st.builds(
    Sample,
    st.sampled_from(["north", "south"]),
    st.sampled_from(DEVICES),
    st.integers(T, T + 10**6),
    st.none() | st.integers(T - 10**6, T + 10**6),
    st.none() | st.integers(0, 20) | st.just(2**63 - 1),
    st.none() | st.sampled_from(["a", "b"]),
    values,
    st.booleans(),
)


@given(st.lists(samples | st.just(StayChanged("s", 1)), max_size=40))
def test_every_value_comes_back_exactly(entries):
    assert decode(encode(entries)) == entries


def test_only_many_samples_become_columns_and_what_columns_cannot_hold_stays_as_it_is():
    few = [Sample("n", "m", T, None, n, None, [Value(0, 1.0)]) for n in range(LEAST - 1)]
    assert not any(isinstance(part, Packed) for part in parts_of(encode(few)))
    many = [*few, *few]
    assert [type(part) for part in parts_of(encode(many))] == [Packed]
    assert len(encode(many)) < len(msgspec.msgpack.encode(many)) + 300
    odd = [msgspec.structs.replace(many[0], received=2**63), *many]
    assert not any(isinstance(part, Packed) for part in parts_of(encode(odd)))
    assert decode(encode(odd)) == odd


@pytest.mark.parametrize("column", ["device", "time", "counts", "value", "session", "status"])
def test_columns_that_do_not_fit_together_are_refused(column):
    rows = [Sample("n", f"m{n % 2}", T, T, n, f"{n % 2}", [Value(0, 1.0, None, "ok")]) for n in range(9)]
    packed = pack(rows)
    assert packed is not None
    broken = msgspec.structs.replace(packed, **{column: getattr(packed, column)[:-8]})
    with pytest.raises(ValueError, match=r"."):
        Run.of([broken])


@st.composite
def journals(draw):
    """Devices that do what devices do, mostly: runs of samples with losses, repetitions, clocks set anew."""
    found = []
    for name in DEVICES[: draw(st.integers(1, 3))]:
        at, seq, offset, session = T, draw(st.integers(0, 3)), draw(st.sampled_from([0, 0, 90_000])), None
        for _ in range(draw(st.integers(1, 4))):
            step = draw(st.sampled_from([1000, 1000, 2500, 10]))
            for _ in range(draw(st.integers(1, 40))):
                at, seq = at + step, seq + 1
                sample = Sample("north", name, at, at - offset, seq, session, [Value(seq % 3, float(seq))])
                found.append(sample)
            what = draw(st.sampled_from(HAPPENS))
            if what == "lost":
                seq += draw(st.integers(1, 5))
            elif what == "again":
                found += [msgspec.structs.replace(s, received=at) for s in found[-draw(st.integers(1, 5)) :]]
            elif what == "clock":
                offset += draw(st.sampled_from([500, 2_000, -100_000, 10**7]))
            elif what == "session":
                session, seq = draw(st.sampled_from([None, "a", "b"])), 0
            elif what == "batch":
                count = draw(st.integers(2, 20))
                came, times = (
                    at + 1000 * count,
                    range(at - offset + 1000, at - offset + 1000 * count + 1, 1000),
                )
                for n, time in enumerate(times, seq + 1):
                    last = n == seq + count
                    found.append(Sample("north", name, came, time, n, session, [Value(0, 1.0)], last))
                at, seq = came, seq + count
            elif what == "late":
                at += draw(st.sampled_from([3_000, 200_000]))
            elif what == "bare":
                found.append(Sample("north", name, at, None, draw(st.sampled_from([None, seq])), None, []))
                found.append(Sample("north", name, at, at, seq + 9, None, [Value(0, None)], False))
            else:
                state = "online" if what == "born" else "offline"
                found.append(Announcement("north", name, at, state, session, {0: 1.0}))
    return sorted(found, key=lambda entry: entry.received)


fixed = StayInfo("carl", "north", "2", (), T, None, (Assigned("mon", T - 10**8, None),))


def rows_of(rows):
    """Each row with its stay's name, in order."""
    columns = rows.readings.columns()
    slots = columns.pop("slot").tolist()
    names = [rows.stays[slot] if slot >= 0 else None for slot in slots]
    return names, {name: column.astype(str).tolist() for name, column in columns.items()}


def facts_of(routed):
    counts = (routed.duplicates, routed.nulls, routed.strays, routed.late_wills)
    return rows_of(routed.rows), rows_of(routed.unassigned), counts, sorted(routed.device_events)


@settings(max_examples=300)
@given(journals(), st.lists(stays, max_size=2), st.lists(st.integers(0, 400), max_size=4), st.booleans())
def test_at_once_is_as_one_by_one(entries, wards, cuts, measure_offset):
    one, many = Router([fixed, *wards]), Router([fixed, *wards])
    edges = [0, *sorted(cuts), len(entries)]
    for a, b in pairwise(edges):
        piece = entries[a:b]
        run: list[Sample] = []
        for n, entry in enumerate([*piece, None]):
            if isinstance(entry, Sample):
                run.append(entry)
                continue
            if run:
                middle = len(run) // 2
                parts = [pack(part) for part in (run[:middle], run[middle:]) if part]
                taken = bulk.route(many, Run.of(parts), measure_offset)
                assert facts_of(taken) == facts_of(one.apply(run, measure_offset))
                run = []
            if entry is not None:
                assert facts_of(one.apply([entry])) == facts_of(many.apply([entry]))
            assert one.snapshot() == many.snapshot(), n


@settings(max_examples=100)
@given(st.lists(samples, min_size=1, max_size=60), st.lists(stays, max_size=3))
def test_at_once_is_as_one_by_one_whatever_comes(entries, wards):
    one, many = Router(wards), Router(wards)
    taken = bulk.route(many, Run.of([pack(entries)]), True)
    assert facts_of(taken) == facts_of(one.apply(entries))
    assert one.snapshot() == many.snapshot()
    assert one.devices() == many.devices()


def test_devices_that_do_as_devices_do_are_taken_as_a_whole(monkeypatch):
    """Else a start would be slow, and no other test would see it."""
    monkeypatch.setattr(bulk, "_one_by_one", None)
    router = Router([fixed])
    for begin in (0, 100):
        run = [
            Sample("north", name, T + 1000 * n + 40, T + 1000 * n, n, session, [Value(0, 80.0)])
            for n in range(begin, begin + 100)
            for name, session in (("mon", None), ("patch", "a"))
        ]
        taken = bulk.route(router, Run.of([pack(run)]), True)
        assert len(taken.rows) == len(taken.unassigned) == 100


def test_a_device_without_time_and_session_that_begins_again_is_heard_after_some_seconds():
    """And what a broker repeats at once is still a repetition."""
    router = Router([fixed])
    taken = 0

    def send(seq: int, at: int) -> int:
        routed = router.apply([Sample("north", "mon", T + at, None, seq, None, [Value(0, 80.0)])])
        return len(routed.rows)

    for seq in range(200):
        assert send(seq, 1000 * seq) == 1
    assert [send(seq, 200_000 + seq) for seq in range(150, 200)] == [0] * 50
    taken = [send(seq, 300_000 + 1000 * seq) for seq in range(20)]
    assert taken == [0] * 5 + [1] * 15


def test_without_a_count_values_tell_what_is_new_also_where_each_device_has_one_sample():
    router = Router([fixed])
    for value, new in ((1.0, 40), (2.0, 40), (2.0, 0)):
        run = [Sample("north", f"m{n}", T, T, None, None, [Value(0, value, 0.5, "ok")]) for n in range(40)]
        taken = bulk.route(router, Run.of([pack(run)]), True)
        assert (len(taken.unassigned), taken.duplicates) == (new, 40 - new)
