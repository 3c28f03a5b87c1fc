"""Messages keep the public contract's section 2."""

import json
import re

import numpy as np
import pytest

from simulator import messages, plan_ward
from tests.simulator.reading import HOUR, MINUTE, START, samples, samples_of, values, vitals
from ward.ingest.payload import decode_status, decode_vitals
from ward.ingest.recordings import Recording
from ward.signals import INDEX, MEASURED, STATUS_WORDS

TOPIC = re.compile(r"ward/v1/[a-z]+/[a-z0-9-]+/(vitals|status)")


@pytest.fixture(scope="module")
def found():
    return list(messages(plan_ward(7, 10, skewed_clocks=True), START, 3 * HOUR, 20_000))


def test_in_order_with_topic_qos_and_retain(found):
    assert [m.at for m in found] == sorted(m.at for m in found)
    assert found[0].at >= START
    assert found[-1].at < START + 3 * HOUR
    for message in found:
        kind = TOPIC.fullmatch(message.topic).group(1)
        assert message.qos == 1
        assert message.retain is (kind == "status")
        assert (kind == "vitals") is (message.what == "vitals")
        assert len(message.payload) < 1 << 20


def test_vitals_as_the_contract_says(found):
    for message in vitals(found):
        for sample in samples_of(message):
            assert set(sample) <= {"seq", "time", "readings", "quality", "status"}
            assert set(sample["readings"]) <= set(MEASURED)
            assert set(sample.get("status", {}).values()) <= set(STATUS_WORDS) - {"unknown"}
            assert all(0 <= q <= 1 for q in sample.get("quality", {}).values())


def test_ingest_refuses_nothing(found):
    for message in found:
        decode = decode_vitals if message.what == "vitals" else status
        assert decode(message.topic, message.payload, message.at)[1] == []


def status(topic, payload, received):
    return decode_status(topic, payload, received, False)


def test_each_session_is_announced_first_and_counts_its_samples(found):
    announced, seen = set(), {}
    for message in found:
        key = (message.device, message.session)
        if message.what == "birth":
            announced.add(key)
            content = json.loads(message.payload)
            assert content["state"] == "online"
            assert content["session"] == message.session
            assert all(seconds > 0 for seconds in content["interval_s"].values())
        elif message.what == "vitals":
            assert key in announced
            for sample in samples_of(message):
                assert seen.setdefault((key, sample["seq"]), sample) == sample
    assert len(seen) > 50_000


def test_monitors_measure_each_second_with_their_resolution():
    plan = plan_ward(1, 1, faults=False)
    found = samples(messages(plan, START, 10 * MINUTE), "monitor-s01")
    assert np.unique(np.diff([time for _, time, _ in found])).tolist() == [1000]
    assert all(isinstance(value, int) for signal in ("hr", "spo2", "rr") for value in values(found, signal))


def test_stays_can_be_admitted():
    plan = plan_ward(1, 24)
    stays = plan.stays()
    assert len(stays) == 24
    assert set(stays[0]) == {"patient_ref", "ward", "bed", "devices", "flags"}
    assert len({stay["patient_ref"] for stay in stays}) == len({stay["bed"] for stay in stays}) == 24
    named = {(stay["ward"], device) for stay in stays for device in stay["devices"]}
    sent = {tuple(m.topic.split("/")[2:4]) for m in messages(plan, START, MINUTE)}
    assert named == sent
    assert sum(len(stay["devices"]) for stay in stays) == len(named)
    assert {flag for stay in stays for flag in stay["flags"]} <= {"copd", "bmi40", "spo2-scale-2"}
    assert len(plan.observations()) == 24


def test_most_patients_are_stable_at_first():
    for seed in range(5):
        early = [
            bed for bed in plan_ward(seed, 24).beds if any(c.onset < 4 * HOUR for c in bed.patient.courses)
        ]
        assert len(early) == 6
        assert all("copd" not in bed.flags for bed in early)


@pytest.mark.parametrize("beds", [0, -1, 10_001])
def test_an_impossible_ward_is_refused(beds):
    with pytest.raises(ValueError, match="beds must be"):
        plan_ward(1, beds)


def recording(hold=None):
    time = np.array([5_000, 5_000, 6_000, 6_000, 8_500, 9_000])
    signal = [INDEX[s] for s in ("hr", "spo2", "hr", "hr", "temp", "oxygen")]
    return Recording(
        "real",
        np.array(signal, np.int8),
        time,
        np.array([80, 97.5, 81, 82, 36.65, 1.0]),
        np.unique(time),
        hold=hold,
    )


@pytest.mark.parametrize("batch", [1_000, 30_000])
def test_a_recording_is_played_in_the_first_bed(batch):
    plan = plan_ward(1, 2, recording=recording())
    assert plan.stays()[0]["devices"] == ["recorder-s01"]
    assert plan.observations()[0] is None
    found = [m for m in messages(plan, START, 5 * MINUTE, batch) if m.device == "recorder-s01"]
    assert [(time, sample["seq"], sample["readings"]) for _, time, sample in samples(found)] == [
        (0, 0, {"hr": 80, "spo2": 97.5}),
        (1_000, 1, {"hr": 82}),
        (3_500, 2, {"temp": 36.65}),
    ]
    assert [m.what for m in (found[0], found[-1])] == ["birth", "bye"]
    assert json.loads(found[-1].payload)["state"] == "offline"
    assert decode_status(found[0].topic, found[0].payload, START, False)[1] == []


def test_a_sparse_recording_declares_what_its_readings_hold():
    plan = plan_ward(1, 1, recording=recording(hold=75 * MINUTE))
    birth = next(iter(messages(plan, START, MINUTE)))
    assert json.loads(birth.payload)["interval_s"] == {"hr": 1800, "spo2": 1800, "temp": 1800}
