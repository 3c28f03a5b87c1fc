"""While the broker is out of reach evaluation waits for what waits there, and not for long."""

from __future__ import annotations

from ward.live import metrics
from ward.live.outage import LONGEST_S, SILENCE_S, Outage


def look(outage: Outage, at: float, connected: bool, current: bool | None = None) -> int | None:
    outage.look(round(at * 1000), at, is_connected=connected, is_current=current)
    return outage.since


def test_evaluation_stands_where_the_connection_was_last():
    outage = Outage()
    assert look(outage, 10, True) is None
    assert look(outage, 11, False) == 10_000
    assert look(outage, 15, False) == 10_000


def test_until_what_comes_is_of_now():
    outage = Outage()
    look(outage, 10, True)
    look(outage, 11, False)
    assert look(outage, 15, True) == 10_000, "nothing has come yet"
    assert look(outage, 15.5, True, current=False) == 10_000
    assert look(outage, 16, True, current=True) is None


def test_until_nothing_more_comes():
    outage = Outage()
    look(outage, 10, True)
    look(outage, 11, False)
    look(outage, 15, True, current=False)
    assert look(outage, 15 + SILENCE_S - 0.1, True) == 10_000
    assert look(outage, 15 + SILENCE_S, True) is None


def test_not_longer_than_so_long_and_the_next_time_anew():
    outage = Outage()
    look(outage, 10, True)
    look(outage, 11, False)
    assert look(outage, 11 + LONGEST_S, False) is None
    assert look(outage, 60, True, current=False) is None
    assert look(outage, 70, True) is None
    assert look(outage, 71, True) is None
    assert look(outage, 72, False) == 71_000


def test_who_was_never_connected_waits_for_nothing():
    outage = Outage()
    assert look(outage, 10, False) is None
    assert look(outage, 11, False) is None


def test_what_waited_at_the_broker_is_not_late_and_tells_the_alert_at_its_instant(world):
    """The same breach with and without fourteen seconds in which no message could come."""
    connected = True
    world.runner._is_connected = lambda: connected

    def second() -> None:
        world.clock.time += 1_000
        came = 0
        if connected:
            came = world.runner.take_messages()
        world.runner._outage.look(
            world.now,
            world.now / 1000,
            is_connected=connected,
            is_current=world.runner._is_current() if came else None,
        )
        world.runner.tick()

    told = {}
    before = metrics.LATE._value.get()
    for bed, cut in (("1", False), ("2", True)):
        stay = world.admit(bed, (f"mon-{bed}",))
        begun, at_broker = world.now, []
        for number in range(120):
            at_broker.append(world.sample(f"mon-{bed}", spo2=70))
            connected = not (cut and 40 <= number < 54)
            while connected and at_broker:
                world.publish(f"mon-{bed}", at_broker.pop(0))
            if number == 54 and cut:
                assert world.service.core.engine.until <= begun + 40_000
            second()
        told[bed] = [at - begun for of, rule, at, _ in world.told() if (of, rule) == (stay, "spo2-below-80")]
    assert len(told["1"]) == 1
    assert told["1"] == told["2"]
    assert metrics.LATE._value.get() == before


def test_of_a_whole_ward_something_always_waits(world):
    world.admit("1", ("mon-1",))
    world.publish("mon-1", world.sample("mon-1", spo2=97))
    world.runner.take_messages()
    assert world.runner._is_current()
    world.publish("mon-1", world.sample("mon-1", spo2=97))
    assert world.runner._is_current(), "it came just now"
    world.runner._intake.oldest = lambda: world.now - world.service.core.engine.lateness - 1
    assert not world.runner._is_current(), "it waits for long"
