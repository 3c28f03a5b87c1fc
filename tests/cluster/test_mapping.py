"""NATS gives each engine what is its own: its hash of a ward's name is ours."""

from __future__ import annotations

import contextlib

import paho.mqtt.client as paho

from tests.brokers import until
from tests.cluster.nodes import Cluster, version
from ward.ingest.mqtt import MqttLink
from ward.ingest.share import Share
from ward.partitions import Partition

OF = 4
KINDS = ("vitals", "status")
MAPPED = "parts.{{{{partition({of},1)}}}}.ward.v1.{{{{wildcard(1)}}}}.{{{{wildcard(2)}}}}.{kind}"
MAPPING = "\n".join(
    ["mappings {", *(f'"ward.v1.*.*.{kind}": "{MAPPED.format(of=OF, kind=kind)}"' for kind in KINDS), "}"]
)
WARDS = [*(f"ward-{number}" for number in range(20)), "6A", "Ø1"]


def test_each_engine_hears_its_own_wards_and_no_other():
    version()
    cluster = Cluster(1, more=MAPPING)
    with contextlib.ExitStack() as stack:
        stack.callback(cluster.stop)
        cluster.start()
        shares = [Share(Partition(number, OF), "parts") for number in range(OF)]
        links = [
            MqttLink(
                f"mqtt://127.0.0.1:{cluster.nodes[0].mqtt}?protocol=3.1.1",
                now=lambda: 1,
                client_id=f"ward-{share.partition.number}",
                topics=share.topics,
                prefix=share.prefix,
            )
            for share in shares
        ]
        for link in links:
            stack.enter_context(link)
        until(lambda: all(link.stats().connected for link in links), 60)
        client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="mon-1")
        client.connect("127.0.0.1", cluster.nodes[0].mqtt)
        client.loop_start()
        stack.callback(client.loop_stop)
        for ward in WARDS:
            client.publish(f"ward/v1/{ward}/mon-1/vitals", b"{}", qos=1).wait_for_publish(20)
        until(lambda: sum(len(link.intake) for link in links) == len(WARDS))
        for share, link in zip(shares, links, strict=True):
            topics = [item.topic for item in link.intake.drain()]
            wards = [ward for ward in WARDS if share.partition.has(ward)]
            assert topics == [f"ward/v1/{ward}/mon-1/vitals" for ward in wards]
            assert not any(share.is_lost(topic) for topic in topics)
