"""A table laid out for the engine: every reading once, in time for its step, in the engine's order."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ward.ingest.assignments import Assigned, StayInfo
from ward.ingest.bulk import place
from ward.ingest.packed import Run, pack
from ward.ingest.records import Sample, Value
from ward.ingest.router import Router
from ward.live import pieces
from ward.live.pieces import Course, Reached, lay
from ward.scoring.readings import cell_order

T = 1_795_258_800_000
COURSE = Course(lateness=2_000, behind=30_000, settle=1_000)
SLOTS = {"a": 4, "b": 1, "over": None}


def router():
    of = {"m0": "a", "m1": "b", "m2": "over"}
    return Router(
        StayInfo(stay, "north", stay, (), T - 10**8, None, (Assigned(device, T - 10**8, None),))
        for device, stay in of.items()
    )


@st.composite
def batches(draw):
    """Samples of three stays and a device of nobody's, some of them late by seconds or minutes."""
    found, seq = [], dict.fromkeys(("m0", "m1", "m2", "m3"), 0)
    now = T
    for _ in range(draw(st.integers(1, 12))):
        own = []
        for _ in range(draw(st.integers(1, 8))):
            now += draw(st.integers(0, 900))
            device = draw(st.sampled_from(list(seq)))
            seq[device] += 1
            late = draw(st.sampled_from([0, 0, 0, 0, 40, 5_000, 90_000]))
            values = draw(st.lists(st.tuples(st.integers(0, 4), st.none() | st.floats(0, 200)), max_size=4))
            own.append(
                Sample("north", device, now, now - late, seq[device], None, [Value(*v) for v in values])
            )
        found.append(own)
    return found


@settings(max_examples=200, deadline=None)
@given(batches(), st.sampled_from([1, 5, 10**6]), st.lists(st.integers(T, T + 80_000), max_size=3))
def test_every_reading_comes_once_and_with_the_step_that_reaches_it(rows, at_once, due):
    run = Run.of([pack(own) for own in rows])
    ends = np.cumsum([len(own) for own in rows])
    placed = place(router(), run, measure_offset=False)
    before, pieces.AT_ONCE = pieces.AT_ONCE, at_once
    try:
        laid = lay(placed, ends, SLOTS.get, COURSE, Reached(T - 5_000, T - 7_000))
    finally:
        pieces.AT_ONCE = before

    wanted = {"a": [], "b": [], "over": []}
    received, middle = [], []
    for own in rows:
        times = []
        for sample in own:
            stay = {"m0": "a", "m1": "b", "m2": "over"}.get(sample.device)
            for value in sample.values if stay else ():
                if value.value is not None:
                    wanted[stay].append((sample.time, value.signal, sample.seq, value.value))
                    times.append(sample.time)
        received.append(max(sample.received for sample in own))
        middle.append(int(np.median(times)) if times else (middle or [T - 5_000])[-1])
    reached = np.maximum.accumulate(COURSE.reached(np.array(received), np.array(middle)))
    assert laid.reached.tolist() == reached.tolist()
    assert laid.at.middle == middle[-1]

    found = {4: [], 1: []}
    until, steps = T - 7_000, list(laid.steps(due))
    waiting = []
    for readings, upto in steps:
        assert (readings.slot >= 0).all()
        waiting += readings.time.tolist()
        until = max(until, upto - COURSE.lateness)
        waiting = [time for time in waiting if time > until]
        if not due:
            assert not waiting, "nothing comes before the step that takes it"
            order = cell_order(readings.slot, readings.signal, readings.time, readings.seq)
            assert order is None or order.tolist() == list(range(len(readings)))
    assert until == laid.at.until
    assert (laid.rest.time > until).all()
    for part in [readings for readings, _ in steps] + [laid.rest]:
        for row in zip(part.slot, part.time, part.signal, part.seq, part.value, strict=True):
            found[int(row[0])].append(tuple(each.item() for each in row[1:]))
    assert sorted(found[4]) == sorted(wanted["a"])
    assert sorted(found[1]) == sorted(wanted["b"])
    assert sorted(laid.over.value.tolist()) == sorted(value for *_, value in wanted["over"])
    # A step ends at each time that is due, if there is anything left to be evaluated then.
    for at in due:
        cut = int(np.searchsorted(reached, at))
        assert cut >= len(reached) or reached[cut] in [upto for _, upto in steps]
