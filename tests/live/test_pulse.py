"""The service's own metrics: rates, means and levels from samples, and what is not known stays a hole."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from ward.live.pulse import EVERY, KEPT, MOST_POINTS, Pulse, samples


def curve(pulse: Pulse, name: str, minutes: int = 60) -> list[float | None]:
    return next(one["values"] for one in pulse.view(minutes)["series"] if one["name"] == name)


def made(*looks: dict[str, float]) -> Pulse:
    pulse = Pulse(lambda: 0, dict)
    for number, found in enumerate(looks):
        pulse.look(found, number * EVERY)
    return pulse


def test_a_counter_is_shown_by_its_rate() -> None:
    steps = [{"ward_readings_total": n} for n in (100.0, 300.0, 300.0, 50.0, 60.0)]
    assert curve(made(*steps), "readings") == [None, 20.0, 0.0, None, 1.0]  # it began anew in between


def test_a_duration_is_shown_by_its_mean_while_there_was_any() -> None:
    steps = [
        {"ward_tick_seconds_sum": s, "ward_tick_seconds_count": n} for s, n in ((1, 10), (2, 20), (2, 20))
    ]
    assert curve(made(*steps), "tick") == [None, 100.0, None]


def test_a_level_is_shown_as_it_is_and_what_is_not_known_not_at_all() -> None:
    pulse = made({"delay": 2.5}, {}, {"delay": 0.0})
    assert curve(pulse, "delay") == [2.5, None, 0.0]
    assert curve(pulse, "queue") == [None, None, None]


def test_six_hours_are_kept_and_a_peak_is_never_smoothed_away() -> None:
    pulse = Pulse(lambda: 0, dict)
    for number in range(KEPT + 100):
        pulse.look({"delay": 30.0 if number == KEPT else 1.0}, number * EVERY)
    shown = curve(pulse, "delay", 360)
    assert len(shown) == MOST_POINTS
    assert sorted(set(shown), key=str) == [1.0, 30.0]
    assert len(curve(pulse, "delay", 1)) == 6
    assert pulse.view(1)["times"][-1] == (KEPT + 99) * EVERY


def test_samples_of_all_labels_count_together() -> None:
    registry = CollectorRegistry()
    refused = Counter("refused", "x", ["reason"], registry=registry)
    refused.labels("a").inc(2)
    refused.labels("b").inc(3)
    Gauge("level", "x", registry=registry).set(7)
    Histogram("took", "x", registry=registry).observe(0.5)
    Counter("never", "x", ["reason"], registry=registry)
    expected = {"never_total": 0.0}
    assert samples(registry) == expected | {
        "refused_total": 5.0,
        "level": 7.0,
        "took_sum": 0.5,
        "took_count": 1.0,
    }
