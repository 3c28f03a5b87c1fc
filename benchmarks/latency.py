"""From publishing to the event on ``/events``, beyond the rule's own duration, while other messages come.

The service runs in a process of its own with SQLite and Mosquitto. 200 probe stays go into breach of a rule
of 1 s (``hr > 100``, one reading) and out of it, again and again; 1,000 other stays bring the messages to
10, 100, 1,000 and 5,000 a second. A delay is from the probe's message, plus the rule's second, to the event
in a client's hands. Beside it, in the same seconds: a message's way through the same broker to a bare paho
subscriber. Evaluation waits for readings on their way (the lateness, 2 s by default), then for the next tick
(1 s): that much is meant.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import threading
import time
import urllib.request
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import paho.mqtt.client as mqtt

from benchmarks.figures import Figure, Part, Table, at_most, table
from benchmarks.ingest import BROKER
from benchmarks.publisher import Publisher, packet
from benchmarks.small import served
from tests.brokers import mosquitto_at
from tests.ports import free_port

RATES: Final = (10, 100, 1_000, 5_000)
PROBES: Final = 200
OTHERS: Final = 1_000
FOR_MS: Final = 1_000
TICK_MS: Final = 1_000
CYCLE_S: Final = (5.0, 7.0)
"""Between a probe's breaches, drawn anew each time: no probe is in step with the ticks."""
WARM_S: Final = 8.0
GRACE_S: Final = 6.0
"""The messages go on for so long, so that what they delay is seen whole."""
LEAST: Final = 5
SLICE_S: Final = 0.002
PACK: Final = """
id = "latency"
title = "One rule of a second"

[[rule]]
id = "hr-above-100"
title = "HR above 100 for a second"
priority = "medium"
kind = "physiological"
when = ["hr > 100"]
for = "1s"
min_readings = 1
clear_for = "1s"
"""


def wall() -> float:
    """ms since 1970."""
    return time.time() * 1000


@dataclass(slots=True)
class Delays:
    """ms, of each event: all of it, and its parts; ``bare`` of each bare message."""

    whole: list[float] = field(default_factory=list)
    sustain: list[float] = field(default_factory=list)
    telling: list[float] = field(default_factory=list)
    delivery: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)


class Listener:
    """Reads ``/events`` in a thread; by stay, when it was told raised and what the event says."""

    def __init__(self, url: str, token: str) -> None:
        asked = urllib.request.Request(f"{url}/api/v1/events?form=changes")
        asked.add_header("Authorization", f"Bearer {token}")
        self._stream = urllib.request.urlopen(asked, timeout=60)
        self.told: list[tuple[float, dict[str, Any]]] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        kind = b""
        with suppress(OSError, ValueError, AttributeError):
            for line in self._stream:
                if line.startswith(b"event:"):
                    kind = line[6:].strip()
                elif line.startswith(b"data:") and kind == b"alert":
                    now = wall()
                    body = json.loads(line[5:])
                    if body["event"]["kind"] == "raised":
                        self.told.append((now, body["alert"]))


class Bare:
    """Messages to and from the broker by paho alone, each with the time of its sending."""

    def __init__(self, port: int) -> None:
        self.delays: list[float] = []
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        ready = threading.Event()
        self._client.on_connect = lambda *_: self._client.subscribe("bare", 1)
        self._client.on_subscribe = lambda *_: ready.set()
        self._client.on_message = lambda _, __, m: self.delays.append(wall() - float(m.payload))
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        ready.wait(10)

    def send(self) -> None:
        self._client.publish("bare", repr(wall()).encode(), 1)

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class Feed:
    """Messages of probes and others, at a rate; each sample is of the moment it is sent."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._seq: dict[int, int] = defaultdict(int)
        self._random = random.Random(1)
        self._due = [time.monotonic() + self._random.uniform(*CYCLE_S) for _ in range(PROBES)]
        self._high = [False] * PROBES
        self.breaches: dict[str, list[float]] = defaultdict(list)
        """By stay, when (ms) its messages in breach were sent."""

    def _message(self, device: int, hr: int) -> bytes:
        now = wall()
        self._seq[device] += 1
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now / 1000)) + f".{int(now) % 1000:03}Z"
        payload = b'{"seq":%d,"time":"%b","session":"b","readings":{"hr":%d,"spo2":97,"rr":16}}' % (
            self._seq[device],
            moment.encode(),
            hr,
        )
        return packet(f"ward/v1/bench/mon-{device:04}/vitals", payload, 1, self._seq[device] % 65_535 + 1)

    def run(self, rate: int, seconds: float, bare: Bare) -> None:
        begun = time.monotonic()
        sent, next_bare = 0, begun
        while (now := time.monotonic()) < begun + seconds:
            packets = []
            for probe in range(PROBES):
                if now < self._due[probe]:
                    continue
                self._high[probe] = not self._high[probe]
                self._due[probe] = now + self._random.uniform(*CYCLE_S) / 2
                packets.append(self._message(probe, 101 if self._high[probe] else 99))
                if self._high[probe]:
                    self.breaches[f"stay-{probe}"].append(float(int(wall())))
            for number in range(sent, int((now - begun) * rate)):
                packets.append(self._message(PROBES + number % OTHERS, 80 + number // OTHERS % 7))
                sent += 1
            if packets:
                self._publisher.send(packets)
            if now >= next_bare:
                next_bare += 0.05
                bare.send()
            time.sleep(SLICE_S)


def _ms(text: str) -> float:
    return datetime.fromisoformat(text).timestamp() * 1000


def measure(rates: tuple[int, ...], seconds: float, lateness_s: float) -> dict[int, Delays]:
    """One service, the rates one after another."""
    found: dict[int, Delays] = {}
    with tempfile.TemporaryDirectory() as folder, mosquitto_at(free_port(), *BROKER) as port:
        pack = Path(folder) / "latency.toml"
        pack.write_text(PACK)
        settings = {"WARD_PACK": str(pack), "WARD_LATENESS_S": str(lateness_s)}
        with served(port, PROBES + OTHERS, **settings) as (_, url, token), Publisher(port) as publisher:
            listener, bare, feed = Listener(url, token), Bare(port), Feed(publisher)
            feed.run(100, WARM_S, bare)
            for rate in rates:
                begun, told, came = wall(), len(listener.told), len(bare.delays)
                feed.run(rate, seconds + GRACE_S, bare)
                delays = found[rate] = Delays(bare=bare.delays[came:])
                for at, alert in listener.told[told:]:
                    _note(delays, feed, (begun, begun + seconds * 1000), at, alert)
                if len(delays.whole) < LEAST:
                    raise RuntimeError(f"{len(delays.whole)} events at {rate} messages a second")
            bare.stop()
    return found


def _note(delays: Delays, feed: Feed, span: tuple[float, float], at: float, alert: dict[str, Any]) -> None:
    """An event of a breach that began in the span (ms); the parts of its delay."""
    since = _ms(alert["breach_since"])
    sent = [t for t in feed.breaches[alert["stay"]] if abs(t - since) < 50]
    if not sent or not span[0] <= since < span[1]:
        return
    raised, announced = _ms(alert["raised_at"]), _ms(alert["announced_at"])
    delays.whole.append(at - sent[0] - FOR_MS)
    delays.sustain.append(raised - sent[0] - FOR_MS)
    delays.telling.append(announced - raised)
    delays.delivery.append(at - announced)


def _row(name: str, values: list[float]) -> tuple[str, ...]:
    points = np.percentile(values, [50, 99, 99.9]) if values else [np.nan] * 3
    return (name, *(f"{point:,.1f}" for point in points), f"{len(values):,}")


def part(quick: bool = False) -> Part:
    seconds, rates = (5.0, (100,)) if quick else (14.0, RATES)
    usual = measure(rates, seconds, 2.0)
    at_once = measure(rates[-1:], seconds, 0.0)
    figures, rows, budget = [], [], []
    for lateness, found in ((2_000, usual), (0, at_once)):
        for rate, delays in found.items():
            name = f"{rate:,} messages a second, lateness {lateness // 1000} s"
            rows += [_row(f"{name}: event", delays.whole), _row(f"{name}: bare MQTT", delays.bare)]
            aim = rate == rates[-1]
            figures.append(
                Figure.of(
                    f"{name}, p99",
                    [
                        float(np.percentile(chunk, 99))
                        for chunk in np.array_split(delays.whole, 5)
                        if len(chunk)
                    ],
                    "ms",
                    against=f"bare MQTT's {np.percentile(delays.bare, 99):.1f} ms",
                    target=at_most(lateness + 2 * TICK_MS) if aim else None,
                )
            )
        last = found[rates[-1]]
        for what, values in (
            ("filter and sustain: stamped after breach + 1 s", last.sustain),
            ("lateness, tick, evaluation, commit: stamped to told", last.telling),
            ("delivery: told to the client's hands", last.delivery),
        ):
            budget.append(_row(f"lateness {lateness // 1000} s: {what}", values))
    columns = ("ms", "p50", "p99", "p99.9", "of")
    return Part(
        "latency",
        "Latency",
        (__doc__ or "").partition("\n\n")[2].strip(),
        "python -m benchmarks latency",
        tuple(figures),
        (
            Table("Delays beyond the rule's own duration", columns, tuple(rows)),
            Table(f"Where the delay is, at {rates[-1]:,} messages a second", columns, tuple(budget)),
        ),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    print(table(part(parser.parse_args().quick)))


if __name__ == "__main__":
    main()
