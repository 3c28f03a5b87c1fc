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
from ward.ingest.packed import NO_SEQ, NO_TIME
from ward.ingest.records import Announcement, Refusal, Sample
from ward.ingest.refusals import Refusals, shown
from ward.ingest.sheet import Sheet
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
_UNFIT: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def decode_vitals(topic: str, payload: bytes, received: int) -> tuple[list[Sample], list[Refusal]]:
    """The samples of one ``vitals`` message and what of it was refused. ``received`` in ms."""
    sheet = Sheet()
    if collect_vitals(topic, payload, received, sheet):
        return sheet.samples(), []
    return judge_vitals(topic, payload, received)


def judge_vitals(topic: str, payload: bytes, received: int) -> tuple[list[Sample], list[Refusal]]:
    """The same, always the careful way."""
    address = parse_topic(topic)
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


def collect_vitals(topic: str, payload: bytes, received: int, sheet: Sheet) -> bool:
    """Put the samples of a message in which nothing at all is odd into the sheet. False, and nothing is
    put there: look carefully."""
    address = parse_topic(topic)
    if address is None or address.kind != VITALS or len(payload) > MAX_PAYLOAD or b"\\" in payload:
        return False
    try:
        wires = [_sample_decoder.decode(payload)]
        texts = 0
    except _UNFIT:
        try:
            wires = _batch_decoder.decode(payload).samples
            texts = 1
        except _UNFIT:
            return False
    newest, latest = len(wires) - 1, -1
    for n, wire in enumerate(wires):
        time = NO_TIME if wire.time is UNSET else to_ms(wire.time)
        if time is None or not _values(wire, sheet):
            sheet.drop_message()
            return False
        if time >= latest:
            newest, latest = n, time
        sheet.time.append(time)
        sheet.seq.append(NO_SEQ if wire.seq is UNSET else wire.seq)
        session = None if wire.session is UNSET else wire.session
        sheet.session.append(sheet.sessions.setdefault(session, len(sheet.sessions)))
        sheet.counts.append(len(wire.readings))
        texts += _texts(wire)
    # No text in the message but those decoded: no name that is unknown here, and none given twice.
    if not wires or 2 * texts != payload.count(b'"'):
        sheet.drop_message()
        return False
    sheet.end_message(f"{address.ward}/{address.device}", received, newest)
    return True


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


def _values(wire: _Sample, sheet: Sheet) -> bool:
    """Put the readings into the sheet; False where not every one is in order, or there is none."""
    readings = wire.readings
    place = len(sheet.signal)
    try:
        sheet.signal += [SIGNAL[name] for name in readings]
    except KeyError:
        return False
    sheet.value += readings.values()
    if wire.quality or wire.status:
        places = {name: place + n for n, name in enumerate(readings)}
        try:
            for name, quality in (wire.quality or {}).items():
                sheet.quality[places[name]] = quality
            for name, word in (wire.status or {}).items():
                sheet.status[places[name]] = sheet.words.setdefault(word, len(sheet.words))
        except KeyError:
            return False
    return bool(readings)
