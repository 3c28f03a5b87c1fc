"""Messages of devices to entries. Never raises: what cannot be used is refused with a reason.

Well-formed messages, nearly all, take the fast way: typed decoding by msgspec, then a loop over the
readings. At the first sign of anything else the whole message takes the careful way
(``ward.ingest.careful``), which judges every piece for itself. Both give the same for what both can
read, so the fast way is only ever an optimisation.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ward.ingest import careful
from ward.ingest.records import Announcement, Refusal, Sample, Value
from ward.ingest.refusals import Refusals, shown
from ward.ingest.times import to_ms
from ward.ingest.topics import STATUS, VITALS, Address, parse_topic
from ward.signals import INDEX, MEASURED

MAX_PAYLOAD: Final = 1 << 20
SIGNAL: Final[dict[str, int]] = {name: INDEX[name] for name in MEASURED}


class _Sample(msgspec.Struct):
    readings: dict[str, float | None]
    time: Annotated[datetime, Meta(tz=True)] | UnsetType = UNSET
    seq: Annotated[int, Meta(ge=0, le=careful.MAX_SEQ)] | UnsetType = UNSET
    session: Annotated[str, Meta(max_length=careful.MAX_SESSION)] | UnsetType = UNSET
    quality: dict[str, Annotated[float, Meta(ge=0, le=1)]] | UnsetType = UNSET
    status: dict[str, Annotated[str, Meta(max_length=careful.MAX_STATUS)]] | UnsetType = UNSET


class _Batch(msgspec.Struct):
    samples: list[_Sample]


_sample_decoder = msgspec.json.Decoder(_Sample)
_batch_decoder = msgspec.json.Decoder(_Batch)


def decode_vitals(topic: str, payload: bytes, received: int) -> tuple[list[Sample], list[Refusal]]:
    """The samples of one ``vitals`` message and what of it was refused. ``received`` in ms."""
    address = parse_topic(topic)
    if address is not None and address.kind == VITALS and len(payload) <= MAX_PAYLOAD:
        samples = _fast(address, payload, received)
        if samples is not None:
            return samples, []
    refusals = _refusals(topic, address, payload, received)
    if address is None or address.kind != VITALS:
        refusals.add("bad-topic", shown(topic))
        return [], refusals.all()
    document = _document(payload, refusals)
    found = [] if document is careful.NOTHING else careful.samples_of(document, address, received, refusals)
    return found, refusals.all()


def decode_status(
    topic: str, payload: bytes, received: int, retained: bool
) -> tuple[Announcement | None, list[Refusal]]:
    """The announcement of one ``status`` message, None where it is of no use, and what was refused."""
    address = parse_topic(topic)
    refusals = _refusals(topic, address, payload, received)
    if address is None or address.kind != STATUS:
        refusals.add("bad-topic", shown(topic))
        return None, refusals.all()
    document = _document(payload, refusals)
    if document is careful.NOTHING:
        return None, refusals.all()
    return careful.announcement_of(document, address, received, retained, refusals), refusals.all()


def _refusals(topic: str, address: Address | None, payload: bytes, received: int) -> Refusals:
    ward, device = (address.ward, address.device) if address else (None, None)
    return Refusals(topic, payload, received, ward, device)


def _document(payload: bytes, refusals: Refusals) -> object:
    if len(payload) > MAX_PAYLOAD:
        refusals.add("too-large", f"{len(payload)} bytes")
        return careful.NOTHING
    return careful.parse(payload, refusals)


def _fast(address: Address, payload: bytes, received: int) -> list[Sample] | None:
    """The samples of a message in which nothing at all is odd; None: look carefully."""
    if b"\\" in payload:
        return None
    try:
        wires = [_sample_decoder.decode(payload)]
        texts = 0
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        try:
            wires = _batch_decoder.decode(payload).samples
            texts = 1
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
    if not wires:
        return None
    ward, device, _ = address
    samples: list[Sample] = []
    newest, latest = len(wires) - 1, -1
    for n, wire in enumerate(wires):
        time: int | None = None
        if wire.time is not UNSET and (time := to_ms(wire.time)) is None:
            return None
        values = _values(wire)
        if not values:
            return None
        texts += _texts(wire)
        if time is not None and time >= latest:
            newest, latest = n, time
        seq = None if wire.seq is UNSET else wire.seq
        session = None if wire.session is UNSET else wire.session
        samples.append(Sample(ward, device, received, time, seq, session, values, False))
    # No text in the message but those decoded: no name that is unknown here, and none given twice.
    if 2 * texts != payload.count(b'"'):
        return None
    samples[newest] = msgspec.structs.replace(samples[newest], newest=True)
    return samples


def _texts(wire: _Sample) -> int:
    """How many JSON texts (names and values) the sample was written with."""
    count = 1 + len(wire.readings)
    if wire.time is not UNSET:
        count += 2
    if wire.seq is not UNSET:
        count += 1
    if wire.session is not UNSET:
        count += 2
    if wire.quality is not UNSET:
        count += 1 + len(wire.quality)
    if wire.status is not UNSET:
        count += 1 + 2 * len(wire.status)
    return count


def _values(wire: _Sample) -> list[Value] | None:
    """The readings where every one is in order, else None."""
    values: list[Value] = []
    readings = wire.readings
    quality, status = wire.quality or {}, wire.status or {}
    if quality or status:
        if not (quality.keys() <= readings.keys() and status.keys() <= readings.keys()):
            return None
        for name, value in readings.items():
            signal = SIGNAL.get(name)
            if signal is None:
                return None
            values.append(Value(signal, value, quality.get(name), status.get(name)))
        return values
    for name, value in readings.items():
        signal = SIGNAL.get(name)
        if signal is None:
            return None
        values.append(Value(signal, value))
    return values
