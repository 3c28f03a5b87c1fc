"""Why something received could not be used: the reasons, and how those of one message are gathered."""

from __future__ import annotations

import json
from typing import Any, Final

from ward.ingest.records import EXCERPT, Refusal

REASONS: Final[dict[str, str]] = {
    "too-large": "the message is larger than 1 MiB",
    "bad-topic": "the topic is not ward/v1/{ward}/{device}/vitals or …/status",
    "not-json": "the message is not UTF-8 JSON",
    "not-object": "an object was expected",
    "not-list": "samples is not a list",
    "no-readings": "a sample without readings",
    "empty": "a message, batch or sample with nothing in it",
    "repeated-name": "an object names the same thing twice; the last one counts",
    "unknown-signal": "no such signal, or one that is not a device's to measure",
    "not-a-number": "a reading that is not a finite number",
    "bad-time": "time is not RFC 3339 with an offset, or not within the years 1970 to 2099",
    "bad-seq": "seq is not a whole number from 0 to 2^63 - 1",
    "bad-session": "session is not a text of at most 128 characters",
    "bad-quality": "quality is not a number from 0 to 1, or of a signal that has no reading",
    "bad-status": "status is not a text of at most 64 characters",
    "bad-state": "state is neither online nor offline",
    "retained": "a vitals message is never retained: it may be of any age",
    "unknown-device": "no credential speaks for this device, and ward takes only devices that were added",
    "unsigned": "this device must sign its messages",
    "bad-signature": "not signed by one that may speak for this device",
    "repeated-number": "the number of this signed message was heard before, or older than those remembered",
    "too-many-devices": "no room for another device that belongs to no stay: 2,000 in a ward, 20,000 in all",
    "more": "more letters of one device and day than are kept; the others are only counted",
    "unusable": "a fault of the service: it could not take this message, whatever is in it",
    "other-partition": "the broker gave it to an engine whose it is not: its mapping is for other partitions",
    "bad-interval": "interval_s is not a number of seconds above 0 and at most a week",
}
"""Stable words with what they mean; metrics and dead letters use them."""

MAX_DISTINCT: Final = 32
"""A message full of nonsense becomes at most this many dead letters, each with its count."""
SHOWN: Final = 120


def shown(thing: Any) -> str:
    """A short, printable form of anything decoded from JSON, for a person to read."""
    try:
        text = json.dumps(thing, ensure_ascii=True)
    except (TypeError, ValueError, RecursionError):
        text = type(thing).__name__
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"


class Refusals:
    """Gathers what one message's decoding refuses; repeats of the same reason and detail are counted."""

    def __init__(self, topic: str, payload: bytes, received: int, ward: str | None, device: str | None):
        self._about = (topic, payload, received, ward, device)
        self._counts: dict[tuple[str, str], int] = {}

    def add(self, reason: str, detail: str) -> None:
        key = (reason, detail)
        if key not in self._counts and len(self._counts) >= MAX_DISTINCT:
            key = (reason, "and others")
        self._counts[key] = self._counts.get(key, 0) + 1

    def all(self) -> list[Refusal]:
        topic, payload, received, ward, device = self._about
        excerpt = bytes(payload[:EXCERPT])  # once a message: junk must not fill the disk thirty times as fast
        return [
            Refusal(received, topic[:EXCERPT], reason, detail, b"" if n else excerpt, device, ward, count)
            for n, ((reason, detail), count) in enumerate(self._counts.items())
        ]
