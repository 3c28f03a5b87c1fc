"""The way of a reading, from a message to an alert in front of a nurse, with time driven by hand."""

from __future__ import annotations

import json

import pytest

from tests.live.world import START
from ward.ingest.records import Sample
from ward.live import snapshots
from ward.live.history import stored_readings
from ward.signals import INDEX
from ward.store.devices import device_names
from ward.store.history import read_history
from ward.store.letters import count_letters
from ward.store.outbox import waiting


def test_a_sustained_breach_becomes_an_alert_on_the_board(world):
    stay = world.admit()
    world.live(30, hr=80, spo2=97)
    world.live(61, hr=80, spo2=78)
    assert world.service.board.stays[stay]["pending"][0]["rule"] == "spo2-below-80"
    world.live(5, hr=80, spo2=78)
    (alert,) = [a for a in world.alerts() if a.rule == "spo2-below-80"]
    assert alert.state == "active"
    assert alert.breach_since == START + 30_000
    assert alert.raised_at == START + 90_000
    view = world.service.board.stays[stay]
    assert view["priority"] == "high"
    assert view["signals"]["spo2"]["value"] == 78
    world.do("acknowledge", alert=alert.id, assessment="actionable", note=None)
    assert world.alerts()[0].acknowledged_by == "nurse"


def test_pending_shows_the_time_left(world):
    stay = world.admit()
    world.live(10, spo2=97)
    world.live(40, spo2=86)
    pending, *later = world.service.board.stays[stay]["pending"]
    assert pending["rule"] == "spo2-below-88"
    assert [p["rule"] for p in later] == ["spo2-below-92"]
    assert 560 <= pending["left_s"] <= 565


def test_a_message_is_acknowledged_only_when_it_is_in_the_journal(world, monkeypatch):
    world.admit()
    journal = world.runner._journal
    real = journal.append
    monkeypatch.setattr(journal, "append", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    item = world.measure(hr=80)
    try:
        world.runner.take_messages()
    except OSError:
        pass
    else:
        raise AssertionError("the fault was swallowed")
    assert item.mid not in world.acked
    monkeypatch.setattr(journal, "append", real)
    world.tick()
    assert item.mid in world.acked
    assert [e.values[0].value for _, batch in journal.read(0) for e in batch if isinstance(e, Sample)] == [
        80.0
    ]


def test_redelivery_changes_nothing(world):
    stay = world.admit()
    for _ in range(70):
        sample = world.sample(spo2=78, hr=80)
        for _ in range(3):
            world.publish("mon", sample)
        world.tick()
    world.tick(3_000)
    assert len(world.stored(stay)) == 140
    assert [a.rule for a in world.alerts()] == ["spo2-below-80"]


def test_bad_input_is_counted_with_its_reason_and_siblings_survive(world):
    stay = world.admit()
    world.publish("mon", b"{not json")
    world.publish("mon", b"\xff" * (1 << 20))
    world.publish("mon", b'{"readings": {"hr": NaN, "spo2": 97}}')
    world.publish("mon", {"time": "2026-11-21T12:00:00", "readings": {"hr": 80}})
    world.publish("mon", {"samples": []})
    world.publish("mon", world.sample(hr=80, mood=3, spo2="high", rr=True, temp=37.0))
    world.publish("mon", {"readings": {"hr": 10**400}})
    world.publish("mon", [1, 2])
    world.tick()
    world.tick(3_000)
    signals = world.service.board.stays[stay]["signals"]
    assert signals["hr"]["value"] == 80
    assert signals["temp"]["value"] == 37.0
    with world.service.engine_db.connect() as connection:
        letters = count_letters(connection)
    assert sum(letters.values()) >= 8
    assert {"not-json", "unknown-signal", "not-a-number", "bad-time"} <= set(letters)
    world.live(3, hr=81)
    assert not world.runner.faults


def test_zero_is_a_value_all_the_way(world):
    """Law 1: a heart rate of 0 with no pulse raises; null does not."""
    stay = world.admit()
    world.live(20, hr=80)
    world.live(90, hr=0)
    assert "hr-below-30" in [a.rule for a in world.alerts(stay)]


def test_readings_of_nobody_are_kept_and_shown_and_never_attributed_later(world):
    world.live(5, device="stray", hr=80)
    assert [d["stay"] for d in world.service.board.devices if d["device"] == "stray"] in ([None], [])
    stay = world.admit(devices=("stray",))
    world.live(5, device="stray", hr=81)
    assert set(world.stored(stay).value.tolist()) == {81.0}


def test_a_late_will_never_kills_a_newer_session(world):
    """Law 7."""
    world.admit()
    world.publish("mon", {"state": "online", "session": "a", "interval_s": {"hr": 1}}, "status")
    world.tick()
    world.publish("mon", {"state": "online", "session": "b", "interval_s": {"hr": 1}}, "status")
    world.tick()
    world.publish("mon", {"state": "offline", "session": "a"}, "status", retain=True)
    world.live(5, hr=80)
    assert not [a for a in world.alerts() if a.rule.startswith("device-lost")]
    world.publish("mon", {"state": "offline", "session": "b"}, "status")
    world.tick(2_000)
    world.tick(2_000)
    assert [a.rule for a in world.alerts()] == ["device-lost:mon"]


def test_device_lost_after_five_silent_minutes(world):
    stay = world.admit()
    world.live(5, hr=80)
    for _ in range(310):
        world.tick()
    assert {a.rule for a in world.alerts(stay)} == {"device-lost:mon", "no-valid-reading"} or [
        a.rule for a in world.alerts(stay)
    ] == ["no-valid-reading"]


def test_a_backlog_that_holds_a_breach_raises_it_when_it_arrives(world):
    """Store and forward: 20 minutes come at once, and the breach in them is told, with its true start."""
    stay = world.admit()
    world.live(60, spo2=97, hr=80)
    away = [world.sample(time=world.now + n * 1000, spo2=84, hr=80) for n in range(1200)]
    for _ in range(1200):
        world.tick()
    world.publish("mon", {"samples": away})
    world.live(8, spo2=84, hr=80)
    world.tick(3_000)
    found = {a.rule: a for a in world.alerts(stay)}
    assert {"spo2-below-88", "spo2-below-85"} <= set(found)
    assert found["spo2-below-85"].breach_since == START + 60_000
    assert found["spo2-below-85"].late
    assert found["spo2-below-85"].announced_at > START + 1_260_000
    assert len(world.stored(stay)) == 2 * (60 + 1200 + 8)


def test_a_backlog_of_normal_readings_withdraws_nothing(world):
    stay = world.admit()
    world.live(80, spo2=78, hr=80)
    assert [a.rule for a in world.alerts(stay)] == ["spo2-below-80"]
    world.measure(time=START + 5_500, spo2=97, hr=80)
    world.live(8, spo2=78, hr=80)
    (alert,) = [a for a in world.alerts(stay) if a.rule == "spo2-below-80"]
    assert alert.state == "active"
    assert alert.raised_at == START + 60_000


def test_late_readings_do_not_make_older_ones_forgotten(world):
    stay = world.admit()
    world.do("observe", stay=stay, time=None, values={"temp": 39.5, "oxygen": True})
    world.clock.time += 5 * 3_600_000
    world.live(60, spo2=97, hr=80)
    world.measure(time=world.now - 30_500, spo2=97, hr=80)
    world.live(8, spo2=97, hr=80)
    news2 = world.service.board.stays[stay]["news2"]
    assert (news2["parts"]["temp"]["points"], news2["parts"]["oxygen"]["points"]) == (2, 2)
    assert news2["score"] == 4


@pytest.mark.parametrize("written", [False, True])
def test_a_rebuild_reads_all_that_was_evaluated_also_the_very_last(world, written):
    stay = world.admit()
    world.live(10, hr=80)
    core, last = world.service.core, START + 7_000
    if written:
        snapshots.flush(core)
    with world.service.engine_db.connect() as connection:
        found = stored_readings(connection, core.history, stay, START + 2_000, last, {})
    assert sorted(found.time.tolist()) == [START + second * 1_000 for second in range(2, 8)]


def test_a_device_clock_that_is_off_is_corrected_and_told(world):
    """Its readings count from when they were measured, and other devices wait for nothing."""
    stay = world.admit(devices=("mon", "slow"))
    for _ in range(60):
        world.measure("mon", hr=80)
        world.measure("slow", time=world.now - 3_600_000, spo2=97)
        world.tick()
    assert [a.rule for a in world.alerts(stay)] == ["clock-offset:slow"]
    view = world.service.board.stays[stay]["signals"]
    assert view["hr"]["state"] == "fresh"
    assert view["spo2"]["state"] == "fresh"


def test_every_change_is_published_through_the_outbox(world):
    world.admit()
    world.live(70, spo2=78)
    with world.service.engine_db.connect() as connection:
        letters = waiting(connection, 2**60)
    (letter,) = letters
    assert letter.topic == "ward/v1/w/alerts"
    body = json.loads(letter.payload)
    assert body["alert"]["state"] == "active"
    assert "patient" not in letter.payload


def test_patient_away_ends_when_readings_return(world):
    stay = world.admit()
    world.live(10, spo2=97)
    world.do("pause", stay=stay, minutes=60)
    for _ in range(400):
        world.tick()
    assert not [a for a in world.alerts(stay) if a.state == "active"]
    world.live(5, spo2=97)
    assert [e.kind for e in world.events() if "pause" in e.kind][:1] != []
    assert not world.service.core.book.is_paused(stay)


def test_observations_make_news2_whole(world):
    stay = world.admit()
    world.live(20, hr=80, spo2=97, rr=16, sbp=120, temp=37.0)
    before = world.service.board.stays[stay]["news2"]
    assert before["missing"] == ["oxygen", "consciousness"]
    assert before["partial"]
    world.do("observe", stay=stay, time=None, values={"consciousness": "C", "oxygen": True})
    world.live(4, hr=80, spo2=97, rr=16, sbp=120, temp=37.0)
    after = world.service.board.stays[stay]["news2"]
    assert after["missing"] == []
    assert after["score"] == before["score"] + 5


def test_a_stale_score_is_shown_as_stale_with_its_age(world):
    """Law 8."""
    stay = world.admit()
    world.live(20, hr=80, spo2=97, rr=25)
    for _ in range(120):
        world.measure(hr=80)
        world.tick()
    news2 = world.service.board.stays[stay]["news2"]
    assert set(news2["stale"]) == {"rr", "spo2"}
    assert news2["parts"]["rr"]["points"] == 3
    for _ in range(120):
        world.tick()
    assert world.service.board.stays[stay]["news2"]["score"] is None


def test_the_time_left_stands_still_while_nothing_is_known(world):
    stay = world.admit()
    world.live(60, spo2=86)
    for _ in range(95):
        world.tick()
    first = {p["rule"]: p["left_s"] for p in world.service.board.stays[stay]["pending"]}
    for _ in range(100):
        world.tick()
    assert {p["rule"]: p["left_s"] for p in world.service.board.stays[stay]["pending"]} == first
    assert first["spo2-below-88"] == 600 - 149


def test_the_history_has_what_was_just_measured_when_somebody_asks_for_it(world):
    """And what the device is called, though no snapshot was taken; of others nothing is written for that."""
    one, other = world.admit(), world.admit(bed="2", devices=("other",))
    for _ in range(5):
        world.measure("mon", hr=80)
        world.measure("other", hr=70)
        world.tick()
    world.tick(5_000)  # a reading has its mark when nothing older can come any more
    core = world.service.core
    commands = world.runner._commands
    assert commands.run("write_history", world.now, {"stay": one}) == {}
    with world.service.engine_db.connect() as connection:
        hr = [INDEX["hr"]]
        found = read_history(connection, one, hr, 0, world.now + 1)
        assert found.value.tolist() == [80.0] * 5
        names = device_names(connection)
        assert {names[number] for number in found.device.tolist()} == {"w/mon"}
        assert not len(read_history(connection, other, hr, 0, world.now + 1))
    assert len(list(core.history.of(other)))
    assert not len(list(core.history.of(one)))
