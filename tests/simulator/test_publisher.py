"""The publisher against a real broker: everything arrives, wills are the broker's own."""

import json
import threading

import pytest

from simulator import Fault, Simulation, messages, plan_ward, scene
from simulator.publisher import Publisher
from tests.brokers import client_at, subscribe, until
from tests.ports import free_port
from tests.simulator.reading import MINUTE, START, samples_of
from ward.clock import ReplayClock, wall_ms
from ward.ingest.broker import EmbeddedBroker
from ward.ingest.broker_url import BrokerUrl


class Hurried:
    """A clock that is always past every message, so that nothing is waited for."""

    speed = 1.0

    def now(self):
        return START + 10**12


@pytest.fixture
def broker():
    with EmbeddedBroker(free_port()) as running:
        yield running


@pytest.fixture
def heard(broker):
    """(topic, payload, retained) of all that is published under ward/."""
    found = []
    with client_at(broker.port) as client:
        client.on_message = lambda client, data, m: found.append((m.topic, m.payload, m.retain))
        subscribe(client, "ward/v1/#")
        yield found


def states(found, device):
    return [json.loads(p) for topic, p, _ in found if topic.endswith(f"/{device}/status")]


def publish(broker, plan, duration, batch=1_000):
    sent = list(messages(plan, START, duration, batch))
    progress = Publisher(BrokerUrl.parse(broker.url), Hurried()).run(sent, threading.Event())
    return sent, progress


def test_every_message_arrives_unchanged(broker, heard):
    sent, progress = publish(broker, plan_ward(1, 6), 10 * MINUTE, 5_000)
    vitals = [m for m in sent if m.what == "vitals"]
    until(lambda: sum(topic.endswith("vitals") for topic, _, _ in heard) >= len(vitals))
    got = [(topic, payload) for topic, payload, _ in heard if topic.endswith("vitals")]
    assert sorted(got) == sorted((m.topic, m.payload) for m in vitals)
    for device in {m.device for m in vitals}:
        in_order = [payload for topic, payload in got if f"/{device}/" in topic]
        assert in_order == [m.payload for m in vitals if m.device == device]
    assert progress.waiting == 0
    assert progress.problem is None


def test_a_lost_connection_is_told_by_the_brokers_own_will(broker, heard):
    plan = scene(devices=["monitor"], faults={"monitor": [Fault("backlog", MINUTE, 4 * MINUTE)]})
    sent, _ = publish(broker, plan, 6 * MINUTE)
    until(lambda: len(states(heard, "monitor")) >= 4)
    session = sent[0].session
    assert [s["state"] for s in states(heard, "monitor")] == ["online", "offline", "online", "offline"]
    assert {s["session"] for s in states(heard, "monitor")} == {session}
    kinds = [topic.rsplit("/", 1)[1] for topic, _, _ in heard]
    will = [i for i, kind in enumerate(kinds) if kind == "status"][1]
    before = [json.loads(payload)["seq"] for topic, payload, _ in heard[:will] if topic.endswith("vitals")]
    assert before == list(range(59)) or before == list(range(60))


def test_after_a_reboot_the_old_will_comes_after_the_new_birth(broker, heard):
    plan = scene(devices=["monitor"], faults={"monitor": [Fault("reboot", MINUTE, MINUTE + 20_000)]})
    sent, _ = publish(broker, plan, 4 * MINUTE)
    first, second = sent[0].session, sent[-1].session
    until(lambda: len(states(heard, "monitor")) >= 4)
    assert [(s["state"], s["session"]) for s in states(heard, "monitor")] == [
        ("online", first),
        ("online", second),
        ("offline", first),
        ("offline", second),
    ]


def test_status_is_retained_for_those_who_come_later(broker):
    publish(broker, scene(devices=["monitor"]), MINUTE)
    found = []
    with client_at(broker.port) as client:
        client.on_message = lambda client, data, m: found.append((json.loads(m.payload)["state"], m.retain))
        subscribe(client, "ward/v1/#")
        until(lambda: found)
    assert found == [("offline", True)]


def test_a_broker_that_is_not_there_yet_is_waited_for_and_told():
    port = free_port()
    stop = threading.Event()
    sent = list(messages(scene(devices=["monitor"]), START, MINUTE, 10_000))
    publisher = Publisher(BrokerUrl.parse(f"mqtt://127.0.0.1:{port}"), Hurried())
    thread = threading.Thread(target=publisher.run, args=(sent, stop))
    thread.start()
    try:
        until(lambda: publisher.progress.problem is not None)
        assert f"127.0.0.1:{port}" in publisher.progress.problem
        assert publisher.progress.waiting == len(sent) - 1
        with EmbeddedBroker(port):
            until(lambda: not thread.is_alive(), 20)
    finally:
        stop.set()
        thread.join(5)
    assert publisher.progress.waiting == 0


def test_a_broker_that_restarts_costs_no_message():
    port, stop = free_port(), threading.Event()
    sent = list(messages(scene(devices=["monitor"]), START, 20 * MINUTE))
    got = set()

    class Steered:
        speed = 60.0
        at = START

        def now(self):
            return self.at

    clock = Steered()
    publisher = Publisher(BrokerUrl.parse(f"mqtt://127.0.0.1:{port}"), clock)
    thread = threading.Thread(target=publisher.run, args=(sent, stop))

    def listen(client):
        client.on_message = lambda c, d, m: got.update(
            sample["seq"] for sample in samples_of(m) if m.topic.endswith("vitals")
        )
        subscribe(client, "ward/v1/+/+/vitals")

    with EmbeddedBroker(port), client_at(port) as client:
        listen(client)
        thread.start()
        clock.at = START + 5 * MINUTE
        until(lambda: len(got) >= 290)
    clock.at = START + 10 * MINUTE
    until(lambda: publisher.progress.problem is not None)
    with EmbeddedBroker(port), client_at(port) as client:
        listen(client)
        clock.at = START + 60 * MINUTE
        until(lambda: not thread.is_alive(), 30)
        until(lambda: len(got) >= 20 * 60 - 1, 5)
    stop.set()
    thread.join(5)
    assert got == set(range(len(got)))


def test_a_simulation_keeps_the_pace_of_its_clock_and_stops(broker, heard, tmp_path):
    simulation = Simulation(
        plan_ward(1, 8), url=broker.url, clock=ReplayClock(wall_ms(), 300), truth=tmp_path / "truth.jsonl"
    )
    simulation.start()
    until(lambda: simulation.clock.now() - simulation.start_ms > 8 * MINUTE)
    progress = simulation.progress
    simulation.stop()
    assert progress.problem is None
    assert progress.behind_ms < 4 * MINUTE
    assert progress.connected > 15
    # What a simulation sends is what `messages` gives for its batch of 0.4 s of the wall's time.
    sent = list(messages(simulation.plan, simulation.start_ms, 4 * MINUTE, 120_000))
    assert {m.payload for m in sent if m.what == "vitals"} <= {payload for _, payload, _ in heard}
    devices = simulation.plan.stays()[0]["devices"]
    until(lambda: all(states(heard, device)[-1]["state"] == "offline" for device in devices))
    assert (tmp_path / "truth.jsonl").stat().st_size > 1_000
    simulation.stop()
