"""Which stays are built again in a tick: not a whole ward at once, and nobody is left waiting."""

from __future__ import annotations

import numpy as np
import pytest

from tests.faults.stream import PACK
from tests.live.world import World
from ward.live import metrics
from ward.live.late import AT_ONCE, LONGEST_WAIT, SETTLE, Late
from ward.scoring.readings import Readings

STAYS = 2 * AT_ONCE + 1


def note(late: Late, slots: list[int], now: int) -> None:
    late.note(Readings.of(slot=slots, signal=0, time=now - 60_000, value=80.0, hold=90_000), now)


def test_a_ward_that_reconnects_is_built_again_some_stays_a_tick():
    late, now, order = Late(1.0), 1_000_000, []
    note(late, list(range(STAYS)), now)
    assert late.due(now, AT_ONCE) == [], "more may come"
    assert late.slots() == list(range(STAYS))
    ticks = 0
    while late:
        now, ticks = now + SETTLE, ticks + 1
        due = late.due(now, AT_ONCE)
        assert 0 < len(due) <= AT_ONCE
        order += due
        for slot in due:
            late.drop(slot)
    assert order == list(range(STAYS))
    assert ticks == 3


def test_who_is_late_again_and_again_keeps_nobody_waiting():
    late, now, done = Late(1.0), 1_000_000, []
    note(late, list(range(STAYS)), now)
    for _ in range(10):
        now += LONGEST_WAIT
        due = late.due(now, AT_ONCE)
        for slot in due:
            late.drop(slot)
        done += due
        note(late, due, now)
    assert set(done) == set(range(STAYS))


def test_what_waits_is_the_same_after_a_dump():
    late = Late(1.0)
    note(late, [3, 1, 3], 1_000_000)
    note(late, [1], 1_000_500)
    copy = Late(1.0)
    copy.load(late.dump())
    for now in (1_000_999, 1_001_000, 1_001_500):
        assert copy.due(now) == late.due(now)
    assert copy.waiting_for() == late.waiting_for()
    waiting = {slot: copy.of(slot).time.tolist() for slot in copy.slots()}
    assert waiting == {3: [940_000] * 2, 1: [940_000, 940_500]}
    empty = Late(1.0)
    empty.load(Late(1.0).dump())
    assert not empty


@pytest.mark.parametrize("ends", [False, True], ids=["killed", "ended"])
def test_a_snapshot_keeps_nobody_waiting_while_a_ward_is_built_again(tmp_path, ends):
    """A ward's network is back: snapshots fall into the minutes in which its clocks are built again."""
    world = World(tmp_path / "data")
    stays = {bed: world.admit(bed, (f"mon-{bed}",)) for bed in map(str, range(STAYS))}
    for _ in range(30):
        for bed in stays:
            world.measure(f"mon-{bed}", hr=80, spo2=97)
        world.tick()
    gone = world.now
    world.tick(120_000)
    for bed in stays:
        world.publish(
            f"mon-{bed}",
            {"samples": [world.sample(f"mon-{bed}", gone + n * 1_000, hr=80, spo2=78) for n in range(100)]},
        )
    world.tick()
    before = metrics.LATE._value.get()
    for _ in range(3):  # as many as are kept: the journal has nothing of it any more
        world.runner.take_snapshot()
    assert metrics.LATE._value.get() == before
    position = world.service.core.position
    assert [at for at, _ in world.runner._journal.read(0)] == [position]
    if ends:
        world.runner._save_last()
    world.crash()
    world.tick()
    raised = {a.stay: (a.breach_since, a.late) for a in world.alerts() if a.rule == "spo2-below-80"}
    assert raised == dict.fromkeys(stays.values(), (gone, True))
    for stay in stays.values():
        stored = world.stored(stay)
        assert np.count_nonzero((stored.time >= gone) & (stored.value == 78)) == 100
    world.close()


def test_a_breach_that_an_outage_hid_is_told_before_a_newer_one_and_does_not_end_it(tmp_path, monkeypatch):
    """Building a whole ward again takes many ticks: meanwhile the next breach of a stay may be sustained."""
    pack = tmp_path / "short.toml"
    pack.write_text(PACK)
    world = World(tmp_path / "data", lateness_s=2, pack=str(pack))
    stay = world.admit()
    world.publish("mon", {"state": "online", "session": "a", "interval_s": {"spo2": 1}}, "status")
    monkeypatch.setattr("ward.live.core.AT_ONCE", 0)  # others are built again first

    def second(spo2, is_away=False):
        sample = world.sample(spo2=spo2)
        if not is_away:
            world.publish("mon", sample)
        world.tick()
        return sample

    for _ in range(10):
        second(88)
    away = [second(87 if 2 <= n < 14 else 88, is_away=True) for n in range(20)]
    assert not world.told()
    world.publish("mon", {"samples": away})
    newer = world.now
    for _ in range(10):
        second(87)
    monkeypatch.undo()
    for _ in range(10):
        second(87)
    told = [(e.kind, e.detail.get("since"), e.detail.get("late")) for e in reversed(world.events())]
    assert told[1:] == [
        ("raised", newer - 18_000, True),
        ("cleared", None, None),
        ("raised-again", newer, False),
    ]
    (alert,) = world.alerts(stay)
    assert (alert.state, alert.breach_since, alert.cleared_at) == ("active", newer, None)
    world.close()
