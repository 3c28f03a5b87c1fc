"""Readings that the filter has marked before are believed, and come to what filtering them again comes to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.trial.made import RULES, START, steady, wandering
from ward.live.history import as_history
from ward.scoring.filter import INVALID, REASONS, VALID, Filter, Marked
from ward.scoring.readings import Readings
from ward.signals import HOUR, INDEX, MINUTE, SECOND
from ward.store.history import latest
from ward.trial.load import as_judged
from ward.trial.sweep import Alerts, Found, Sets, Subject, sweep

SETS = Sets((RULES,))


def swept(loaded: list[Readings | Marked], end: int) -> Found:
    many = [len(one.readings if isinstance(one, Marked) else one) for one in loaded]
    subjects = [Subject(START, end, n, SETS) for n in many]
    return sweep(subjects, lambda where: loaded[where], lambda _: None)


def live(readings: Readings, end: int) -> Marked:
    """As the history has it after the filter saw it minute by minute."""
    gate, parts = Filter(1), []
    ordered = readings.take(readings.time <= end).in_order()
    for low in range(START, end + 1, MINUTE):
        high = min(low + MINUTE - 1, end)
        now = ordered.take((ordered.time >= low) & (ordered.time <= high))
        parts.append(gate.push(now, high))
    every = Marked.concat(parts)
    stored = latest(as_history(every.readings, mark=every.mark, reason=every.reason))
    found = as_judged(stored, {})
    assert isinstance(found, Marked)
    return replace(found, readings=replace(found.readings, hold=_holds(found.readings, readings)))


def _holds(rows: Readings, given: Readings) -> np.ndarray:
    of = {int(s): int(h) for s, h in zip(given.signal, given.hold, strict=True)}
    return np.array([of[s] for s in rows.signal.tolist()], np.int64)


def restless(seed: int, minutes: int, every: int) -> Readings:
    """Wanders, with values that are nonsense."""
    readings = wandering(seed, minutes)
    rng = np.random.default_rng(seed)
    value, odd = readings.value.copy(), rng.random(len(readings)) < 0.03
    value[odd] = rng.choice([0.0, 4.0, 250.0, 30.0, 99.0], int(odd.sum()))
    return replace(readings, value=value, time=START + (readings.time - START) // MINUTE * every)


def columns(found: Alerts) -> list[tuple[int, ...]]:
    return list(zip(*(getattr(found, n).tolist() for n in Alerts.__slots__), strict=True))


@pytest.mark.parametrize(("every", "many"), [(MINUTE, 400), (10 * SECOND, 1_500)])
def test_marks_of_before_come_to_what_filtering_again_does(every: int, many: int) -> None:
    """Wherever the trial ends: in the middle of a doubt, too."""
    raised = invalid = 0
    for seed in range(6):
        readings = restless(seed, many, every)
        end = START + (many - 10) * every + seed * 3 * SECOND
        marked = live(readings, end)
        invalid += int((marked.mark != VALID).sum())
        other = restless(seed + 50, many, every)  # beside a stay that nobody has judged
        again, believed = swept([readings, other], end), swept([marked, other], end)
        assert columns(believed.alerts) == columns(again.alerts)
        assert believed.monitored.tolist() == again.monitored.tolist()
        raised += len(again.alerts)
    assert raised > 20
    assert invalid > 30


def test_what_is_marked_is_not_judged_again() -> None:
    readings = steady(120, [(30, 90, "spo2", 84.0)])
    wrong = (readings.signal == INDEX["spo2"]) & (readings.value < 90)
    mark = np.where(wrong, INVALID, VALID).astype(np.uint8)
    marked = Marked(readings, mark, np.zeros_like(mark), np.ones(len(mark), np.bool_))
    told = swept([marked, readings], START + 2 * HOUR).alerts
    assert set(told.stay[told.column == RULES.index(RULES[2])].tolist()) == {1}


def test_what_no_filter_has_seen_is_judged_now() -> None:
    readings = steady(10)
    seen = as_history(readings, reason=REASONS.index("spike"), mark=1)
    assert isinstance(as_judged(seen, {}), Marked)
    unseen = replace(seen, reason=np.where(np.arange(len(seen)) == 3, 0, seen.reason).astype(np.uint8))
    assert isinstance(as_judged(unseen, {}), Readings)
