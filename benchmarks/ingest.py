"""How fast ward takes messages off a broker, beside a subscriber that does nothing.

Both drain the same backlog from the same Mosquitto: a session is opened, left, filled with messages, and
opened again, with MQTT 5 and room for 5,000 messages unacknowledged. So the publisher takes no part in
the measured time, and the difference is what ward does to a message, from its bytes to the evaluated rules.
"""

from __future__ import annotations

import argparse
import gc
import importlib.metadata
import json
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from benchmarks.figures import ROUNDS, Figure, Part, at_least, table
from benchmarks.publisher import Publisher, packet
from tests.brokers import mosquitto_at
from tests.parts import mosquitto
from tests.ports import free_port
from ward.clock import wall_ms
from ward.config import Settings
from ward.live import metrics
from ward.server import set_up_log
from ward.service import WardService
from ward.store.stays import admit

DEADLINE_S: Final = 120.0
READINGS: Final = {"hr": 82, "pr": 82, "spo2": 97, "rr": 16, "pi": 4.2}
TOPIC: Final = "ward/v1/+/+/vitals"
WINDOW: Final = 5_000
"""Messages that may be unacknowledged, as ward asks for."""
BROKER: Final = (
    "allow_anonymous true",
    "max_queued_messages 10000000",
    "max_queued_bytes 1073741824",
    "queue_qos0_messages true",
)
"""As deploy/mosquitto.conf, in memory; keeps messages of QoS 0, too, for who is away."""


@dataclass(frozen=True, slots=True)
class Load:
    """``messages`` of ``samples`` each, from ``devices`` in turn, a sample a second each."""

    devices: int
    samples: int
    qos: int
    messages: int

    @property
    def readings(self) -> int:
        return self.messages * self.samples * len(READINGS)

    def packets(self) -> list[bytes]:
        """Their newest sample is of now."""
        seconds = -(-self.messages // self.devices) * self.samples
        start = wall_ms() // 1000 - seconds - 1
        made = []
        for number in range(self.messages):
            device, turn = number % self.devices, number // self.devices * self.samples
            samples = [_sample(start, turn + n) for n in range(self.samples)]
            message = samples[0] if self.samples == 1 else {"samples": samples}
            topic = f"ward/v1/bench/mon-{device:04}/vitals"
            made.append(packet(topic, json.dumps(message).encode(), self.qos, number % 65_535 + 1))
        return made


class Took(NamedTuple):
    """Of the machine's time and of all processors', in seconds."""

    seconds: float
    cpu: float

    @classmethod
    def now(cls) -> Took:
        return cls(time.perf_counter(), time.process_time())

    def until_now(self) -> Took:
        seconds, cpu = self.now()
        return Took(seconds - self.seconds, cpu - self.cpu)


def _sample(start: int, second: int) -> dict[str, object]:
    """One sample of a 1 Hz monitor, as the contract has it; values change as a patient's do."""
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(start + second)) + "Z"
    readings = {**READINGS, "hr": 78 + second % 9, "pr": 78 + second % 9, "rr": 14 + second // 7 % 5}
    return {"seq": second, "time": moment, "session": "bench", "readings": readings}


def client(name: str, port: int) -> mqtt.Client:
    made = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5)
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = 3600
    properties.ReceiveMaximum = WINDOW
    made.connect("127.0.0.1", port, clean_start=False, properties=properties)
    return made


def open_session(name: str, port: int) -> None:
    """Subscribe with a persistent session, and go away."""
    ready = threading.Event()
    one = client(name, port)
    one.on_subscribe = lambda *_: ready.set()
    one.on_connect = lambda *_: one.subscribe(TOPIC, qos=1)
    one.loop_start()
    if not ready.wait(10):
        raise RuntimeError("the broker does not answer")
    one.disconnect()
    one.loop_stop()


@contextmanager
def backlog(load: Load, packets: list[bytes]) -> Iterator[int]:
    """A broker with messages that wait for the session ``bench``."""
    with mosquitto_at(free_port(), *BROKER) as port:
        open_session("bench", port)
        with Publisher(port) as publisher:
            publisher.publish(packets, load.qos)
        gc.collect()
        yield port


def drain_empty(load: Load, port: int) -> Took:
    """Seconds in which a paho subscriber that only counts gets all messages."""
    count, done = 0, threading.Event()

    def on_message(*_: object) -> None:
        nonlocal count
        count += 1
        if count == load.messages:
            done.set()

    one = client("bench", port)
    one.on_message = on_message
    start = Took.now()
    one.loop_start()
    if not done.wait(DEADLINE_S):
        raise RuntimeError(f"only {count} of {load.messages} messages came")
    took = start.until_now()
    one.disconnect()
    one.loop_stop()
    return took


def drain_ward(load: Load, port: int) -> Took:
    """Seconds until the whole service has taken all in: decoded, durable in the journal, acknowledged,
    routed to stays, filtered, scored, and the rules of the pack ``default`` evaluated."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            data_dir=Path(folder), mqtt_url=f"mqtt://127.0.0.1:{port}", mqtt_client_id="bench"
        )
        service = WardService(settings)
        service.recover()
        admit_all(service, load.devices)
        before = int(metrics.READINGS._value.get())
        count, start = 0, Took.now()
        service.link.start()
        while count < load.messages:
            count += service.runner.take_messages(0.1)
            if start.until_now().seconds > DEADLINE_S:
                raise RuntimeError(f"only {count} of {load.messages} messages came")
        service.runner.tick()  # as after a start: what waited at the broker is evaluated when it is in
        took = start.until_now()
        evaluated = int(metrics.READINGS._value.get()) - before
        service.stop()
    if evaluated < 0.99 * load.readings:  # what is younger than the lateness waits for the next tick
        raise RuntimeError(f"{evaluated} readings were evaluated, not {load.readings}")
    return took


def admit_all(service: WardService, devices: int) -> None:
    """One bed a device, admitted before the first sample was measured."""
    with service.engine_db.begin() as tx:
        for bed in range(devices):
            stay = {"stay": f"stay-{bed}", "patient_ref": f"p-{bed}", "ward": "bench", "bed": str(bed)}
            admitted = admit(tx, **stay, devices=[f"mon-{bed:04}"], at=0)
            service.core.load_stay(admitted, wall_ms())


def rounds(load: Load, times: int) -> tuple[list[Took], list[Took]]:
    """Seconds and processor seconds of the empty subscriber and of ward, in turn, so that whatever else
    the machine does meets both."""
    empty: list[Took] = []
    ward: list[Took] = []
    drains: list[tuple[list[Took], Callable[[Load, int], Took]]] = [
        (empty, drain_empty),
        (ward, drain_ward),
    ]
    for _ in range(times):
        packets = load.packets()
        for found, drain in drains:
            with backlog(load, packets) as port:
                found.append(drain(load, port))
    return empty, ward


LOADS: Final = ((24, 1, 1), (1_000, 1, 1), (24, 1, 0), (24, 50, 1), (1_000, 50, 1))
"""Devices, samples a message, QoS."""
SINGLES: Final = 30_000
BATCHES: Final = 2_500


def part(quick: bool = False) -> Part:
    return made(2 if quick else ROUNDS, LOADS[:1] if quick else LOADS, 3_000 if quick else SINGLES)


def made(times: int, loads: Sequence[tuple[int, int, int]], singles: int) -> Part:
    figures: list[Figure] = []
    for devices, samples, qos in loads:
        load = Load(devices, samples, qos, singles if samples == 1 else BATCHES)
        empty, ward = rounds(load, times)
        name = (
            f"{devices:,} devices, {'single samples' if samples == 1 else f'batches of {samples}'}, QoS {qos}"
        )
        beside = "an empty paho callback's rate"
        figures += [
            Figure.ratio(
                f"{name}: rate",
                [e.seconds for e in empty],
                [w.seconds for w in ward],
                beside,
                at_least(0.8) if samples == 1 else None,
            ),
            Figure.ratio(
                f"{name}: messages by a second of processor",
                [e.cpu for e in empty],
                [w.cpu for w in ward],
                "an empty paho callback's",
            ),
            Figure.of(
                f"{name}: readings a second",
                [load.readings / w.seconds for w in ward],
                "1/s",
                target=at_least(1e6) if samples > 1 else None,
                why=ENGINE if samples > 1 else "",
            ),
            Figure.of(
                f"{name}: readings by a second of processor", [load.readings / w.cpu for w in ward], "1/s"
            ),
        ]
    return Part(
        "ingest",
        "Ingest ceiling",
        (__doc__ or "").partition("\n\n")[2].strip(),
        "python -m benchmarks ingest",
        tuple(figures),
        versions={"Mosquitto": version(), "paho-mqtt": importlib.metadata.version("paho-mqtt")},
    )


ENGINE: Final = (
    "filter and rules alone take about a microsecond a reading, on the one core that owns the state"
)


def version() -> str:
    told = subprocess.run([str(mosquitto()), "-h"], capture_output=True, text=True, check=False).stdout
    return told.split()[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--messages", type=int, default=SINGLES)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", default="", help="such as 24x50@1")
    asked = parser.parse_args()
    set_up_log("warning")
    loads = [load for load in LOADS if not asked.only or asked.only == "{}x{}@{}".format(*load)]
    print(table(made(asked.rounds, loads, asked.messages)))


if __name__ == "__main__":
    main()
