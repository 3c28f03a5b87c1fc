"""A device on another patient: never said of one signal alone, nor without a gap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.live.world import World
from ward.scoring.swapped import AFTER, EDGES, LASTS, SIGNALS, WEIGHTS, bins, looks_like_another

NAMES = ("hr", "pr", "spo2", "rr", "sbp", "temp")
ONE = {"hr": 62.0, "pr": 62.0, "spo2": 97.0, "rr": 12.0, "sbp": 118.0, "temp": 36.4}
OTHER = {"hr": 118.0, "pr": 118.0, "spo2": 88.0, "rr": 28.0, "sbp": 165.0, "temp": 38.6}
ILL = {**ONE, "spo2": 80.0}


def minutes(*parts: tuple[dict | None, int]) -> np.ndarray:
    nothing = dict.fromkeys(NAMES, np.nan)
    rows = [values or nothing for values, length in parts for _ in range(length)]
    return np.array([[row[name] for name in NAMES] for row in rows]).T


def test_another_patients_signals_after_a_gap_are_told_with_what_speaks_for_it():
    found = looks_like_another(minutes((ONE, 40), (None, 3), (OTHER, 10)), NAMES)
    assert found is not None
    assert found.since == 43
    assert found.changes[0].signal == "hr"
    assert (found.changes[0].before, found.changes[0].after) == (62.0, 118.0)
    assert sum(change.weight for change in found.changes) == pytest.approx(found.weight)


@pytest.mark.parametrize(
    "parts",
    [
        [(ONE, 40), (None, 3), (ONE, 10)],  # the same patient
        [(ONE, 40), (OTHER, 10)],  # no gap: bodies change
        [(ONE, 40), (None, 3), (ILL, 10)],  # one signal alone
        [(None, 3), (OTHER, 10)],  # nothing before
        [(ONE, 40), (None, 3), (OTHER, AFTER - 1)],  # not long enough yet
        [(ONE, 40), (None, 3), (OTHER, LASTS + 1)],  # told long enough
        [(ONE, 2), (None, 3), (OTHER, 10)],  # too little is known of before
    ],
)
def test_of_everything_else_nothing_is_said(parts):
    assert looks_like_another(minutes(*parts), NAMES) is None


def test_a_pulse_stands_in_for_a_heart_rate():
    table = minutes((ONE, 40), (None, 3), (OTHER, 10))
    table[0] = np.nan
    assert looks_like_another(table, NAMES) is not None


def test_tables_fit_their_edges_and_grow_with_the_difference():
    for name, edges in EDGES.items():
        assert len(WEIGHTS[name]) == len(edges) + 1
        assert WEIGHTS[name][0] < 0 < WEIGHTS[name][-1]
        assert bins(name, np.array([-edges[0], edges[0], 0.0])).tolist() == [1, 1, 0]


VALUES = st.floats(20, 200)


@given(
    st.lists(st.tuples(VALUES, VALUES, VALUES), min_size=1, max_size=50),
    st.integers(0, 8),
    st.lists(st.tuples(VALUES, VALUES, VALUES), min_size=1, max_size=20),
)
def test_whatever_comes_nothing_is_said_without_a_gap_and_two_signals_that_speak(before, gap, after):
    names = ("hr", "spo2", "rr")
    silence = [(np.nan,) * 3] * gap
    found = looks_like_another(np.array([*before, *silence, *after]).T, names)
    if found is not None:
        assert gap > 0
        assert found.since == len(before) + gap
        assert sum(change.weight >= 0.5 for change in found.changes) >= SIGNALS


def test_on_the_ward_it_is_a_technical_alert_that_ends_when_somebody_has_changed_the_devices(tmp_path):
    world = World(tmp_path)
    stay = world.admit()

    def live(values: dict[str, float], length: int) -> None:
        for _ in range(length):
            for _ in range(3):
                world.measure(**values)
                world.tick(20_000)

    live(ONE, 20)
    world.tick(4 * 60_000)
    live(OTHER, 9)
    told = [alert for alert in world.alerts(stay) if alert.rule == "other-patient"]
    assert [(alert.kind, alert.priority, alert.state) for alert in told] == [
        ("technical", "medium", "active")
    ]
    world.do("detach", stay=stay, device="mon")
    world.do("attach", stay=stay, device="mon")
    live(OTHER, 2)
    assert [a.state for a in world.alerts(stay) if a.rule == "other-patient"] == ["closed"]
    world.close()
