"""Which stays are built again in a tick: not a whole ward at once, and nobody is left waiting."""

from __future__ import annotations

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
