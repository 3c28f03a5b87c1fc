"""The device clock's measured offset (contract 3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ward.ingest.assignments import Assigned, StayInfo
from ward.ingest.devices import DeviceClock
from ward.ingest.records import Sample, Value
from ward.ingest.router import Router
from ward.signals import INDEX, MINUTE

T = 1_795_258_800_000
HOUR = 60 * MINUTE


def heard(clock, received, times):
    for at, time in zip(received, times, strict=True):
        clock.hear(T + time, T + at)
    return clock.applied


def offsets(router):
    return {d.key: d.offset for d in router.devices() if d.offset}


def seconds(first, last, step=1):
    return [1000 * s for s in range(first, last, step)]


def test_an_even_lag_is_measured_after_three_live_samples():
    clock = DeviceClock()
    behind = [s - 3_600_000 for s in seconds(0, 60)]
    assert heard(clock, seconds(0, 15), behind[:15]) == 0
    assert heard(clock, seconds(15, 16), behind[15:16]) == HOUR
    assert clock.correct(T + behind[20], T + 20_000) == T + 20_000


def test_a_clock_that_is_right_is_left_alone():
    clock = DeviceClock()
    jitter = [40, 900, 10, 350, 700, 5] * 10
    received = [s + j for s, j in zip(seconds(0, 60), jitter, strict=True)]
    assert heard(clock, received, seconds(0, 60)) == 0
    assert clock.correct(T + 5123, T + 6000) == T + 5123


def test_a_small_change_of_the_median_does_not_move_times():
    clock = DeviceClock()
    assert heard(clock, seconds(10, 50), seconds(0, 40)) == 10_000
    later = [s + 450 for s in seconds(50, 400)]
    assert heard(clock, later, seconds(40, 390)) == 10_000


def test_a_backlog_in_a_flood_does_not_count():
    clock = DeviceClock()
    heard(clock, seconds(0, 30), seconds(0, 30))
    flood = [1_230_000 + n for n in range(1200)]
    assert heard(clock, flood, seconds(30, 1230)) == 0
    assert heard(clock, seconds(1232, 1240), seconds(1231, 1239)) == 0


@pytest.mark.parametrize("speed", [1.3, 2, 5, 20, 300])
def test_a_backlog_does_not_count_however_slowly_it_is_sent(speed):
    clock = DeviceClock()
    heard(clock, seconds(0, 300), seconds(0, 300))
    times = seconds(300, 1500)
    received = [max(1_500_000 + round((t - 300_000) / speed), t) for t in times]
    assert heard(clock, received, times) == 0
    assert clock.lags == [0] * len(clock.lags)


def test_a_backlog_on_the_first_connection_does_not_count():
    clock = DeviceClock()
    assert heard(clock, [1_200_000 + 2 * n for n in range(1200)], seconds(0, 1200)) == 0
    assert clock.lags == []


def test_backlogs_of_a_service_that_is_down_again_and_again_do_not_count():
    clock = DeviceClock()
    down = [(begin, begin + 5_000) for begin in range(10_000, 200_000, 8_000)]
    received = [
        next((end + k for begin, end in down if begin <= s < end), s) for k, s in enumerate(seconds(0, 200))
    ]
    assert heard(clock, received, seconds(0, 200)) == 0
    assert [lag for lag in clock.lags if lag] == []


def test_a_clock_set_right_is_followed():
    clock = DeviceClock()
    heard(clock, seconds(0, 40), [s + HOUR for s in seconds(0, 40)])
    assert clock.applied == -HOUR
    assert heard(clock, seconds(40, 140), seconds(40, 140)) == 0


def test_a_new_session_keeps_the_offset_until_it_has_its_own():
    clock = DeviceClock()
    heard(clock, seconds(0, 40), [s + HOUR for s in seconds(0, 40)])
    clock.restart()
    assert heard(clock, seconds(60, 75), seconds(60, 75)) == -HOUR
    assert heard(clock, seconds(75, 76), seconds(75, 76)) == 0


def test_sparse_devices_are_measured_too():
    clock = DeviceClock()
    received = seconds(0, 9000, 1800)
    assert heard(clock, received, [s - 5 * MINUTE for s in received]) == 5 * MINUTE


def readings(router, samples, measure=True):
    return router.apply(samples, measure_offset=measure).rows.readings.time.tolist()


def sample(received, time, newest=True, device="mon", seq=None):
    return Sample("north", device, T + received, T + time, seq, None, [Value(INDEX["hr"], 80.0)], newest)


def ward():
    devices = (Assigned("mon", T - 24 * HOUR), Assigned("patch", T - 24 * HOUR))
    return Router([StayInfo("anna", "north", "1", (), T - 24 * HOUR, None, devices)])


def test_only_the_newest_of_a_message_is_live():
    router = ward()
    for n in range(20):
        router.apply([sample(60_000 * n, 60_000 * n - 1000 * k, newest=k == 0) for k in range(59, -1, -1)])
    assert offsets(router) == {}


def test_a_redelivery_does_not_count():
    router = ward()
    first = [sample(1000 * n, 1000 * n, seq=n) for n in range(30)]
    router.apply(first)
    again = [sample(HOUR + 1000 * n, 1000 * n, seq=n) for n in range(30)]
    assert router.apply(again * 9).duplicates == 270
    assert offsets(router) == {}
    assert router._devices["north/mon"].clock.received < T + HOUR
    assert offsets(router) == {}


def test_a_device_that_is_off_does_not_move_another_s_times():
    router = ward()
    for n in range(20):
        router.apply([sample(1000 * n, 1000 * n - HOUR), sample(1000 * n, 1000 * n, device="patch")])
    assert offsets(router) == {"north/mon": HOUR}
    times = readings(router, [sample(20_000, 20_000 - HOUR), sample(20_000, 20_000, device="patch")])
    assert times == [T + 20_000, T + 20_000]


def test_nothing_is_from_the_future():
    router = ward()
    year = 365 * 24 * HOUR
    times = [readings(router, [sample(1000 * n, 1000 * n + year)])[0] for n in range(30)]
    assert times == [T + 1000 * n for n in range(30)]
    assert offsets(router) == {"north/mon": -year}


def test_on_a_replayed_clock_no_offset_is_measured():
    router = ward()
    times = [readings(router, [sample(1000 * n, 1000 * n - HOUR)], measure=False)[0] for n in range(30)]
    assert times == [T + 1000 * n - HOUR for n in range(30)]
    assert offsets(router) == {}


@given(
    st.integers(-20 * HOUR, 20 * HOUR),
    st.sampled_from([200, 1000, 60_000, 1_800_000]),
    st.lists(st.integers(0, 60), min_size=100, max_size=100),
)
def test_any_offset_is_found_within_the_network_s_jitter(offset, interval, jitter):
    clock = DeviceClock()
    for n, late in enumerate(jitter):
        clock.hear(T + n * interval, T + n * interval + late + offset)
    if abs(offset) > 1100:
        assert abs(clock.applied - offset) <= 1060
    elif abs(offset) < 900:
        assert clock.applied == 0
