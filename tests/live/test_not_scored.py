"""No score for adults of those who are none, or are pregnant: neither on the board nor in rules."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.live.world import World
from ward.scoring.conditions import Conditions
from ward.scoring.held import Moment
from ward.scoring.news2 import NOT_FOR, scale_of
from ward.scoring.rules import Clause, Rule
from ward.scoring.sustain import UNKNOWN
from ward.signals import MINUTE, N_OBSERVED

ILL = {"rr": 26.0, "spo2": 90.0, "hr": 135.0}
PACK = """
id = "scores"
title = "Scores"
[[rule]]
id = "news2-high"
title = "NEWS2 of 5 or more"
priority = "high"
when = ["news2 >= 5"]
for = "1m"
"""


@pytest.fixture
def world(tmp_path):
    (tmp_path / "scores.toml").write_text(PACK)
    made = World(tmp_path, pack=str(tmp_path / "scores.toml"))
    yield made
    made.close()


@pytest.mark.parametrize(
    ("flags", "scale"),
    [((), 1), (("copd",), 1), (("spo2-scale-2",), 2), (("under-16",), 0), (("spo2-scale-2", "pregnant"), 0)],
)
def test_what_a_stay_is_scored_by(flags, scale):
    assert scale_of(flags) == scale


def test_the_same_readings_raise_for_an_adult_and_for_nobody_else(world):
    adult = world.admit("1", ("a",))
    child = world.admit("2", ("c",), ("under-16",))
    for _ in range(90):
        world.measure("a", **ILL)
        world.measure("c", **ILL)
        world.tick()
    board = world.runner.keeper.board
    assert board.stays[adult]["news2"]["score"] >= 5
    assert board.stays[adult]["news2"]["not_applicable"] is None
    assert [a.stay for a in world.alerts()] == [adult]
    shown = board.stays[child]["news2"]
    assert (shown["score"], shown["risk"], shown["parts"]) == (None, None, {})
    assert shown["not_applicable"] == "under-16"
    assert board.stays[child]["risk"] is None
    assert world.service.risk(child)["state"] == "not-applicable"
    assert board.stays[child]["pending"] == []
    assert board.stays[child]["signals"]["spo2"]["value"] == 90.0  # what is measured is shown


def test_a_flag_that_is_set_later_closes_the_alert_with_that_reason_and_its_removal_tells_it_again(world):
    stay = world.admit("1")
    world.live(90, **ILL)
    world.do("set_flags", stay=stay, flags=["pregnant"])
    (alert,) = world.alerts()
    assert (alert.state, alert.close_reason) == ("closed", "flag pregnant")
    world.live(30, **ILL)
    assert len(world.alerts()) == 1
    world.crash()
    world.live(5, **ILL)
    assert world.runner.keeper.board.stays[stay]["news2"]["score"] is None
    world.do("set_flags", stay=stay, flags=[])
    world.live(90, **ILL)
    assert [a.state for a in world.alerts()].count("active") == 1


def moment(values: list[float]) -> Moment:
    """One row of one slot: all of these are fresh, NaN is not known."""
    value = np.array([values])
    fresh = ~np.isnan(value)
    time = np.array([MINUTE])
    expires = np.where(fresh, 2 * MINUTE, -1)
    return Moment(np.array([0]), time, value, fresh, np.where(fresh, 0, -1), expires)


@given(
    st.lists(st.floats(0, 250) | st.just(np.nan), min_size=N_OBSERVED, max_size=N_OBSERVED),
    st.sampled_from(NOT_FOR),
    st.sampled_from(["<", "<=", ">", ">="]),
    st.integers(0, 20),
)
def test_whatever_is_measured_a_rule_on_a_score_is_unknown(values, flag, op, number):
    rules = [
        Rule("r", "r", "high", "physiological", (Clause(signal, op, float(number)),), 1, 1, 1)
        for signal in ("news2", "risk")
    ]
    declared = np.zeros((1, N_OBSERVED), np.bool_)
    scale = np.array([scale_of([flag])], np.int8)
    states = Conditions(rules).evaluate(moment(values), declared, scale, np.array([0.5]))
    assert (states.state == UNKNOWN).all()
    assert [rule.off_for([flag]) for rule in rules] == [flag, flag]
