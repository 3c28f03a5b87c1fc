"""A ward's plan at work in the whole service: rows for the sender in the alert's own transaction, dropped,
resumed, resolved; and all of it over crashes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from tests.alerts.desk import rule
from tests.alerts.ward_plan import TEXT, fields
from tests.databases import *  # noqa: F403
from tests.live.world import World
from ward.alerts.plan_text import to_toml
from ward.alerts.roster import Roster
from ward.errors import InvalidError, PreconditionError
from ward.store.stays import discharge
from ward.store.tables import deliveries, plans

LOW = {"spo2": 80.0, "hr": 80.0}
FINE = {"spo2": 97.0, "hr": 80.0}


@pytest.fixture
def world(tmp_path: Path, sqlite_url: str) -> Iterator[World]:
    made = World(tmp_path, sqlite_url)
    made.do("put_plan", ward="w", definition=always(), expected=0)
    yield made
    made.close()


def always(**changes: Any) -> dict[str, Any]:
    """The plan of 6A with the same people on duty at any hour."""
    return fields(shift=None, roster=None, quiet=None, **changes)


def rows(world: World, *columns: str) -> list[tuple[Any, ...]]:
    wanted = [deliveries.c[name] for name in columns or ("reason", "level", "person", "channel", "state")]
    with world.service.engine_db.connect() as connection:
        return [tuple(row) for row in connection.execute(select(*wanted).order_by(deliveries.c.id))]


def told(world: World) -> list[str]:
    return [
        f"{reason} {level} {person}/{channel} {state}"
        for reason, level, person, channel, state in rows(world)
    ]


def send_all(world: World) -> None:
    """What the sender would do."""
    with world.service.engine_db.begin() as tx:
        waiting = deliveries.c.state == "waiting"
        tx.execute(update(deliveries).where(waiting).values(state="sent", sent=world.now))


def go_on(world: World, seconds: int, step: int = 10, **readings: float) -> None:
    """Measured now and then, so that no device seems lost."""
    for _ in range(seconds // step):
        world.measure(**readings)
        world.tick(step * 1_000)


def raise_high(world: World) -> str:
    """A saturation of 80 % for 5 minutes; the alert's id."""
    stay = world.admit()
    go_on(world, 320, **LOW)
    (alert,) = [a for a in world.alerts(stay) if a.priority == "high"]
    return str(alert.id)


FIRST = ["first 0 ada/dashboard", "first 0 ada/phone", "first 0 ben/dashboard", "first 0 ben/phone"]


def test_from_a_reading_to_the_rows_of_those_who_are_to_be_told(world: World) -> None:
    alert = raise_high(world)
    assert told(world)[:4] == [f"{one} waiting" for one in FIRST]
    with world.service.engine_db.connect() as connection:
        row = connection.execute(select(deliveries)).first()
    assert row is not None
    assert (row.alert, row.ward, row.priority, row.kind) == (alert, "w", "high", "physiological")
    assert (row.text["bed"], row.text["to"], row.text["zone"]) == ("1", "Ada Berg", "Europe/Zurich")
    assert "p-1" not in str(tuple(row)), "nothing identifies the patient"
    go_on(world, 300, **LOW)
    assert told(world)[4:] == ["escalation 1 cleo/phone waiting", "escalation 2 doc/pager waiting"]
    world.crash()
    world.tick(1_000)
    assert len(told(world)) == 6, "a crash tells nobody twice"


def test_the_same_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    world = World(tmp_path, postgres_url)
    world.do("put_plan", ward="w", definition=always(), expected=0)
    alert = raise_high(world)
    send_all(world)
    go_on(world, 120, **LOW)
    world.crash()
    world.do("acknowledge", alert=alert, assessment="artefact", note=None)
    go_on(world, 200, **FINE)
    assert [line.split()[0] for line in told(world)] == ["first"] * 4 + ["escalation"] + ["resolved"] * 4
    world.close()


def test_who_takes_it_spares_those_who_were_not_told_yet(world: World) -> None:
    alert = raise_high(world)
    send_all(world)
    go_on(world, 120, **LOW)
    world.do("acknowledge", alert=alert, assessment="actionable", note=None)
    assert told(world) == [*(f"{one} sent" for one in FIRST), "escalation 1 cleo/phone dropped"]


def test_nobody_is_reminded_of_what_is_over(world: World) -> None:
    """The reminder of who took it waited for its channel when the patient was discharged."""
    alert = raise_high(world)
    send_all(world)
    world.do("acknowledge", alert=alert, assessment="actionable", note=None)
    go_on(world, 1_810, **LOW)
    of_it = [row for row in rows(world, "alert", "reason", "state") if row[0] == alert]
    assert of_it[4:] == [(alert, "reminder", "waiting")] * 4
    world.do("discharge", stay=world.alerts()[0].stay)
    left = [line.split()[0] for line in told(world) if line.endswith("waiting")]
    assert left == ["resolved"] * 4


def test_whoever_was_told_hears_that_it_is_over(world: World) -> None:
    alert = raise_high(world)
    send_all(world)
    go_on(world, 120, **LOW)  # the charge nurse's row waits, and is dropped below
    world.do("acknowledge", alert=alert, assessment="actionable", note=None)
    go_on(world, 200, **FINE)
    world.crash()
    go_on(world, 1_900, 50, **FINE)
    assert [line for line in told(world) if line.startswith("resolved")] == [
        f"resolved 0 {who} waiting" for who in ("ada/dashboard", "ada/phone", "ben/dashboard", "ben/phone")
    ]
    go_on(world, 100, **FINE)
    assert sum(line.startswith("resolved") for line in told(world)) == 4


def test_a_pause_holds_back_what_nobody_was_told(world: World) -> None:
    alert = raise_high(world)
    stay = world.alerts()[0].stay
    world.do("pause", stay=stay, minutes=30)
    assert {row[4] for row in rows(world)} == {"dropped"}
    world.crash()
    world.do("pause", stay=stay, minutes=0)
    assert told(world) == [f"{one} waiting" for one in FIRST]
    assert world.service.core.book.get(alert).state == "active"


def test_a_patient_who_moves_is_the_other_wards(world: World) -> None:
    raise_high(world)
    there = always(route=[{"level": [{"tell": ["doc"], "channels": ["pager"]}]}])
    world.do("put_plan", ward="icu", definition=there, expected=0)
    stay = world.alerts()[0].stay
    world.do("transfer", stay=stay, ward="icu", bed="9")
    assert told(world) == [*(f"{one} dropped" for one in FIRST), "again 0 doc/pager waiting"]


def test_who_moves_in_a_pause_is_the_other_wards_when_it_ends(world: World) -> None:
    raise_high(world)
    stay = world.alerts()[0].stay
    there = always(route=[{"level": [{"tell": ["doc"], "channels": ["pager"]}]}])
    world.do("put_plan", ward="icu", definition=there, expected=0)
    world.do("pause", stay=stay, minutes=30)
    world.do("transfer", stay=stay, ward="icu", bed="9")
    world.crash()
    world.do("pause", stay=stay, minutes=0)
    assert told(world) == [*(f"{one} dropped" for one in FIRST), "again 0 doc/pager waiting"]


def test_what_comes_up_in_the_next_ward_is_told_there_though_it_was_in_the_first(world: World) -> None:
    """Both wards have a dashboard, and the episode has told one of them."""
    for ward in ("w", "icu"):  # no plan of their own: the built-in one, which tells everybody
        world.do("put_plan", ward=ward, definition=None, expected=int(ward == "w"))
    alert = raise_high(world)
    send_all(world)
    stay = world.alerts()[0].stay
    world.do("acknowledge", alert=alert, assessment="actionable", note=None)
    world.do("transfer", stay=stay, ward="icu", bed="9")
    world.crash()
    before = len(told(world))
    again = rule("lower", signal="spo2")
    world.service.core.note(
        world.service.core.book.raised(stay, again, world.now - 600_000, world.now, "spo2", 80.0, world.now)
    )
    world.service.core.commit(world.now)
    assert told(world)[before:] == ["first 0 everybody/dashboard waiting"]
    assert rows(world, "ward")[-1] == ("icu",)


def test_who_was_discharged_as_it_crashed_is_nobodys_alert_however_long_it_was_away(world: World) -> None:
    alert = raise_high(world)
    stay = world.alerts()[0].stay
    for _ in range(2):  # so that the journal knows nothing of the stay any more
        go_on(world, 20, **LOW)
        world.runner.take_snapshot()
    with world.service.engine_db.begin() as tx:
        discharge(tx, stay, world.now)
    world.clock.time += 2 * 3_600_000
    world.crash()
    go_on(world, 600)
    assert [(a.state, a.close_reason) for a in world.alerts() if a.id == alert] == [("closed", "stay ended")]
    assert told(world) == [f"{one} dropped" for one in FIRST]


def test_who_cannot_be_told_is_seen_on_the_alert_and_the_next_is_called(world: World) -> None:
    alert = raise_high(world)
    given = {"alert": alert, "person": "ada", "channel": "phone", "error": "no answer"}
    run = world.runner._commands.run
    view = run("not_delivered", world.now, given)
    assert [dict(one) for one in view["undelivered"]] == [{"person": "ada", "channel": "phone"}]
    assert told(world)[-1] == "undelivered 1 cleo/phone waiting"
    world.crash()
    run = world.runner._commands.run
    assert run("not_delivered", world.now, given)["undelivered"]
    assert len(told(world)) == 5
    (stored,) = [a for a in world.alerts() if a.id == alert]
    assert [(one.person, one.channel) for one in stored.undelivered] == [("ada", "phone")]
    assert [event.detail["error"] for event in world.events("not-delivered")] == ["no answer"]


def test_a_plan_applies_at_once_is_logged_and_survives(world: World) -> None:
    raise_high(world)
    changed = always(
        route=[{"level": [{"tell": ["doc"], "channels": ["pager"]}, {"after": "1m", "tell": ["doc"]}]}]
    )
    made = world.do("put_plan", ward="w", definition=changed, expected=1)
    assert (made["version"], made["by"]) == (2, "nurse")
    assert [event.detail["version"] for event in world.events("plan-changed")] == [2, 1]
    world.crash()
    world.tick(60_000)
    assert told(world)[-1] == "escalation 1 doc/dashboard waiting", "an open alert goes on by the new plan"
    with pytest.raises(PreconditionError):
        world.do("put_plan", ward="w", definition=changed, expected=1)
    with pytest.raises(InvalidError):
        world.do("put_plan", ward="w", definition={"timezone": "Mars"}, expected=2)
    world.do("put_plan", ward="w", definition=None, expected=2)
    assert world.service.plan("w") is world.service.core.plans.default


def test_a_low_alert_of_the_night_is_due_in_the_morning(tmp_path: Path, sqlite_url: str) -> None:
    world = World(tmp_path, sqlite_url)
    quiet = {"from": "00:00", "to": "23:59", "priority": ["low", "medium"]}
    world.do("put_plan", ward="w", definition=always() | {"quiet": quiet}, expected=0)
    world.service.core.plans.of("w")
    stay = world.admit()
    go_on(world, 4_000, 50, spo2=90.0, hr=80.0)  # below 92 % for 60 min is of medium priority
    (alert,) = world.alerts(stay)
    assert alert.priority == "medium"
    found = rows(world, "person", "created", "due")
    until = world.service.plan("w").quiet_until("medium", alert.announced_at)
    assert [(person, due - created) for person, created, due in found] == [
        ("ada", until - alert.announced_at),
        ("ben", until - alert.announced_at),
    ]
    world.close()


def test_a_fault_of_the_service_goes_by_the_plan_of_all_wards(tmp_path: Path, sqlite_url: str) -> None:
    path = tmp_path / "plan.toml"
    ways = [
        {"kind": "technical", "rules": ["service-fault"], "level": [{"tell": ["tom"], "channels": ["mail"]}]}
    ]
    path.write_text(to_toml(always(route=ways)))
    world = World(tmp_path, sqlite_url, plan_file=path)
    world.service.core.service_faults = lambda: ["broker"]
    for _ in range(4):
        world.tick(10_000)
    assert rows(world, "ward", "stay", "person", "channel", "priority") == [("", None, "tom", "mail", "high")]
    world.close()


def test_a_plan_file_holds_for_every_ward_without_its_own(tmp_path: Path, sqlite_url: str) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(TEXT)
    world = World(tmp_path, sqlite_url, plan_file=path)
    assert world.service.plan("any").zone == "Europe/Zurich"
    world.close()
    path.write_text("timezone = 'Mars'")
    with pytest.raises(InvalidError, match=r"plan\.toml: field timezone: 'Mars'; allowed: a time zone"):
        World(tmp_path, sqlite_url, plan_file=path)


def test_a_stored_plan_that_cannot_be_read_is_a_fault_and_not_the_end(world: World) -> None:
    with world.service.engine_db.begin() as tx:
        tx.execute(delete(plans))
        bad = {"ward": "w", "version": 1, "definition": {"timezone": "Gone/Zone"}, "by": "x", "at": 1}
        tx.execute(plans.insert().values(bad))
    world.crash()
    assert world.service.core.faults == {"plan w": "plan: that of ward w cannot be read"}
    assert world.service.plan("w") is world.service.core.plans.default
    world.do("put_plan", ward="w", definition=always(), expected=1)
    assert world.service.core.faults == {}


def test_a_plan_that_fails_while_it_is_followed_costs_no_alert_and_is_a_fault(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise LookupError("a name that belongs in no log")

    monkeypatch.setattr(Roster, "on_duty", gone)
    alert = raise_high(world)
    assert [a.state for a in world.alerts() if a.id == alert] == ["active"]
    assert rows(world, "person", "channel") == [("everybody", "dashboard")]
    said = "plan: that of ward w cannot be followed (LookupError); the built-in one holds"
    assert world.service.core.faults == {"plan w": said}
    monkeypatch.undo()
    world.do("put_plan", ward="w", definition=always(), expected=1)
    world.tick()
    assert world.service.core.faults == {}


def test_why_a_patient_is_away_and_who_said_so_is_seen_until_she_is_back(world: World) -> None:
    stay = world.admit()
    world.live(5, spo2=97)
    world.do("pause", stay=stay, minutes=30, reason="scan")
    shown = world.runner.keeper.board.stays[stay]
    assert (shown["paused_reason"], shown["paused_by"]) == ("scan", "nurse")
    world.crash()
    world.tick()
    assert world.runner.keeper.board.stays[stay]["paused_reason"] == "scan"
    assert world.events("paused")[0].detail["reason"] == "scan"
    world.tick(2 * 60_000)
    world.live(3, spo2=97)  # heard again after a silence: she is back
    shown = world.runner.keeper.board.stays[stay]
    assert (shown["paused_until"], shown["paused_reason"], shown["paused_by"]) == (None, None, None)
