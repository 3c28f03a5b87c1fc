"""A restored router and one that never stopped are the same; counts are sets."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from ward.ingest import devices
from ward.ingest.assignments import Assigned, StayInfo
from ward.ingest.devices import SeqSet
from ward.ingest.records import Announcement, Observation, Sample, Value
from ward.ingest.router import Router

T = 1_795_258_800_000
names = st.sampled_from(["mon", "patch"])
sessions = st.sampled_from([None, "a", "b"])
received = st.integers(0, 200).map(lambda n: T + 500 * n)
values = st.lists(st.builds(Value, st.integers(0, 3), st.none() | st.integers(0, 2).map(float)), max_size=2)
entries = st.one_of(
    st.builds(
        Sample,
        st.just("north"),
        names,
        received,
        st.none() | received,
        st.none() | st.integers(0, 12),
        sessions,
        values,
        st.booleans(),
    ),
    st.builds(
        Announcement,
        st.just("north"),
        names,
        received,
        st.sampled_from(["online", "offline"]),
        sessions,
        st.dictionaries(st.integers(0, 3), st.floats(0.5, 100), max_size=2),
        st.booleans(),
    ),
    st.builds(
        Observation,
        st.sampled_from(["anna", "carl"]),
        received,
        received,
        st.just("nurse"),
        st.dictionaries(st.integers(0, 3), st.integers(0, 5).map(float), max_size=2),
    ),
)
ends = st.none() | received
stays = st.builds(
    StayInfo,
    st.sampled_from(["anna", "bert"]),
    st.just("north"),
    st.just("1"),
    st.just(()),
    received,
    ends,
    st.lists(st.builds(Assigned, names, received, ends), max_size=2).map(tuple),
)
steps = st.lists(st.lists(entries, max_size=8) | stays, max_size=10)


def plain(routed):
    columns = [
        {name: column.tolist() for name, column in rows.readings.columns().items() if name != "quality"}
        for rows in (routed.rows, routed.unassigned)
    ]
    counts = (routed.duplicates, routed.nulls, routed.strays, routed.late_wills)
    return columns, routed.rows.stays, counts, routed.device_events, routed.declared


def take(router, step):
    return router.set_stay(step) if isinstance(step, StayInfo) else plain(router.apply(step))


@settings(max_examples=200)
@given(steps, st.sets(st.integers(0, 9)))
def test_restored_is_unbroken(sequence, cuts):
    unbroken, broken = Router(), Router()
    for n, step in enumerate(sequence):
        if n in cuts:
            stopped, broken = broken, Router()
            broken.restore(stopped.snapshot())
        assert take(unbroken, step) == take(broken, step)
        assert unbroken.devices() == broken.devices()
        assert unbroken.snapshot() == broken.snapshot()


@settings(max_examples=200)
@given(st.lists(entries, max_size=40), st.lists(st.integers(0, 40)), st.lists(stays, max_size=3))
def test_however_the_entries_are_cut_into_batches(everything, cuts, wards):
    one, many = Router(wards), Router(wards)
    one.apply(everything)
    edges = [0, *sorted(cuts), len(everything)]
    for a, b in pairwise(edges):
        many.apply(everything[a:b])
    assert one.snapshot() == many.snapshot()


@given(st.lists(st.integers(0, 30)))
def test_a_seq_set_is_a_set(seqs):
    spans, plain_set = SeqSet(), set()
    for seq in seqs:
        assert spans.add(seq) == (seq not in plain_set)
        plain_set.add(seq)
    held = [s for a, b in zip(spans.firsts, spans.lasts, strict=True) for s in range(a, b + 1)]
    assert held == sorted(plain_set)
    assert all(b + 1 < a for a, b in zip(spans.firsts[1:], spans.lasts, strict=False))


def test_memory_is_bounded_however_seqs_jump(monkeypatch):
    monkeypatch.setattr(devices, "MAX_SPANS", 4)
    spans = SeqSet()
    for seq in range(0, 40, 2):
        assert spans.add(seq)
    assert spans.firsts == [32, 34, 36, 38]
    assert not spans.add(38)
    assert spans.add(0)  # forgotten: rather heard twice than lost


def test_memory_is_bounded_without_seqs_and_over_sessions(monkeypatch):
    monkeypatch.setattr(devices, "MAX_CONTENTS", 5)
    router = Router()
    for n in range(20):
        router.apply([Sample("north", "mon", T, T + n, None, None, [Value(0, 80.0)])])
        router.apply([Sample("north", "mon", T, T, 1, f"s{n}", [Value(0, 80.0)])])
    (device,) = router._devices.values()
    assert len(device.contents) == 5
    assert len(device.heard) == devices.MAX_SESSIONS
