"""The devices: publish a known stream at QoS 1 whoever listens, and know what the broker acknowledged."""

from __future__ import annotations

import contextlib
import itertools
import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
import paho.mqtt.client as paho

from tests.faults.stream import Plan, payload
from ward.clock import wall_ms

GATEWAYS: Final = 8
"""Connections that the devices share: a ward's gateways."""

Sending = Callable[[random.Random, int, int], list[float]]
"""(rng, device, sample) -> seconds after its time at which the sample is published, once for each."""


def punctual(rng: random.Random, device: int, sample: int) -> list[float]:
    return [0.0]


class Devices(threading.Thread):
    """Publishes every sample of the plan at its time, or as ``sending`` says, until told to stop.

    A gateway that loses its connection connects again and sends once more what was not acknowledged.
    """

    def __init__(
        self,
        plan: Plan,
        port: int | Sequence[int],
        *,
        origin: int | None = None,
        sending: Sending = punctual,
        shift: Callable[[int, int], int] = lambda device, sample: 0,
        keepalive_s: int = 10,
        only: range | None = None,
    ) -> None:
        super().__init__(name="devices", daemon=True)
        self.plan = plan
        self._ports = [port] if isinstance(port, int) else list(port)
        self.origin = wall_ms() + 1_500 if origin is None else origin
        self._shift, self._sending = shift, sending
        self.only = range(plan.stays) if only is None else only
        self.sent: set[tuple[int, int]] = set()
        """Device and sample of all that was published."""
        self._flying: dict[tuple[int, int], paho.MQTTMessageInfo] = {}
        """What was not acknowledged when that was last looked at."""
        self.last = -1
        """The last sample published by every device."""
        self.behind_s = 0.0
        """How far publishing fell behind its own schedule at the worst."""
        self._until = plan.samples
        self._clients = [self._gateway(n, keepalive_s) for n in range(min(GATEWAYS, plan.stays))]

    def _gateway(self, number: int, keepalive_s: int) -> paho.Client:
        name = f"gateway-{number}-{self.only.start}"
        client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=name, clean_session=False)
        client.max_inflight_messages_set(5_000)
        client.max_queued_messages_set(0)
        client.reconnect_delay_set(1, 1)
        first = number % len(self._ports)
        roam(client, self._ports[first:] + self._ports[:first], keepalive_s)
        client.loop_start()
        return client

    def finish(self) -> None:
        """No sample after the present one."""
        self._until = min(self._until, (wall_ms() - self.origin) // self.plan.interval_ms + 2)

    def run(self) -> None:
        plan = self.plan
        rng = random.Random(f"{plan.seed}/sending")
        values = {n: plan.values(n) for n in self.only}
        for n in self.only:
            self._publish(n, "status", plan.birth(n), retain=True)
        phases = sorted((plan.phase(n), n) for n in self.only)
        later: list[tuple[float, int, int, int, bytes]] = []
        count = 0
        for sample in range(plan.samples):
            if sample >= self._until:
                break
            for phase, n in phases:
                at = self.origin + phase + sample * plan.interval_ms
                body = payload(sample, at + self._shift(n, sample), values[n][sample])
                for delay in self._sending(rng, n, sample):
                    count += 1
                    later.append((at / 1000 + delay, count, n, sample, body))
            later.sort()
            end = (self.origin + (sample + 1) * plan.interval_ms) / 1000
            while later and later[0][0] < end:
                self._send(*later.pop(0))
            self.last = sample
            self.unacknowledged()  # a message's state is a kilobyte
        for item in later:
            self._send(*item)

    def _send(self, due: float, _: int, n: int, sample: int, body: bytes) -> None:
        wait = due - time.time()
        if wait > 0:
            time.sleep(wait)
        else:
            self.behind_s = max(self.behind_s, -wait)
        info = self._publish(n, "vitals", body)
        if (n, sample) not in self.sent:
            self._flying[n, sample] = info
            self.sent.add((n, sample))

    def _publish(self, n: int, kind: str, body: bytes, retain: bool = False) -> paho.MQTTMessageInfo:
        client = self._clients[n % len(self._clients)]
        return client.publish(f"ward/v1/{self.plan.ward(n)}/{self.plan.device(n)}/{kind}", body, 1, retain)

    def unacknowledged(self) -> int:
        for key, info in list(self._flying.items()):
            if _published(info):
                self._flying.pop(key, None)
        return len(self._flying)

    def acknowledged(self) -> set[tuple[int, int]]:
        self.unacknowledged()
        return self.sent - self._flying.keys()

    def close(self) -> None:
        self._until = 0
        if self.is_alive():
            self.join(10)
        for client in self._clients:
            with contextlib.suppress(Exception):
                client.disconnect()
            client.loop_stop()


class Listener:
    """Another program on the broker that keeps every alert change it is told, with its number."""

    def __init__(self, port: int | Sequence[int]) -> None:
        self.heard: dict[int, int] = {}
        """The number of an event -> how often it came."""
        self._client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, client_id="listener", clean_session=False
        )
        self._client.on_message = self._take
        self._client.on_connect = lambda client, *_: client.subscribe("ward/v1/+/alerts", 1)
        self._client.reconnect_delay_set(1, 1)
        roam(self._client, [port] if isinstance(port, int) else port, 10)
        self._client.loop_start()

    def _take(self, _client: Any, _data: Any, message: Any) -> None:
        seq = int(msgspec.json.decode(message.payload)["event"]["seq"])
        self.heard[seq] = self.heard.get(seq, 0) + 1

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self._client.disconnect()
        self._client.loop_stop()


def roam(client: paho.Client, ports: Sequence[int], keepalive_s: int) -> None:
    """Connect to the first; with each connection that ends, or is not had, to the next."""
    turns = itertools.cycle(ports)

    def go_on(*_: Any) -> None:
        client.connect_async("127.0.0.1", next(turns), keepalive_s)

    if len(ports) > 1:
        client.on_disconnect = client.on_connect_fail = go_on
    go_on()


def _published(info: paho.MQTTMessageInfo) -> bool:
    """Acknowledged by the broker. ``is_published`` raises for what was given while there was no
    connection, although that is sent, too."""
    return bool(info._published)
