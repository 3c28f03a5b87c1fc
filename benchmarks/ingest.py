"""How fast ward takes messages off a broker, beside a subscriber that does nothing.

Both drain the same backlog from the same embedded broker: a session is opened, left, filled with
messages at QoS 1, and opened again. So the publisher takes no part in the measured time, and the
difference is what ward does to a message: decode, journal (durable), acknowledge, route.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import paho.mqtt.client as mqtt

from ward.clock import wall_ms
from ward.ingest.assignments import Assigned, StayInfo
from ward.ingest.broker import EmbeddedBroker
from ward.ingest.journal import SqlJournal
from ward.ingest.mqtt import MqttLink
from ward.ingest.payload import decode_vitals
from ward.ingest.router import Router
from ward.store.database import migrate, open_database

BEDS = 24
DEADLINE_S = 120.0
READINGS = {"hr": 82, "pr": 82, "spo2": 97, "rr": 16, "pi": 4.2}
TOPIC = "ward/v1/bench/+/vitals"


def message(number: int, start: int) -> tuple[str, bytes]:
    """Sample ``number`` of a ward of 1 Hz monitors, as the contract has it."""
    device, second = number % BEDS, number // BEDS
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(start // 1000 + second)) + "Z"
    sample = {"seq": second, "time": moment, "session": "bench", "readings": READINGS}
    return f"ward/v1/bench/mon-{device:02}/vitals", json.dumps(sample).encode()


def client(name: str, port: int, clean: bool) -> mqtt.Client:
    made = mqtt.Client(
        mqtt.CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv311, clean_session=clean
    )
    made.max_inflight_messages_set(500)
    made.connect("127.0.0.1", port)
    return made


def open_session(name: str, port: int) -> None:
    """Subscribe with a persistent session, and go away."""
    ready = threading.Event()
    one = client(name, port, clean=False)
    one.on_subscribe = lambda *_: ready.set()
    one.on_connect = lambda *_: one.subscribe(TOPIC, qos=1)
    one.loop_start()
    if not ready.wait(10):
        raise RuntimeError("the broker does not answer")
    one.disconnect()
    one.loop_stop()


def publish(port: int, messages: list[tuple[str, bytes]]) -> None:
    """All of them at QoS 1, each acknowledged by the broker."""
    one = client("publisher", port, clean=True)
    one.loop_start()
    for topic, payload in messages:
        last = one.publish(topic, payload, qos=1)
    last.wait_for_publish(DEADLINE_S)
    one.disconnect()
    one.loop_stop()


def drain_empty(name: str, port: int, wanted: int) -> float:
    """Seconds in which a paho subscriber that only counts gets ``wanted`` messages."""
    count, done = 0, threading.Event()

    def on_message(*_: object) -> None:
        nonlocal count
        count += 1
        if count == wanted:
            done.set()

    one = client(name, port, clean=False)
    one.on_message = on_message
    start = time.perf_counter()
    one.loop_start()
    if not done.wait(DEADLINE_S):
        raise RuntimeError(f"only {count} of {wanted} messages came")
    took = time.perf_counter() - start
    one.disconnect()
    one.loop_stop()
    return took


def drain_ward(name: str, port: int, wanted: int) -> float:
    """Seconds until ward has ``wanted`` messages in its journal, acknowledged and routed to stays."""
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{Path(folder) / 'ward.db'}")
        migrate(database)
        journal, router = SqlJournal(database), Router(stays())
        link = MqttLink(
            f"mqtt://127.0.0.1:{port}?protocol=3.1.1", now=wall_ms, client_id=name, topics=[TOPIC]
        )
        count = rows = 0
        start = time.perf_counter()
        with link:
            while count < wanted:
                batch = link.intake.drain(timeout=1.0)
                entries, refusals = [], []
                for one in batch:
                    samples, refused = decode_vitals(one.topic, one.payload, one.received)
                    entries += samples
                    refusals += refused
                if entries or refusals:
                    journal.append(entries, refusals)
                    link.ack(batch)
                    rows += len(router.apply(entries).rows)
                count += len(batch)
                if time.perf_counter() - start > DEADLINE_S:
                    raise RuntimeError(f"only {count} of {wanted} messages came")
            took = time.perf_counter() - start
        database.dispose()
    if rows != wanted * len(READINGS):
        raise RuntimeError(f"{rows} readings were routed, not {wanted * len(READINGS)}")
    return took


def stays() -> list[StayInfo]:
    return [
        StayInfo(id=f"stay-{bed}", ward="bench", bed=str(bed), devices=(Assigned(f"mon-{bed:02}", 0),))
        for bed in range(BEDS)
    ]


def measure(drain: Callable[[str, int, int], float], messages: list[tuple[str, bytes]]) -> float:
    """Messages a second of one drain of a fresh broker's backlog."""
    with EmbeddedBroker(port=0) as broker:
        open_session("bench", broker.port)
        publish(broker.port, messages)
        return len(messages) / drain("bench", broker.port, len(messages))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    start = wall_ms() - 1000 * (asked.messages // BEDS)
    messages = [message(number, start) for number in range(asked.messages)]
    size = statistics.mean(len(payload) for _, payload in messages)
    print(
        f"{asked.messages} messages of {len(READINGS)} readings, {size:.0f} bytes, QoS 1; "
        f"median (least, most) of {asked.rounds} rounds; "
        f"Python {platform.python_version()}, {os.cpu_count()} cores, SQLite synchronous=FULL"
    )
    middle = {}
    # In turn, so that whatever else the machine does meets both alike.
    rates: dict[str, list[float]] = {"empty subscriber": [], "ward": []}
    for _ in range(asked.rounds):
        rates["empty subscriber"].append(measure(drain_empty, messages))
        rates["ward"].append(measure(drain_ward, messages))
    for name, found in rates.items():
        middle[name] = statistics.median(found)
        print(
            f"{name:<17}{middle[name]:>8,.0f} messages/s ({min(found):,.0f}, {max(found):,.0f}), "
            f"{middle[name] * len(READINGS):>9,.0f} readings/s"
        )
    print(f"ward takes {middle['ward'] / middle['empty subscriber']:.0%} of the empty subscriber's rate")


if __name__ == "__main__":
    main()
