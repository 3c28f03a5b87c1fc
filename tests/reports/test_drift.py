"""Drift: silent on wards that stay what they are, found where something changes (see benchmarks/drift.py)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.drift import CHANGES, FIRST, START, World, found_after, live, notices, told
from ward.reports.drift import (
    FEWEST_PATIENTS,
    LASTING,
    Key,
    Past,
    compare,
    complete,
    examine,
    sentence,
    stability_index,
    window,
)
from ward.reports.tally import HOURS, MONITORED, PRESENT, QUANTITIES, count, in_hour, total, watched
from ward.signals import HOUR, SECOND
from ward.store.feedback import Present
from ward.store.tallies import DAY, Baseline, Tally

SPO2 = [q.name for q in QUANTITIES].index("spo2")
ALL_DAY = [3600 * 20] * HOURS


# --- counting -------------------------------------------------------------------------------------------


def test_time_is_counted_in_the_bin_of_the_value_in_force():
    value = np.full((4, len(QUANTITIES)), np.nan)
    value[:, SPO2] = [97, 97, 40, np.nan]
    value[3, 0] = 500
    first, second = count(value, np.array([0, 0, 1, 1]), 2, 60)
    assert set(first) == {"spo2"}
    assert first["spo2"][97 - 70] == 120
    assert second["spo2"][0] == 60, "what is below all bins is in the first"
    assert second["hr"][-1] == 60
    assert sum(second["spo2"]) == 60, "UNKNOWN is not counted"


@pytest.mark.parametrize("quantity", QUANTITIES, ids=lambda q: q.name)
def test_bins_lie_where_their_centres_say(quantity):
    value = np.full((quantity.bins, len(QUANTITIES)), np.nan)
    value[:, QUANTITIES.index(quantity)] = quantity.centres
    (found,) = count(value, np.zeros(quantity.bins, np.int64), 1, 1)
    assert found[quantity.name] == [1] * quantity.bins


def test_monitored_time_is_that_of_the_span():
    tallies = [Tally("w", START, {MONITORED: in_hour(3, 7200)}), Tally("w", START + DAY, {})]
    (found,) = watched(tallies, START, START + 2 * DAY)
    assert (found.hour, found.ms) == (START + 3 * HOUR, 7200 * SECOND)
    (half,) = watched(tallies, START + 3 * HOUR + HOUR // 2, START + DAY)
    assert half.ms == 3600 * SECOND
    assert not list(watched(tallies, START + 4 * HOUR, START + DAY))


def test_days_with_other_bins_are_not_added_up():
    days = [Tally("w", 0, {"hr": [1, 2]}), Tally("w", 1, {"hr": [1, 2, 3]}), Tally("w", 2, {"hr": [4, 4, 4]})]
    assert total(days, "hr").tolist() == [5, 6, 7]
    assert not len(total(days, "spo2"))


# --- comparing ------------------------------------------------------------------------------------------


def test_patients_are_counted_by_their_time():
    days = [Tally("w", START, {MONITORED: ALL_DAY})]
    whole = [Present(str(n), "w", START, None) for n in range(10)]
    brief = [Present(f"b{n}", "w", START, START + HOUR) for n in range(10)]
    assert window(Past(days, whole), days).patients == pytest.approx(10)
    assert 10 < window(Past(days, whole + brief), days).patients < 11
    assert not compare(*[window(Past(days, whole[: FEWEST_PATIENTS - 1]), days)] * 2, 1)


def test_the_stability_index_of_equal_halves_is_none_and_grows_with_the_shift():
    p = np.array([0.1, 0.4, 0.4, 0.1, 0.0])
    assert stability_index(p, p) == 0
    once, twice = stability_index(p, np.roll(p, 1)), stability_index(p, np.roll(p, 2))
    assert 0.1 < once < twice < 10, "an empty bin is not infinitely far"


def test_a_day_counts_when_it_is_over_and_was_watched():
    brief = [3600] * 11 + [0] * 13
    tallies = [
        Tally("w", START + n * DAY, {MONITORED: hours}) for n, hours in enumerate((ALL_DAY, brief, ALL_DAY))
    ]
    assert [t.day for t in complete(tallies, START + 3 * DAY)] == [START, START + 2 * DAY]
    assert [t.day for t in complete(tallies, START + 3 * DAY - 1)] == [START]


def test_nothing_is_said_without_reference_days_or_patients():
    past = live(World(days=40), 3)
    baseline = Baseline("w", START, START + 14 * DAY, None, START)
    assert examine(past, None, START + 40 * DAY).state == "collecting"
    assert examine(past, baseline, START + 20 * DAY).state == "collecting"
    assert examine(past, baseline, START + 21 * DAY).state == "compared"
    assert examine(past, baseline, START + 60 * DAY).state == "quiet"


# --- wards ----------------------------------------------------------------------------------------------


def test_wards_without_a_change_are_hardly_ever_told_of():
    """Six ward-years in ``benchmarks.drift`` have about one notice; here are some months of four wards."""
    begun = sum(notices(told(live(World(beds=24, days=64), seed), range(FIRST, 64, 2))) for seed in range(4))
    assert begun <= 1


@pytest.mark.parametrize(
    ("change", "within"),
    [
        ("probes read SpO2 2 % lower", 14),
        ("sicker patients (by two standard deviations)", 30),
        ("devices of every third bed send no RR", 20),
        ("three times the alerts", 40),
    ],
)
def test_what_changes_on_a_ward_is_found(change: str, within: int):
    world, keys = CHANGES[change]
    assert found_after(replace(world, beds=40, days=45 + within, change=30), keys, 5, within) is not None


def test_it_is_told_when_it_has_lasted_and_in_words():
    world = replace(CHANGES["probes read SpO2 2 % lower"][0], beds=60, days=60, change=30)
    past = live(world, 2)
    baseline = Baseline("w", START, START + 14 * DAY, None, START)
    verdicts = {day: examine(past, baseline, START + day * DAY) for day in range(28, 46)}
    key = Key("spo2", "value")
    differs = {day for day, v in verdicts.items() if any(f.key == key and f.differs for f in v.findings)}
    lasting = {day for day, v in verdicts.items() if key in v.lasting}
    assert lasting
    assert min(lasting) == min(differs) + LASTING - 1
    week = next(f for f in verdicts[45].findings if f.key == key and f.days == 7)
    assert week.psi == pytest.approx(week.size / 10)
    assert week.before - week.now == pytest.approx(2, abs=0.7)
    assert sentence(week) == f"SpO2 is on average {week.now:.1f} %, in the reference {week.before:.1f} %"


def test_presence_without_values_is_a_score_that_is_not_known():
    days = [Tally("w", START, {MONITORED: ALL_DAY, PRESENT: ALL_DAY, "news2": [3600 * 20 * 24] + [0] * 20})]
    half = [Tally("w", START, {**days[0].counts, "news2": [3600 * 10 * 24] + [0] * 20})]
    stays = [Present(str(n), "w", START, None) for n in range(60)]
    found = {f.key: f for f in compare(window(Past(days, stays), days), window(Past(half, stays), half), 7)}
    known = found[Key("news2", "known")]
    assert (known.before, known.now, known.differs) == (1.0, 0.5, True)
    assert sentence(known) == "NEWS2 is known 50 % of the time, in the reference 100 %"
