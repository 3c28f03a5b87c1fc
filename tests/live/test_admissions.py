"""Admissions in the whole service: what is changed is told, and what is taken back watches again."""

from __future__ import annotations

import pytest

from tests.live.world import World
from ward.errors import ConflictError
from ward.signals import MINUTE

SPO2 = "spo2-below-88"


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.close()


def active(world: World, stay: str) -> list[str]:
    return sorted(a.rule for a in world.alerts(stay) if a.state == "active")


def desaturated(world: World) -> None:
    """For eleven minutes."""
    for _ in range(66):
        world.measure(spo2=86.0)
        world.tick(10_000)


def test_every_change_of_a_stay_is_in_its_log(world: World) -> None:
    stay, other = world.admit("1", ("mon",)), world.admit("2", ())
    world.do("attach", stay=other, device="mon", from_stay=stay)
    world.do("transfer", stay=other, ward="w", bed="9", pause_minutes=15)
    world.do("set_flags", stay=other, flags=["copd"])
    world.do("detach", stay=other, device="mon")
    world.do("discharge", stay=other)
    told = [(e.stay, e.kind, e.by) for e in reversed(world.events()) if e.alert is None]
    assert told == [
        (stay, "admitted", "nurse"),
        (other, "admitted", "nurse"),
        (stay, "detached", "nurse"),
        (other, "attached", "nurse"),
        (other, "moved", "nurse"),
        (other, "paused", "nurse"),
        (other, "flags", "nurse"),
        (other, "detached", "nurse"),
        (other, "discharged", "nurse"),
    ]
    by_kind = {e.kind: e.detail for e in world.events() if e.stay == other}
    assert by_kind["attached"] == {"device": "mon", "from_bed": "1"}
    assert by_kind["moved"] == {"from_ward": "w", "from_bed": "2", "ward": "w", "bed": "9", "left": []}
    assert by_kind["flags"] == {"before": [], "after": ["copd"]}
    assert "p-2" not in str(world.events())


def test_a_device_that_is_taken_measures_the_other_patient_from_then_on(world: World) -> None:
    mine, theirs = world.admit("1", ("mon",)), world.admit("2", ())
    world.live(3, hr=70)
    with pytest.raises(ConflictError, match="in use by bed 1"):
        world.do("attach", stay=theirs, device="mon", from_stay=None)
    world.do("attach", stay=theirs, device="mon", from_stay=mine)
    world.live(8, hr=90)
    board = world.service.board.stays
    assert board[theirs]["signals"]["hr"]["value"] == 90
    assert board[mine]["signals"]["hr"]["value"] == 70
    assert [d["until"] is None for d in board[mine]["devices"]] == [False]
    with pytest.raises(ConflictError, match="in use by bed 2"):  # it is not where the caller saw it
        world.do("attach", stay=world.admit("3", ()), device="mon", from_stay=mine)


def test_what_a_device_shows_before_it_is_anybodys(world: World) -> None:
    assert world.service.showing("w", "mon") == {}
    world.live(3, hr=82, spo2=97)
    shown = world.service.showing("w", "mon")
    assert {name: one["value"] for name, one in shown.items()} == {"hr": 82.0, "spo2": 97.0}
    for number in range(70):  # more devices than there was room for
        world.measure(f"other-{number}", hr=100 + number)
    world.tick()
    assert world.service.showing("w", "other-69")["hr"]["value"] == 169
    assert world.service.showing("w", "mon")["hr"] == shown["hr"]
    stay = world.admit("1", ("mon",))
    world.live(8, hr=120, spo2=95)
    assert world.service.showing("w", "mon")["hr"]["value"] == 120
    world.do("detach", stay=stay, device="mon")
    world.live(6, hr=44)
    assert world.service.showing("w", "mon")["hr"]["value"] == 44


@pytest.mark.parametrize("minutes", [1, 9])
def test_a_discharge_that_is_taken_back_watches_again(world: World, minutes: int) -> None:
    """Also where the stay's place in the engine was freed meanwhile, and after a crash."""
    stay = world.admit("1", ("mon", "cuff"))
    desaturated(world)
    assert active(world, stay) == [SPO2]
    world.do("discharge", stay=stay)
    assert active(world, stay) == []
    (ended,) = [a for a in world.alerts(stay) if a.rule == SPO2]
    assert ended.close_reason == "stay ended"
    for _ in range(minutes * 6):
        world.tick(10_000)
    world.runner.take_snapshot()
    world.do("admit", patient_ref="x", ward="w", bed="2", devices=["cuff"], flags=[])
    back = world.do("undo_discharge", stay=stay)
    assert back["discharged_at"] is None
    assert [d["device"] for d in back["devices"] if d["until"] is None] == ["mon"]  # the cuff is another's
    world.crash()
    desaturated(world)
    assert active(world, stay) == [SPO2]
    assert world.service.board.stays[stay]["signals"]["spo2"]["value"] == 86


def test_what_cannot_be_taken_back(world: World) -> None:
    stay = world.admit("1")
    with pytest.raises(ConflictError, match="is not over"):
        world.do("undo_discharge", stay=stay)
    world.do("discharge", stay=stay)
    other = world.admit("1")
    with pytest.raises(ConflictError, match="bed 1 of ward w is taken"):
        world.do("undo_discharge", stay=stay)
    world.do("discharge", stay=other)
    world.clock.time += 10 * MINUTE + 1
    with pytest.raises(ConflictError, match="more than 10 min; admit anew"):
        world.do("undo_discharge", stay=stay)
