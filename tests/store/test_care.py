"""Deliveries and plans in both databases: once by key, dropped, resumed, told; versions and two writers."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from sqlalchemy import Engine, select, update

from ward.alerts.model import Alert, Undelivered
from ward.errors import PreconditionError
from ward.store.alerts import get_alert, save_alerts
from ward.store.care import (
    PAUSED,
    Delivery,
    drop_of_stay,
    drop_waiting,
    enqueue_deliveries,
    level_of,
    resume_stay,
    told_of_episode,
)
from ward.store.plans import current_plans, plan_history, put_plan
from ward.store.tables import deliveries

NOW = 1_800_000_000_000
BASE = Delivery(
    "k", "a1", "s1", "6A", "e1", "high", "physiological", "first", 0, "ada", "phone", "101", NOW, NOW, NOW
)


def alert(id: str = "a1", state: str = "active", episode: str = "e1", **more) -> Alert:
    return Alert(id, "s1", "6A", "4", "r", "R", "high", "physiological", state, episode=episode, **more)


def add(engine: Engine, *keys: str, **values) -> None:
    with engine.begin() as tx:
        enqueue_deliveries(tx, [replace(BASE, **{"key": key, "person": key} | values) for key in keys])


def mark(engine: Engine, key: str, **values) -> None:
    with engine.begin() as tx:
        tx.execute(update(deliveries).where(deliveries.c.key == key).values(values))


def states(engine: Engine) -> dict[str, tuple[str, str | None]]:
    with engine.connect() as connection:
        rows = connection.execute(select(deliveries.c.key, deliveries.c.state, deliveries.c.error))
        return {key: (state, error) for key, state, error in rows}


def test_the_same_key_is_one_row_whatever_became_of_it(engine: Engine) -> None:
    add(engine, "k")
    mark(engine, "k", state="sent", sent=NOW)
    add(engine, "k", "other")
    assert states(engine) == {"k": ("sent", None), "other": ("waiting", None)}


def test_what_nobody_need_know_any_more_is_dropped(engine: Engine) -> None:
    add(engine, "waits", "done")
    add(engine, "others", alert="a2")
    mark(engine, "done", state="sent")
    with engine.begin() as tx:
        assert drop_waiting(tx, "a1", "acknowledged") == 1
    assert states(engine) == {
        "waits": ("dropped", "acknowledged"),
        "done": ("sent", None),
        "others": ("waiting", None),
    }


def test_a_pause_holds_back_and_brings_back_what_is_still_active(engine: Engine) -> None:
    add(engine, "waits")
    add(engine, "taken", alert="a2")
    add(engine, "over", alert="a3", reason="resolved")
    add(engine, "elsewhere", alert="a4", stay="s2")
    with engine.begin() as tx:
        save_alerts(tx, [alert(), alert("a2", "acknowledged"), alert("a3", "closed")])
        assert drop_of_stay(tx, "s1") == 2
        assert states_in(tx) == {"waits", "taken"}
        assert resume_stay(tx, "s1") == 1
    assert {key: state for key, (state, _) in states(engine).items()} == {
        "waits": "waiting",
        "taken": "dropped",
        "over": "waiting",
        "elsewhere": "waiting",
    }


def test_what_a_pause_held_back_does_not_come_back_once_nobody_need_know(engine: Engine) -> None:
    """The patient went to another ward in the pause, say: those of the first ward are told nothing more."""
    add(engine, "waits")
    with engine.begin() as tx:
        save_alerts(tx, [alert()])
        drop_of_stay(tx, "s1")
        drop_waiting(tx, "a1", "moved")
        assert resume_stay(tx, "s1") == 0
    assert states(engine) == {"waits": ("dropped", "moved")}


def states_in(tx) -> set[str]:
    return set(tx.scalars(select(deliveries.c.key).where(deliveries.c.error == PAUSED)))


def test_told_is_who_was_sent_to_or_is_just_being_sent_to(engine: Engine) -> None:
    add(engine, "sent", "sending", "stale", "waits", "failed")
    mark(engine, "sent", state="sent", sent=NOW)
    mark(engine, "sending", lease_by="x", lease_until=NOW + 1)
    mark(engine, "stale", lease_by="x", lease_until=NOW)
    mark(engine, "failed", state="failed")
    add(engine, "test", reason="test")
    mark(engine, "test", state="sent")
    with engine.connect() as connection:
        assert [one.person for one in told_of_episode(connection, "e1", NOW)] == ["sending", "sent"]
        assert told_of_episode(connection, "e9", NOW) == []


def test_who_heard_in_the_episode_before_is_told_that_the_later_one_is_over(engine: Engine) -> None:
    add(engine, "ben", alert="a2")  # of an alert that was over long ago
    add(engine, "ada", alert="a1")
    add(engine, "cleo", alert="a1", episode="e2")
    for key in ("ben", "ada", "cleo"):
        mark(engine, key, state="sent")
    with engine.begin() as tx:
        save_alerts(tx, [alert("a1", "closed", "e2"), alert("a2", "closed", "e1")])
        assert [one.person for one in told_of_episode(tx, "e2", NOW)] == ["ada", "ben", "cleo"]
        assert [one.person for one in told_of_episode(tx, "e1", NOW)] == ["ada", "ben"]


def test_the_level_of_what_was_not_sent(engine: Engine) -> None:
    add(engine, "first", person="ada", level=0)
    add(engine, "later", person="ada", level=2)
    mark(engine, "later", state="sent", sent=NOW)
    with engine.connect() as connection:
        assert level_of(connection, "a1", "ada", "phone") == 0
        assert level_of(connection, "a1", "zoe", "phone") is None


def test_an_alert_keeps_who_could_not_be_told(engine: Engine) -> None:
    with engine.begin() as tx:
        save_alerts(tx, [alert(), alert("a2", undelivered=(Undelivered("ada", "phone"),))])
        assert get_alert(tx, "a1").undelivered == ()
        assert get_alert(tx, "a2").undelivered == (Undelivered("ada", "phone"),)


def put(engine: Engine, expected: int, ward: str = "6A", zone: str | None = "UTC"):
    with engine.begin() as tx:
        definition = None if zone is None else {"timezone": zone}
        return put_plan(tx, ward=ward, definition=definition, by="Ada", at=NOW + expected, expected=expected)


def test_every_version_of_a_plan_is_kept(engine: Engine) -> None:
    made = [put(engine, 0), put(engine, 1, zone="Europe/Zurich"), put(engine, 2, zone=None)]
    other = put(engine, 0, "9C")
    with engine.connect() as connection:
        assert plan_history(connection, "6A") == made[::-1]
        assert current_plans(connection) == [made[2], other]
        assert plan_history(connection, "none") == []
    assert made[2].definition is None


def test_of_many_who_change_a_plan_at_once_one_wins(engine: Engine) -> None:
    put(engine, 0)
    with pytest.raises(PreconditionError) as refused:
        put(engine, 0)
    assert refused.value.extra == {"version": 1, "code": "plan-changed"}
    won, lost = [], []

    def change() -> None:
        try:
            won.append(put(engine, 1))
        except PreconditionError:
            lost.append(1)

    threads = [threading.Thread(target=change) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 5)
