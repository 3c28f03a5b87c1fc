"""What a PUBACK of nats-server is worth: `python -m tests.cluster.puback [--rounds 5] [--messages 2000]`.

A cluster of three, a device that publishes at QoS 1 and counts what is acknowledged, and a node that is
killed (SIGKILL) meanwhile, perhaps after it was frozen for a moment. Two ways to what was published are held
against what was acknowledged:

- **mapped stream**: a stream with three replicas over the subject that the topic is mapped to;
- **session**: a subscriber with a persistent session that acknowledges by hand, as ward is one. What waits
  for it is in the server's own stream ``$MQTT_msgs``, which has three replicas.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import nats
import nats.errors
import paho.mqtt.client as paho
from nats.js import JetStreamContext
from nats.js.api import StreamConfig

from tests.cluster.nodes import Cluster, Node, cluster_of

MAPPING = 'mappings = { "ward.v1.*.*.vitals": "vitals.{{partition(8,1)}}.{{wildcard(1)}}.{{wildcard(2)}}" }'
WARDS = 16
TOPICS = {
    "devices'": ["ward/v1/+/+/vitals"],
    "mapped": ["vitals/#"],
    "both": ["ward/v1/+/+/vitals", "vitals/#"],
}
"""What the session subscribes to: what devices publish on, or what the server makes of it."""
T = TypeVar("T")


@dataclass
class Device:
    """Publishes numbered messages on one connection; says which were acknowledged."""

    port: int
    acked: set[int] = field(default_factory=set)
    _mids: dict[int, int] = field(default_factory=dict)
    _early: set[int] = field(default_factory=set)

    def run(self, first: int, count: int, gap_s: float) -> None:
        client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, client_id=f"device-{first}", reconnect_on_failure=False
        )
        client.max_inflight_messages_set(200)
        client.max_queued_messages_set(0)
        client.on_publish = self._on_publish
        client.connect("127.0.0.1", self.port, 5)
        client.loop_start()
        deadline = time.monotonic() + 10
        while not client.is_connected() and time.monotonic() < deadline:
            time.sleep(0.01)
        for number in range(first, first + count):
            info = client.publish(f"ward/v1/w{number % WARDS}/d1/vitals", b"%d" % number, qos=1)
            self._mids[info.mid] = number
            if info.mid in self._early:
                self.acked.add(number)
            if not client.is_connected():
                break
            time.sleep(gap_s)
        deadline = time.monotonic() + 3
        while client.is_connected() and len(self.acked) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        client.disconnect()
        client.loop_stop()

    def _on_publish(self, _client: Any, _data: Any, mid: int, _reason: Any, _properties: Any) -> None:
        if mid in self._mids:
            self.acked.add(self._mids[mid])
        else:
            self._early.add(mid)


class Subscriber:
    """A persistent session that acknowledges what it noted, and comes back to whichever node is there."""

    def __init__(self, cluster: Cluster, topics: list[str]) -> None:
        self.got: set[int] = set()
        self._cluster, self._topics = cluster, topics
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.up = threading.Event()

    def start(self) -> None:
        self._thread.start()
        assert self.up.wait(20)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            for node in self._cluster.nodes:
                try:
                    self._serve(node)
                except (TimeoutError, OSError):
                    time.sleep(0.2)
                if self._stop.is_set():
                    return

    def _serve(self, node: Node) -> None:
        client = paho.Client(
            paho.CallbackAPIVersion.VERSION2,
            "ward",
            clean_session=False,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        client.on_connect = lambda c, *_: c.subscribe([(t, 1) for t in self._topics])
        client.on_subscribe = lambda *_: self.up.set()
        client.on_message = self._on_message
        client.connect("127.0.0.1", node.mqtt, 5)
        while not self._stop.is_set():
            if client.loop(0.2) != paho.MQTT_ERR_SUCCESS:
                return
        client.disconnect()

    def _on_message(self, client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        self.got.add(int(message.payload))
        client.ack(message.mid, message.qos)


def patiently(cluster: Cluster, work: Callable[[JetStreamContext], Awaitable[T]], within_s: float = 60) -> T:
    """Asks again and again: a cluster that has just come up has no leader, and does not answer."""

    async def once() -> T:
        client = await nats.connect(cluster.urls, max_reconnect_attempts=2)
        try:
            return await work(client.jetstream(timeout=3))
        finally:
            await client.close()

    deadline = time.monotonic() + within_s
    while True:
        try:
            return asyncio.run(once())
        except (nats.errors.Error, TimeoutError, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)


async def in_stream(js: JetStreamContext) -> set[int]:
    info = await js.stream_info("VITALS")
    sub = await js.subscribe("vitals.>", ordered_consumer=True)
    return {int((await sub.next_msg(timeout=10)).data) for _ in range(info.state.messages)}


async def make_stream(js: JetStreamContext) -> None:
    await js.add_stream(StreamConfig(name="VITALS", subjects=["vitals.>"], num_replicas=3))


async def leaders(js: JetStreamContext) -> dict[str, str]:
    infos = {name: await js.stream_info(name) for name in ("VITALS", "$MQTT_msgs")}
    return {name: info.cluster.leader for name, info in infos.items() if info.cluster and info.cluster.leader}


def one(
    sync_always: bool, freeze_s: float, topics: str, victim: str, messages: int, rng: random.Random
) -> dict[str, int]:
    """One cluster, one device, one kill; how many were acknowledged and how many of those are gone."""
    with cluster_of(3, sync_always=sync_always, more=MAPPING) as cluster:
        patiently(cluster, make_stream)
        subscriber = Subscriber(cluster, TOPICS[topics])
        subscriber.start()
        device = Device(cluster.nodes[1].mqtt)
        thread = threading.Thread(target=device.run, args=(0, messages, 0.0005))
        thread.start()
        led = patiently(cluster, leaders)
        while len(device.acked) < messages * rng.uniform(0.2, 0.6) and thread.is_alive():
            time.sleep(0.005)
        names = {node.name: node for node in cluster.nodes}
        if victim == "device's":
            node = cluster.nodes[1]
        elif victim == "all":
            node = None
        else:
            node = names[led[victim]]
        if freeze_s and node is not None:
            node.send(signal.SIGSTOP)
            time.sleep(freeze_s)
        for each in cluster.nodes if node is None else [node]:
            each.kill()
        thread.join(30)
        time.sleep(0.5)
        for each in cluster.nodes if node is None else [node]:
            each.start()
        cluster.until_ready()
        stream = patiently(cluster, in_stream)
        deadline = time.monotonic() + 30
        while device.acked - subscriber.got and time.monotonic() < deadline:
            time.sleep(0.1)
        subscriber.stop()
        return {
            "acked": len(device.acked),
            "lost from mapped stream": len(device.acked - stream),
            "lost from session": len(device.acked - subscriber.got),
        }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--messages", type=int, default=3000)
    parser.add_argument("--sync-always", action="store_true")
    parser.add_argument("--freeze-s", type=float, default=0.0)
    parser.add_argument("--topics", choices=TOPICS, default="both")
    parser.add_argument("--victims", nargs="+", default=["device's", "VITALS", "$MQTT_msgs", "all"])
    args = parser.parse_args()
    rng = random.Random(1)
    for victim in args.victims:
        for _ in range(args.rounds):
            print(
                victim,
                one(args.sync_always, args.freeze_s, args.topics, victim, args.messages, rng),
                flush=True,
            )


if __name__ == "__main__":
    main()
