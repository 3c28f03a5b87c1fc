"""MQTT messages through gate, decoding, journal, router and engine, and what must be so of each.

The whole service (but for its threads and the broker) takes them in batches; beside that each message
is judged alone by an accountant that reads the JSON for itself: every good reading comes out, once,
with its value, whatever stands beside it; and what does not come out was refused with a reason.
"""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

from sqlalchemy import delete

from tests.fuzz.messages import DEVICES, Message, Sender
from tests.live.world import World
from ward.ingest.intake import Incoming
from ward.ingest.packed import decode, encode
from ward.ingest.payload import decode_status, decode_vitals
from ward.ingest.records import EXCERPT, Entry, Refusal, Sample
from ward.ingest.refusals import MAX_DISTINCT, REASONS
from ward.ingest.router import Router
from ward.ingest.times import parse_time
from ward.ingest.topics import parse_topic
from ward.signals import INDEX, MEASURED
from ward.store.tables import dead_letters, history, journal

BATCH: Final = 200
ROUND: Final = 20_000
"""Cases of one service; then a fresh one: devices and history would grow beyond any ward's."""
SLOWEST_S: Final = 2.0
"""Processor seconds that no message of at most some 100 kB may take."""
STRICT: Final = DEVICES[:3]
"""They were added and must sign."""


class BrokenError(AssertionError):
    """Something that must be so was not; the text tells the case."""


@dataclass(slots=True)
class Tally:
    """What the cases came to."""

    cases: int = 0
    readings: int = 0
    nulls: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    signed: int = 0
    duplicates: int = 0
    stored: int = 0
    slowest_s: float = 0.0


def fuzz(
    seed: int, cases: int, folder: Path, tally: Tally, told: Callable[[Tally], None] = lambda _: None
) -> Tally:
    """So many cases; adds to ``tally``. Raises ``BrokenError``."""
    rounds = -(-cases // ROUND)
    for number in range(rounds):
        _round(f"{seed}/{number}", min(ROUND, cases - number * ROUND), folder / str(number), tally)
        told(tally)
    return tally


def _round(seed: str, cases: int, folder: Path, tally: Tally) -> None:
    random = Random(seed)
    world = World(folder)
    try:
        made = [world.service.credentials.add(f"w/{name}", world.now, signed=True) for name in STRICT]
        world.service._gatekeeper.look()
        # Keys are fresh each time: they change the signatures' bytes, and nothing that is decided.
        keys = {c.credential.user.partition("/")[2]: c.key for c in made}
        for bed, name in enumerate(DEVICES[:16]):
            world.admit(str(bed), (name,))
        sender, router = Sender(random, keys), Router()
        for at in range(0, cases, BATCH):
            _batch(world, sender, router, random, min(BATCH, cases - at), tally)
    except BrokenError as broken:
        raise BrokenError(f"seed {seed}: {broken}") from broken
    finally:
        world.close()


def _batch(world: World, sender: Sender, router: Router, random: Random, size: int, tally: Tally) -> None:
    messages = [sender.message(world.now) for _ in range(size)]
    world.service.runner.gate.begin()
    said: list[Entry] = []
    for message in messages:
        begun = time.process_time()
        said += _alone(message, world, router, tally)
        took = time.process_time() - begun
        tally.slowest_s = max(tally.slowest_s, took)
        if took > SLOWEST_S:
            raise BrokenError(f"{took:.1f} s for {message.topic!r} {message.payload[:500]!r}")
        world.sent += 1
        item = Incoming(message.topic, message.payload, world.now, 1, message.retain, world.sent)
        world.service.link.intake.put(item)
    if decode(encode(said)) != said:
        raise BrokenError(f"the journal changed the batch {messages!r}")
    world.service.runner.gate.begin()
    before = len(world.acked)
    world.tick(random.choice((1_000, 1_000, 1_000, 100, 20_000)))
    if faults := {**world.service.runner.faults, **world.service.core.faults}:
        raise BrokenError(f"faults {faults} with {messages!r}")
    if len(world.acked) - before != size:
        raise BrokenError(f"{size} messages, {len(world.acked) - before} acknowledged")
    tally.cases += size
    world.acked.clear()
    if random.random() < 0.05:
        _durable(world, tally)


def _durable(world: World, tally: Tally) -> None:
    """A snapshot, and a start from it; what is not looked at again goes, so that the disk lasts."""
    world.service.runner.take_snapshot()
    with world.service.engine_db.begin() as tx:
        tally.stored += tx.execute(delete(history)).rowcount
        tx.execute(delete(dead_letters))
        tx.execute(delete(journal).where(journal.c.position < world.service.core.position))
    world.crash()


def _alone(message: Message, world: World, router: Router, tally: Tally) -> list[Entry]:
    """What must be so of one message; what it comes to."""
    item = Incoming(message.topic, message.payload, world.now, 1, message.retain)
    payload = world.service.runner.gate.open(item)
    address = parse_topic(message.topic)
    if isinstance(payload, Refusal):
        _refused([payload], message, tally)
        return []
    if address is not None and address.ward == "w" and address.device in STRICT:
        tally.signed += 1
        if payload == message.payload:
            raise BrokenError(f"an unsigned message of a device that must sign passed: {message!r}")
    said: list[Entry] = []
    if message.topic.endswith("/status"):
        announcement, refusals = decode_status(message.topic, payload, item.received, message.retain)
        said = [] if announcement is None else [announcement]
    else:
        samples, refusals = decode_vitals(message.topic, payload, item.received)
        said = list(samples)
        if address is not None:
            _accounted(payload, samples, refusals, message)
        _routed(samples, router, message, tally)
    _refused(refusals, message, tally)
    if not said and not refusals:
        raise BrokenError(f"vanished: {message!r}")
    if decode(encode(said)) != said:
        raise BrokenError(f"the journal changed it: {message!r}")
    return said


def _refused(refusals: list[Refusal], message: Message, tally: Tally) -> None:
    for refusal in refusals:
        if refusal.reason not in REASONS or refusal.count < 1 or len(refusal.payload) > EXCERPT:
            raise BrokenError(f"{refusal!r} of {message!r}")
        tally.refusals[refusal.reason] += refusal.count
    if len(refusals) > MAX_DISTINCT + len(REASONS):
        raise BrokenError(f"{len(refusals)} refusals of one message: {message!r}")


def _accounted(payload: bytes, samples: list[Sample], refusals: list[Refusal], message: Message) -> None:
    """The good readings of the document, read with the standard library, are those that came out."""
    try:
        document = json.loads(payload.decode("utf-8"), parse_int=_whole)
    except (ValueError, RecursionError):
        if samples:
            raise BrokenError(f"readings out of what is no JSON: {message!r}") from None
        return
    if len(payload) > 1 << 20:
        return
    good, bad = _expected(document)
    found = Counter((v.signal, v.value) for s in samples for v in s.values)
    for signal, number in found - good:
        if number is not None:  # a status word alone is kept as an expected reading that is not there
            raise BrokenError(f"{signal}={number} is not in {message!r}")
    if good - found:
        raise BrokenError(f"{good - found} did not survive in {message!r}")
    if bad and not refusals:
        raise BrokenError(f"{bad} bad readings without a reason: {message!r}")


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) < 400 else float(digits)


def _expected(document: Any) -> tuple[Counter[tuple[int, float | None]], int]:
    """Readings that must come out, and how many must not."""
    good: Counter[tuple[int, float | None]] = Counter()
    bad = 0
    if not isinstance(document, dict):
        return good, 1
    pieces = document.get("samples", [])
    pieces = list(pieces) if isinstance(pieces, list) else []
    if "readings" in document:
        pieces.append(document)
    for piece in pieces:
        if not isinstance(piece, dict) or not isinstance(piece.get("readings"), dict):
            bad += 1
            continue
        if piece.get("time") is not None and parse_time(piece["time"]) is None:
            bad += 1
            continue
        for name, value in piece["readings"].items():
            if name in MEASURED and (value is None or _is_number(value)):
                good[INDEX[name], None if value is None else float(value)] += 1
            else:
                bad += 1
    return good, bad


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def _routed(samples: list[Sample], router: Router, message: Message, tally: Tally) -> None:
    """Each reading of a new sample is somebody's, nobody's or null."""
    for sample in samples:
        routed = router.apply([sample])
        count = len(routed.rows) + len(routed.unassigned) + routed.nulls
        expected = 0 if routed.duplicates else len(sample.values)
        if count != expected or routed.duplicates not in (0, 1):
            raise BrokenError(f"{expected} readings, {count} routed: {message!r}")
        tally.readings += count - routed.nulls
        tally.nulls += routed.nulls
        tally.duplicates += routed.duplicates
