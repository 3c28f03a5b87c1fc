"""What a script would do: a Python object for each patient, its rules as a method, paho in and out.

python -m benchmarks.peers.plain BROKER_PORT
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Final

import paho.mqtt.client as mqtt

Values = Mapping[str, float]
CLEAR_FOR: Final = 2.0
RULES: Final[dict[str, tuple[Callable[[Values], bool], float]]] = {
    "spo2-below-92": (lambda v: v["spo2"] < 92, 60),
    "spo2-below-88": (lambda v: v["spo2"] < 88, 10),
    "spo2-below-85": (lambda v: v["spo2"] < 85, 5),
    "spo2-below-80": (lambda v: v["spo2"] < 80, 2),
    "rr-up-to-5": (lambda v: v["rr"] <= 5 and v["hr"] > 20, 2),
    "rr-below-11-spo2-below-88": (lambda v: v["rr"] < 11 and v["spo2"] < 88, 5),
    "rr-from-24": (lambda v: v["rr"] >= 24, 5),
    "hr-below-30": (lambda v: v["hr"] < 30, 2),
    "hr-30-to-39": (lambda v: 30 <= v["hr"] < 40, 5),
    "hr-from-111": (lambda v: v["hr"] >= 111, 60),
    "hr-above-130": (lambda v: v["hr"] > 130, 30),
    "sbp-below-70": (lambda v: v["sbp"] < 70, 30),
    "sbp-below-91": (lambda v: v["sbp"] < 91, 60),
    "sbp-above-180": (lambda v: v["sbp"] > 180, 60),
    "sbp-from-220": (lambda v: v["sbp"] >= 220, 30),
    "sbp-below-100-spo2-below-92": (lambda v: v["sbp"] < 100 and v["spo2"] < 92, 10),
    "sbp-below-100-hr-above-110": (lambda v: v["sbp"] < 100 and v["hr"] > 110, 30),
    "sbp-below-100-hr-below-50": (lambda v: v["sbp"] < 100 and v["hr"] < 50, 30),
}
"""A minute is a second; seconds that each must last."""


class Patient:
    """Since when each rule holds, and which were told."""

    def __init__(self) -> None:
        self.since: dict[str, float] = {}
        self.fine: dict[str, float] = {}
        self.told: set[str] = set()

    def measured(self, at: float, values: Values) -> Iterator[str]:
        """The rules that are sustained now and were not before. ``at``: seconds."""
        for name, (holds, length) in RULES.items():
            if holds(values):
                self.fine.pop(name, None)
                if name not in self.told and at - self.since.setdefault(name, at) >= length:
                    self.told.add(name)
                    yield name
            elif name in self.since and self.is_over(name, at):
                del self.since[name]
                self.fine.pop(name, None)
                self.told.discard(name)

    def is_over(self, name: str, at: float) -> bool:
        """What was told ends only after a while."""
        return name not in self.told or at - self.fine.setdefault(name, at) >= CLEAR_FOR


def main() -> None:
    patients: dict[str, Patient] = {}

    def on_message(client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        device = message.topic.split("/")[3]
        sample = json.loads(message.payload)
        at = datetime.fromisoformat(sample["time"]).timestamp()
        for rule in patients.setdefault(device, Patient()).measured(at, sample["readings"]):
            client.publish("peers/plain", json.dumps({"device": device, "rule": rule}), qos=1)

    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="plain")
    client.on_connect = lambda *_: client.subscribe("ward/v1/+/+/vitals", qos=1)
    client.on_message = on_message
    client.connect("127.0.0.1", int(sys.argv[1]))
    client.loop_forever()


if __name__ == "__main__":
    main()
