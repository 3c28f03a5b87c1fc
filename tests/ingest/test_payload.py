"""What is read from a device's message, and what is refused and why (contract 2; law 6)."""

import json
import time

import pytest

from ward.ingest.payload import MAX_PAYLOAD, decode_status, decode_vitals
from ward.ingest.records import EXCERPT, Announcement, Value
from ward.ingest.refusals import MAX_DISTINCT, REASONS
from ward.signals import INDEX

NOW = 1_795_258_800_000
VITALS = "ward/v1/north/mon-01/vitals"
STATUS = "ward/v1/north/mon-01/status"


def vitals(document, topic=VITALS):
    payload = document if isinstance(document, bytes) else json.dumps(document).encode()
    return decode_vitals(topic, payload, NOW)


def reasons(refusals):
    return [r.reason for r in refusals]


def readings(sample):
    return {v.signal: v.value for v in sample.values}


def test_the_contract_s_example():
    samples, refusals = vitals(
        {
            "seq": 381,
            "time": "2026-11-21T12:00:00.250+01:00",
            "readings": {"hr": 82, "spo2": 97.0, "sbp": None},
            "quality": {"spo2": 0.4},
            "status": {"rr": "leads-off"},
        }
    )
    assert not refusals
    (sample,) = samples
    assert (sample.ward, sample.device, sample.received) == ("north", "mon-01", NOW)
    assert (sample.seq, sample.session, sample.newest) == (381, None, True)
    assert sample.time == 1_795_258_800_250
    assert sample.values == [
        Value(INDEX["hr"], 82.0),
        Value(INDEX["spo2"], 97.0, 0.4),
        Value(INDEX["sbp"], None),
        Value(INDEX["rr"], None, None, "leads-off"),
    ]


def test_readings_alone_are_enough():
    samples, refusals = vitals(b'{"readings": {"hr": 82}}')
    assert not refusals
    assert samples[0].time is None
    assert samples[0].seq is None
    assert samples[0].newest


def test_law_1_zero_is_not_missing():
    samples, refusals = vitals({"readings": {"rr": 0, "hr": None}})
    assert readings(samples[0]) == {INDEX["rr"]: 0.0, INDEX["hr"]: None}
    assert not refusals


def test_the_newest_of_a_batch_is_the_one_measured_last():
    def at(second, value):
        return {"time": f"2026-11-21T12:00:{second:02}Z", "readings": {"hr": value}}

    samples, refusals = vitals({"samples": [at(1, 80), at(9, 81), at(5, 82)]})
    assert not refusals
    assert [s.newest for s in samples] == [False, True, False]
    odd, _ = vitals({"samples": [at(1, 80), at(9, 81), at(5, 82), 7]})
    assert odd == samples


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"\xff\xfe\x00", "not-json"),
        (b"\xc3", "not-json"),
        (b"{", "not-json"),
        (b'{"readings": {"hr": 1}} x', "not-json"),
        (b"[" * 100_000, "not-json"),
        (b'{"readings": ' * 50_000, "not-json"),
        (b"null", "not-object"),
        (b"[]", "not-object"),
        (b"12", "not-object"),
        ({}, "no-readings"),
        ({"reading": {"hr": 1}}, "no-readings"),
        ({"samples": {}}, "not-list"),
        ({"samples": []}, "empty"),
        ({"samples": [[]]}, "not-object"),
        ({"readings": {}}, "empty"),
        ({"readings": []}, "not-object"),
        ({"readings": None}, "not-object"),
        ({"time": "2026-11-21T12:00:00", "readings": {"hr": 1}}, "bad-time"),
        ({"time": 1795258800, "readings": {"hr": 1}}, "bad-time"),
        ({"time": "yesterday", "readings": {"hr": 1}}, "bad-time"),
        ({"time": "0001-01-01T00:00:00+14:00", "readings": {"hr": 1}}, "bad-time"),
        ({"time": "1969-12-31T23:59:59Z", "readings": {"hr": 1}}, "bad-time"),
        ({"time": "2100-01-01T00:00:00Z", "readings": {"hr": 1}}, "bad-time"),
        ({"time": "9999-12-31T23:59:59-14:00", "readings": {"hr": 1}}, "bad-time"),
        ({"time": "2026-13-01T00:00:00Z", "readings": {"hr": 1}}, "bad-time"),
        (b" " * (MAX_PAYLOAD + 1), "too-large"),
    ],
)
def test_a_message_without_use_is_refused_with_its_reason(document, reason):
    samples, refusals = vitals(document)
    assert samples == []
    assert reasons(refusals) == [reason]
    assert refusals[0].reason in REASONS
    assert (refusals[0].ward, refusals[0].device, refusals[0].topic) == ("north", "mon-01", VITALS)
    assert len(refusals[0].payload) <= EXCERPT


@pytest.mark.parametrize(
    ("piece", "reason"),
    [
        (b'"rr": NaN', "not-a-number"),
        (b'"rr": Infinity', "not-a-number"),
        (b'"rr": -Infinity', "not-a-number"),
        (b'"rr": 1e400', "not-a-number"),
        (b'"rr": ' + b"9" * 500, "not-a-number"),
        (b'"rr": ' + b"9" * 5000, "not-a-number"),
        (b'"rr": true', "not-a-number"),
        (b'"rr": "16"', "not-a-number"),
        (b'"rr": [16]', "not-a-number"),
        (b'"rr": {"value": 16}', "not-a-number"),
        (b'"etco2": 35', "unknown-signal"),
        (b'"news2": 3', "unknown-signal"),
        (b'"consciousness": 0', "unknown-signal"),
        (b'"\\ud800": 3', "unknown-signal"),
        (b'"": 3', "unknown-signal"),
    ],
)
def test_law_6_one_bad_reading_costs_only_itself(piece, reason):
    samples, refusals = vitals(b'{"seq": 3, "readings": {"hr": 82, ' + piece + b', "spo2": 97}}')
    assert readings(samples[0]) == {INDEX["hr"]: 82.0, INDEX["spo2"]: 97.0}
    assert samples[0].seq == 3
    assert reasons(refusals) == [reason]
    refusals[0].detail.encode()


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        ({"quality": {"hr": 1.01}}, "bad-quality"),
        ({"quality": {"hr": -0.1}}, "bad-quality"),
        ({"quality": {"hr": "good"}}, "bad-quality"),
        ({"quality": {"hr": True}}, "bad-quality"),
        ({"quality": {"rr": 1}}, "bad-quality"),
        ({"quality": {"x": 1}}, "unknown-signal"),
        ({"quality": [1]}, "not-object"),
        ({"status": {"hr": 3}}, "bad-status"),
        ({"status": {"hr": "x" * 65}}, "bad-status"),
        ({"status": {"hr": "a\0b"}}, "bad-status"),
        ({"status": {"x": "ok"}}, "unknown-signal"),
        ({"status": "ok"}, "not-object"),
        ({"seq": -1}, "bad-seq"),
        ({"seq": 2**63}, "bad-seq"),
        ({"seq": "7"}, "bad-seq"),
        ({"seq": 1.5}, "bad-seq"),
        ({"seq": True}, "bad-seq"),
        ({"session": ["a"]}, "bad-session"),
        ({"session": "x" * 129}, "bad-session"),
    ],
)
def test_what_is_said_beside_a_reading_never_costs_the_reading(extra, reason):
    samples, refusals = vitals({"readings": {"hr": 82}, **extra})
    assert samples[0].values == [Value(INDEX["hr"], 82.0)]
    assert samples[0].seq is None
    assert reasons(refusals) == [reason]


def test_a_seq_of_an_unreadable_session_identifies_nothing():
    samples, _ = vitals({"readings": {"hr": 82}, "seq": 4, "session": {}})
    assert (samples[0].seq, samples[0].session) == (None, None)


def test_an_unknown_status_word_is_kept():
    samples, refusals = vitals({"readings": {"hr": 82}, "status": {"hr": "sparkling"}})
    assert samples[0].values == [Value(INDEX["hr"], 82.0, None, "sparkling")]
    assert not refusals


def test_null_beside_a_reading_says_nothing():
    samples, refusals = vitals(
        {"readings": {"hr": 82}, "time": None, "seq": None, "quality": {"hr": None}, "status": None}
    )
    assert samples[0].values == [Value(INDEX["hr"], 82.0)]
    assert not refusals


def test_a_name_given_twice_is_counted_and_the_last_one_counts():
    samples, refusals = vitals(b'{"readings": {"hr": 82, "hr": 83}}')
    assert readings(samples[0]) == {INDEX["hr"]: 83.0}
    assert reasons(refusals) == ["repeated-name"]


def test_unknown_names_beside_the_readings_are_for_later_versions():
    samples, refusals = vitals({"readings": {"hr": 82}, "battery": 0.4})
    assert readings(samples[0]) == {INDEX["hr"]: 82.0}
    assert not refusals


def test_a_bad_sample_of_a_batch_costs_only_itself():
    samples, refusals = vitals(
        {"samples": [{"readings": {"hr": 1}}, {"time": "?", "readings": {"hr": 2}}, {"readings": {"hr": 3}}]}
    )
    assert [readings(s)[0] for s in samples] == [1.0, 3.0]
    assert reasons(refusals) == ["bad-time"]


def test_a_message_may_be_sample_and_batch():
    samples, refusals = vitals({"readings": {"hr": 1}, "samples": [{"readings": {"hr": 2}}]})
    assert sorted(readings(s)[0] for s in samples) == [1.0, 2.0]
    assert not refusals


def test_a_leap_second_is_a_time():
    samples, refusals = vitals({"time": "2016-12-31T23:59:60Z", "readings": {"hr": 1}})
    assert samples[0].time == 1_483_228_800_000
    assert not refusals


def test_a_number_is_as_good_a_session_as_text():
    samples, _ = vitals({"readings": {"hr": 1}, "session": 12})
    assert samples[0].session == "12"


def test_a_mebibyte_of_nonsense_becomes_few_letters_with_true_counts():
    noise = b'{"samples": [' + b",".join([b"0"] * 300_000) + b', {"readings": {"hr": 82}}]}'
    began = time.process_time()
    samples, refusals = vitals(noise)
    assert time.process_time() - began < 10
    assert len(samples) == 1
    assert [(r.reason, r.count) for r in refusals] == [("not-object", 300_000)]

    names = {f"signal-{n}": 1 for n in range(1000)}
    samples, refusals = vitals({"readings": {"hr": 82, **names}})
    assert len(samples) == 1
    assert len(refusals) <= MAX_DISTINCT + 1
    assert sum(r.count for r in refusals) == 1000


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "ward/v1/north/vitals",
        "ward/v2/north/mon-01/vitals",
        "ward/v1/north/mon-01/vitals/x",
        "ward/v1//mon-01/vitals",
        "ward/v1/north/" + "x" * 129 + "/vitals",
        "ward/v1/north/a\nb/vitals",
        "ward/v1/north/mon-01/status",
    ],
)
def test_a_topic_that_is_none_of_ours(topic):
    samples, refusals = decode_vitals(topic, b'{"readings": {"hr": 82}}', NOW)
    assert samples == []
    assert reasons(refusals) == ["bad-topic"]


def test_birth_and_will():
    born, refusals = decode_status(
        STATUS, b'{"state": "online", "session": "s1", "interval_s": {"hr": 1, "sbp": 1800}}', NOW, True
    )
    assert not refusals
    assert born == Announcement(
        "north", "mon-01", NOW, "online", "s1", {INDEX["hr"]: 1.0, INDEX["sbp"]: 1800.0}, True
    )
    will, refusals = decode_status(STATUS, b'{"state": "offline", "session": "s1"}', NOW, False)
    assert not refusals
    assert (will.state, will.session, will.intervals) == ("offline", "s1", {})


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "empty"),
        (b"online", "not-json"),
        (b'"online"', "not-object"),
        (b"{}", "bad-state"),
        (b'{"state": ["online"]}', "bad-state"),
        (b'{"state": "online", "session": []}', "bad-session"),
    ],
)
def test_a_status_without_use_is_refused(payload, reason):
    said, refusals = decode_status(STATUS, payload, NOW, False)
    assert said is None
    assert reasons(refusals) == [reason]


@pytest.mark.parametrize("interval", ["0", "-1", "NaN", '"1"', "true", "604801", "[]", "null"])
def test_a_bad_interval_costs_only_itself(interval):
    payload = b'{"state": "online", "interval_s": {"hr": %s, "rr": 2, "x": 1}}' % interval.encode()
    said, refusals = decode_status(STATUS, payload, NOW, False)
    assert said.intervals == {INDEX["rr"]: 2.0}
    assert sorted(reasons(refusals)) == ["bad-interval", "unknown-signal"]
