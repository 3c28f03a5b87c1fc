"""Repetitions, sessions, assignments and holds (contract 2 and 3)."""

import pytest

from ward.ingest.assignments import Assigned, StayInfo
from ward.ingest.records import Announcement, Observation, RulesChanged, Sample, StayChanged, Value
from ward.ingest.router import Declared, DeviceEvent, Router
from ward.signals import HOUR, INDEX, MINUTE, SECOND, STATUS_INDEX

HR, SPO2, SBP = INDEX["hr"], INDEX["spo2"], INDEX["sbp"]
T = 1_795_258_800_000


def sample(at, value=80.0, *, seq=None, session=None, device="mon", ward="north", time=True, **more):
    values = more.pop("values", [Value(HR, value)])
    return Sample(
        ward, device, T + at, T + at if time is True else time, seq, session, values, more.pop("newest", True)
    )


def born(at, session="s1", intervals=None, device="mon", retained=False):
    return Announcement("north", device, T + at, "online", session, intervals or {}, retained)


def will(at, session="s1", retained=False):
    return Announcement("north", "mon", T + at, "offline", session, {}, retained)


def stay(id="anna", *devices, ward="north", start=0, end=None):
    return StayInfo(id, ward, "1", (), T + start, None if end is None else T + end, devices)


def assigned(device="mon", start=0, end=None):
    return Assigned(device, T + start, None if end is None else T + end)


@pytest.fixture
def router():
    return Router([stay("anna", assigned())])


def values(rows):
    """(stay, seconds since T, value) of each row."""
    r = rows.readings
    return [
        (rows.stays[s] if s >= 0 else None, (t - T) / 1000, v)
        for s, t, v in zip(r.slot.tolist(), r.time.tolist(), r.value.tolist(), strict=True)
    ]


def test_a_reading_with_all_that_is_known_of_it(router):
    router.apply([born(0, intervals={HR: 2.0})])
    readings = router.apply(
        [sample(1000, seq=7, values=[Value(HR, 0.0), Value(SPO2, 97.0, 0.4, "motion"), Value(SBP, None)])]
    )
    r = readings.rows.readings
    assert readings.rows.stays == ("anna",)
    assert r.signal.tolist() == [HR, SPO2]
    assert r.value.tolist() == [0.0, 97.0]  # law 1
    assert r.seq.tolist() == [7, 7]
    assert r.hold.tolist() == [5 * SECOND, 90 * SECOND]
    assert r.status.tolist() == [STATUS_INDEX["ok"], STATUS_INDEX["motion"]]
    assert r.quality[1] == pytest.approx(0.4)
    assert r.quality[0] != r.quality[0]
    assert readings.nulls == 1
    assert router.device_key(int(r.device[0])) == "north/mon"


def test_an_unknown_status_word_is_unknown_and_not_ok(router):
    routed = router.apply([sample(0, values=[Value(HR, 80.0, None, "sparkling")])])
    assert routed.rows.readings.status.tolist() == [STATUS_INDEX["unknown"]]


def test_slots_are_put_in_by_the_core(router):
    router.set_stay(stay("bert", assigned("patch")))
    rows = router.apply([sample(0), sample(0, device="patch"), sample(1)]).rows
    slot_of = {"anna": 40, "bert": 17}
    assert rows.for_slots([slot_of[s] for s in rows.stays]).slot.tolist() == [40, 17, 40]


def test_a_redelivery_changes_nothing(router):
    sent = [sample(1000, 80, seq=1), sample(2000, 81, seq=2)]
    assert len(router.apply(sent).rows) == 2
    again = router.apply(sent + sent)
    assert len(again.rows) == 0
    assert again.duplicates == 4
    assert router.devices()[0].readings == 2
    assert router.devices()[0].duplicates == 4


def test_a_hole_is_filled_once(router):
    def heard(*seqs):
        return len(router.apply([sample(1000 * s, seq=s) for s in seqs]).rows)

    assert heard(1, 2, 5, 6, 9) == 5
    assert heard(4, 5, 6) == 1
    assert heard(3, 3, 7, 8) == 3
    assert heard(*range(1, 10)) == 0


def test_a_seq_counts_within_its_session(router):
    routed = router.apply([sample(1, seq=1, session="a"), sample(2, seq=1, session="b"), sample(3, seq=1)])
    assert len(routed.rows) == 3


def test_a_sample_without_session_is_of_the_one_last_announced(router):
    routed = router.apply(
        [
            born(0, "s1"),
            sample(1000, seq=1),
            sample(1000, seq=1, session="s1"),
            born(2000, "s2"),
            sample(3000, seq=1),
            sample(3000, seq=1, session="s2"),
            sample(1000, seq=1, session="s1"),
        ]
    )
    assert values(routed.rows) == [("anna", 1.0, 80.0), ("anna", 3.0, 80.0)]
    assert routed.duplicates == 3


def test_without_seq_time_and_content_identify(router):
    sent = [sample(1000, 80), sample(1000, 81), sample(2000, 80)]
    assert len(router.apply(sent).rows) == 3
    assert router.apply(sent).duplicates == 3


def test_two_equal_readings_without_time_are_two(router):
    routed = router.apply([sample(1000, time=None), sample(2000, time=None)])
    assert values(routed.rows) == [("anna", 1.0, 80.0), ("anna", 2.0, 80.0)]


def test_a_device_without_sessions_that_counts_anew_is_not_silenced(router):
    router.apply([sample(n * 1000, seq=n) for n in range(1, 100)])
    routed = router.apply([sample(200_000, seq=1), sample(201_000, seq=2), sample(200_000, seq=1)])
    assert len(routed.rows) == 2
    assert routed.duplicates == 1


def test_readings_belong_to_the_stay_that_has_the_device_then(router):
    router.set_stay(stay("anna", assigned("mon", 0, 60_000)))
    router.set_stay(stay("bert", assigned("mon", 60_000), start=30_000))
    routed = router.apply([sample(59_999, 1), sample(60_000, 2), sample(30_000, 3)])
    assert values(routed.rows) == [("anna", 59.999, 1.0), ("bert", 60.0, 2.0), ("anna", 30.0, 3.0)]


def test_a_stay_s_end_ends_its_devices(router):
    router.set_stay(stay("anna", assigned(), end=10_000))
    routed = router.apply([sample(9_999, 1), sample(10_000, 2)])
    assert values(routed.rows) == [("anna", 9.999, 1.0)]
    assert values(routed.unassigned) == [(None, 10.0, 2.0)]


def test_nobody_s_readings_are_kept_apart_and_never_attributed_later():
    router = Router()
    routed = router.apply([sample(1000, seq=1)])
    assert len(routed.rows) == 0
    assert values(routed.unassigned) == [(None, 1.0, 80.0)]
    assert router.devices()[0].stay is None
    router.set_stay(stay("anna", assigned(start=5000)))
    assert len(router.apply([sample(1000, seq=1)]).rows) == 0
    assert len(router.apply([sample(6000, seq=2)]).rows) == 1
    assert router.devices()[0].stay == "anna"


def test_devices_of_the_same_name_on_two_wards_are_two(router):
    routed = router.apply([sample(0), sample(0, ward="south")])
    assert len(routed.rows) == 1
    assert [d.key for d in router.devices()] == ["north/mon", "south/mon"]


def test_law_7_a_late_will_never_kills_a_newer_session(router):
    routed = router.apply([born(0, "s1"), born(5000, "s2"), will(90_000, "s1")])
    assert router.devices()[0].online is True
    assert routed.late_wills == 1
    assert [e.kind for e in routed.device_events] == ["online"]
    routed = router.apply([will(95_000, "s2")])
    assert routed.device_events == [DeviceEvent("north/mon", "offline", T + 95_000)]
    assert router.devices()[0].online is False


def test_a_device_that_speaks_after_its_will_is_there(router):
    router.apply([born(0), will(10_000), sample(10_500, seq=1)])
    assert router.devices()[0].online is False  # was on its way already
    routed = router.apply([sample(12_000, seq=2)])
    assert DeviceEvent("north/mon", "online", T + 12_000) in routed.device_events
    assert router.apply([will(13_000, retained=True)]).device_events == []
    assert router.devices()[0].online is True


def test_a_retained_will_tells_of_a_device_that_nobody_heard(router):
    router.apply([will(0, retained=True)])
    assert router.devices()[0].online is False


def test_a_will_is_no_sign_of_life(router):
    router.apply([born(0), sample(1000, seq=1), will(90_000)])
    assert router.devices()[0].last_seen == T + 1000


def test_seen_is_told_once_a_device_and_call(router):
    routed = router.apply([sample(0), sample(1000), sample(1000)])
    assert routed.device_events == [DeviceEvent("north/mon", "seen", T + 1000)]


def test_declared_signals_are_told_once(router):
    first = router.apply([born(1000, intervals={HR: 1.0})])
    assert first.declared == [Declared("anna", HR, T + 1000)]
    again = router.apply([born(2000, intervals={HR: 1.0}), born(3000, "s2", {HR: 1.0, SBP: 1800.0})])
    assert again.declared == [Declared("anna", SBP, T + 3000)]
    assert router.declared("anna") == {HR: T + 1000, SBP: T + 3000}


def test_a_device_that_declared_before_it_was_attached():
    router = Router([stay("anna")])
    assert router.apply([born(0, intervals={HR: 1.0})]).declared == []
    assert router.set_stay(stay("anna", assigned(start=4000))) == [Declared("anna", HR, T + 4000)]
    assert router.set_stay(stay("anna", assigned(start=4000))) == []
    router.set_stay(stay("anna", assigned("mon", 4000, 9000)))
    assert router.declared("anna") == {}


def test_a_new_interval_is_the_hold_of_later_readings(router):
    first = router.apply([born(0, intervals={SBP: 600.0}), sample(1, values=[Value(SBP, 120.0)])])
    second = router.apply([born(2, "s2", {}), sample(3, values=[Value(SBP, 120.0)])])
    assert first.rows.readings.hold.tolist() == [25 * MINUTE]
    assert second.rows.readings.hold.tolist() == [65 * MINUTE]


def test_what_a_person_enters(router):
    seen = {HR: 72.0, INDEX["consciousness"]: 2.0}
    routed = router.apply([Observation("anna", T + 5000, T + 9000, "nurse", seen)])
    r = routed.rows.readings
    assert values(routed.rows) == [("anna", 5.0, 72.0), ("anna", 5.0, 2.0)]
    assert r.hold.tolist() == [6 * HOUR, 12 * HOUR]
    assert r.device.tolist() == [0, 0]
    assert router.apply([Observation("nobody", T, T, "nurse", seen)]).strays == 1


def test_what_is_not_the_router_s_changes_nothing(router):
    before = router.snapshot()
    router.apply([StayChanged("anna", T), RulesChanged(T)])
    assert router.snapshot() == before


def test_a_forgotten_stay_has_no_devices(router):
    router.remove_stay("anna")
    router.remove_stay("anna")
    assert len(router.apply([sample(0)]).unassigned) == 1
    assert router.stays() == []
