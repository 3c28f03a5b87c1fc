"""Messages as devices send them, bent: topics, vitals, status, signatures."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any, Final, NamedTuple

from tests.fuzz.bend import bend_bytes, bend_json, written
from ward.clock import iso
from ward.ingest.signatures import sign
from ward.signals import MEASURED

NAMES: Final = (*MEASURED, "readings", "quality", "status", "time", "seq", "session", "samples", "state",
                "interval_s", "etco2", "news2", "HR", "", "\ud800", "a" * 200)  # fmt: skip
USUAL: Final = {
    "hr": 80,
    "pr": 80,
    "spo2": 97,
    "rr": 14,
    "sbp": 120,
    "dbp": 70,
    "map": 87,
    "temp": 37,
    "pi": 2,
}
WORDS: Final = (
    *("ok", "probe-off", "leads-off", "motion", "low-perfusion", "calibrating", "out-of-range", "invalid"),
    "sparkling",
)
DEVICES: Final = tuple(f"mon-{n}" for n in range(24))


class Message(NamedTuple):
    topic: str
    payload: bytes
    retain: bool


class Sender:
    """Makes messages; ``keys`` are of devices that sign. Deterministic in ``random``."""

    def __init__(self, random: Random, keys: Mapping[str, str]) -> None:
        self._random, self._keys = random, keys
        self._seq = dict.fromkeys(DEVICES, 0)
        self._number = 0
        self.strange = 0

    def message(self, now: int) -> Message:
        """One, bent or not. ``now`` in ms."""
        random = self._random
        device, kind = random.choice(DEVICES), "vitals" if random.random() < 0.85 else "status"
        thing = self._vitals(device, now) if kind == "vitals" else self._status()
        for _ in range(random.choice((0, 0, 1, 1, 1, 2, 3, 6))):
            thing = bend_json(random, thing, NAMES)
        payload = written(random, thing)
        for _ in range(random.choice((0, 0, 0, 0, 1, 1, 3))):
            payload = bend_bytes(random, payload)
        if random.random() < 0.02:  # a name twice: JSON that no dict can be
            opened = payload.split(b"{")
            at = random.randrange(len(opened))
            payload = b"{".join([*opened[:at], b'"hr":61,"hr":62,' + opened[at], *opened[at + 1 :]])
        if random.random() < 0.0003:
            payload += b" " * (1 << 20)
        topic = f"ward/v1/w/{device}/{kind}"
        if device in self._keys or random.random() < 0.02:
            payload = self._signed(device, topic, payload)
        if random.random() < 0.02:
            topic = self._bent_topic(topic)
        retain = random.random() < (0.5 if kind == "status" else 0.01)
        return Message(topic, payload, retain)

    def _vitals(self, device: str, now: int) -> Any:
        random = self._random
        if random.random() < 0.75:
            return self._sample(device, now)
        return {
            "samples": [self._sample(device, now - 1000 * n) for n in range(random.choice((1, 2, 5, 40)))]
        }

    def _sample(self, device: str, now: int) -> dict[str, Any]:
        random = self._random
        self._seq[device] += random.choice((1, 1, 1, 1, 0, 2, -3))
        signals = random.sample(list(USUAL), random.choice((1, 2, 4, 9)))
        off = random.choice((0, 0, 0, 0, -5_000, -3_600_000, 90_000))
        made: dict[str, Any] = {
            "readings": {s: round(USUAL[s] * random.choice((1, 0.9, 1.1, 0.3, 4)), 1) for s in signals}
        }
        if random.random() < 0.8:
            made["seq"] = self._seq[device]
        if random.random() < 0.8:
            made["time"] = iso(now + off)
        if random.random() < 0.2:
            made["quality"] = {random.choice(signals): round(random.random(), 2)}
        if random.random() < 0.2:
            made["status"] = {random.choice(list(USUAL)): random.choice(WORDS)}
        if random.random() < 0.2:
            made["session"] = random.choice(("a", "b", 7, "c"))
        return made

    def _status(self) -> Any:
        random = self._random
        made: dict[str, Any] = {"state": random.choice(("online", "offline"))}
        if random.random() < 0.8:
            made["session"] = random.choice(("a", "b", 7, "c"))
        if random.random() < 0.6:
            made["interval_s"] = {s: random.choice((1, 60, 1800)) for s in random.sample(list(USUAL), 3)}
        return made

    def _signed(self, device: str, topic: str, payload: bytes) -> bytes:
        random = self._random
        if random.random() < 0.2:
            return payload
        self._number += random.choice((1, 1, 1, 0, -5, 1000))
        key = self._keys.get(device, "0" * 64) if random.random() < 0.9 else "1" * 64
        signer = random.choice(("", "", "", "", f"w/{device}", "w/gateway", "nobody", " "))
        made = sign(key, topic, max(0, self._number), payload, signer)
        return bend_bytes(random, made[:80]) + made[80:] if random.random() < 0.2 else made

    def _bent_topic(self, topic: str) -> str:
        random = self._random
        if random.random() < 0.1:
            self.strange += 1
            return f"ward/v1/w/strange-{self.strange}/vitals"
        return bend_bytes(random, topic.encode()).decode(
            "utf-8", random.choice(("replace", "surrogateescape"))
        )
