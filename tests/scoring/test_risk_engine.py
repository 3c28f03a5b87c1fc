"""The risk in the engine: the same however time is cut, after restarts, after late readings, in replay."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scoring.risky import linear_model
from ward.ingest.recordings import Recording
from ward.replay_scores import steps
from ward.scoring.engine import Engine
from ward.scoring.readings import Readings
from ward.scoring.rules import Clause, Rule
from ward.scoring.sustain import RAISED
from ward.signals import HOUR, INDEX, MINUTE, SECOND, hold_of

START = 480_000 * HOUR
MODEL = linear_model()
NAMES = ("hr", "spo2", "rr", "sbp", "temp", "pr", "dbp", "map")
USUAL = {"hr": 80, "spo2": 96, "rr": 18, "sbp": 120, "temp": 37, "pr": 81, "dbp": 65, "map": 84}


def rule(number: float = 0.4, minutes: int = 10, **changes) -> Rule:
    ms = minutes * MINUTE
    given = {
        "id": "risk",
        "title": "risk",
        "priority": "medium",
        "kind": "physiological",
        "when": (Clause("risk", ">=", number),),
        "for_ms": ms,
        "within_ms": ms,
        "gap_ms": ms,
    }
    return Rule(**given | changes)


BOTH = (Clause("risk", ">", 0.2), Clause("rr", ">=", 20))
RULES = (rule(), rule(0.6, 30, id="more"), rule(minutes=2, id="with", when=BOTH))
TOLD = ("slot", "rule", "kind", "at", "since")


def readings(rows) -> Readings:
    """rows: (slot, signal, ms after START, value)."""
    slot, name, after, value = zip(*rows, strict=True) if rows else ((),) * 4
    signal = np.array([INDEX[n] for n in name], np.int8)
    hold = np.array([hold_of(int(s), 3600.0) for s in signal], np.int64)
    return Readings.of(
        len(slot), slot=slot, signal=signal, time=np.array(after, np.int64) + START, value=value, hold=hold
    )


def course(hours: float, every: int, *, slot: int = 0, worse: float = 0.0, names=NAMES):
    """Vital signs that get worse: breathing faster, saturation lower."""
    found = []
    for n, at in enumerate(range(every, int(hours * HOUR) + 1, every)):
        share = at / (hours * HOUR) * worse
        for k, name in enumerate(names):
            value = USUAL[name] + (n * 7 + k * 3) % 5 - 2
            value += {"rr": 14, "spo2": -9, "hr": 35, "sbp": -25}.get(name, 0) * share
            found.append((slot, name, at, float(value)))
    return found


def run(rows, cuts, *, rules=RULES, slots=2, hours: float = 8.0, restart: bool = False):
    """Transitions and the risk after each cut."""
    engine = Engine(rules, slots, lateness=0, filtered=False, risk=MODEL)
    engine.add(readings(rows))
    found = []
    for cut in [*cuts, int(hours * HOUR)]:
        t = engine.step(START + cut).transitions
        found += list(zip(*(getattr(t, name).tolist() for name in TOLD), strict=True))
        if restart:
            state = engine.snapshot()
            engine = Engine(rules, slots, lateness=0, filtered=False, risk=MODEL)
            engine.restore(state)
    return sorted(found), engine


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(0, 20 * HOUR // SECOND).map(lambda s: s * SECOND), max_size=12).map(sorted),
    st.sampled_from([7 * MINUTE, 20 * MINUTE, 55 * MINUTE]),
    st.sets(st.sampled_from(NAMES), min_size=3),
    st.booleans(),
)
def test_however_time_is_cut(cuts, every, names, restart):
    rows = course(6, every, worse=1.0, names=sorted(names)) + course(5, 13 * MINUTE, slot=1, worse=0.4)
    whole, engine = run(rows, [], hours=20)
    pieces, other = run(rows, cuts, hours=20, restart=restart)
    assert pieces == whole
    for name in ("value", "low", "high", "present", "hourly"):
        np.testing.assert_array_equal(getattr(engine.risk, name), getattr(other.risk, name))
    for name, array in engine.risk.trends.snapshot().items():
        np.testing.assert_array_equal(other.risk.trends.snapshot()[name], array)


def test_a_rule_on_risk_fires_and_says_since_when():
    found, engine = run(course(6, 10 * MINUTE, worse=1.2), [])
    raised = [(rule_, at, since) for slot, rule_, kind, at, since in found if kind == RAISED and slot == 0]
    assert {RULES[r].id for r, *_ in raised} == {"risk", "more", "with"}
    for number, at, since in raised:
        assert at - since == (RULES[number].for_ms if number < 2 else 10 * MINUTE)  # its second reading
        assert since % (5 * MINUTE) == 0
    assert np.isfinite(engine.risk.value[0])  # two hours after the last reading it is still known
    engine.step(START + 20 * HOUR)
    assert np.isnan(engine.risk.value[0])
    assert np.isnan(engine.risk.value[1])


def test_the_risk_is_what_replay_says_at_each_whole_step():
    rows = course(9, 7 * MINUTE, worse=1.0)
    engine = Engine((), 1, lateness=0, filtered=False, risk=MODEL)
    engine.add(readings(rows))
    live = []
    for minutes in range(7, 9 * 60, 7):
        engine.step(START + minutes * MINUTE)
        live.append(engine.risk.value[0])
    table = readings(rows)
    recording = Recording("a", table.signal, table.time, table.value, np.unique(table.time), hold=HOUR)
    (part,) = steps([recording], every=7 * MINUTE, filtered=False)
    replayed = MODEL.predict(part.inputs).value[: len(live)]
    np.testing.assert_array_equal(np.array(live), replayed)
    assert np.isfinite(replayed).sum() > 60
    assert len(np.unique(replayed[np.isfinite(replayed)])) > 20


def test_what_came_late_counts_as_if_it_had_come_in_time():
    rows = course(7, 6 * MINUTE, worse=1.1)
    late = [r for r in rows if 5 * HOUR < r[2] <= 6 * HOUR]
    on_time = [r for r in rows if r not in late]
    engine = Engine(RULES, 1, lateness=0, filtered=False, risk=MODEL)
    engine.add(readings(on_time))
    engine.step(START + 7 * HOUR)
    start = START + 3 * HOUR
    known = engine.held.readings(0)
    stored = readings([r for r in rows if r[2] + START >= start])
    engine.rebuild(0, Readings.concat([known.take(known.time < start), stored]), START + 5 * HOUR, start)
    reference = Engine(RULES, 1, lateness=0, filtered=False, risk=MODEL)
    reference.add(readings(rows))
    reference.step(START + 7 * HOUR)
    np.testing.assert_array_equal(engine.risk.value, reference.risk.value)
    np.testing.assert_array_equal(engine.risk.hourly, reference.risk.hourly)
    for later in (8 * HOUR, 12 * HOUR):
        for each in (engine, reference):
            each.add(readings([(0, n, later - MINUTE, float(USUAL[n])) for n in NAMES]))
            each.step(START + later)
        np.testing.assert_array_equal(engine.risk.value, reference.risk.value)
        np.testing.assert_array_equal(engine.risk.hourly, reference.risk.hourly)
        assert np.isfinite(engine.risk.value).all()


def test_a_slot_that_is_free_remembers_nothing_and_more_room_changes_nothing():
    _, engine = run(course(6, 10 * MINUTE) + course(6, 10 * MINUTE, slot=1), [], hours=6)
    before = engine.risk.value.copy()
    assert np.isfinite(before).all()
    engine.resize(5)
    engine.forget(0)
    assert np.isnan(engine.risk.value[[0, 2, 3, 4]]).all()
    assert engine.risk.value[1] == before[1]
    engine.add(readings([(0, n, 6 * HOUR + MINUTE, float(USUAL[n])) for n in NAMES]))
    engine.step(START + 6 * HOUR + 10 * MINUTE)
    assert np.isnan(engine.risk.hourly[0]).all()
    assert np.isfinite(engine.risk.value[0])


def test_a_snapshot_from_before_there_was_a_risk_begins_with_what_is_held():
    engine = Engine(RULES, 1, lateness=0, filtered=False)
    rows = course(6, 10 * MINUTE)
    engine.add(readings(rows))
    engine.step(START + 6 * HOUR)
    newer = Engine(RULES, 1, lateness=0, filtered=False, risk=MODEL)
    newer.restore(engine.snapshot())
    assert np.isnan(newer.risk.value[0])
    newer.step(START + 6 * HOUR + 5 * MINUTE)
    assert np.isfinite(newer.risk.value[0])
    older = Engine(RULES, 1, lateness=0, filtered=False)
    older.restore(newer.snapshot())  # and one without a model reads one made with it
    assert older.risk is None


def test_what_another_model_said_is_not_taken_over():
    _, engine = run(course(6, 10 * MINUTE), [], hours=6, slots=1)
    other = Engine(RULES, 1, lateness=0, filtered=False, risk=linear_model(id="other"))
    other.restore(engine.snapshot())
    assert np.isnan(other.risk.value[0])
    np.testing.assert_array_equal(other.risk.trends.sum, engine.risk.trends.sum)
    other.step(START + 6 * HOUR + 5 * MINUTE)
    assert np.isfinite(other.risk.value[0])


@pytest.mark.parametrize("before", ["another model", "none"])
def test_a_second_restart_before_the_next_step_changes_nothing(before):
    """What is still to be computed anew is kept, though nothing is measured until long after."""
    first = Engine(RULES, 1, lateness=0, filtered=False, risk=MODEL if before == "another model" else None)
    first.add(readings(course(6, 60 * MINUTE)))
    first.step(START + 6 * HOUR + 21 * MINUTE)
    restarted = first
    values = []
    for _ in range(3):
        state = restarted.snapshot()
        restarted = Engine(RULES, 1, lateness=0, filtered=False, risk=linear_model(id="other"))
        restarted.restore(state)
        other = Engine(RULES, 1, lateness=0, filtered=False, risk=linear_model(id="other"))
        other.restore(state)
        other.step(START + 6 * HOUR + 25 * MINUTE)
        values.append(float(other.risk.value[0]))
    assert np.isfinite(values).all()
    assert len(set(values)) == 1


def test_a_stay_costs_less_than_20_kb_of_memory_and_snapshot():
    def size(risk) -> int:
        engine = Engine(RULES, 64, lateness=0, risk=risk)
        return sum(array.nbytes for array in engine.snapshot().values()) // 64

    assert size(MODEL) - size(None) < 5_000
    assert size(MODEL) < 20_000


@pytest.mark.parametrize("gone", [*NAMES, None])
def test_signals_that_are_missing_neither_crash_it_nor_make_it_sure(gone):
    names = [n for n in NAMES if n != gone]
    widths = []
    while names:
        _, engine = run(course(6, 10 * MINUTE, worse=0.8, names=names), [], hours=6, slots=1)
        there = sum(n in names or (n == "hr" and "pr" in names) for n in ("hr", "spo2", "rr", "sbp", "temp"))
        value, low, high = (float(a[0]) for a in (engine.risk.value, engine.risk.low, engine.risk.high))
        assert np.isnan(value) == (there < 3)
        assert np.isnan(low) == np.isnan(high) == np.isnan(value)
        if there >= 3:
            assert 0.001 < low < value < high < 0.999
            odds = [np.log(p / (1 - p)) for p in (low, high)]
            widths.append((there, odds[1] - odds[0]))
        names.pop()
    for (more, narrow), (less, wide) in pairwise(widths):
        assert less == more or wide > narrow  # with less to go by it is less sure


def dense(minutes: int, spikes: set[int]):
    """Every ten seconds from an hour with a history on; some readings are artefacts that last or do not."""
    found = course(1, 10 * MINUTE, names=("hr", "spo2", "rr", "sbp"))
    for n in range(minutes * 6):
        at = HOUR + (n + 1) * 10 * SECOND
        found += [(0, "hr", at, 80.0 + n % 3), (0, "rr", at, 18.0 + (14 if n > minutes * 3 else 0))]
        found.append((0, "spo2", at, 50.0 if n in spikes else 96.0 - n // 60))
    return found


@settings(max_examples=8, deadline=None)
@given(
    st.sets(st.integers(0, 119), max_size=8),
    st.lists(st.integers(0, 80 * 60).map(lambda s: s * SECOND), max_size=10).map(sorted),
    st.booleans(),
)
def test_behind_the_filter_however_time_is_cut(spikes, cuts, restart):
    table = readings(dense(20, spikes))
    table = replace(table, hold=np.full(len(table), 90 * SECOND))

    def run_filtered(cuts):
        engine = Engine(RULES, 1, lateness=0, risk=MODEL)
        engine.add(table)
        found = []
        for cut in [*cuts, 80 * MINUTE]:
            step = engine.step(START + cut)
            assert not len(step.late)
            t = step.transitions
            found += list(zip(*(getattr(t, name).tolist() for name in TOLD), strict=True))
            if restart:
                state = engine.snapshot()
                engine = Engine(RULES, 1, lateness=0, risk=MODEL)
                engine.restore(state)
        return sorted(found), engine.risk

    whole, risk = run_filtered([])
    pieces, other = run_filtered(cuts)
    assert pieces == whole
    assert whole
    for name, array in risk.snapshot().items():
        np.testing.assert_array_equal(other.snapshot()[name], array)
