"""What levels say does not matter, does not matter."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ward.alerts.packs import load_pack
from ward.scoring.conditions import COMPARE
from ward.scoring.engine import Engine
from ward.scoring.levels import Levels
from ward.scoring.news2 import PARTS, cuts, points
from ward.scoring.readings import Readings
from ward.scoring.rules import Clause, Rule
from ward.signals import INDEX, N_OBSERVED, SECOND

RULES = load_pack("default").rules
NEAR = st.sampled_from([np.nextafter(0, 1), 1e-9, 1e-6, 0.5, 1.0, 7.0])


@settings(max_examples=300, deadline=None)
@given(st.integers(0, N_OBSERVED - 1), st.data(), NEAR, st.sampled_from([-1, 1]), st.booleans())
def test_values_of_one_level_are_alike_to_every_clause_and_chart(signal, data, step, sign, second):
    levels = Levels(RULES)
    edges = levels._bands[signal].cuts.tolist() or [1.0]
    value = data.draw(st.sampled_from(edges))
    pair = np.array([value, value + sign * step])
    slot, scale = np.zeros(2, np.int64), np.array([second])
    level = levels.of(signal, pair, slot, scale)
    own = levels.own(signal, level, slot, scale)
    low, high = levels.points(signal, level, slot, scale)
    clauses = [c for r in RULES for c in (*r.when, *r.clear_when) if c.op != "absent"]
    for clause in clauses:
        if INDEX[clause.signal] == signal and own[0] == own[1]:
            assert len(set(COMPARE[clause.op](pair, clause.number).tolist())) == 1
    for part in PARTS:
        if INDEX[part] == signal:
            for oxygen in (False, True):
                given_points = points(part, pair, on_oxygen=oxygen, scale=2 if second else 1)
                assert ((low <= given_points) & (given_points <= high)).all()
                if level[0] == level[1]:
                    assert given_points[0] == given_points[1]


def test_a_cut_is_the_very_least_value_of_its_band():
    for part in PARTS:
        for scale in (1, 2):
            for cut in cuts(part, scale):
                below = np.nextafter(cut, -np.inf)
                assert (
                    any(
                        points(part, cut, on_oxygen=on, scale=scale)
                        != points(part, below, on_oxygen=on, scale=scale)
                        for on in (False, True)
                    )
                    or part == "oxygen"
                )


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([1, 2]), st.sampled_from([">=", ">"]), st.integers(1, 9))
def test_news2_rules_do_not_depend_on_how_time_is_cut(seed, scale, op, number):
    """Where no step can skip anything, since it sees one instant, is what longer steps must come to."""
    rng = np.random.default_rng(seed)
    n = 120
    spread = {
        "rr": (6, 30),
        "spo2": (82, 100),
        "sbp": (80, 125),
        "hr": (35, 135),
        "pr": (35, 135),
        "temp": (34, 40),
    }
    names = rng.choice([*spread, "oxygen", "consciousness"], n)
    values = [rng.uniform(*spread[s]) if s in spread else float(rng.integers(0, 2)) for s in names]
    start = 1_000_000
    readings = Readings.of(
        n,
        slot=0,
        signal=[INDEX[s] for s in names],
        time=start + np.cumsum(rng.integers(0, 9, n)) * SECOND,
        value=np.round(values, 1),
        hold=rng.choice([5, 60], n) * SECOND,
    )
    rules = [
        Rule("n", "", "high", "physiological", (Clause("news2", op, number),), 9_000, 20_000, 9_000, 3),
        Rule(
            "m",
            "",
            "high",
            "physiological",
            (Clause("news2", op, number), Clause("hr", ">", 90)),
            4_000,
            4_000,
            4_000,
        ),
    ]
    end = int(readings.time[-1]) + 400 * SECOND

    def lived(times):
        engine = Engine(rules, 1, lateness=0, filtered=False)
        engine.configure(0, scale=scale)
        engine.add(readings)
        found = [engine.step(int(time)).transitions for time in times]
        return [
            (*row,)
            for t in found
            for row in zip(t.rule.tolist(), t.kind.tolist(), t.at.tolist(), t.since.tolist(), strict=True)
        ]

    assert lived([end]) == lived([*range(start, end, 1_000), end])
