"""Outbox, snapshots, dead letters, devices, small values; and text that databases do not like."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select

from ward.store import devices, letters, meta, outbox, snapshots
from ward.store.devices import Device
from ward.store.letters import DeadLetter
from ward.store.outbox import Letter
from ward.store.tables import snapshots as snapshot_table


@pytest.fixture
def tx(engine: Engine):
    with engine.begin() as connection:
        yield connection


# ---- outbox ------------------------------------------------------------------------------------


def letter(n: int) -> Letter:
    return Letter(key=f"k{n}", topic="ward/v1/A/alerts", payload=f'{{"n": {n}}}', created=100 + n)


def test_law_9_the_same_telling_twice_is_one_letter(tx: Connection) -> None:
    outbox.enqueue(tx, [letter(1), letter(2), letter(1)])
    outbox.enqueue(tx, [letter(2), letter(3)])
    assert [waiting.key for waiting in outbox.waiting(tx, 200)] == ["k1", "k2", "k3"]
    outbox.mark_sent(tx, [w.id for w in outbox.waiting(tx, 200)], 200)
    outbox.enqueue(tx, [letter(1)])  # also after it was sent
    assert outbox.waiting(tx, 10**12) == []
    assert outbox.backlog(tx) == (0, None)


def test_a_letter_is_lost_with_its_transaction_only(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.begin()
        outbox.enqueue(connection, [letter(1)])
    with engine.connect() as connection:
        assert outbox.waiting(connection, 10**12) == []


def test_failures_wait_longer_each_time_but_never_for_ever(tx: Connection) -> None:
    outbox.enqueue(tx, [letter(0), letter(1)])
    now, pauses = 101, []
    for _ in range(40):
        (tried, *_) = outbox.waiting(tx, now)
        assert tried.key == "k0"
        outbox.mark_failed(tx, tried, "connection refused" * 100, now)
        began = now
        while not outbox.waiting(tx, now):  # none overtakes it: who listens sees changes in their order
            now += 1000
        assert [w.key for w in outbox.waiting(tx, now)] == ["k0", "k1"]
        pauses.append(now - began)
    assert pauses[:4] == [1000, 2000, 4000, 5000]
    assert set(pauses[4:]) == {5000}
    assert outbox.backlog(tx) == (2, 100)


def test_the_outbox_gives_a_batch_at_a_time(tx: Connection) -> None:
    outbox.enqueue(tx, [letter(n) for n in range(5)])
    assert [w.key for w in outbox.waiting(tx, 1000, limit=2)] == ["k0", "k1"]
    assert [w.key for w in outbox.waiting(tx, 101)] == ["k0", "k1"]  # not before its time


# ---- snapshots ---------------------------------------------------------------------------------


def test_the_newest_snapshot_and_two_ways_back(tx: Connection) -> None:
    assert snapshots.latest_snapshot(tx) is None
    needed = [snapshots.save_snapshot(tx, taken=n, position=10 * n, payload=bytes([n])) for n in range(1, 6)]
    assert needed == [0, 0, 10, 20, 30]
    newest = snapshots.latest_snapshot(tx)
    assert (newest.taken, newest.position, newest.payload) == (5, 50, b"\5")
    assert [kept.position for kept in snapshots.load_snapshots(tx)] == [50, 40, 30]
    assert len(tx.execute(select(snapshot_table)).all()) == snapshots.KEPT


# ---- dead letters ------------------------------------------------------------------------------

REFUSED = DeadLetter(100, "ward/v1/A/m/vitals", "not-json", "at 3", b"\x00\xff{", "A", "m")


def test_letters_come_back_the_latest_first(tx: Connection) -> None:
    letters.add_letters(
        tx, [REFUSED, replace(REFUSED, received=200, reason="bad-time", ward=None, device=None)]
    )
    letters.add_letters(tx, [])
    page = letters.list_letters(tx, limit=1)
    assert page.items[0].reason == "bad-time"
    (first,) = letters.list_letters(tx, cursor=page.next).items
    assert replace(first, id=None) == REFUSED
    assert [found.reason for found in letters.list_letters(tx, wards=["A"]).items] == ["not-json"]
    assert letters.list_letters(tx, reason="bad-time", device="m").items == []
    assert letters.count_letters(tx) == {"not-json": 1, "bad-time": 1}
    assert letters.count_letters(tx, since=101) == {"bad-time": 1}


def test_text_a_database_refuses_does_not_fail_the_write(tx: Connection) -> None:
    """PostgreSQL takes no NUL and neither takes half a surrogate pair; devices may send both."""
    odd = replace(REFUSED, topic="a\0b", detail="\ud800x", device="mön-1 😀")
    letters.add_letters(tx, [odd])
    (found,) = letters.list_letters(tx).items
    assert (found.topic, found.detail, found.device) == ("a\ufffdb", "?x", "mön-1 😀")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(st.text(), st.text(), st.binary(max_size=50), st.dictionaries(st.text(), st.text(), max_size=3))
def test_any_text_can_be_written(
    engine: Engine, topic: str, detail: str, payload: bytes, value: dict
) -> None:
    with engine.begin() as tx:
        letters.add_letters(tx, [replace(REFUSED, topic=topic, detail=detail, payload=payload)])
        meta.put_meta(tx, "any", value)
    with engine.connect() as connection:
        found = letters.list_letters(connection, limit=1).items[0]
        assert found.payload == payload
        assert meta.get_meta(connection, "any") == value


# ---- devices -----------------------------------------------------------------------------------


def test_devices_are_updated_by_key(tx: Connection) -> None:
    seen = Device("A/m1", "A", "m1", first_seen=100, last_seen=100, number=1)
    again = replace(
        seen,
        last_seen=200,
        online=False,
        session="x",
        offset=-61_000,
        intervals={"sbp": 1800.0},
        readings=2**40,
    )
    devices.save_devices(tx, [seen, Device("B/m1", "B", "m1", 100, 100, number=2)])
    devices.save_devices(tx, [again])
    devices.save_devices(tx, [])
    assert devices.all_devices(tx) == [again, Device("B/m1", "B", "m1", 100, 100, number=2)]
    assert devices.device_names(tx) == {1: "A/m1", 2: "B/m1"}


def test_a_number_json_does_not_know_is_null(tx: Connection) -> None:
    meta.put_meta(tx, "x", {"a": [float("nan"), 1.5, (float("inf"),)], "b": {"c": float("-inf")}})
    assert meta.get_meta(tx, "x") == {"a": [None, 1.5, [None]], "b": {"c": None}}


# ---- small values ------------------------------------------------------------------------------


def test_small_values(tx: Connection) -> None:
    assert meta.get_meta(tx, "x", 7) == 7
    meta.put_meta(tx, "episode:a", {"began": 1})
    meta.put_meta(tx, "episode:a", {"began": 2})
    meta.put_meta(tx, "episode:b", None)
    meta.put_meta(tx, "episodes", 0)
    meta.put_meta(tx, "episode%", 0)
    assert meta.get_meta(tx, "episode:b", 7) is None
    assert meta.get_all_meta(tx, "episode:") == {"episode:a": {"began": 2}, "episode:b": None}
    assert meta.get_all_meta(tx, "episode%") == {"episode%": 0}
    meta.delete_meta(tx, "episode:a")
    assert meta.get_meta(tx, "episode:a") is None
