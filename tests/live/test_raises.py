"""An alert says what its rule saw when it was raised, also where evaluation comes minutes later."""

from __future__ import annotations

from ward.live.raises import values_at_raises
from ward.live.views import Newest
from ward.scoring.engine import Engine
from ward.scoring.readings import Readings
from ward.scoring.rules import Clause, Rule
from ward.signals import INDEX

START = 1_700_000_000_000
FAST = Rule("fast", "", "high", "physiological", (Clause("hr", ">", 130.0),), 30_000, 30_000, 30_000)


def readings(signal: str, seconds: range, value: float) -> Readings:
    """They alternate a little, as a frozen device's would not."""
    times = [START + second * 1_000 for second in seconds]
    values = [value + second % 3 for second in seconds]
    return Readings.of(
        len(times), slot=0, signal=INDEX[signal], time=times, value=values, device=1, hold=90_000
    )


def told(parts: list[Readings], steps: range) -> dict[tuple[int, int], tuple[str, float]]:
    """By rule and second of the raise."""
    engine, newest = Engine([FAST], 1, lateness=0), Newest(1)
    engine.add(Readings.concat(parts))
    found = {}
    for second in steps:
        step = engine.step(START + second * 1_000)
        for (_, rule, at), value in values_at_raises(engine, newest, step).items():
            found[rule, (at - START) // 1_000] = value
        newest.take(step.marked.readings, step.marked.mark, step.marked.reason)
    return found


def test_a_pulse_that_did_not_stand_in_is_never_told_for_the_heart_rate():
    """A doubtful SpO2 holds the evaluation up while the heart rate goes on and the slower pulse does not."""
    heart, pulse = readings("hr", range(60), 140), readings("pr", range(0, 25, 5), 128)
    saturation = [readings("spo2", range(20), 95), readings("spo2", range(20, 60), 70)]
    assert told([heart, pulse, *saturation], range(60)) == {}


def test_a_heart_rate_of_long_ago_is_not_told_where_the_pulse_stood_in():
    """The pulse raised it, and the heart rate is back before anybody has evaluated that."""
    heart = [readings("hr", range(10), 80), readings("hr", range(250, 400), 82)]
    pulse = readings("pr", range(100, 200), 140)
    assert told([*heart, pulse], range(10, 401, 390)) == {(0, 130): ("pr", 141.0)}


def test_a_heart_rate_that_was_not_read_since_is_told_from_before():
    heart = readings("hr", range(0, 40, 20), 140)
    assert told([heart], range(0, 60, 7)) == {(0, 30): ("hr", 142.0)}
