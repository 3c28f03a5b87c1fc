"""What is tried, as asked for; and what is refused."""

from __future__ import annotations

import pytest

from tests.trial.made import RULES
from ward.alerts.packs import parse_rule, rule_to_dict
from ward.errors import InvalidError
from ward.signals import MINUTE
from ward.trial.candidates import MOST_CELLS, candidates_of, grid_of, parse_grid

BY_ID = {rule.id: rule for rule in RULES}


def test_a_cell_is_the_rule_at_that_threshold_and_duration() -> None:
    grid = parse_grid("spo2-below-88: 85,86 × 5m", RULES)
    candidates = candidates_of((), grid, RULES)
    assert [s.label for s in candidates.settings] == ["spo2 < 85 for 5m", "spo2 < 86 for 5m"]
    assert candidates.rules == {"spo2-below-88"}
    rules = {r.id: r for r in candidates.settings[0].rules(RULES)}
    varied = rules.pop("spo2-below-88")
    assert rules == {k: v for k, v in BY_ID.items() if k != "spo2-below-88"}
    assert (varied.when[0].number, varied.for_ms, varied.within_ms) == (85, 5 * MINUTE, 5 * MINUTE)
    assert varied.clear_when[0].number == 87  # 2 above the threshold, as before
    assert varied.title == "SpO2 below 85 % for 5 min"
    assert varied.inhibits == BY_ID["spo2-below-88"].inhibits


@pytest.mark.parametrize(
    ("text", "thresholds", "minutes"),
    [
        ("spo2-below-88: 84..92 × 1m,5m,10m", range(84, 93), [1, 5, 10]),
        ("spo2-below-88: 84..92/4 x 10m", [84, 88, 92], [10]),
        ("spo2-below-88: 88*1m", [88], [1]),
        ("spo2-below-88: 88, 88, 90 × 1m, 60s", [88, 90], [1]),
        ("spo2-below-88", range(82, 95), [1, 2, 5, 10, 15, 20, 30, 60]),
        ("spo2-below-88: × 10m", range(82, 95), [10]),
        ("hr-30-to-39 hr: 1", None, None),
        ("rr-up-to-5 rr: 4..8 × 1m", range(4, 9), [1]),
    ],
)
def test_a_grid_as_people_write_it(text, thresholds, minutes) -> None:
    if thresholds is None:
        with pytest.raises(InvalidError, match="hr >= 30, hr < 40"):
            parse_grid(text, RULES)
        return
    grid = parse_grid(text, RULES)
    assert list(grid.thresholds) == list(thresholds)
    assert [ms // MINUTE for ms in grid.durations] == minutes


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("none: 1 × 1m", "no rule none"),
        ("spo2-below-88: 84...92 × 1m", "84...92"),
        ("spo2-below-88: a × 1m", "'a'"),
        ("spo2-below-88: 92..84 × 1m", "92..84"),
        ("spo2-below-88: 1..9/0 × 1m", "1..9/0"),
        ("spo2-below-88: 1..1e308 × 1m", "must be such as"),
        ("spo2-below-88: nan × 1m", "must be such as"),
        ("spo2-below-88: 88 × soon", "'soon'"),
        ("spo2-below-88: 88 × 0m", "more than 0"),
        ("spo2-below-88 rr: 88 × 1m", "spo2 < 88"),
        ("sbp-below-100-hr-above-110: 88 × 1m", "sbp < 100, hr > 110"),
        ("spo2-absent: 88 × 1m", "none"),
        ("spo2-below-88: 0..100 × 1m,2m,3m,4m", "101 thresholds × 4 durations"),
    ],
)
def test_what_is_no_grid_says_why(text, why) -> None:
    with pytest.raises(InvalidError) as error:
        candidates_of((), parse_grid(text, RULES), RULES)
    assert why in error.value.detail
    assert "\n" not in error.value.detail


def test_the_largest_grid_is_taken() -> None:
    lengths = [f"{n}m" for n in range(1, 11)]
    grid = grid_of("spo2-below-88", list(range(MOST_CELLS // 10)), lengths, None, RULES)
    assert len(candidates_of((), grid, RULES).settings) == MOST_CELLS


def test_definitions_change_add_and_stand_below_a_grid() -> None:
    given = (
        {"id": "spo2-below-88", "priority": "medium"},
        {**rule_to_dict(BY_ID["rr-from-24"]), "id": "mine"},
    )
    (one,) = candidates_of(given, None, RULES).settings
    rules = {r.id: r for r in one.rules(RULES)}
    assert rules["spo2-below-88"].priority == "medium"
    assert rules["spo2-below-88"].for_ms == 10 * MINUTE
    assert rules["mine"].when == BY_ID["rr-from-24"].when
    grid = grid_of("mine", [30], ["2m"], None, one.rules(RULES))
    (cell,) = candidates_of(given, grid, RULES).settings
    assert {r.id: r for r in cell.rules(RULES)}["mine"].when[0].number == 30
    assert one.rules(RULES, frozenset({"spo2-below-88"}))[1] == BY_ID["spo2-below-88"]


def test_bad_candidates_say_what_is_wrong() -> None:
    rule = {"id": "mine", "priority": "low", "when": ["spo2 < 88"], "for": "10m"}
    for given, why in [
        ([rule, rule], "twice: mine"),
        ([{**rule, "when": ["spo3 < 88"]}], "unknown signal 'spo3'"),
        ([{**rule, "within": "1m"}], "shorter than 'for'"),
        ([{"id": "mine", "for": "1m"}], "missing"),
        ([{**rule, "inhibits": ["nobody"]}], "nobody"),
        ([], "nothing to try"),
    ]:
        with pytest.raises(InvalidError) as error:
            candidates_of(given, None, RULES)
        assert why in error.value.detail


def test_a_whole_pack_takes_the_place_of_what_is_in_force() -> None:
    """One rule as it is, one changed, the others gone."""
    other = (BY_ID["rr-from-24"], parse_rule({**rule_to_dict(BY_ID["spo2-below-92"]), "for": "20m"}))
    candidates = candidates_of(tuple(rule_to_dict(rule) for rule in other), None, RULES, only=True)
    assert candidates.settings[0].rules(RULES) == other
    assert candidates.rules == BY_ID.keys() - {"rr-from-24"}


def test_a_window_that_is_set_stays_and_must_hold_the_duration() -> None:
    rule = parse_rule({"id": "low", "priority": "low", "when": ["spo2 < 88"], "for": "10m", "within": "20m"})
    (cell,) = candidates_of((), grid_of(rule.id, [88], ["15m"], None, [rule]), [rule]).settings
    assert cell.rules([rule])[0].within_ms == 20 * MINUTE
    with pytest.raises(InvalidError, match="shorter than 'for'"):
        candidates_of((), grid_of(rule.id, [88], ["30m"], None, [rule]), [rule])
