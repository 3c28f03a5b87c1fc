"""Each fault appears in the messages as it is described, and only while it lasts."""

import json
from itertools import pairwise

import pytest

from simulator import Fault, messages, scene
from simulator.ward_plan import FAULTS_PER_DAY, plan_ward
from tests.simulator.reading import HOUR, MINUTE, START, ms_of, samples, values, vitals, within

LO, HI = 10 * MINUTE, 14 * MINUTE


def play(kind, device="monitor", lo=LO, hi=HI, duration=30 * MINUTE, batch=1_000, amount=0, seed=1):
    plan = scene(seed=seed, devices=[device], faults={device: [Fault(kind, lo, hi, amount)]})
    clean = scene(seed=seed, devices=[device])
    return (
        list(messages(plan, START, duration, batch)),
        list(messages(clean, START, duration, batch)),
    )


def statuses(found, signal):
    return [sample.get("status", {}).get(signal) for sample in found]


def readings(found):
    return [(time, sample["readings"]) for _, time, sample in found]


@pytest.mark.parametrize("kind", ["probe-off", "leads-off", "motion", "flat-line", "spikes"])
def test_a_sensor_fault_changes_nothing_outside_its_time(kind):
    faulty, clean = (samples(found) for found in play(kind))
    assert len(faulty) == len(clean)
    for (_, time, one), (_, _, other) in zip(faulty, clean, strict=True):
        assert one == other or LO <= time < HI
    assert readings(faulty) != readings(clean)


def test_probe_off_is_said_and_then_null():
    found = samples(play("probe-off")[0])
    during = within(found, LO, HI)
    assert set(statuses(during, "spo2")) == {"probe-off"}
    assert set(values(during[7:], "spo2")) == set(values(during[7:], "pr")) == {None}
    assert None not in values(during[:5], "spo2")
    assert None not in values(during, "hr")


def test_leads_off_a_monitor_shows_a_silent_zero_beside_a_good_pulse():
    during = within(samples(play("leads-off")[0]), LO, HI)
    assert set(values(during, "hr")) == {0}
    assert statuses(during, "hr") == [None] * len(during)
    assert min(values(during, "pr")) > 40
    assert set(values(during, "rr")) == {None}
    assert set(statuses(during, "rr")) == {"leads-off"}


def test_leads_off_a_patch_is_said():
    during = within(samples(play("leads-off", "patch")[0]), LO, HI)
    assert set(values(during, "hr")) == {None}
    assert set(statuses(during, "hr")) == {"leads-off"}
    assert None not in values(during, "temp")


def test_motion_comes_in_short_bursts_with_low_quality():
    during = within(samples(play("motion")[0]), LO, HI)
    clean = within(samples(play("motion")[1]), LO, HI)
    assert {sample["quality"]["spo2"] for sample in during} == {0.2}
    assert set(statuses(during, "spo2")) == {"motion"}
    off = [a != b for a, b in zip(values(during, "spo2"), values(clean, "spo2"), strict=True)]
    assert 0.25 < sum(off) / len(off) < 0.75
    assert min(values(during, "spo2")) < min(values(clean, "spo2")) - 5


def test_flat_line_repeats_the_first_value_and_says_nothing():
    during = within(samples(play("flat-line", hi=LO + 20 * MINUTE, duration=40 * MINUTE)[0]), LO, HI)
    for signal in ("hr", "pr", "spo2", "rr", "pi"):
        assert len(set(values(during, signal))) == 1
    assert not any("status" in sample for sample in during)


@pytest.mark.parametrize(
    ("device", "signal", "count"), [("monitor", "hr", 3), ("patch", "rr", 1), ("cuff-15", "sbp", 1)]
)
def test_spikes_are_few_and_far_out(device, signal, count):
    lo, hi = (LO, HI) if device != "cuff-15" else (10 * MINUTE, 25 * MINUTE)
    faulty, clean = (samples(found) for found in play("spikes", device, lo, hi, HOUR))
    changed = [
        (a, b)
        for a, b in zip(values(faulty, signal), values(clean, signal), strict=True)
        if a != b and None not in (a, b)
    ]
    assert len(changed) == count
    assert all(abs(a - b) > 30 for a, b in changed)


def test_dropout_loses_samples_and_leaves_a_hole_in_seq():
    faulty, clean = (samples(found) for found in play("dropout"))
    assert within(faulty, LO, HI) == []
    assert within(faulty, HI, HOUR) == within(clean, HI, HOUR)


def test_backlog_comes_after_reconnecting_with_its_own_times():
    faulty, clean = play("backlog", hi=LO + 15 * MINUTE)
    end = LO + 15 * MINUTE
    assert [s for _, _, s in sorted(samples(faulty), key=lambda s: s[1])] == [s for _, _, s in samples(clean)]
    late = [(at, time) for at, time, _ in samples(faulty) if LO <= time < end]
    assert len(late) == 15 * 60
    assert all(at > end for at, _ in late)
    assert max(at for at, _ in late) < end + 30_000
    silent = [m for m in vitals(faulty) if LO + 2_000 < m.at - START < end]
    assert silent == []
    kinds = [(m.what, m.at - START, m.session) for m in faulty if m.what != "vitals"]
    assert [what for what, _, _ in kinds] == ["birth", "will", "birth"]
    assert LO < kinds[1][1] < end
    assert kinds[2][1] == end
    assert len({session for _, _, session in kinds}) == 1


def test_reboot_is_a_new_session_and_the_old_ones_will_comes_late():
    faulty, _ = play("reboot", hi=LO + 30_000)
    states = [m for m in faulty if m.what != "vitals"]
    assert [m.what for m in states] == ["birth", "birth", "will"]
    first, second, will = states
    assert will.session == first.session != second.session
    assert json.loads(will.payload) == {"state": "offline", "session": first.session}
    after = [m for m in vitals(faulty) if m.session == second.session]
    assert json.loads(after[0].payload)["seq"] == 0
    assert all(m.at > second.at for m in after)
    assert within(samples(faulty), LO, LO + 30_000) == []


def test_duplicates_are_the_same_message_again():
    faulty, clean = play("duplicates")
    payloads = [m.payload for m in vitals(faulty)]
    again = len(payloads) - len(set(payloads))
    assert again == pytest.approx((HI - LO) / 1000, abs=3)
    assert set(payloads) == {m.payload for m in vitals(clean)}


@pytest.mark.parametrize("batch", [1_000, 24_000])
def test_reordering_loses_nothing_and_stays_within_the_lateness(batch):
    faulty, clean = (samples(found) for found in play("reordering", batch=batch))
    assert sorted(time for _, time, _ in faulty) == [time for _, time, _ in clean]
    times = [time for _, time, _ in faulty if LO <= time < HI]
    assert times != sorted(times)
    assert all(0 < at - time < batch + 2_000 for at, time, _ in faulty)


def test_a_skewed_clock_shifts_the_devices_times_only():
    faulty, clean = (samples(found) for found in play("clock-skew", lo=0, hi=HOUR, amount=-95_000))
    assert [time + 95_000 for _, time, _ in faulty] == [time for _, time, _ in clean]
    assert [at for at, _, _ in faulty] == [at for at, _, _ in clean]


def test_wireless_devices_lose_some_samples():
    found = samples(messages(scene(devices=["oximeter"]), START, 2 * HOUR, 30_000))
    expected = 2 * HOUR / 4_000
    assert 0.90 < len(found) / expected < 0.99


def test_a_cuff_fails_now_and_then():
    found = samples(messages(scene(devices=["cuff-15"]), START, 24 * 7 * HOUR, 30_000))
    failed = [sample for _, _, sample in found if sample["readings"]["sbp"] is None]
    assert 0.005 < len(failed) / len(found) < 0.08
    assert all(
        sample["status"] == {"sbp": "invalid", "dbp": "invalid", "map": "invalid"} for sample in failed
    )


def test_a_ward_has_every_fault_and_never_two_at_once():
    plan = plan_ward(2, 24, skewed_clocks=True)
    devices = [device for bed in plan.beds for device in bed.devices]
    drawn = {fault.kind for device in devices for fault in device.faults}
    assert drawn == {kind for faults in FAULTS_PER_DAY.values() for kind in faults} | {"clock-skew"}
    for device in devices:
        faults = [f for f in device.faults if f.kind != "clock-skew"]
        assert all(a.end < b.start for a, b in pairwise(faults))


def test_times_are_rfc3339_with_an_offset():
    found = list(messages(plan_ward(1, 6), START, 3 * MINUTE))
    written = {sample["time"][23:] for _, _, sample in samples(found)}
    assert {"Z", "+01:00"} <= written <= {"Z", "+01:00", "+00:00"}
    assert all(abs(m.at - START - ms_of(json.loads(m.payload)["time"])) < 300 for m in vitals(found))
