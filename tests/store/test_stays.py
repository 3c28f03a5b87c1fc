"""Stays: a bed holds one patient, a device measures one, and intervals say when."""

import pytest
from sqlalchemy import Connection, Engine, insert

from ward.errors import ConflictError, NotFoundError
from ward.store import stays as store
from ward.store.stays import Assigned, admit, attach, detach, discharge, get_stay, list_stays, transfer
from ward.store.tables import assignments
from ward.store.tables import stays as table


@pytest.fixture
def tx(engine: Engine):
    with engine.begin() as connection:
        yield connection


def admitted(tx: Connection, stay: str = "s1", bed: str = "1", ward: str = "A", at: int = 100, **more):
    return admit(tx, stay=stay, patient_ref=f"p-{stay}", ward=ward, bed=bed, at=at, **more)


def test_admission_comes_back_as_written(tx: Connection) -> None:
    made = admitted(tx, flags=["copd"], devices=["mon-1", "cuff-1", "mon-1"])
    assert made == get_stay(tx, "s1")
    assert (made.patient_ref, made.ward, made.bed, made.start, made.end) == ("p-s1", "A", "1", 100, None)
    assert made.flags == ("copd",)
    assert made.devices == (Assigned("A", "mon-1", 100, None), Assigned("A", "cuff-1", 100, None))


def test_a_taken_bed_is_a_conflict_that_names_the_stay(tx: Connection) -> None:
    admitted(tx)
    with pytest.raises(ConflictError, match="bed 1 of ward A is taken") as refused:
        admitted(tx, "s2")
    assert (refused.value.extra["field"], refused.value.extra["stay"]) == ("bed", "s1")
    admitted(tx, "s2", ward="B")  # the transaction goes on, and another ward's bed 1 is another bed


def test_two_at_once_cannot_get_past_the_database(tx: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    admitted(tx, devices=["mon-1"])
    monkeypatch.setattr(store, "_require_free_bed", lambda *_: None)
    with pytest.raises(ConflictError):
        admitted(tx, "s2")
    admitted(tx, "s3", bed="3")
    with pytest.raises(ConflictError):
        transfer(tx, "s3", "A", "1", 200)
    assert get_stay(tx, "s3").bed == "3"


def test_a_bed_is_free_after_discharge(tx: Connection) -> None:
    admitted(tx, devices=["mon-1"])
    over = discharge(tx, "s1", 200)
    assert (over.end, over.devices) == (200, (Assigned("A", "mon-1", 100, 200),))
    assert admitted(tx, "s2", at=200, devices=["mon-1"]).devices == (Assigned("A", "mon-1", 200, None),)


def test_a_device_measures_one_stay_at_a_time(tx: Connection) -> None:
    admitted(tx, devices=["mon-1"])
    admitted(tx, "s2", bed="2")
    with pytest.raises(ConflictError, match="mon-1 of ward A is in use"):
        attach(tx, "s2", "mon-1", 150)
    detach(tx, "s1", "mon-1", 200)
    with pytest.raises(ConflictError):
        attach(tx, "s2", "mon-1", 199)  # it was still the other's then
    assert attach(tx, "s2", "mon-1", 200).devices == (Assigned("A", "mon-1", 200, None),)


def test_attaching_again_changes_nothing(tx: Connection) -> None:
    made = admitted(tx, devices=["mon-1"])
    assert attach(tx, "s1", "mon-1", 150) == made


def test_the_same_device_may_come_back(tx: Connection) -> None:
    admitted(tx, devices=["mon-1"])
    detach(tx, "s1", "mon-1", 200)
    back = attach(tx, "s1", "mon-1", 300)
    assert back.devices == (Assigned("A", "mon-1", 100, 200), Assigned("A", "mon-1", 300, None))


def test_detaching_what_is_not_there_is_not_found(tx: Connection) -> None:
    admitted(tx, devices=["mon-1"])
    detach(tx, "s1", "mon-1", 200)
    with pytest.raises(NotFoundError):
        detach(tx, "s1", "mon-1", 300)
    assert get_stay(tx, "s1").devices == (Assigned("A", "mon-1", 100, 200),)


def test_moving_beds_keeps_patient_and_devices(tx: Connection) -> None:
    admitted(tx, devices=["mon-1"])
    moved = transfer(tx, "s1", "A", "7", 200)
    assert (moved.bed, moved.devices) == ("7", (Assigned("A", "mon-1", 100, None),))
    assert transfer(tx, "s1", "A", "7", 300) == moved
    admitted(tx, "s2")  # the old bed is free


def test_another_wards_device_of_that_name_is_another_device(tx: Connection) -> None:
    admitted(tx, devices=["mon-1"])
    assert transfer(tx, "s1", "B", "1", 200).devices == (Assigned("A", "mon-1", 100, 200),)
    assert attach(tx, "s1", "mon-1", 200).devices[1] == Assigned("B", "mon-1", 200, None)


def test_flags_and_pause(tx: Connection) -> None:
    admitted(tx)
    assert store.set_flags(tx, "s1", ["copd", "bmi40", "copd"]).flags == ("copd", "bmi40")
    assert store.set_flags(tx, "s1", []).flags == ()
    assert store.set_pause(tx, "s1", 900).paused_until == 900
    assert store.set_pause(tx, "s1", None).paused_until is None


@pytest.mark.parametrize(
    "change",
    [
        lambda tx, stay: discharge(tx, stay, 300),
        lambda tx, stay: transfer(tx, stay, "A", "9", 300),
        lambda tx, stay: attach(tx, stay, "mon-9", 300),
        lambda tx, stay: store.set_flags(tx, stay, []),
        lambda tx, stay: store.set_pause(tx, stay, 900),
    ],
)
def test_nothing_changes_a_stay_that_is_over(tx: Connection, change) -> None:
    admitted(tx)
    discharge(tx, "s1", 200)
    with pytest.raises(ConflictError, match="is over"):
        change(tx, "s1")
    with pytest.raises(NotFoundError):
        change(tx, "nobody")


def test_a_stay_of_another_ward_is_not_found(tx: Connection) -> None:
    admitted(tx)
    assert get_stay(tx, "s1", {"A", "B"}).id == "s1"
    for wards in ({"B"}, set()):
        with pytest.raises(NotFoundError):
            get_stay(tx, "s1", wards)


def test_lists_are_paged_and_limited_to_wards(tx: Connection) -> None:
    for n in range(5):
        admitted(tx, f"s{n}", bed=str(n), ward="AB"[n % 2], at=100 + n // 2, devices=[f"mon-{n}"])
    first = list_stays(tx, limit=2)
    second = list_stays(tx, limit=2, cursor=first.next)
    third = list_stays(tx, limit=2, cursor=second.next)
    assert [stay.id for page in (first, second, third) for stay in page.items] == [
        "s4",
        "s3",
        "s2",
        "s1",
        "s0",
    ]
    assert third.next is None
    assert [stay.id for stay in list_stays(tx, wards=["B"]).items] == ["s3", "s1"]
    assert list_stays(tx, wards=[]).items == []
    discharge(tx, "s3", 200)
    assert [stay.id for stay in list_stays(tx, wards=["B"]).items] == ["s1"]
    assert [stay.id for stay in list_stays(tx, wards=["B"], include_ended=True).items] == ["s3", "s1"]


def test_a_start_gets_the_open_and_the_lately_ended(tx: Connection) -> None:
    for n in range(3):
        admitted(tx, f"s{n}", bed=str(n), devices=[f"mon-{n}"])
    discharge(tx, "s0", 200)
    discharge(tx, "s1", 300)
    found = store.stays_since(tx, 300)
    assert [(stay.id, stay.devices[0].end) for stay in found] == [("s1", 300), ("s2", None)]


def test_assignments_need_a_stay_and_go_with_it(engine: Engine) -> None:
    from sqlalchemy import select
    from sqlalchemy.exc import IntegrityError

    with engine.begin() as tx, pytest.raises(IntegrityError):
        tx.execute(insert(assignments).values(stay="nobody", ward="A", device="x", start=0))
    with engine.begin() as tx:
        admitted(tx, devices=["mon-1"])
        tx.execute(table.delete())
        assert tx.execute(select(assignments)).all() == []
