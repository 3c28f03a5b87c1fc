"""What is damaged, locked or odd costs itself and nothing else: the ward is still watched."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import Future

import pytest
from sqlalchemy import text
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from tests.live.world import START
from ward.errors import NotFoundError, UnavailableError
from ward.live import core, rebuild, recovery, taking
from ward.scoring.filter import QUESTIONABLE
from ward.store.letters import count_letters
from ward.store.snapshots import load_snapshots


def letters(world) -> dict[str, int]:
    with world.service.engine_db.connect() as connection:
        return count_letters(connection)


def damage(world, table: str, which: str) -> None:
    with world.service.engine_db.begin() as tx:
        tx.execute(text(f"UPDATE {table} SET payload = x'93c1ff00' WHERE {which}"))


@pytest.mark.parametrize(
    "poison", [b'{"time": "\\ud800", "readings": {"hr": 80}}', b'{"readings": {"\\ud800": 1}}']
)
def test_half_a_surrogate_pair_is_refused_and_stops_nothing(world, poison):
    stay = world.admit()
    world.publish("other", poison)
    world.live(10, hr=80)
    assert sum(letters(world).values()) == 1
    assert len(world.stored(stay)) >= 8


def test_a_message_that_cannot_be_stored_costs_no_other(world, monkeypatch):
    """A fault of ours: it is kept as a dead letter, acknowledged, and what came with it goes on."""
    stay = world.admit()
    journal = world.runner._journal
    real = journal.append

    def append(entries, refusals=(), heard=()):
        if any(getattr(e, "device", "") == "bad" for e in entries):
            raise TypeError("no way to write this")
        return real(entries, refusals, heard)

    monkeypatch.setattr(journal, "append", append)
    beats: list[str] = []
    world.runner._beat = beats.append
    good, bad, also = world.measure(hr=80), world.measure("bad", hr=1), world.measure(spo2=97)
    world.tick()
    assert {good.mid, bad.mid, also.mid} <= set(world.acked)
    assert letters(world) == {"unusable": 1}
    assert beats.count("core") == 3, "one by one may take long: each is a sign of life"
    world.tick(3_000)
    assert len(world.stored(stay)) == 2


@pytest.mark.parametrize("away", [OperationalError, InterfaceError, InternalError, PoolTimeoutError])
def test_while_the_database_takes_nothing_no_message_is_blamed(world, monkeypatch, away):
    """However it says so: it closed the connection, is read-only, or has none free."""
    world.admit()
    journal = world.runner._journal
    real, left = journal.append, [1, 2]

    def append(entries, refusals=(), heard=()):
        if left:
            left.pop()
            raise away() if away is PoolTimeoutError else away("INSERT", {}, Exception("away"))
        return real(entries, refusals, heard)

    sent = [world.measure(hr=80), world.measure(hr=81)]
    monkeypatch.setattr(journal, "append", append)
    for _ in range(2):
        with pytest.raises(away):
            world.runner.take_messages()
    assert not world.acked
    world.tick()
    assert [item.mid for item in sent] == world.acked
    assert letters(world) == {}


def test_nobody_is_told_that_nothing_was_changed_where_that_is_not_known(world, monkeypatch):
    """The core has noted it and writes it when the database is back."""
    failed: Future = Future()
    failed.set_exception(OperationalError("INSERT", {}, Exception("away")))
    monkeypatch.setattr(world.runner, "ask", lambda *_: failed)
    with pytest.raises(UnavailableError, match="look whether it was done"):
        asyncio.run(world.service.call("acknowledge", alert="a"))
    monkeypatch.setattr("ward.service.ANSWER_S", 0.01)
    monkeypatch.setattr(world.runner, "ask", lambda *_: Future())
    with pytest.raises(UnavailableError, match="look whether it was done"):
        asyncio.run(world.service.call("acknowledge", alert="a"))


def test_what_came_late_waits_for_a_database_that_is_away(world, monkeypatch):
    """A cable is back, and the database with it, but a little later: the alert is raised all the same."""
    stay = world.admit()
    world.live(30, spo2=97, hr=80)
    begun = world.now
    for _ in range(70):
        world.tick(10_000)
    late = [world.sample(time=begun + n * 10_000, spo2=80, hr=80) for n in range(1, 60)]
    real = rebuild.stored_readings

    def away(*_):
        raise OperationalError("SELECT", {}, Exception("away"))

    monkeypatch.setattr(rebuild, "stored_readings", away)
    world.publish("mon", {"samples": late})
    for _ in range(10):
        world.tick()
    assert world.service.core.faults == {"rebuild": "rebuild: the database does not answer"}
    with pytest.raises(UnavailableError):  # nor does a start pass over it
        world.service.core.settle(world.now)
    world.runner.take_snapshot()
    monkeypatch.setattr(rebuild, "stored_readings", real)
    world.tick()
    assert world.service.core.faults == {}
    assert {a.late for a in world.alerts(stay) if a.priority == "high"} == {True}
    world.runner.take_snapshot()


def test_what_came_late_and_cannot_be_built_in_is_kept_in_doubt(world, monkeypatch):
    """Whatever fails: no reading is gone without a trace."""
    stay = world.admit()
    world.live(30, spo2=97)
    gone = world.now
    world.tick(120_000)
    real = core.built_again
    monkeypatch.setattr(core, "built_again", lambda *_: 1 / 0)
    late = [world.sample(time=gone + n * 1_000, spo2=95) for n in range(10)]
    world.publish("mon", {"samples": late})
    for _ in range(3):
        world.tick()
    assert world.service.core.faults == {"rebuild": "rebuild: ZeroDivisionError"}
    monkeypatch.setattr(core, "built_again", real)
    stored = world.stored(stay)
    kept = stored.take(stored.value == 95)
    assert kept.time.tolist() == [gone + n * 1_000 for n in range(10)]
    assert set(kept.mark.tolist()) == {QUESTIONABLE}


def test_a_damaged_row_of_the_journal_is_passed_over_and_told(world):
    stay = world.admit()
    world.live(30, spo2=97)
    damage(world, "journal", "position = (SELECT max(position) - 5 FROM journal)")
    world.crash()
    world.live(5, spo2=97)
    assert len(world.stored(stay)) >= 31
    assert any("recovery" in reason for reason in world.service.health()["reasons"])


@pytest.mark.parametrize("times", [1, 2, 99])
def test_a_database_that_goes_away_in_a_start_costs_no_row(world, monkeypatch, times):
    """The row that was being taken is not to blame: the start is made again, or it is impossible."""
    world.measure("mon-2", hr=80)
    world.runner.take_snapshot()
    first = world.admit("1", ("mon",))
    second = world.admit("2", ("mon-2",))
    world.live(20, spo2=97)
    real, left = taking.get_stay, [None] * times

    def get_stay(*given):
        if left:
            left.pop()
            raise OperationalError("SELECT", {}, Exception("away"))
        return real(*given)

    monkeypatch.setattr(taking, "get_stay", get_stay)
    monkeypatch.setattr(recovery, "AWAY_PAUSE_S", 0.0)
    if times > 3:
        monkeypatch.setattr(recovery, "LONGEST_AWAY_S", 0.0)
        with pytest.raises(OperationalError):
            world.crash()
        monkeypatch.setattr(taking, "get_stay", real)
    world.crash()
    assert not any("recovery" in reason for reason in world.service.health()["reasons"])
    assert world.service.core.stays.keys() == {first, second}
    world.tick(3_000)
    assert len(world.stored(first)) == 20


def test_a_raised_alert_clears_also_when_every_snapshot_is_lost(world):
    stay = world.admit()
    world.publish("aaa", {"readings": {"hr": 60}})
    world.live(80, spo2=70)
    for _ in range(4):
        world.runner.take_snapshot()
    damage(world, "snapshots", "1 = 1")
    numbers = {d.key: d.number for d in world.service.core.router.devices()}
    world.crash()
    assert {d.key: d.number for d in world.service.core.router.devices()} == numbers
    world.live(140, spo2=97)
    (alert,) = [a for a in world.alerts(stay) if a.rule == "spo2-below-80"]
    assert alert.cleared_at == START + 80_000 + 120_000
    assert alert.state == "returned"


def test_snapshots_that_cannot_be_read_do_not_push_out_the_last_that_can(world):
    def kept() -> list[int]:
        with world.service.engine_db.connect() as connection:
            return [snapshot.id for snapshot in load_snapshots(connection)]

    world.admit()
    for _ in range(3):
        world.live(5, spo2=97)
        world.runner.take_snapshot()
    good, *bad = sorted(kept())
    damage(world, "snapshots", f"id > {good}")
    world.crash()
    assert kept() == sorted([good, *bad], reverse=True), "nothing goes before there is a newer one"
    world.live(5, spo2=97)
    world.runner.take_snapshot()
    newest, *older = kept()
    assert older == [good]
    damage(world, "snapshots", f"id = {newest}")
    world.crash()
    assert "snapshots" not in world.service.core.faults, "the old one is still a way back"
    world.live(5, spo2=97)
    world.tick(3_000)
    (stay,) = world.service.core.stays
    assert len(world.stored(stay)) == 25


def test_a_damaged_chunk_of_one_stay_silences_nobody(world):
    stay, other = world.admit(), world.admit("2", ("m2",))
    world.live(40, spo2=97)
    world.runner.take_snapshot()
    damage(world, "history", f"stay = '{stay}'")
    for _ in range(70):
        world.measure(time=world.now - 7_000, spo2=96)
        world.measure("m2", spo2=70)
        world.tick()
    assert [a.rule for a in world.alerts(other)] == ["spo2-below-80"]


def test_a_fault_in_one_part_of_the_tick_keeps_no_other_from_its_work(world, monkeypatch):
    stay = world.admit()
    monkeypatch.setattr(world.service.core, "_technical", lambda _: 1 / 0)
    world.live(70, spo2=70)
    assert [a.rule for a in world.alerts(stay)] == ["spo2-below-80"]
    assert "technical: ZeroDivisionError" in world.service.health()["reasons"]


def test_a_command_whose_asker_has_gone_is_not_carried_out_and_harms_nothing(world):
    gone = world.runner.ask("discharge", {"stay": world.admit(), "by": "nurse"})
    assert gone.cancel()
    wrong = world.runner.ask("discharge", {"stay": "nobody", "by": "nurse"})
    world.runner.answer_asks()
    assert isinstance(wrong, Future)
    assert isinstance(wrong.exception(0), NotFoundError)
    assert len(world.service.core.slots.taken()) == 1


def test_a_pause_that_ended_does_not_come_back(world):
    """Not by a change of the stay, not by a restart."""
    stay = world.admit()
    world.live(30, spo2=97)
    world.do("pause", stay=stay, minutes=240)
    for _ in range(30):
        world.tick(60_000)
    world.live(60, spo2=97)
    assert world.service.board.stays[stay]["paused_until"] is None
    world.do("set_flags", stay=stay, flags=["copd"])
    assert not world.service.core.book.is_paused(stay)
    world.crash()
    assert not world.service.core.book.is_paused(stay)
    world.live(70, spo2=70)
    assert "spo2-below-80" in [a.rule for a in world.alerts(stay) if a.state == "active"]


def test_a_locked_database_is_waited_for(world):
    """Nothing is acknowledged meanwhile, nothing is lost after it."""
    stay = world.admit()
    world.live(10, spo2=97)
    other = world.service.engine_db.raw_connection()
    other.isolation_level = None
    other.execute("BEGIN EXCLUSIVE")
    item = world.measure(spo2=97)
    taken = threading.Thread(target=world.runner._round, args=("journal", world.runner.take_messages))
    taken.start()
    time.sleep(0.3)
    assert item.mid not in world.acked
    other.execute("ROLLBACK")
    other.close()
    taken.join(20)
    world.tick(3_000)
    assert item.mid in world.acked
    assert len(world.stored(stay)) == 11


def test_a_technical_alert_told_before_a_crash_clears_after_it(world):
    """What the book has told is what the watch knows, whatever the snapshot is of."""
    stay = world.admit()
    world.live(5, hr=80)
    world.runner.take_snapshot()
    for _ in range(310):
        world.tick()
    told = [a for a in world.alerts(stay) if a.state == "active"]
    assert told
    world.live(5, hr=80)
    world.crash()
    world.live(30, hr=80)
    assert [a.state for a in world.alerts(stay)] == ["closed"] * len(told)
    for _ in range(310):
        world.tick()
    assert len([a for a in world.alerts(stay) if a.state == "active"]) == len(told)


def test_nothing_told_clears_in_the_past_when_clocks_are_built_again(world):
    stay = world.admit()
    world.live(70, spo2=70)
    for _ in range(40):
        world.measure(hr=80)
        world.tick()
    world.measure(time=world.now - 100_500, spo2=97)
    world.measure(time=world.now - 60_500, spo2=97)
    world.live(10, spo2=97)
    (alert,) = [a for a in world.alerts(stay) if a.rule == "spo2-below-80"]
    assert alert.cleared_at is None
    world.live(150, spo2=97)
    (alert,) = [a for a in world.alerts(stay) if a.rule == "spo2-below-80"]
    assert alert.cleared_at >= START + 220_000


def test_readings_of_a_patient_who_left_are_kept(world):
    stay = world.admit()
    world.live(20, hr=80)
    late = [world.sample(time=world.now - 10_000 + 10 * n, spo2=97) for n in range(300)]
    world.tick()
    world.do("discharge", stay=stay)
    for _ in range(90):
        world.tick()
    world.runner.take_snapshot()
    world.publish("mon", {"samples": late})
    world.tick()
    assert len(world.stored(stay)) >= 20


def test_a_retained_reading_is_refused(world):
    stay = world.admit()
    world.publish("mon", {"readings": {"hr": 80}}, retain=True)
    world.tick(3_000)
    assert letters(world) == {"retained": 1}
    assert world.service.board.stays[stay]["signals"] == {}


def test_evaluation_waits_for_messages_that_came_already(world):
    """A tick while messages wait must not tell of a silence that was none."""
    stay = world.admit()
    world.live(5, spo2=97)
    for _ in range(40):
        world.clock.time += 1_000
        world.measure(spo2=70)
    world.runner.tick()
    assert world.alerts(stay) == []
    world.live(40, spo2=70)
    (alert,) = world.alerts(stay)
    assert alert.raised_at == alert.breach_since + 60_000


def test_a_device_clock_that_is_set_back_costs_half_a_minute_at_most(world):
    stay = world.admit()
    world.live(60, spo2=97)
    for _ in range(110):
        world.measure(time=world.now - 3_600_000, spo2=70)
        world.tick()
    assert "spo2-below-80" in [a.rule for a in world.alerts(stay)]


def test_a_circle_of_inhibitions_across_scopes_is_refused(world):
    from ward.errors import InvalidError

    world.do(
        "put_rule",
        rule_id="rr-from-24",
        definition={"inhibits": ["hr-above-130"]},
        scope="ward:w",
        expected=None,
    )
    with pytest.raises(InvalidError):
        world.do(
            "put_rule",
            rule_id="hr-above-130",
            definition={"inhibits": ["rr-from-24"]},
            scope="all",
            expected=None,
        )


def test_a_fault_of_the_service_that_lasts_is_an_alert_of_nobody(world, monkeypatch):
    """And of everybody: it has no ward, and every screen shows it."""
    world.admit()
    working = world.service.core._note_marks
    monkeypatch.setattr(world.service.core, "_note_marks", lambda _: 1 / 0)
    world.service.core.service_faults = lambda: list(world.service.core.faults)
    world.live(20, hr=80)
    assert world.service.board.alerts == []
    world.live(15, hr=80)
    (fault,) = world.service.board.alerts
    assert (fault["rule"], fault["stay"], fault["ward"], fault["priority"]) == (
        "service-fault:marks",
        None,
        None,
        "high",
    )
    monkeypatch.setattr(world.service.core, "_note_marks", working)
    world.live(3, hr=80)
    assert [a["state"] for a in world.service.board.alerts] == ["returned"]
    world.do("acknowledge", alert=fault["id"], assessment="actionable", note=None)
    assert world.service.board.alerts == []
    world.crash()
    assert world.service.board.alerts == []
