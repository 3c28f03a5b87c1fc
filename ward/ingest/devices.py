"""What is remembered of a device: what was heard already, and how far its clock is off.

Everything here is plain data with pure changes, so that a snapshot is simply the data.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

import msgspec

from ward.ingest.records import Sample
from ward.ingest.spans import insert
from ward.signals import MINUTE, N_OBSERVED, SECOND, hold_of

MAX_SPANS: Final = 4096
MAX_SESSIONS: Final = 8
MAX_CONTENTS: Final = 1024

WINDOW: Final = 31
"""Live samples whose median is the clock's offset."""
ENOUGH: Final = 3
STEP: Final = MINUTE
"""Lags that differ by more (ms) are of a clock before and after it was set: only the new one counts."""
EXACT: Final = SECOND
"""A clock within this (ms) is right: its times are taken as they are."""
FUTURE: Final = MINUTE
"""Nothing was measured this long (ms) after it was received, whatever the device says."""
BASE: Final = 5 * SECOND
"""Between two samples this far apart in received time (ms) it shows whether they are live."""
SKEW: Final = 0.1
JITTER: Final = 500
"""How unevenly device and received time may advance between live samples: a part, and ms beside it."""


ANEW: Final = 5 * SECOND
ANEW_COUNT: Final = 3
"""Growing counts, all heard before, at least so many and over so long (ms): a device without time and session
that counts from the beginning again."""


class SeqSet(msgspec.Struct, array_like=True):
    """Which counts were heard, as sorted, closed, disjoint spans: one span while none is missing.

    At most ``MAX_SPANS``; beyond that the lowest span is forgotten, so that a sample that fills an old
    hole is rather heard twice (which changes nothing but a count) than lost.
    """

    firsts: list[int] = []
    lasts: list[int] = []

    def add(self, seq: int) -> bool:
        """True where it is new."""
        new = insert(self.firsts, self.lasts, seq)
        if len(self.firsts) > MAX_SPANS:
            del self.firsts[0], self.lasts[0]
        return new


def keeps_pace(advanced: int, elapsed: int) -> bool:
    """Whether a device's time went on as the received time did: what it sent then is live."""
    return abs(advanced - elapsed) <= SKEW * min(advanced, elapsed) + JITTER


class DeviceClock(msgspec.Struct, array_like=True):
    """How far a device's clock is behind: the median of received − device time over live samples.

    A sample is live where the device's time advanced as fast as the received time since a sample
    some seconds before: in a backlog the device's time runs ahead, after an outage it stays behind.
    Nor does it count after a sample that proved to be of a backlog, fresher ones having followed within
    seconds: where service or network were away again and again, the first samples of each backlog are as
    far apart as they were received.
    A backlog sent no faster than it was measured cannot be told from a clock that is off.
    """

    lags: list[int] = []
    time: int | None = None
    received: int = 0
    applied: int = 0
    """What is added to the device's times, ms."""
    freshest: int = 0
    """The least lag since the sample of ``time`` and ``received``."""

    def hear(self, time: int, received: int) -> None:
        """Take the newest sample of one message; ``time`` as the device gave it."""
        elapsed, lag = received - self.received, received - time
        if self.time is not None and elapsed < BASE:
            self.freshest = min(self.freshest, lag)
            return
        before, was_behind = self.time, self.received - (self.time or 0) - self.freshest > JITTER
        self.time, self.received, self.freshest = time, received, lag
        if before is None or was_behind:
            return
        advanced = time - before
        if not keeps_pace(advanced, elapsed):
            return
        self.lags = [old for old in self.lags if abs(old - lag) <= STEP]
        self.lags.append(lag)
        if len(self.lags) > WINDOW:
            del self.lags[0]
        if len(self.lags) < ENOUGH:
            return
        median = sorted(self.lags)[len(self.lags) // 2]
        wanted = 0 if abs(median) <= EXACT else median
        if abs(wanted - self.applied) > EXACT:
            self.applied = wanted

    def restart(self) -> None:
        """A new session may have a new clock; the old offset serves until it is measured."""
        self.lags.clear()
        self.time = None

    def correct(self, time: int, received: int) -> int:
        corrected = time + self.applied
        return received if corrected > received + FUTURE else corrected


class Back(msgspec.Struct, array_like=True, frozen=True):
    """Counts heard before, growing: when the first of them came (ms), the last one, how many."""

    since: int
    seq: int
    count: int


_HOLDS: Final = [hold_of(n) for n in range(N_OBSERVED)]
"""As long as no interval is declared."""


class Device(msgspec.Struct):
    """One device of one ward. ``number`` tells devices apart in arrays; 0 is a person."""

    number: int
    ward: str
    name: str
    first_seen: int
    last_seen: int
    online: bool | None = None
    """As it announced; None: it never did."""
    online_changed: int = 0
    session: str | None = None
    last_time: int | None = None
    """Newest corrected time of a sample."""
    newest: int | None = None
    """Newest time of a sample by the device's own clock."""
    readings: int = 0
    duplicates: int = 0
    intervals: dict[int, float] = {}
    holds: list[int] = msgspec.field(default_factory=lambda: list(_HOLDS))
    clock: DeviceClock = msgspec.field(default_factory=DeviceClock)
    heard: dict[str, SeqSet] = {}
    contents: dict[int, bool] = {}
    back: Back | None = None
    """A row of counts that were heard before, of a device that gives neither time nor session."""

    @property
    def key(self) -> str:
        return f"{self.ward}/{self.name}"

    def declare(self, intervals: dict[int, float]) -> None:
        self.intervals = dict(intervals)
        self.holds = [hold_of(n, intervals.get(n)) for n in range(N_OBSERVED)]

    def is_new(self, sample: Sample) -> bool:
        """False for a sample heard before: the same session and seq, without seq the same content."""
        if sample.seq is None:
            return self._is_new_content(sample)
        session = sample.session if sample.session is not None else self.session
        heard = self.heard.get(session or "")
        if heard is None:
            heard = self.heard[session or ""] = SeqSet()
            if len(self.heard) > MAX_SESSIONS:
                del self.heard[next(iter(self.heard))]
        if heard.add(sample.seq):
            self.back = None
            return True
        if session is not None or not (self._is_later(sample) or self._counts_anew(sample)):
            return False
        # A device that knows no sessions counts anew, at a later time than ever before, or (where it knows
        # no time either) steadily for a while, as no repetition does: it restarted.
        # Taking it for a repetition would silence it until it has counted as far as before.
        self.heard[""] = SeqSet([sample.seq], [sample.seq])
        self.back = None
        return True

    def _is_later(self, sample: Sample) -> bool:
        return sample.time is not None and self.newest is not None and sample.time > self.newest

    def _counts_anew(self, sample: Sample) -> bool:
        """Whether old counts come one after another for so long that it is a device that began again:
        what a broker repeats after a reconnect comes at once."""
        if sample.time is not None or sample.seq is None:
            return False
        row = self.back
        if row is None or sample.seq <= row.seq:
            row = Back(sample.received, sample.seq, 0)
        self.back = Back(row.since, sample.seq, row.count + 1)
        return self.back.count >= ANEW_COUNT and sample.received - row.since >= ANEW

    def _is_new_content(self, sample: Sample) -> bool:
        time = sample.received if sample.time is None else sample.time
        content = msgspec.msgpack.encode((sample.time is None, time, sample.values))
        digest = int.from_bytes(blake2b(content, digest_size=8).digest())
        if digest in self.contents:
            return False
        self.contents[digest] = True
        if len(self.contents) > MAX_CONTENTS:
            del self.contents[next(iter(self.contents))]
        return True
