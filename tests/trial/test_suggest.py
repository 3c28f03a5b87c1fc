"""Suggestions: never beaten by another setting, within the load, cheapest; and honest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trial.made import START, steady, tried
from ward.alerts.packs import parse_rule
from ward.errors import InvalidError
from ward.signals import MINUTE
from ward.trial.candidates import candidates_of, parse_grid
from ward.trial.files import parse_wish
from ward.trial.suggest import Wish, front

LOW = parse_rule({"id": "low", "priority": "high", "when": ["spo2 < 88"], "for": "10m"})
GRID = "low: 84..92/2 × 1m,5m,10m,30m"


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=30))
def test_nothing_on_the_front_is_beaten_and_all_else_is(points) -> None:
    load, recall = (np.array(column, float) for column in zip(*points, strict=True))
    best = front(load, recall, np.zeros(len(points)), range(len(points)))

    def beats(a: int, b: int) -> bool:
        return bool(
            load[a] <= load[b] and recall[a] >= recall[b] and (load[a], recall[a]) != (load[b], recall[b])
        )

    assert list(best) == sorted(best, key=lambda n: load[n])
    for n in range(len(points)):
        beaten = any(beats(other, n) for other in range(len(points)))
        twin = any((load[m], recall[m]) == (load[n], recall[n]) for m in best)
        assert beaten != twin


def ward_of(stays: int) -> tuple[dict, dict]:
    """Each stay falls to 83 for 20 min before its event, and to 87 for 6 min for no reason, twice."""
    readings, events = {}, {}
    for n in range(stays):
        falls = [(100 + n, 120 + n, "spo2", 83.0), (600, 606, "spo2", 87.0), (900, 906, "spo2", 87.0)]
        readings[f"s{n}"] = steady(1441, falls)
        events[f"s{n}"] = {START + (200 + n) * MINUTE}
    return readings, events


def suggested(stays: int, wish: Wish, labelled: bool = True) -> dict:
    readings, events = ward_of(stays)
    candidates = candidates_of((), parse_grid(GRID, (LOW,)), (LOW,))
    return tried(readings, (LOW,), candidates, events=events if labelled else None, wish=wish)


def test_what_hears_most_within_the_load_is_suggested() -> None:
    answer = suggested(12, Wish(2))
    suggestion = answer["suggestion"]
    chosen = suggestion["chosen"]
    assert (chosen["recall"], chosen["false"], chosen["alerts"]) == (1.0, 0, 12)
    assert chosen["cost_per_day"] == 0
    assert chosen["lead_s"]["median"] == 99 * 60  # of equals the one that warns earliest
    assert chosen["label"] in suggestion["front"]
    rows = {row["label"]: row for row in answer["settings"]}
    assert [rows[label]["on_front"] for label in suggestion["front"]] == [True] * len(suggestion["front"])
    held = suggestion["held_out"]
    assert (held["caught"], held["events"], held["per_day"]) == (12, 12, pytest.approx(1, abs=0.01))
    assert any("nothing was changed" in note for note in suggestion["notes"])
    assert any("Only 12 events" in note for note in suggestion["notes"])


def test_a_load_that_nothing_keeps_to_is_said() -> None:
    readings = {"a": steady(1441, [(n, n + 40, "spo2", 80.0) for n in range(0, 1400, 100)])}
    candidates = candidates_of((), parse_grid("low: 88 × 1m,10m", (LOW,)), (LOW,))
    suggestion = tried(readings, (LOW,), candidates, wish=Wish(0.5))["suggestion"]
    assert suggestion["chosen"] is None
    assert suggestion["held_out"] is None
    assert any("has the least" in note for note in suggestion["notes"])


def test_without_any_event_nothing_is_suggested() -> None:
    candidates = candidates_of((), parse_grid(GRID, (LOW,)), (LOW,))
    answer = tried({f"s{n}": steady(1441) for n in range(12)}, (LOW,), candidates, wish=Wish(3))
    suggestion = answer["suggestion"]
    assert (suggestion["chosen"], suggestion["cheapest"], suggestion["front"]) == (None, None, [])
    assert suggestion["notes"][1:] == [
        "There was no event: recall is not known, and nothing can be suggested."
    ]
    assert answer["in_force"]["recall"] is None


def test_few_stays_and_events_are_not_over_read() -> None:
    suggestion = suggested(2, Wish(5))["suggestion"]
    assert suggestion["held_out"] is None
    said = " ".join(suggestion["notes"])
    assert "Too few stays or events" in said
    assert "2 of 2 heard may stand for anything from 34 to 100 %" in said
    assert "2 stays say nothing of how much stays differ" in said
    assert suggestion["chosen"]["alerts_per_day_interval"] is None
    assert suggestion["chosen"]["recall_interval"] == [pytest.approx(0.342, abs=1e-3), 1.0]


def test_interruptions_may_be_what_is_wanted() -> None:
    suggestion = suggested(10, Wish(1.5, "interruptions"))["suggestion"]
    assert suggestion["of"] == "interruptions"
    assert suggestion["chosen"]["interruptions_per_day"] <= 1.5
    assert suggestion["chosen"]["recall"] == 1.0


def test_the_cost_is_told_beside_it() -> None:
    """Half of the events come with 83 for 20 min, the others with 87 for 6 min like the false alarms."""
    readings, events = {}, {}
    for n in range(10):
        fall = (100, 120, "spo2", 83.0) if n % 2 else (100, 106, "spo2", 87.0)
        false = [(m, m + 6, "spo2", 87.0) for m in range(900, 1400, 60)]
        readings[f"s{n}"] = steady(1441, [fall, *false])
        events[f"s{n}"] = {START + 150 * MINUTE}
    candidates = candidates_of((), parse_grid(GRID, (LOW,)), (LOW,))
    found = [
        tried(readings, (LOW,), candidates, events=events, window=60 * MINUTE, wish=Wish(99, "alerts", cost))
        for cost in (5, 50)
    ]
    cheap, dear = (answer["suggestion"] for answer in found)
    assert [(s["chosen"]["recall"], s["chosen"]["false"]) for s in (cheap, dear)] == [(1.0, 90)] * 2
    assert (cheap["cheapest"]["recall"], cheap["cheapest"]["false"]) == (0.5, 0)
    assert dear["cheapest"] == dear["chosen"]
    assert any(
        "5 events more for 90 false alerts more, and pays from a weight of 18.0" in n for n in cheap["notes"]
    )
    assert not any("costs less" in note for note in dear["notes"])


def test_a_wish_as_people_write_it() -> None:
    assert parse_wish("3/day") == Wish(3.0, "alerts")
    assert parse_wish(" 0.5 interruptions/day ") == Wish(0.5, "interruptions")
    assert parse_wish("2 alerts") == Wish(2.0, "alerts")
    for text in ("", "0/day", "many", "3/week", "-1/day"):
        with pytest.raises(InvalidError, match="must be such as"):
            parse_wish(text)
