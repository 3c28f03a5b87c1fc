"""Under load what may wait waits, in the order that is promised; alerts do not."""

from __future__ import annotations

import pytest

from tests.live.world import START
from ward.errors import InvalidError
from ward.ingest.packed import LEAST
from ward.live import history, snapshots
from ward.live.load import CALM_S, REASON, Load


def test_overload_lasts_until_it_has_been_calm_for_a_while():
    load = Load()
    load.look(100.0, 0.1, 0.1)
    assert not load.is_shedding
    assert load.put_off(7.0, 60.0) == 7.0
    load.look(101.0, 0.6, 0.1)
    assert load.is_shedding
    assert load.put_off(7.0, 60.0) == 67.0
    load.look(101.0 + CALM_S - 2, 0.1, 0.9)
    load.look(101.0 + CALM_S - 1, 0.1, 0.9)  # slow ticks are no calm
    load.look(101.0 + 2 * CALM_S - 2, 0.1, 0.1)
    assert load.is_shedding
    load.look(101.0 + 2 * CALM_S, 0.1, 0.1)
    assert not load.is_shedding


def test_one_slow_tick_is_no_overload_two_in_a_row_are():
    load = Load()
    for at, tick_s, expected in ((1, 3.0, False), (2, 0.1, False), (3, 0.9, False), (4, 0.9, True)):
        load.look(float(at), 0.0, tick_s)
        assert load.is_shedding == expected


def test_a_board_of_three_seconds_that_takes_long_does_not_keep_itself_rare():
    load = Load()
    load.look(0.0, 1.0, 0.1)
    for second in range(1, int(CALM_S) + 1):
        load.look(float(second), 0.0, 2.4 if load.wants_board(float(second)) else 0.1)
    assert not load.is_shedding


def test_the_board_is_made_more_rarely_and_never_older_than_screens_bear():
    load = Load()
    assert all(load.wants_board(float(n)) for n in range(3))
    load.look(3.0, 1.0, 0.0)
    assert [load.wants_board(3.0 + n) for n in range(6)] == [False, False, True, False, False, True]


def test_alerts_come_as_ever_while_the_board_waits_and_everybody_is_told_why(world):
    stay = world.admit()
    world.live(5, spo2=97)
    world.runner.load._until = float("inf")
    world.runner.load.is_shedding = True
    world.runner.load._board_at = float("inf")  # no board at all
    shown = world.service.board
    world.live(70, spo2=70)
    assert world.service.board is shown
    (alert,) = [a for a in world.alerts(stay) if a.rule == "spo2-below-80"]
    assert (alert.state, alert.raised_at) == ("active", START + 65_000)
    assert REASON in world.service.health()["reasons"]
    assert world.service.health()["live"]
    assert "overload" in world.service.healthy.failing()


def test_what_failed_is_done_again_sooner_for_until_then_the_service_is_not_ready(world, monkeypatch):
    assert world.runner._pause("history", 10.0, 1.0) == 10.0
    monkeypatch.setattr(snapshots, "flush", lambda core: 1 / 0)
    monkeypatch.setattr("ward.live.runner.BACK_OFF_S", 0.0)
    world.runner._round("history", lambda: snapshots.flush(world.service.core))
    assert world.runner._pause("history", 10.0, 1.0) == 1.0
    assert not world.service.health()["ready"]


def test_a_long_history_is_written_bit_by_bit(world):
    stays = [world.admit(str(n), (f"m{n}",)) for n in range(4)]
    for _ in range(5):
        for n in range(4):
            world.measure(f"m{n}", hr=80)
        world.tick()
    world.tick(3_000)
    waiting = world.service.core.history
    assert len(waiting) == 20
    snapshots.flush(world.service.core, 8)
    assert len(waiting) == 10
    assert [len(list(waiting.of(stay))) for stay in stays] == [0, 0, 1, 1]
    assert [len(world.stored(stay)) for stay in stays] == [5, 5, 5, 5]
    assert len(waiting) == 0


def test_a_history_that_cannot_be_written_for_hours_is_given_up_before_memory_is(world, monkeypatch):
    stay = world.admit()
    monkeypatch.setattr(history, "MOST", 10)
    lost = history.metrics.HISTORY_LOST._value.get()
    world.live(30, hr=80)
    assert len(world.service.core.history) <= 10
    assert history.metrics.HISTORY_LOST._value.get() - lost >= 15
    assert world.service.board.stays[stay]["signals"]["hr"]["value"] == 80


def test_messages_of_made_up_devices_are_refused_in_the_whole_service(world, monkeypatch):
    from ward.ingest import limits

    monkeypatch.setattr(limits, "IN_WARD", 3)
    stay = world.admit()
    for n in range(3 * LEAST):
        world.publish(f"made-up-{n}", {"readings": {"hr": 80}})
    world.tick()
    world.live(5, hr=80)
    assert len(world.service.core.router.devices()) == 4
    assert len(world.stored(stay)) >= 3


def test_a_trial_refuses_a_rule_twice_and_holds_values_as_live_does(world):
    stay = world.admit()
    world.publish("mon", {"state": "online", "session": "a", "interval_s": {"spo2": 600}}, "status")
    for _ in range(4):
        world.measure(spo2=70)
        world.tick(600_000)
    world.tick(3_000)
    world.runner.take_snapshot()
    rule = {"id": "mine", "title": "low", "priority": "low", "when": ["spo2 < 88"], "for": "20m"}
    request = {"rules": [rule], "stays": [stay], "wards": None, "start": START, "end": world.now}
    found = world.trial(request)
    assert [item["rule"] for item in found["raised"] if item["rule"] == "mine"] == ["mine"]
    with pytest.raises(InvalidError, match="twice: mine"):
        world.trial(request | {"rules": [rule, rule]})
