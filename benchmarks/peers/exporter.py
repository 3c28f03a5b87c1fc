"""Readings from MQTT as metrics, for Prometheus: a gauge a signal, a series a stay, by its client library.

python -m benchmarks.peers.exporter BROKER_PORT HTTP_PORT
"""

from __future__ import annotations

import json
import sys
from typing import Any, Final

import paho.mqtt.client as mqtt
from prometheus_client import CollectorRegistry, Gauge, start_http_server

SIGNALS: Final = ("hr", "spo2", "rr", "sbp")


def main() -> None:
    broker, port = map(int, sys.argv[1:])
    registry = CollectorRegistry()
    gauges = {name: Gauge(f"vital_{name}", name, ["stay"], registry=registry) for name in SIGNALS}
    series: dict[tuple[str, str], Any] = {}

    def on_message(_client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        stay = message.topic.split("/")[3]
        for name, value in json.loads(message.payload)["readings"].items():
            if (stay, name) not in series:
                series[stay, name] = gauges[name].labels(stay)
            series[stay, name].set(value)

    start_http_server(port, "127.0.0.1", registry)
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="exporter")
    client.on_connect = lambda *_: client.subscribe("ward/v1/+/+/vitals", qos=1)
    client.on_message = on_message
    client.connect("127.0.0.1", broker)
    client.loop_forever()


if __name__ == "__main__":
    main()
