"""A heartbeat that stays away is seen, by its name and for how long."""

from __future__ import annotations

import time

import pytest

from ward.live.heartbeats import Heartbeats


def test_who_is_silent_longer_than_its_limit_is_late():
    beats = Heartbeats()
    before = time.monotonic()
    beats.expect("engine", 10)
    beats.expect("outbox", 60)
    after = time.monotonic()
    assert beats.late(before + 9) == {}
    (late,) = beats.late(before + 11 + (after - before)).items()
    assert late == ("engine", pytest.approx(11, abs=after - before + 1e-6))
    assert set(beats.late(after + 61)) == {"engine", "outbox"}


def test_a_beat_or_a_new_expectation_begins_anew_and_a_forgotten_one_is_never_late():
    beats = Heartbeats()
    beats.expect("engine", 0.001)
    beats.expect("outbox", 0.001)
    beats.beat("engine")
    beats.beat("nobody expects this one")
    beats.forget("outbox")
    now = time.monotonic()
    assert set(beats.late(now + 1)) == {"engine"}
    assert set(beats.ages(now)) == {"engine"}
    with pytest.raises(ValueError, match="more than 0"):
        beats.expect("engine", 0)
