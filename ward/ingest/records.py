"""What the journal holds: the entries whose fold is the service's state.

Structs are written as MessagePack arrays, so a field may only ever be appended, with a default. Times
are ms since 1970 UTC; signals are indices into ``ward.signals.SIGNALS``, whose order is therefore
fixed for as long as a journal lives.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

EXCERPT: Final = 4096
"""How many bytes of a refused message are kept."""


class Value(msgspec.Struct, array_like=True, frozen=True):
    """One reading of a sample: a finite value, or None for 'expected, not available now'.

    ``quality`` (0..1) and ``status`` are what the device itself says of it.
    """

    signal: int
    value: float | None
    quality: float | None = None
    status: str | None = None


class Sample(msgspec.Struct, tag="s", array_like=True, frozen=True):
    """What one device measured at one instant of its own clock.

    ``time`` is the device's time, uncorrected, or None where it gave none. ``newest`` tells the one
    sample of each message that the device measured last.
    """

    ward: str
    device: str
    received: int
    time: int | None
    seq: int | None
    session: str | None
    values: list[Value]
    newest: bool = True


class Announcement(msgspec.Struct, tag="a", array_like=True, frozen=True):
    """A device's birth or will; ``intervals`` maps a signal to its declared interval in seconds."""

    ward: str
    device: str
    received: int
    state: Literal["online", "offline"]
    session: str | None
    intervals: dict[int, float]
    retained: bool = False


class Observation(msgspec.Struct, tag="o", array_like=True, frozen=True):
    """What a person entered; consciousness and oxygen as the engine's numbers."""

    stay: str
    time: int
    received: int
    by: str
    values: dict[int, float]


class StayChanged(msgspec.Struct, tag="c", array_like=True, frozen=True):
    """Something about a stay changed (devices, flags, admission, pause …): its row tells what."""

    stay: str
    received: int


class RulesChanged(msgspec.Struct, tag="r", array_like=True, frozen=True):
    """The rules in force changed: their table tells which."""

    received: int


Entry = Sample | Announcement | Observation | StayChanged | RulesChanged


class Refusal(msgspec.Struct, frozen=True):
    """Something received that could not be used, and why; becomes a dead letter.

    ``reason`` is one of ``ward.ingest.refusals.REASONS``; ``count`` is how many alike this one
    message held; ``payload`` is an excerpt of at most ``EXCERPT`` bytes. ``kept`` False: it is counted,
    and there are enough letters of its like already.
    """

    received: int
    topic: str
    reason: str
    detail: str
    payload: bytes
    device: str | None = None
    ward: str | None = None
    count: int = 1
    kept: bool = True
