"""The outbox publishes many at once, each once while its answer may still come."""

from __future__ import annotations

import pytest

from tests.databases import *  # noqa: F403
from ward.live import outbox
from ward.live.outbox import OutboxSender
from ward.store.outbox import Letter, backlog, enqueue


class Flight:
    """A message on its way to a broker that answers when it is told to."""

    def __init__(self) -> None:
        self.answered = self.is_lost = False

    def wait(self, timeout_s: float) -> bool:
        return self.answered


class Broker:
    def __init__(self) -> None:
        self.heard: list[str] = []
        self.flights: list[Flight] = []
        self.is_up = True

    def send(self, topic: str, payload: bytes) -> Flight | None:
        if not self.is_up:
            return None
        self.heard.append(payload.decode())
        self.flights.append(Flight())
        return self.flights[-1]


@pytest.fixture
def sent(sqlite_engine, monkeypatch):
    monkeypatch.setattr(outbox, "ANSWER_S", 0.0)
    broker = Broker()
    with sqlite_engine.begin() as tx:
        enqueue(tx, [Letter(f"event-{n}", "t", str(n), 1_000) for n in range(5)])

    def left() -> int:
        with sqlite_engine.connect() as connection:
            return backlog(connection)[0]

    return OutboxSender(sqlite_engine, broker.send), broker, left


def test_a_slow_broker_gets_each_letter_once_and_what_it_answers_is_sent(sent):
    sender, broker, left = sent
    assert sender.send_due(2_000) == 0
    assert sender.send_due(3_000) == 0
    assert broker.heard == ["0", "1", "2", "3", "4"]
    for flight in broker.flights[:3]:
        flight.answered = True
    assert sender.send_due(60_000) == 3
    assert left() == 2
    for flight in broker.flights:
        flight.answered = True
    assert sender.send_due(61_000) == 2
    assert (left(), len(broker.heard)) == (0, 5)


def test_a_clock_that_was_set_back_holds_no_letter_up(sent):
    """The broker was away, and the machine found out what time it is: an hour earlier."""
    sender, broker, _ = sent
    broker.is_up = False
    assert sender.send_due(1_000_000) == 0
    broker.is_up = True
    sender.send_due(1_000_500)
    assert broker.heard == [], "the first is not due again yet"
    sender.send_due(1_000_000 - 3_600_000)
    assert broker.heard == ["0", "1", "2", "3", "4"]


def test_when_the_connection_ends_order_begins_anew_with_the_oldest(sent):
    sender, broker, left = sent
    sender.send_due(2_000)
    for flight in broker.flights:
        flight.is_lost = True
    broker.is_up = False
    assert sender.send_due(3_000) == 0
    broker.is_up = True
    assert sender.send_due(3_500) == 0  # not due again yet, and nothing overtakes it
    assert sender.send_due(10_000) == 0
    assert broker.heard == ["0", "1", "2", "3", "4"] * 2
    for flight in broker.flights:
        flight.answered = True
    assert sender.send_due(11_000) == 5
    assert left() == 0
