"""The ward's clock: forwards with the machine's, never backwards."""

from __future__ import annotations

import time

from ward.clock import ReplayClock, WallClock, iso, steady_s


class Machine:
    wall_ms, steady_s = 1_000_000, 50.0

    def passes(self, seconds: float, wall_seconds: float | None = None) -> None:
        self.steady_s += seconds
        self.wall_ms += round((seconds if wall_seconds is None else wall_seconds) * 1000)


def clock_of(machine: Machine) -> WallClock:
    return WallClock(wall=lambda: machine.wall_ms, steady=lambda: machine.steady_s)


def test_it_follows_the_machine():
    machine = Machine()
    clock = clock_of(machine)
    machine.passes(10)
    assert clock.now() == 1_010_000
    machine.passes(10, 50)
    assert clock.now() == 1_060_000
    machine.passes(3_600)  # it slept
    assert clock.now() == 4_660_000
    assert (clock.behind, clock.ahead) == (0, 0)


def test_a_machine_set_far_forward_is_not_followed_and_told():
    """An hour without readings did not pass: no device is lost for it, no hold ends."""
    machine = Machine()
    clock = clock_of(machine)
    machine.passes(1, 3_600)
    assert clock.now() == 1_001_000
    assert clock.ahead == 3_599_000
    machine.passes(5)
    assert clock.now() == 1_006_000
    machine.passes(0, -3_599)
    assert clock.now() == 1_006_000
    assert clock.ahead == 0


def test_a_machine_set_back_is_not_followed_and_told():
    machine = Machine()
    clock = clock_of(machine)
    machine.passes(1, -3_600)
    assert clock.now() == 1_001_000
    assert clock.behind == 3_601_000
    machine.passes(5)
    assert clock.now() == 1_006_000
    machine.passes(0, 3_601)
    assert clock.now() == 1_006_000
    assert clock.behind == 0


def test_where_there_is_no_boottime_a_clock_that_goes_on_in_sleep_is_read(monkeypatch):
    monkeypatch.delattr(time, "CLOCK_BOOTTIME", raising=False)
    monkeypatch.setattr(time, "CLOCK_MONOTONIC", "asleep or not", raising=False)
    monkeypatch.setattr(time, "clock_gettime", {"asleep or not": 7.5}.__getitem__, raising=False)
    assert steady_s() == 7.5


def test_small_corrections_never_turn_it_back():
    machine = Machine()
    clock = clock_of(machine)
    before = clock.now()
    machine.passes(0.1, -0.5)
    assert clock.now() >= before
    assert clock.behind == 0


def test_replay_runs_at_its_speed():
    assert ReplayClock(0, 60).speed == 60
    assert iso(1_500) == "1970-01-01T00:00:01.500Z"
    assert iso(None) is None
