"""The gate before the journal: a device may say only what is its own to say.

MQTT tells a subscriber nothing about who published. Behind a broker that checks (passwords and ACLs)
the gate may stand open; behind one that does not, devices are ``known`` by name or prove themselves
by a signature (``ward.ingest.signatures``). What is turned away never reaches the journal, and so
neither a device's clock nor when it was last seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from ward.ingest.intake import Incoming
from ward.ingest.records import Refusal
from ward.ingest.signatures import MARK, Numbers, Signed, is_genuine, is_signed, take_apart
from ward.ingest.topics import Address, parse_topic
from ward.signals import MINUTE

Mode = Literal["open", "known", "signed"]
FORGED: Final = frozenset({"unsigned", "bad-signature"})
"""Reasons that say: somebody else may have spoken in this device's name."""
LETTERS: Final = 32
"""Letters kept in each ``PERIOD``, one for each device and reason: a flood must not fill the disk."""
PERIOD: Final = MINUTE
EXCERPT: Final = 512
REMEMBERED: Final = 1_000
ALARM: Final = 5 * MINUTE
ANY: Final = "+"


@dataclass(frozen=True, slots=True)
class Credential:
    """What one user of the broker may say. ``speaks_for``: (ward, device), ``+`` for any.

    ``key`` None: it is not to be had, and nothing that it signs can be believed. ``nonce`` names the key.
    """

    user: str
    speaks_for: frozenset[tuple[str, str]]
    must_sign: bool
    nonce: str = ""
    key: bytes | None = field(default=None, repr=False)

    def may(self, ward: str, device: str) -> bool:
        spoken = self.speaks_for
        return (ward, device) in spoken or (ward, ANY) in spoken or (ANY, ANY) in spoken


@dataclass(frozen=True, slots=True)
class Forged:
    """Messages refused in a device's name since the start; ``last`` in ms."""

    count: int
    last: int


class Gate:
    """``begin``, then ``open`` for each message of a batch, then ``settle`` when the batch is durable.

    These three belong to one thread; ``know`` may be called in another.
    """

    def __init__(self, mode: Mode = "open") -> None:
        self.mode: Mode = mode
        self.forged: dict[str, Forged] = {}
        """By ``ward/device``."""
        self._known: Mapping[str, Credential] = {}
        self._shared: tuple[Credential, ...] = ()
        self._numbers: dict[tuple[str, str], Numbers] = {}
        self._pending: dict[tuple[str, str, int], None] = {}
        self._changed: set[str] = set()
        self.settled = 0
        """Up to which position of the journal ``changed`` knows what was heard."""
        self._period = 0
        self._told: set[tuple[str, str]] = set()
        self._forged_at: int | None = None

    def know(self, credentials: Iterable[Credential]) -> None:
        """These and no others may speak from now on."""
        listed = list(credentials)
        self._shared = tuple(c for c in listed if c.speaks_for != {_own(c.user)})
        self._known = {c.user: c for c in listed}

    def begin(self) -> None:
        """A new batch; what was not settled was not heard."""
        self._pending.clear()

    def open(self, item: Incoming) -> bytes | Refusal:
        """The message to decode, or why it is refused."""
        payload = item.payload
        if self.mode == "open" and not self._known and not payload.startswith(MARK):
            return payload
        address = parse_topic(item.topic)
        if address is None:
            return payload  # the decoder refuses it, and says why
        return self._signed(item, address) if is_signed(payload) else self._plain(item, address)

    def heard(self) -> list[tuple[str, str, int]]:
        """The numbers of this batch, to be written with it."""
        return list(self._pending)

    def settle(self, position: int = 0) -> None:
        """The batch is durable, at this position of the journal: its numbers were heard."""
        for nonce, kind, number in self._pending:
            self._numbers.setdefault((nonce, kind), Numbers()).add(number)
            self._changed.add(nonce)
        self._pending.clear()
        self.settled = max(self.settled, position)

    def is_alarmed(self, now: int) -> bool:
        """Whether forged messages came within the last minutes (ms)."""
        return self._forged_at is not None and now - self._forged_at < ALARM

    # ------------------------------------------------------------------ judging

    def _plain(self, item: Incoming, address: Address) -> bytes | Refusal:
        own = self._known.get(f"{address.ward}/{address.device}")
        if own is not None and not own.may(address.ward, address.device):
            own = None
        others = () if own is not None else [c for c in self._shared if c.may(address.ward, address.device)]
        if own is None and not others:
            if self.mode == "open":
                return item.payload
            return self._refuse(item, address, "unknown-device", "it was not added with `ward device add`")
        if self.mode == "signed" or (own.must_sign if own is not None else all(c.must_sign for c in others)):
            return self._refuse(item, address, "unsigned", "it has no line `ward1 …` before the message")
        return item.payload

    def _signed(self, item: Incoming, address: Address) -> bytes | Refusal:
        parts = take_apart(item.payload)
        if parts is None:
            return self._refuse(item, address, "bad-signature", "the first line is not: ward1 MAC NUMBER")
        signer = parts.signer or f"{address.ward}/{address.device}"
        known = self._known.get(signer)
        if known is None:
            return self._refuse(item, address, "unknown-device", "nobody of the signer's name was added")
        if (fault := _fault(known, address, item.topic, parts)) is not None:
            return self._refuse(item, address, "bad-signature", fault)
        heard = self._numbers.get((known.nonce, address.kind))
        mark = (known.nonce, address.kind, parts.number)
        if mark in self._pending or (heard is not None and not heard.is_new(parts.number)):
            return self._refuse(item, address, "repeated-number", f"number {parts.number}")
        self._pending[mark] = None
        return parts.message

    def _refuse(self, item: Incoming, address: Address, reason: str, detail: str) -> Refusal:
        name = f"{address.ward}/{address.device}"
        if reason in FORGED:
            self._forged_at = item.received
            before = self.forged.get(name)
            if before is not None or len(self.forged) < REMEMBERED:
                self.forged[name] = Forged(before.count + 1 if before else 1, item.received)
        excerpt = item.payload[:EXCERPT]
        # Not under the device's name: it did not say it, and letters of its own must not make way for this.
        return Refusal(
            item.received,
            item.topic,
            reason,
            detail,
            excerpt,
            None,
            address.ward,
            kept=self._is_kept(item.received, name, reason),
        )

    def _is_kept(self, received: int, name: str, reason: str) -> bool:
        if received // PERIOD != self._period:
            self._period = received // PERIOD
            self._told.clear()
        key = (name, reason)
        if key in self._told or len(self._told) >= LETTERS:
            return False
        self._told.add(key)
        return True

    # ------------------------------------------------------------------ numbers across a restart

    def restore(
        self,
        numbers: Mapping[tuple[str, str], Numbers],
        since: Mapping[int, Iterable[tuple[str, str, int]]] = {},
    ) -> None:
        """What ``changed`` gave, and what ``heard`` gave since, by position of the journal."""
        self._numbers = dict(numbers)
        for position, heard in since.items():
            for nonce, kind, number in heard:
                known = self._numbers.setdefault((nonce, kind), Numbers())
                if known.is_new(number):
                    known.add(number)
                self._changed.add(nonce)
            self.settled = max(self.settled, position)

    def changed(self) -> dict[str, dict[str, Numbers]]:
        """By key (its nonce) and kind, the numbers that were heard since the last call, as they are now.

        May lag behind the journal, never be ahead of it.
        """
        nonces, self._changed = self._changed, set()
        found: dict[str, dict[str, Numbers]] = {nonce: {} for nonce in nonces}
        for (nonce, kind), heard in list(self._numbers.items()):
            if nonce in found:
                found[nonce][kind] = heard.copy()
        return found

    def unsaved(self, numbers: Mapping[str, object]) -> None:
        """What ``changed`` gave was not written down."""
        self._changed |= numbers.keys()


def _own(user: str) -> tuple[str, str]:
    ward, _, device = user.partition("/")
    return ward, device


def _fault(known: Credential, address: Address, topic: str, signed: Signed) -> str | None:
    """Why a signature is not believed."""
    if not known.may(address.ward, address.device):
        return "the signer may not speak for this device"
    if known.key is None:
        return "the signer's key is not to be had here"
    return None if is_genuine(known.key, topic, signed) else "not signed with the signer's key"
