"""The bounded queue between the network and the core."""

import threading
import time

import pytest

from ward.ingest.intake import ENOUGH, MANY, Incoming, Intake


def message(n, size=1):
    return Incoming(f"topic/{n}", b"x" * size, n)


def test_messages_come_out_in_order_and_at_most_so_many():
    intake = Intake()
    for n in range(7):
        intake.put(message(n))
    assert [m.received for m in intake.drain(5)] == [0, 1, 2, 3, 4]
    assert [m.received for m in intake.drain(5)] == [5, 6]
    assert intake.drain(5) == []
    assert intake.bytes == 0


@pytest.mark.parametrize("bounds", [{"max_messages": 3}, {"max_bytes": 30}])
def test_it_is_full_by_messages_or_bytes_and_says_when_there_is_room(bounds):
    intake = Intake(**bounds)
    told = []
    intake.on_space = lambda: told.append(len(intake))
    for n in range(3):
        assert not intake.is_full
        intake.put(message(n, 10))
    assert intake.is_full
    intake.put(message(3, 10))  # neither waits nor drops
    intake.drain(1)
    assert told == []
    intake.drain(1)
    assert told == [2]
    intake.drain(2)
    assert told == [2]


def test_a_waiting_drain_is_woken_by_a_message():
    intake = Intake()
    got = []
    thread = threading.Thread(target=lambda: got.extend(intake.drain(timeout=20)))
    thread.start()
    intake.put(message(1))
    thread.join(10)
    assert got == [message(1)]


@pytest.mark.parametrize("bounds", [{"max_messages": 0}, {"max_bytes": 0}])
def test_an_impossible_bound_is_refused(bounds):
    with pytest.raises(ValueError, match="at least one"):
        Intake(**bounds)


def test_messages_wait_for_others_and_many_of_them_do_not():
    intake = Intake()
    intake.put(message(1))
    later = threading.Timer(0.05, lambda: intake.put(*map(message, range(2, MANY + 1))))
    later.start()
    begun = time.monotonic()
    assert len(intake.drain(timeout=60.0, gather=60.0)) == MANY
    assert time.monotonic() - begun < 30
    intake.put(message(1))
    assert len(intake.drain(timeout=0.01, gather=60.0)) == 1  # never longer than the time it was given
    intake.put(message(2))
    assert len(intake.drain(gather=60.0)) == 1
    later.join()


def test_nobody_waits_for_more_than_a_broker_sends_before_an_acknowledgement(monkeypatch):
    intake = Intake()
    intake.put(*map(message, range(24)))
    begun = time.monotonic()
    assert len(intake.drain(timeout=60.0, gather=60.0)) == 24
    assert time.monotonic() - begun < 30  # it was noticed that no more came
    monkeypatch.setattr("ward.ingest.intake.STALL_S", 60.0)
    intake.put(*map(message, range(20)))
    assert len(intake.drain(timeout=60.0, gather=60.0)) == 20
    assert time.monotonic() - begun < 30  # and is remembered
    for few in (ENOUGH, ENOUGH - 1):
        intake.put(*map(message, range(few)))
        assert len(intake.drain(timeout=0.2, gather=60.0)) == few


def test_a_gathering_drain_is_woken_too():
    intake = Intake()
    intake.put(*map(message, range(ENOUGH + 1)))
    later = threading.Timer(0.02, intake.wake)
    later.start()
    begun = time.monotonic()
    assert len(intake.drain(timeout=60.0, gather=60.0)) == ENOUGH + 1
    assert time.monotonic() - begun < 30
    later.join()
