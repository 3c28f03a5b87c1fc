"""The engine against the slow reference, on random streams, rules, orders of arrival and restarts."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.scoring.reference import Reading, Reference
from ward.scoring.engine import Engine
from ward.scoring.readings import Readings
from ward.scoring.rules import Clause, Rule
from ward.scoring.sustain import CLEARED, RAISED
from ward.signals import INDEX

TICK = 500
START = 1_000_000
KINDS = {RAISED: "raised", CLEARED: "cleared"}


def readings_of(stream: list[Reading], slot: int = 0) -> Readings:
    return Readings.of(
        len(stream),
        slot=slot,
        signal=[INDEX[r.signal] for r in stream],
        time=[r.time for r in stream],
        value=[r.value for r in stream],
        seq=[r.seq for r in stream],
        device=[r.device for r in stream],
        hold=[r.hold for r in stream],
    )


def told(engine: Engine, transitions) -> list[tuple[int, str, str, int]]:
    return [
        (int(at), engine.rules[rule].id, KINDS[int(kind)], int(since))
        for rule, kind, at, since in zip(
            transitions.rule, transitions.kind, transitions.at, transitions.since, strict=True
        )
        if int(kind) in KINDS
    ]


clauses = st.one_of(
    st.builds(
        Clause,
        st.sampled_from(["hr", "pr", "spo2", "sbp"]),
        st.sampled_from(["<", "<=", ">", ">="]),
        st.sampled_from([1.0, 2.0]),
    ),
    st.builds(Clause, st.sampled_from(["hr", "spo2"]), st.just("absent")),
)
conditions = st.lists(clauses, min_size=1, max_size=2).map(tuple)
ticks = lambda low, high: st.integers(low, high).map(lambda n: n * TICK)  # noqa: E731


@st.composite
def rules(draw) -> list[Rule]:
    found = []
    for n in range(draw(st.integers(1, 4))):
        sustain = draw(ticks(1, 16))
        found.append(
            Rule(
                id=f"rule-{n}",
                title="",
                priority="high",
                kind="physiological",
                when=draw(conditions),
                for_ms=sustain,
                within_ms=sustain + draw(st.one_of(st.just(0), ticks(1, 16))),
                gap_ms=draw(ticks(0, 12)),
                min_readings=draw(st.integers(1, 4)),
                clear_when=draw(st.one_of(st.just(()), conditions)),
                clear_for_ms=draw(ticks(1, 10)),
            )
        )
    return found


@st.composite
def streams(draw, length: int = 90) -> list[Reading]:
    found = []
    time = START
    for n in range(draw(st.integers(1, 45))):
        time += draw(st.sampled_from([0, 0, 1, 1, 1, 2, 3, 5, 9])) * TICK
        if time > START + length * TICK:
            break
        found.append(
            Reading(
                draw(st.sampled_from(["hr", "pr", "spo2", "sbp"])),
                time,
                draw(st.sampled_from([0.0, 1.0, 2.0, 3.0])),
                draw(st.sampled_from([2, 4, 8, 16])) * TICK,
                seq=n if draw(st.booleans()) else -1,
                device=draw(st.sampled_from([0, 0, 0, 1])),
            )
        )
    return found


def expected(stream, chosen, end, declared=frozenset()) -> list[tuple[int, str, str, int]]:
    reference = Reference(stream, end, TICK, declared)
    events = [(e.at, e.rule, e.kind, e.since) for rule in chosen for e in reference.events(rule)]
    return sorted(events)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(streams(), rules(), st.sets(st.sampled_from(["hr", "spo2"])))
def test_offline_equals_reference(stream, chosen, declared):
    end = START + 120 * TICK
    engine = Engine(chosen, 1, lateness=0, filtered=False)
    engine.configure(0, declared=[INDEX[s] for s in declared])
    engine.add(readings_of(stream))
    assert sorted(told(engine, engine.step(end).transitions)) == expected(
        stream, chosen, end, frozenset(declared)
    )


def test_a_device_that_takes_over_uses_up_no_place_of_a_reading():
    """It has measured nothing: the reading after it is the one that counts."""
    low = Clause("sbp", "<", 1.0)
    rule = Rule("low", "", "high", "physiological", (low,), TICK, TICK, 0, 1, clear_for_ms=TICK)
    stream = [
        Reading("sbp", START, 1.0, 1000, device=1),
        Reading("sbp", START, 0.0, 4000, device=0),
        Reading("sbp", START + 3500, 0.0, 1000, device=1),
        Reading("sbp", START + 4500, 0.0, 1000, device=0),
    ]
    end = START + 20 * TICK
    engine = Engine([rule], 1, lateness=0, filtered=False)
    engine.add(readings_of(stream))
    found = sorted(told(engine, engine.step(end).transitions))
    assert found == [(START + 4500, "low", "raised", START + 1000)]
    assert found == expected(stream, [rule], end)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(streams(), rules(), st.integers(0, 2**32), st.integers(1, 12))
def test_live_order_ticks_and_restarts_equal_reference(stream, chosen, seed, step):
    """Arrival in any order within the lateness, odd ticks, snapshots at random points: no difference."""
    rng = random.Random(seed)
    end = START + 120 * TICK
    lateness = 4 * TICK
    arrivals = sorted((r.time + rng.randrange(0, lateness), rng.random(), n) for n, r in enumerate(stream))
    rows = dict(enumerate(stream))
    # The contract's last tie-break is the order of rows, so rows of one instant keep theirs.
    ties: dict[tuple, list[int]] = {}
    for place, (_, _, n) in enumerate(arrivals):
        ties.setdefault((rows[n].time, rows[n].seq), []).append(place)
    order = [n for _, _, n in arrivals]
    for places in ties.values():
        for place, n in zip(places, sorted(order[p] for p in places), strict=True):
            order[place] = n
    engine = Engine(chosen, 1, lateness=lateness, filtered=False)
    events = []
    now, sent = START, 0
    while now <= end + lateness:
        batch = []
        while sent < len(arrivals) and arrivals[sent][0] <= now:
            batch.append(rows[order[sent]])
            sent += 1
        engine.add(readings_of(batch))
        result = engine.step(now)
        assert len(result.late) == 0
        events += told(engine, result.transitions)
        if rng.random() < 0.2:
            state = engine.snapshot()
            engine = Engine(chosen, 1, lateness=lateness, filtered=False)
            engine.restore(state)
        now += rng.randrange(1, step + 1) * TICK + rng.randrange(0, 3)
    engine.add(readings_of([rows[n] for n in order[sent:]]))
    events += told(engine, engine.step(end + lateness).transitions)
    assert sorted(events) == expected(stream, chosen, end)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(streams(), min_size=2, max_size=5), rules())
def test_many_stays_do_not_touch_each_other(many, chosen):
    end = START + 120 * TICK
    engine = Engine(chosen, len(many), lateness=0, filtered=False)
    engine.add(Readings.concat([readings_of(s, slot) for slot, s in enumerate(many)]))
    found = engine.step(end).transitions
    for slot, stream in enumerate(many):
        mine = found.slot == slot
        one = type(found)(*(getattr(found, name)[mine] for name in found.__slots__))
        assert sorted(told(engine, one)) == expected(stream, chosen, end)


def rule(when: str, sustain: int, **options) -> Rule:
    signal, op, number = [*when.split(), "0"][:3]
    ms = {"for_ms": sustain, "within_ms": sustain, "gap_ms": sustain} | options
    return Rule("r", "", "high", "physiological", (Clause(signal, op, float(number)),), **ms)


def ward(text: str, step: int = 1000, signal: str = "spo2", hold: int = 90_000) -> list[Reading]:
    """'94x10 88x30 _x5': readings each second, '_' a missing one."""
    found, time = [], START
    for part in text.split():
        value, times = part.split("x")
        for _ in range(int(times)):
            if value != "_":
                found.append(Reading(signal, time, float(value), hold))
            time += step
    return found


@pytest.mark.parametrize(
    ("story", "options", "events"),
    [
        ("94x10 88x30 94x300", {}, [("raised", 20), ("cleared", 160)]),
        ("94x10 88x9 94x1 88x9 94x300", {}, []),
        ("94x10 88x10 94x300", {}, [("raised", 20), ("cleared", 140)]),
        ("88x2 94x2 88x6 94x300", {"for_ms": 8_000, "within_ms": 10_000}, [("raised", 10), ("cleared", 130)]),
        ("88x20 94x60 88x60", {"clear_for_ms": 30_000}, [("raised", 10), ("cleared", 50), ("raised", 90)]),
    ],
)
def test_stories(story, options, events):
    chosen = [rule("spo2 < 90", 10_000, **options)]
    engine = Engine(chosen, 1, lateness=0, filtered=False)
    stream = ward(story)
    engine.add(readings_of(stream))
    found = told(engine, engine.step(stream[-1].time + 1).transitions)
    assert [(kind, (at - START) / 1000) for at, _, kind, _ in found] == events


def test_a_gap_is_neither_normal_nor_sustained():
    """Law 2: UNKNOWN neither counts nor resets, up to the gap."""
    chosen = [rule("spo2 < 90", 60_000, gap_ms=60_000)]
    stream = ward("88x30 _x40 88x40", hold=5_000)
    engine = Engine(chosen, 1, lateness=0, filtered=False)
    engine.add(readings_of(stream))
    found = told(engine, engine.step(stream[-1].time).transitions)
    # 29 s and 5 s of hold are known, 36 s are not: the remaining 26 s follow from second 70 on.
    assert [(kind, (at - START) / 1000) for at, _, kind, _ in found] == [("raised", 96)]


def test_late_readings_raise_what_is_now_sustained_with_its_true_since():
    chosen = [rule("spo2 < 90", 60_000)]
    engine = Engine(chosen, 1, lateness=2_000, filtered=False)
    first = ward("97x30")
    engine.add(readings_of(first))
    engine.step(START + 1_300_000)
    backlog = [Reading("spo2", START + 60_000 + n * 1000, 80.0, 90_000) for n in range(1200)]
    engine.add(readings_of(backlog))
    result = engine.step(START + 1_301_000)
    assert len(result.late) == len(backlog)
    stored = readings_of(first + backlog)
    found, _ = engine.rebuild(0, stored, START + 60_000)
    assert told(engine, found) == [(engine.until, "r", "raised", START + 60_000)]
    assert found.late.all()
    assert len(engine.rebuild(0, stored, START + 60_000)[0]) == 0


def test_rebuild_keeps_what_was_told():
    chosen = [rule("spo2 < 90", 10_000)]
    engine = Engine(chosen, 1, lateness=0, filtered=False)
    engine.add(readings_of(ward("88x20")))
    assert len(engine.step(START + 20_000).transitions) == 1
    healthy = [Reading("spo2", START + n * 1000, 97.0, 90_000, seq=5) for n in range(20)]
    found, _ = engine.rebuild(0, readings_of(ward("88x20") + healthy), START)
    assert len(found) == 0
    assert engine.sustain.grid("raised")[0, 0]
    later = [Reading("spo2", START + 20_001 + n * 1000, 97.0, 90_000) for n in range(130)]
    engine.add(readings_of(later))
    assert [k for _, _, k, _ in told(engine, engine.step(START + 160_000).transitions)] == ["cleared"]


def test_changed_rule_keeps_pending_clock_and_clears_what_no_longer_holds():
    wide, narrow = rule("spo2 < 90", 10_000), rule("spo2 < 85", 10_000)
    one_to_one = np.zeros((1, 1), np.int64), np.ones((1, 1), np.bool_)
    engine = Engine([wide], 1, lateness=0, filtered=False)
    engine.add(readings_of(ward("88x20")))
    engine.step(START + 19_000)
    engine.replace_rules([narrow], *one_to_one)
    found = engine.step(START + 20_000).transitions
    assert found.kind.tolist() == [3]
    longer = rule("spo2 < 90", 15_000)
    engine = Engine([wide], 1, lateness=0, filtered=False)
    engine.add(readings_of(ward("88x8")))
    engine.step(START + 7_000)
    engine.replace_rules([longer], *one_to_one)
    engine.add(readings_of([Reading("spo2", START + 8_000 + n * 1000, 88.0, 90_000) for n in range(10)]))
    assert told(engine, engine.step(START + 17_000).transitions) == [(START + 15_000, "r", "raised", START)]


@pytest.mark.parametrize("within", [10_000, 20_000])
def test_a_rule_that_was_cleared_by_its_change_begins_anew(within):
    """What was in breach of the rule as it was says nothing of the rule as it is."""
    wide, narrow = (rule(f"spo2 < {limit}", 10_000, within_ms=within) for limit in (90, 85))
    engine = Engine([wide], 1, lateness=0, filtered=False)
    engine.add(readings_of(ward("88x20 84x30")))
    engine.step(START + 18_500)
    engine.replace_rules([narrow], np.zeros((1, 1), np.int64), np.ones((1, 1), np.bool_))
    assert engine.step(START + 18_600).transitions.kind.tolist() == [3]
    again = told(engine, engine.step(START + 50_000).transitions)
    assert again == [(START + 30_000, "r", "raised", START + 20_000)]


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(streams(), rules(), st.integers(1, 119), st.randoms())
def test_the_same_rules_in_other_columns_change_nothing(stream, chosen, at, rng):
    end = START + 120 * TICK
    order = list(range(len(chosen)))
    rng.shuffle(order)
    engine = Engine(chosen, 1, lateness=0, filtered=False)
    engine.add(readings_of(stream))
    events = told(engine, engine.step(START + at * TICK).transitions)
    origin = np.array([order], np.int64)
    engine.replace_rules([chosen[n] for n in order], origin, np.ones(origin.shape, np.bool_))
    events += told(engine, engine.step(end).transitions)
    assert sorted(events) == expected(stream, chosen, end)


def test_zero_is_a_value():
    """Law 1."""
    chosen = [rule("hr < 30", 10_000)]
    engine = Engine(chosen, 1, lateness=0, filtered=False)
    engine.add(readings_of(ward("0x20", signal="hr")))
    assert [k for _, _, k, _ in told(engine, engine.step(START + 20_000).transitions)] == ["raised"]


def test_measure_again_is_asked_once_when_readings_are_too_few():
    chosen = [rule("sbp < 90", 600_000)]
    engine = Engine(chosen, 1, lateness=0, filtered=False)
    engine.add(readings_of([Reading("sbp", START, 80.0, 3_900_000)]))
    found = engine.step(START + 3_000_000).transitions
    assert found.kind.tolist() == [2]
    assert found.at.tolist() == [START + 600_000]
    engine.add(readings_of([Reading("sbp", START + 3_100_000, 80.0, 3_900_000)]))
    assert told(engine, engine.step(START + 3_100_000).transitions) == [
        (START + 3_100_000, "r", "raised", START)
    ]


def test_a_clock_set_back_undoes_nothing():
    chosen = [rule("spo2 < 90", 10_000)]
    engine = Engine(chosen, 1, lateness=0, filtered=False)
    engine.add(readings_of(ward("88x20")))
    assert len(engine.step(START + 19_000).transitions) == 1
    assert len(engine.step(START + 1_000).transitions) == 0
    assert engine.until == START + 19_000
    assert np.all(engine.frontier == START + 19_000)
