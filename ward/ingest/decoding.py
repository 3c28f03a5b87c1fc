"""Messages as they came to parts of the journal, and what of them is refused."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

import structlog

from ward.ingest.gate import Gate
from ward.ingest.intake import Incoming
from ward.ingest.packed import Part
from ward.ingest.payload import collect_vitals, decode_status, judge_vitals
from ward.ingest.records import EXCERPT, Entry, Refusal
from ward.ingest.share import Share
from ward.ingest.sheet import Sheet

BUDGET_S: Final = 0.2
"""Decoding stops after so long, so that no message keeps the tick waiting."""

ALL: Final = Share()

log = structlog.get_logger(__name__)


def decoded(
    items: Sequence[Incoming], gate: Gate, share: Share = ALL
) -> tuple[list[Part], list[Refusal], int]:
    """Parts in the messages' order, refusals, and how many of the items there was time for (at least one).
    Of what is not in the ``share`` nothing remains."""
    parts: list[Part] = []
    refusals: list[Refusal] = []
    sheet = Sheet()
    begun = time.monotonic()
    for read, item in enumerate(items):
        if read and time.monotonic() - begun > BUDGET_S:
            return parts + sheet.parts(), refusals, read
        if share.passes_over(item.topic):
            continue
        try:
            payload = gate.open(item) if not share.is_lost(item.topic) else _strange(item)
            if isinstance(payload, Refusal):
                refusals.append(payload)
                continue
            if not item.retain and collect_vitals(item.topic, payload, item.received, sheet):
                continue
            found, refused = _judged(item, payload)
        except Exception as error:  # decoding never raises; if it did, no other message may suffer
            log.exception("a message cannot be decoded", topic=item.topic)
            found, refused = [], [unusable(item, error)]
        if found:
            parts += [*sheet.parts(), *found]
            sheet = Sheet()
        refusals += refused
    return parts + sheet.parts(), refusals, len(items)


def _strange(item: Incoming) -> Refusal:
    return Refusal(item.received, item.topic, "other-partition", "", item.payload[:EXCERPT])


def _judged(item: Incoming, payload: bytes) -> tuple[Sequence[Entry], Sequence[Refusal]]:
    if item.topic.endswith("/status"):
        said, refused = decode_status(item.topic, payload, item.received, item.retain)
        return ([said] if said is not None else []), refused
    if item.retain:  # it may be of any age: taken for a fresh one it would hide that nothing comes
        return (), [Refusal(item.received, item.topic, "retained", "", item.payload[:EXCERPT])]
    return judge_vitals(item.topic, payload, item.received)


def unusable(item: Incoming, error: Exception) -> Refusal:
    return Refusal(item.received, item.topic, "unusable", type(error).__name__, item.payload[:EXCERPT])
