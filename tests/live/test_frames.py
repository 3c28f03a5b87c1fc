"""Views are made when somebody looks: they are what they would have been had somebody looked at once."""

from __future__ import annotations

import json
from typing import Any

from ward.live.board import EVERYTHING_MS
from ward.live.frames import Frame
from ward.signals import MINUTE
from ward.web.hub import Message

Text = dict[str, str]


def as_text(frame: Frame, stays: Any) -> Text:
    return {stay: json.dumps([frame.view(stay), repr(frame.risk(stay))]) for stay in stays}


def test_a_view_is_the_same_whenever_it_is_made(world, monkeypatch):
    made: list[tuple[Frame, Text]] = []

    def twice(*given: Any) -> Frame:
        made.append((Frame(*given), as_text(Frame(*given), given[1])))
        return Frame(*given)

    monkeypatch.setattr("ward.live.board.Frame", twice)
    one, two = world.admit("1"), world.admit("2", devices=("other",), flags=("copd",))
    world.publish("mon", {"state": "online", "session": "a", "intervals": {"hr": 1}}, "status")
    for step in range(40):
        world.measure(hr=70 + step, spo2=80, rr=14, sbp=120)
        world.measure("other", hr=20 if step % 3 else 90, spo2=97)
        world.tick(15_000)
    raised = world.alerts(one)
    assert raised
    world.do("acknowledge", alert=raised[0].id, assessment=None, note=None)
    world.do("assign", stays=[one, two], person="ada", name="Ada Berg")
    world.do("pause", stay=two, minutes=5)
    world.publish("mon", {"state": "offline", "session": "a"}, "status")
    world.live(5, spo2=99, hr=80)
    world.do("transfer", stay=two, ward="w", bed="9")
    world.do("discharge", stay=one)
    world.tick(10 * MINUTE)
    assert len({text for _, at_once in made for text in at_once.values()}) > 80
    for later, at_once in made:
        assert as_text(later, at_once) == at_once


def test_nothing_is_made_where_nobody_looks(world, monkeypatch):
    stay = world.admit()
    made = []
    make = Frame._make
    monkeypatch.setattr(Frame, "_make", lambda frame, stay: made.append(stay) or make(frame, stay))
    world.live(20, hr=80, spo2=97)
    assert made == []
    board = world.service.board
    assert (stay in board.stays, len(board.stays), board.wards, board.alerts) == (True, 1, {"w"}, [])
    assert board.seen_by("elsewhere".__eq__) == []
    assert made == []
    assert board.stays[stay] is board.seen_by("w".__eq__)[0]
    assert made == [stay]


def test_messages_are_not_asked_for_where_no_stream_is_open(world):
    def messages():
        raise AssertionError("asked for")
        yield Message("stay", {}, "w")

    assert world.service.hub.tell(messages()) == 0


def test_what_only_ages_is_made_anew_in_turns(world):
    stays = {world.admit(str(bed), devices=(f"mon-{bed}",)) for bed in range(20)}
    world.tick()
    anew = []
    for _ in range(EVERYTHING_MS // 1_000):
        before = world.service.board.frames
        world.tick()
        frames = world.service.board.frames
        anew.append({stay for stay in stays if frames[stay] is not before[stay]})
    assert set.union(*anew) == stays
    assert max(map(len, anew)) <= 2 * len(stays) // 5


def test_the_end_of_a_hold_is_shown_at_the_tick_that_reaches_it(world):
    stay, engine = world.admit(), world.service.core.engine
    world.measure(spo2=97)
    shown = []
    for _ in range(200):
        world.tick()
        found = world.service.board.stays[stay]["signals"].get("spo2")
        if found:
            is_over = engine.frontier[0] >= engine.held.expires.max()
            shown.append(found["state"])
            assert found["state"] == ("stale" if is_over else "fresh")
    assert {"fresh", "stale"} == set(shown)


def test_a_clock_that_is_set_back_leaves_no_view_old(world):
    stay = world.admit()
    world.tick(60_000)
    before = world.service.board.frames[stay]
    world.runner.keeper.refresh(world.now - 30_000)
    assert world.service.board.frames[stay] is not before
