"""The figures of a trial, on stays in which everything that happens is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trial.made import RULES, START, steady, tried, wandering
from ward.alerts.packs import parse_rule
from ward.lifetime import live, spans
from ward.scoring.engine import Engine
from ward.signals import HOUR, MINUTE
from ward.trial import run as running
from ward.trial.candidates import candidates_of, parse_grid
from ward.trial.interruptions import Interruptions
from ward.trial.outcome import DAY, load_intervals, wilson
from ward.trial.suggest import Wish
from ward.trial.sweep import Sets, Subject, sweep

LOW = parse_rule({"id": "low", "priority": "high", "when": ["spo2 < 88"], "for": "10m"})


def cell(grid: str, stays, rules=(LOW,), **given):
    answer = tried(stays, rules, candidates_of((), parse_grid(grid, rules), rules), **given)
    return answer, answer["settings"][0]


def test_counts_gained_lost_and_delay_against_what_is_in_force() -> None:
    """86 for 30 min, 87 for 5 min, 83 for 20 min: another duration and threshold finds others of them."""
    stay = steady(720, [(60, 90, "spo2", 86.0), (200, 205, "spo2", 87.0), (300, 320, "spo2", 83.0)])
    answer, quick = cell("low: 88 × 5m", {"a": stay})
    assert answer["in_force"]["alerts"] == 2
    assert (quick["alerts"], quick["gained"], quick["lost"]) == (3, 1, 0)
    assert quick["delay_s"] == {"median": -300.0, "p90": -300.0, "most": -300.0}
    _, strict = cell("low: 85 × 15m", {"a": stay})
    assert (strict["alerts"], strict["gained"], strict["lost"]) == (1, 0, 1)
    assert strict["delay_s"]["median"] == 300.0
    _, never = cell("low: 70 × 1m", {"a": stay})
    assert (never["alerts"], never["lost"], never["delay_s"]) == (0, 2, None)
    assert answer["patient_days"] == pytest.approx(719 / 1440, abs=1e-3)
    assert answer["in_force"]["alerts_per_day"] == pytest.approx(2 / (719 / 1440), abs=1e-3)


def test_time_in_alert_is_from_raising_to_clearing() -> None:
    _, row = cell("low: 88 × 10m", {"a": steady(1441, [(100, 130, "spo2", 86.0)])})
    assert row["alert_hours_per_day"] == pytest.approx((20 + 2) / 60, abs=1e-3)


def test_labelled_events_recall_precision_and_lead() -> None:
    """Alerts at 110, 310 and 710 min; events at 200 (heard 90 min before), 600 (not: 290 is too long)."""
    falls = [(100, 130, "spo2", 86.0), (300, 330, "spo2", 86.0), (700, 730, "spo2", 86.0)]
    stays = {"a": steady(1000, falls), "b": steady(1000)}
    events = {"a": {START + 200 * MINUTE, START + 600 * MINUTE}, "unknown": {START}}
    answer, row = cell("low: 88 × 10m", stays, events=events, window=4 * HOUR, after=1 * HOUR)
    assert answer["events"]["kind"] == "labelled"
    assert (answer["events"]["count"], answer["events"]["stays"]) == (2, 1)
    assert (row["caught"], row["recall"]) == (1, 0.5)
    assert (row["true"], row["false"], row["precision"]) == (1, 2, 0.3333)
    assert row["lead_s"]["median"] == 90 * 60
    days = answer["patient_days"]
    assert row["cost_per_day"] == pytest.approx((5 * 1 + 2) / days, rel=1e-3)
    _, kind = cell("low: 88 × 10m", stays, events=events, window=4 * HOUR, after=2 * HOUR)
    assert (kind["true"], kind["false"]) == (1, 0)  # the others came within 2 h after an event
    _, wide = cell("low: 88 × 10m", stays, events=events, window=5 * HOUR, after=1 * HOUR)
    assert (wide["caught"], wide["true"], wide["false"]) == (2, 2, 1)


def test_labelled_events_that_no_alert_could_be_about_are_passed_over() -> None:
    stays = {"a": steady(1000, [(100, 130, "spo2", 86.0)])}
    before, after, last = START - MINUTE, START + 1241 * MINUTE, START + 1239 * MINUTE
    wanted = {"events": {"a": {before, after}}, "window": 4 * HOUR, "after": HOUR}
    answer, row = cell("low: 88 × 10m", stays, **wanted)
    assert (answer["events"]["count"], row["recall"], row["cost_per_day"] > 0) == (0, None, True)
    assert "within 4 h before" in answer["events"]["meaning"]
    answer, row = cell("low: 88 × 10m", stays, **wanted | {"events": {"a": {before, after, START, last}}})
    assert (answer["events"]["count"], row["recall"]) == (2, 0.0)


def test_without_labels_severe_events_stand_in_and_that_is_said() -> None:
    falls = [(100, 160, "spo2", 83.0), (400, 404, "spo2", 78.0), (600, 700, "spo2", 87.0)]
    answer, row = cell("low: 86 × 10m", {"a": steady(900, falls)})
    assert answer["events"]["kind"] == "severe"
    assert answer["events"]["count"] == 2  # below 85 for 5 min, below 80 for 1 min
    assert "Nothing is labelled" in answer["events"]["meaning"]
    assert "SpO2 below 85 % for 5 min" in answer["events"]["meaning"]
    assert "RR" not in answer["events"]["meaning"]
    assert (answer["in_force"]["recall"], answer["in_force"]["false"]) == (0.5, 1)
    assert (row["recall"], row["false"]) == (0.5, 0)
    _, standing = cell("low: 90 × 1m", {"a": steady(900, [(50, 100, "spo2", 89.0), *falls])})
    assert standing["recall"] == 1.0  # it was raised before, and stands
    assert standing["lead_s"]["median"] > 0


def test_of_no_stay_at_all_the_meaning_names_no_events() -> None:
    wanted = running.Wanted(candidates_of([{"id": LOW.id}], None, (LOW,)))
    nothing = running.run([], lambda some: [], wanted, lambda *_: None, int)
    assert "sustained severe events during which" in nothing["events"]["meaning"]


def test_an_alert_that_stands_for_ever_hears_nothing() -> None:
    """Raised once and never cleared, it would be the cheapest of all."""
    stay = steady(2_000, [(0, 2_000, "spo2", 95.0), (1_000, 1_060, "spo2", 82.0)])
    _, always = cell("low: 99 × 1m", {"a": stay})
    assert (always["alerts"], always["true"], always["false"], always["recall"]) == (1, 0, 1, 0.0)
    falls = [(900, 1_000, "spo2", 95.0), (1_000, 1_060, "spo2", 82.0)]
    _, often = cell("low: 99 × 1m", {"a": steady(1_100, falls, spo2=100.0)})
    assert (often["alerts"], often["true"], often["recall"]) == (1, 1, 1.0)


def test_severe_events_that_overlap_are_one() -> None:
    fall = [(100, 110, "spo2", 84.0), (110, 120, "spo2", 78.0), (120, 130, "spo2", 84.0)]
    answer, _ = cell("low: 88 × 10m", {"a": steady(400, fall), "b": steady(400, fall)})
    assert (answer["events"]["count"], answer["events"]["stays"]) == (2, 2)


def test_the_distribution_says_who_has_them() -> None:
    stays = {f"calm-{n}": steady(1441) for n in range(9)}
    stays["one"] = steady(1441, [(n, n + 30, "spo2", 86.0) for n in range(60, 1400, 120)])
    answer, row = cell("low: 88 × 10m", stays)
    spread = row["distribution"]
    assert (spread["stays"], spread["without"], spread["top_tenth_share"]) == (10, 9, 1.0)
    assert (spread["median"], spread["most"]) == (0.0, pytest.approx(row["alerts"], rel=0.01))
    low, high = row["alerts_per_day_interval"]
    assert low == 0.0
    assert high > row["alerts_per_day"] > low
    assert answer["patient_days"] == pytest.approx(10, abs=0.02)


def test_a_pack_against_another_counts_what_it_leaves_out_as_lost() -> None:
    other = parse_rule({"id": "other", "priority": "low", "when": ["rr > 20"], "for": "5m"})
    stay = steady(400, [(50, 90, "rr", 24.0), (200, 250, "spo2", 86.0)])
    candidates = candidates_of([{"id": "low", "priority": "high", "when": ["spo2 < 88"], "for": "5m"}], None,
                               (LOW, other), only=True)  # fmt: skip
    answer = tried({"a": stay}, (LOW, other), candidates)
    row = answer["settings"][0]
    assert (answer["in_force"]["alerts"], row["alerts"], row["lost"], row["gained"]) == (2, 1, 1, 0)
    assert [(i["rule"], i["raised_at"]) for i in answer["raised"]] == [("low", 205 * 60)]
    assert [i["rule"] for i in answer["only_now"]] == ["other", "low"]
    assert [i["rule"] for i in answer["only_candidate"]] == ["low"]


def test_stays_whose_rule_is_their_own_are_added_up_with_the_others() -> None:
    from ward.trial.run import Patient, Wanted, run

    strict = parse_rule({"id": "low", "priority": "high", "when": ["spo2 < 84"], "for": "10m"})
    stay = steady(400, [(50, 90, "spo2", 86.0), (200, 250, "spo2", 83.0)])
    candidates = candidates_of((), parse_grid("low: 88 × 5m", (LOW,)), (LOW,))
    end = int(stay.time.max())

    def go(kept: frozenset[str]) -> dict:
        patients = [
            Patient("a", START, end, len(stay), (LOW,)),
            Patient("b", START, end, len(stay), (strict,), kept=kept),
        ]
        return run(patients, lambda some: [stay for _ in some], Wanted(candidates), lambda *_: None, int)

    everywhere, narrow = go(frozenset()), go(frozenset({"low"}))
    assert everywhere["in_force"]["alerts"] == narrow["in_force"]["alerts"] == 2 + 1
    assert everywhere["settings"][0]["alerts"] == 4
    assert narrow["settings"][0]["alerts"] == 2 + 1
    assert narrow["settings"][0]["gained"] == 0


def test_interruptions_are_those_of_the_book_over_the_whole_stay() -> None:
    """Cut into stretches and remembered, they are as many as in one life."""
    sets = Sets((RULES, *(s.rules(RULES) for s in candidates_of(
        (), parse_grid("spo2-below-88: 86,92 × 1m,10m", RULES), RULES).settings)))  # fmt: skip
    end = START + 1_200 * MINUTE
    some = [wandering(n, 1_200) for n in range(3)]
    subjects = [Subject(START, end, len(readings), sets) for readings in some]
    found = sweep(subjects, lambda where: some[where], lambda _: None)
    counted = Interruptions(found, [sets] * 3, np.full(3, end), [frozenset()] * 3)
    for setting, rules in enumerate(sets.sets):
        expected = []
        for readings in some:
            engine = Engine(rules, 1, lateness=0)
            engine.add(readings)
            breaches = spans(engine.step(end).transitions, rules).get(0, [])
            expected.append(len(live("", breaches, end=end).interruptions))
        assert counted.of(setting).tolist() == expected
    assert counted.told < sum(int(np.isin(found.alerts.column, np.arange(99)).sum()) for _ in sets.sets)


def test_where_there_is_much_to_tell_the_front_alone_has_interruptions(monkeypatch) -> None:
    stays = {f"s{n}": wandering(n, 1_500) for n in range(4)}
    candidates = candidates_of((), parse_grid("spo2-below-88: 82..96/2 × 1m,10m,60m", RULES), RULES)
    every = tried(stays, RULES, candidates, wish=Wish(40, "interruptions"))
    assert all(row["interruptions"] is not None for row in every["settings"])
    monkeypatch.setattr(running, "MOST_TOLD", 300)
    some = tried(stays, RULES, candidates, wish=Wish(40, "interruptions"))
    known = {r["label"]: r["interruptions"] for r in some["settings"] if r["interruptions"] is not None}
    assert 1 <= len(known) < len(every["settings"])
    assert known.items() <= {r["label"]: r["interruptions"] for r in every["settings"]}.items()
    chosen = some["suggestion"]["chosen"]
    assert chosen["interruptions_per_day"] <= 40
    assert any("Interruptions were counted for" in note for note in some["suggestion"]["notes"])


@given(st.integers(0, 60), st.integers(0, 60))
@settings(max_examples=60)
def test_a_share_lies_in_its_interval_and_more_data_narrow_it(hits: int, misses: int) -> None:
    of = hits + misses
    interval = wilson(hits, of)
    if not of:
        assert interval is None
        return
    low, high = interval
    assert 0 <= low <= hits / of <= high <= 1
    wider = high - low
    low, high = wilson(10 * hits, 10 * of)
    assert high - low < wider


def test_intervals_of_loads_need_stays_and_are_the_same_each_time() -> None:
    counts = np.array([[1, 0, 4, 2, 3, 1], [0, 0, 0, 0, 0, 0]])
    monitored = np.full(6, DAY)
    assert load_intervals(counts[:, :4], monitored[:4]) is None
    found = load_intervals(counts, monitored)
    assert found.tolist() == load_intervals(counts, monitored).tolist()
    assert found[0, 0] < counts[0].mean() < found[0, 1]
    assert found[1].tolist() == [0, 0]
