"""The careful way to read a message: every piece is judged for itself, one bad never costs another."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any, Final

import msgspec

from ward.ingest.records import Announcement, Sample, Value
from ward.ingest.refusals import Refusals, shown
from ward.ingest.times import parse_time
from ward.ingest.topics import Address
from ward.signals import INDEX, MEASURED

MAX_SEQ: Final = 2**63 - 1
MAX_SESSION: Final = 128
MAX_STATUS: Final = 64
MAX_INTERVAL: Final = 7 * 86_400.0
"""Seconds. Nothing on a ward is measured more rarely than each week."""
NOTHING: Final = object()
"""No document at all, where JSON's null would be one."""
_DIGITS: Final = 400


def parse(payload: bytes, refusals: Refusals) -> object:
    """The JSON document, or ``NOTHING``. NaN and Infinity become floats for the readings' own check."""
    if not payload.strip():
        refusals.add("empty", "no content")
        return NOTHING

    def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            for name, times in Counter(name for name, _ in pairs).items():
                if times > 1:
                    refusals.add("repeated-name", f"{shown(name)} {times} times")
        return made

    try:
        text = payload.decode("utf-8")
        return json.loads(text, object_pairs_hook=object_of, parse_int=_whole)
    except (ValueError, RecursionError, MemoryError) as error:
        refusals.add("not-json", str(error)[:200] if isinstance(error, ValueError) else "nested too deep")
        return NOTHING


def _whole(digits: str) -> int | float:
    """Python refuses integers of thousands of digits; as a float they are merely infinite."""
    return int(digits) if len(digits) < _DIGITS else float(digits)


def samples_of(document: object, address: Address, received: int, refusals: Refusals) -> list[Sample]:
    """The samples of a ``vitals`` document, the newest by device time marked."""
    if not isinstance(document, dict):
        refusals.add("not-object", f"the message is {shown(document)}")
        return []
    pieces: list[object] = []
    if "samples" in document:
        batch = document["samples"]
        if not isinstance(batch, list):
            refusals.add("not-list", f"samples is {shown(batch)}")
        elif not batch:
            refusals.add("empty", "samples is an empty list")
        else:
            pieces.extend(batch)
    if "readings" in document or "samples" not in document:
        pieces.append(document)
    samples = [s for piece in pieces if (s := _sample(piece, address, received, refusals)) is not None]
    if not samples:
        return []
    newest = max(range(len(samples)), key=lambda n: (-1 if (t := samples[n].time) is None else t, n))
    samples[newest] = msgspec.structs.replace(samples[newest], newest=True)
    return samples


def _sample(piece: object, address: Address, received: int, refusals: Refusals) -> Sample | None:
    if not isinstance(piece, dict):
        refusals.add("not-object", f"a sample is {shown(piece)}")
        return None
    if "readings" not in piece:
        refusals.add("no-readings", f"a sample is {shown(piece)}")
        return None
    time: int | None = None
    if piece.get("time") is not None and (time := parse_time(piece["time"])) is None:
        refusals.add("bad-time", f"time is {shown(piece['time'])}")
        return None
    seq = _seq(piece.get("seq"), refusals)
    session, is_bad = _session(piece.get("session"), refusals)
    values = _values(piece, refusals)
    if not values:
        return None
    # A seq counts within its session: of an unreadable session it identifies nothing.
    return Sample(
        address.ward, address.device, received, time, None if is_bad else seq, session, values, newest=False
    )


def _seq(given: object, refusals: Refusals) -> int | None:
    if given is None:
        return None
    if isinstance(given, float) and given.is_integer():
        given = int(given)  # JSON does not tell 3.0 from 3
    if isinstance(given, int) and not isinstance(given, bool) and 0 <= given <= MAX_SEQ:
        return given
    refusals.add("bad-seq", f"seq is {shown(given)}")
    return None


def _session(given: object, refusals: Refusals) -> tuple[str | None, bool]:
    """The session (a whole number, such as a count of starts, is as good as text), whether it is bad."""
    if given is None:
        return None, False
    if isinstance(given, int) and not isinstance(given, bool) and 0 <= given <= MAX_SEQ:
        return str(given), False
    if isinstance(given, str) and len(given) <= MAX_SESSION and is_storable(given):
        return given, False
    refusals.add("bad-session", f"session is {shown(given)}")
    return None, True


def _values(piece: dict[str, Any], refusals: Refusals) -> list[Value]:
    readings = _object(piece, "readings", refusals)
    quality = _object(piece, "quality", refusals)
    status = _object(piece, "status", refusals)
    is_empty = not readings and not status and isinstance(piece["readings"], dict)
    values: list[Value] = []
    for name, given in readings.items():
        signal = _signal(name, "readings", refusals)
        if signal is None:
            continue
        number = _number(given)
        if given is not None and number is None:
            refusals.add("not-a-number", f"{name} is {shown(given)}")
            continue
        own_quality = _quality(name, quality.get(name), refusals)
        own_status = _status(name, status.get(name), refusals)
        values.append(Value(signal, number, own_quality, own_status))
    for name in quality.keys() - readings.keys():
        if _signal(name, "quality", refusals) is not None:
            refusals.add("bad-quality", f"{name} has a quality but no reading")
    # The device speaks of a signal it did not measure: kept, as an expected reading that is not there.
    for name in status:
        if name in readings:
            continue
        signal = _signal(name, "status", refusals)
        word = None if signal is None else _status(name, status[name], refusals)
        if signal is not None and word is not None:
            values.append(Value(signal, None, None, word))
    if is_empty:
        refusals.add("empty", "readings is empty")
    return values


def _object(piece: dict[str, Any], name: str, refusals: Refusals) -> dict[str, Any]:
    given = piece.get(name)
    if isinstance(given, dict):
        return given
    if given is not None or name == "readings":
        refusals.add("not-object", f"{name} is {shown(given)}")
    return {}


def _signal(name: str, where: str, refusals: Refusals) -> int | None:
    if name in MEASURED:
        return INDEX[name]
    refusals.add("unknown-signal", f"{shown(name)} in {where}")
    return None


def _number(given: object) -> float | None:
    """A finite float, or None: texts, booleans, NaN and infinities are no numbers."""
    if isinstance(given, bool) or not isinstance(given, int | float):
        return None
    try:
        number = float(given)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _quality(name: str, given: object, refusals: Refusals) -> float | None:
    if given is None:
        return None
    number = _number(given)
    if number is not None and 0 <= number <= 1:
        return number
    refusals.add("bad-quality", f"{name}'s quality is {shown(given)}")
    return None


def _status(name: str, given: object, refusals: Refusals) -> str | None:
    """Any word is kept: those that the service does not know make the reading questionable, later."""
    if given is None:
        return None
    if isinstance(given, str) and len(given) <= MAX_STATUS and is_storable(given):
        return given
    refusals.add("bad-status", f"{name}'s status is {shown(given)}")
    return None


def is_storable(text: str) -> bool:
    """Whether the text is real Unicode: JSON can spell half of a surrogate pair, UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def announcement_of(
    document: object, address: Address, received: int, retained: bool, refusals: Refusals
) -> Announcement | None:
    """The birth or will in a ``status`` document; None unless its state and session can be read."""
    if not isinstance(document, dict):
        refusals.add("not-object", f"the message is {shown(document)}")
        return None
    state = document.get("state")
    if state not in ("online", "offline"):
        refusals.add("bad-state", f"state is {shown(state)}")
        return None
    session, is_bad = _session(document.get("session"), refusals)
    if is_bad:
        return None
    intervals: dict[int, float] = {}
    for name, given in _object(document, "interval_s", refusals).items():
        signal = _signal(name, "interval_s", refusals)
        if signal is None:
            continue
        seconds = _number(given)
        if seconds is not None and 0 < seconds <= MAX_INTERVAL:
            intervals[signal] = seconds
        else:
            refusals.add("bad-interval", f"{name}'s interval_s is {shown(given)}")
    return Announcement(address.ward, address.device, received, state, session, intervals, retained)
