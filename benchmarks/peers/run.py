"""ward beside what one would use instead, on the same messages at the same time: python -m benchmarks.peers

Monitors that measure each second publish to a Mosquitto; ward, Prometheus with an exporter, Node-RED and a
Python script subscribe to it at QoS 1. Processor time is that of each whole tree of processes in windows
after all have started; these are the rounds. What each one told is compared with what was due by the rules.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import paho.mqtt.client as mqtt
from numpy.typing import NDArray

from benchmarks.figures import ROUNDS, Figure, Part, Table, at_least, number, table
from benchmarks.peers.files import rules
from benchmarks.peers.load import SIGNALS, Load, load
from benchmarks.peers.set_up import (
    NODE_RED,
    PLAIN,
    PROMETHEUS,
    WARD,
    Peer,
    Told,
    heard_alert,
    missing,
    node_red,
    node_red_version,
    plain,
    prometheus,
    ward,
)
from tests.brokers import mosquitto_at
from tests.ports import free_port

WANTED: Final = 5.0
WARM_UP: Final = 8
"""Seconds of messages before the first window."""
AFTER: Final = 5
"""Seconds after the last message: ward waits 2 s for late ones."""
PATIENCE_S: Final = 30.0
"""How long one is waited for who has not kept up."""
ENOUGH: Final = 0.9
MIB: Final = 2**20
BROKER: Final = ("allow_anonymous true", "max_queued_messages 0", "max_inflight_messages 500")
TEXT: Final = (
    "Monitors send a sample of four signals each second to one Mosquitto; four in ten patients get worse "
    "once, at a body's pace. All peers take the same messages at QoS 1 at the same time, on the same "
    "machine: a hospital's wards, and as many as make a broker busy. The rules are those of "
    "`ward-rct-2025` with a minute as a second (at least two). Each peer's configuration: "
    "[Prometheus](../benchmarks/peers/prometheus/rules.yml) with an "
    "[exporter](../benchmarks/peers/exporter.py) by its client library, "
    "[Node-RED](../benchmarks/peers/node-red/flows.json), [a script](../benchmarks/peers/plain.py), and "
    "ward as `ward serve` is, with [the pack](../benchmarks/peers/ward/pack.toml): journal on disk before "
    "it acknowledges, filter, history, dashboard. Processor time is of the whole tree of processes "
    "(Prometheus with its exporter, whose share the table tells), in windows after all have started; the "
    "broker and the monitors are not in it."
)
WHY: Final = {
    PLAIN: "a script keeps nothing, filters nothing and has no clock; ward's seconds buy a journal on disk, "
    "a filter, history and a tick each second.",
}
CANNOT: Final = (
    (
        PROMETHEUS,
        "a gap (UNKNOWN that neither counts nor resets): the last value stands until its series goes; "
        "readings between two scrapes; the devices' own time, so nothing late; `within`; `min_readings`; "
        "the filter; NEWS2 with stale parts; acknowledge, shelve, episodes (Alertmanager groups and "
        "silences)",
    ),
    (
        NODE_RED,
        "a gap (a monitor that stops while in breach fires); the devices' own time; `within`; "
        "`min_readings`; `clear_for`; the filter; NEWS2; the life of an alert; a restart loses every "
        "clock and what was under way",
    ),
    (
        PLAIN,
        "a gap; time without messages (nothing happens until the next sample); `within`; late readings; the "
        "filter; NEWS2; the life of an alert; a restart loses every clock; nothing is kept",
    ),
)


@dataclass(frozen=True, slots=True)
class Size:
    """window: seconds of a round."""

    name: str
    patients: int
    window: float

    def seconds(self, rounds: int) -> int:
        return int(WARM_UP + rounds * self.window + 2)


SIZES: Final = (Size("500 monitors", 500, 15.0), Size("2,000 monitors", 2_000, 6.0))
QUICK: Final = (Size("20 monitors", 20, 3.0),)


@dataclass(frozen=True, slots=True)
class Measured:
    """By peer: seconds of processor [windows], the exporter's share, bytes at the end, what was told."""

    seconds: dict[str, NDArray[np.float64]]
    exporter: float
    memory: dict[str, int]
    told: dict[str, Told]
    due: Told
    readings: float
    late_s: float


def measured(made: Load, rounds: int, window: float, skipped: Mapping[str, str]) -> Measured:
    with contextlib.ExitStack() as stack:
        broker = stack.enter_context(
            mosquitto_at(
                free_port(), "allow_anonymous true", "max_queued_messages 0", "max_inflight_messages 500"
            )
        )
        heard = stack.enter_context(listening(broker))
        peers = [stack.enter_context(each) for each in started(broker, made.patients, skipped)]
        start = round(time.time() * 1000) + 2000
        lateness: list[float] = []
        monitors = threading.Thread(target=lambda: lateness.append(made.publish(broker, start)))
        monitors.start()
        _sleep_until(start / 1000 + WARM_UP)
        marks = [[_seconds(peer) for peer in peers]]
        for n in range(rounds):
            _sleep_until(start / 1000 + WARM_UP + window * (n + 1))
            marks.append([_seconds(peer) for peer in peers])
        memory = {peer.name: sum(tree.bytes() for tree in peer.trees) for peer in peers}
        monitors.join()
        time.sleep(AFTER)
        due = made.due(rules(), start)
        told = _told_in_the_end(peers, heard, due)
        every = np.diff(np.array(marks), axis=0)  # [windows, peers, trees]
    taken = {peer.name: every[:, n].sum(axis=1) for n, peer in enumerate(peers)}
    exporter = [float(np.median(every[:, n, 1])) for n, peer in enumerate(peers) if peer.name == PROMETHEUS]
    readings = window * made.patients * len(SIGNALS)
    return Measured(taken, exporter[0] if exporter else 0.0, memory, told, due, readings, lateness[0])


def _told_in_the_end(peers: Sequence[Peer], heard: Mapping[str, Told], due: Told) -> dict[str, Told]:
    """Asked again while somebody still works on what has come."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        told = {peer.name: peer.told(heard) for peer in peers}
        if all(_kept_up(one, due) for one in told.values()) or time.monotonic() > deadline:
            return told
        time.sleep(2)


def _kept_up(told: Told, due: Told) -> bool:
    return len(due.keys() & told.keys()) >= ENOUGH * len(due)


def _seconds(peer: Peer) -> list[float]:
    """Of its process, and of its exporter's (0: there is none)."""
    found = [tree.seconds() for tree in peer.trees]
    return [*found, 0.0][:2]


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.time()))


def started(
    broker: int, patients: int, skipped: Mapping[str, str]
) -> Iterator[contextlib.AbstractContextManager[Peer]]:
    """Each peer that can be had, ready."""
    making: dict[str, Callable[[Path], Peer]] = {
        WARD: lambda folder: ward(folder, broker, patients, round(time.time() * 1000)),
        PROMETHEUS: lambda folder: prometheus(folder, broker),
        NODE_RED: lambda folder: node_red(folder, broker),
        PLAIN: lambda folder: plain(folder, broker),
    }
    return (_running(make) for name, make in making.items() if name not in skipped)


@contextlib.contextmanager
def _running(make: Callable[[Path], Peer]) -> Iterator[Peer]:
    with tempfile.TemporaryDirectory(prefix="ward-peer-", ignore_cleanup_errors=True) as folder:
        peer = make(Path(folder))
        with contextlib.ExitStack() as stack:
            for tree in peer.trees:
                stack.enter_context(tree)
            yield peer


@contextlib.contextmanager
def listening(broker: int) -> Iterator[dict[str, Told]]:
    """What is published to ``peers/…``, by topic, with when it came."""
    heard: dict[str, Told] = {}
    ready = threading.Event()

    def on_message(_client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        heard.setdefault(message.topic, {}).setdefault(
            heard_alert(message.payload), round(time.time() * 1000)
        )

    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="listener")
    client.on_connect = lambda *_: client.subscribe("peers/+", qos=1)
    client.on_subscribe = lambda *_: ready.set()
    client.on_message = on_message
    client.connect("127.0.0.1", broker)
    client.loop_start()
    try:
        if not ready.wait(30):
            raise RuntimeError("the broker does not answer")
        yield heard
    finally:
        client.disconnect()
        client.loop_stop()


# ---------------------------------------------------------------------- what it comes to


def figures(size: Size, found: Measured) -> list[Figure]:
    million = 1e6 / found.readings
    made = [Figure.of(f"{size.name}, ward: for a million readings", found.seconds[WARD] * million, "s")]
    for name, seconds in found.seconds.items():
        if name != WARD:
            what, why = f"{size.name}, {name}: processor time, of ward's", WHY.get(name, "")
            made.append(Figure.ratio(what, seconds, found.seconds[WARD], "ward", at_least(WANTED), why))
    return made


COLUMNS: Final = (
    "monitors",
    "",
    "processor for a million readings, s",
    "memory, MiB",
    "told of what was due",
    "told beyond that",
    "delay after it was due, s: median, 90 %, longest",
)


def rows(size: Size, found: Measured) -> Iterator[tuple[str, ...]]:
    million = 1e6 / found.readings
    for name, seconds in found.seconds.items():
        told = found.told[name]
        both = [alert for alert in found.due if alert in told]
        delay = np.array([told[alert] - found.due[alert] for alert in both], np.float64) / 1000
        each = f"{np.median(delay):.1f}, {np.quantile(delay, 0.9):.1f}, {delay.max():.1f}" if both else "none"
        taken = number(million * float(np.median(seconds)))
        if name == PROMETHEUS:
            taken += f" ({number(million * found.exporter)} exporter)"
        share, beyond = f"{len(both)} of {len(found.due)}", str(len(told.keys() - found.due.keys()))
        yield f"{size.patients:,}", name, taken, number(found.memory[name] / MIB), share, beyond, each


NOTE: Final = (
    "ward waits 2 s for late readings, ticks each second, and its filter holds a doubtful reading for up "
    "to 15 s; Prometheus' delay is of the evaluation that fired, before any Alertmanager. What is told "
    "beyond what was due are noisy readings seen at other moments, or the filter's other view. The latest "
    "message left {late:.1f} s late."
)


def part(
    quick: bool = False, rounds: int = ROUNDS, sizes: Sequence[Size] = SIZES, install: bool = True
) -> Part:
    if quick:
        rounds, sizes = 1, QUICK
    skipped = missing(install and not quick)
    every = [
        (size, measured(load(size.patients, size.seconds(rounds), rules()), rounds, size.window, skipped))
        for size in sizes
    ]
    cannot = tuple((name, what) for name, what in CANNOT if name not in skipped)
    late = max(found.late_s for _, found in every)
    beside = tuple(row for size, found in every for row in rows(size, found))
    return Part(
        "peers",
        "What one would use instead",
        TEXT,
        "python -m benchmarks.peers",
        tuple(figure for size, found in every for figure in figures(size, found)),
        (
            Table("Side by side", COLUMNS, beside, NOTE.format(late=late)),
            Table("What each could not express, of what ward does", ("", "not expressed"), cannot),
        ),
        versions=versions(skipped),
        unmeasured=(*skipped.values(), *(line for size, found in every for line in behind(size, found))),
    )


def behind(size: Size, found: Measured) -> Iterator[str]:
    """Who did not keep up, so that less was measured than it had to do."""
    for name, told in found.told.items():
        if not _kept_up(told, found.due):
            yield f"{name} at {size.name} did not keep up here: too low a figure."


def versions(skipped: Mapping[str, str]) -> dict[str, str]:
    asked = {PROMETHEUS: ["prometheus", "--version"], "Node.js": ["node", "--version"]}
    found = {NODE_RED: node_red_version()}
    for name, command in asked.items():
        if name not in skipped:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            said = (done.stdout or done.stderr).split()
            found[name] = said[2] if name == PROMETHEUS else said[0]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--monitors", type=int, default=0, help="this many, in place of both sizes")
    parser.add_argument("--window", type=float, default=15.0, help="seconds of a round of those")
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    own = (Size(f"{asked.monitors:,} monitors", asked.monitors, asked.window),)
    print(table(part(asked.quick, asked.rounds, own if asked.monitors else SIZES)))
