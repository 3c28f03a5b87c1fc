"""What a screen is told of changes gives the view again: a web process lives by it."""

from __future__ import annotations

import copy

import pytest

from tests.live.world import World
from ward.clock import iso
from ward.cluster.applied import applied
from ward.cluster.whole import Lines, Whole
from ward.live.changes import change
from ward.signals import MINUTE
from ward.web.hub import Hub


def test_changes_make_the_next_view_of_the_one_before(world: World):
    stay = world.admit(devices=("mon", "pump"))
    views = [copy.deepcopy(world.service.board.stays[stay])]
    for second in range(40):
        world.measure(hr=80 + second, spo2=90 - second // 4, rr=30)
        if second == 10:
            world.measure("pump", sbp=80)
        if second == 20:
            world.do("set_flags", stay=stay, flags=["copd"])
        world.tick()
        views.append(copy.deepcopy(world.service.board.stays[stay]))
    known, seen = None, 0
    for before, view in zip([None, *views], views, strict=False):
        told = change(before, view, everything=True)
        if told is not None:
            seen += 1
            known = applied(known, told, view["time"])
        assert known is not None
        assert {**known, "time": view["time"]} == view
    assert seen > 20


def test_a_change_of_what_is_not_known_is_refused():
    with pytest.raises(KeyError):
        applied(None, {"id": "s", "set": {"bed": "2"}}, iso(0) or "")


def test_lines_go_on_for_two_hours():
    whole = Whole(2, Hub())
    start = 1_000 * MINUTE
    told = {"stays": [], "alerts": [], "devices": [], "minutes": {}, "forged": {}, "health": {}}
    whole.begin(0, told | {"place": 0, "time": 0, "number": 1})
    for minute in range(0, 300, 3):
        first, last = start + minute * MINUTE, start + (minute + 3) * MINUTE
        line = {"from": iso(first), "to": iso(last), "signals": {"hr": [minute, None, None, minute + 3]}}
        whole.follow(0, "minutes", {"stays": {"s": line}}, None)
    shown = whole.board.minutes.view("s")
    assert (shown["to"], len(shown["signals"]["hr"])) == (iso(start + 300 * MINUTE), 120)
    assert shown["signals"]["hr"][-4:] == [297, None, None, 300]
    assert whole.board.minutes.view("s", 1_298)["signals"]["hr"] == [None, None, 300]
    assert Lines({}).view("gone")["signals"] == {}
