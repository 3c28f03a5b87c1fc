"""How fast ward takes messages off a broker, beside a subscriber that does nothing.

Both drain the same backlog from the same embedded broker: a session is opened, left, filled with
messages at QoS 1, and opened again. So the publisher takes no part in the measured time, and the
difference is what ward does to a message, from its bytes to the evaluated rules.
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
from ward.config import Settings
from ward.ingest.broker import EmbeddedBroker
from ward.live import metrics
from ward.server import set_up_log
from ward.service import WardService
from ward.store.stays import admit

BEDS = 24
DEADLINE_S = 120.0
READINGS = {"hr": 82, "pr": 82, "spo2": 97, "rr": 16, "pi": 4.2}
TOPIC = "ward/v1/+/+/vitals"


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
    """Seconds until the whole service has taken ``wanted`` messages in: decoded, durable in the journal,
    acknowledged, routed to stays, filtered, scored, and the rules of the pack ``default`` evaluated."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            data_dir=Path(folder), mqtt_url=f"mqtt://127.0.0.1:{port}?protocol=3.1.1", mqtt_client_id=name
        )
        service = WardService(settings)
        service.recover()
        admit_all(service)
        before = readings_taken()
        count, start = 0, time.perf_counter()
        service.link.start()
        while count < wanted:
            count += service.runner.take_messages(0.1)
            if time.perf_counter() - start > DEADLINE_S:
                raise RuntimeError(f"only {count} of {wanted} messages came")
        service.runner.tick()  # as after a start: what waited at the broker is evaluated when it is in
        took = time.perf_counter() - start
        evaluated = readings_taken() - before
        service.stop()
    if evaluated != wanted * len(READINGS):
        raise RuntimeError(f"{evaluated} readings were evaluated, not {wanted * len(READINGS)}")
    return took


def readings_taken() -> int:
    return int(metrics.READINGS._value.get())


def admit_all(service: WardService) -> None:
    """Twenty-four beds, admitted before the first sample was measured."""
    with service.engine_db.begin() as tx:
        for bed in range(BEDS):
            stay = {"stay": f"stay-{bed}", "patient_ref": f"p-{bed}", "ward": "bench", "bed": str(bed)}
            admitted = admit(tx, **stay, devices=[f"mon-{bed:02}"], at=0)
            service.core.load_stay(admitted, wall_ms())


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
    set_up_log("warning")
    start = wall_ms() - 1000 * (asked.messages // BEDS + 60)
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
