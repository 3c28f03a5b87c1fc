"""Signed messages: who says it can be proved behind a broker that lets anyone say anything.

A signed message is one line before the message itself::

    ward1 MAC NUMBER[ SIGNER]
    {"readings": {"hr": 82}}

``MAC`` is the HMAC-SHA256, in hex, of ``topic LF NUMBER LF message`` under the device's key (the
text that ``ward device add`` prints, as it stands). ``NUMBER`` is larger than any that this key has
signed before. ``SIGNER`` is needed only of a gateway: the user by whose key it signs.
"""

from __future__ import annotations

import hmac
from bisect import bisect_right
from typing import Final, NamedTuple

import msgspec

from ward.ingest.spans import insert

MARK: Final = b"ward1 "
MAX_NUMBER: Final = 2**63 - 1
MAX_LINE: Final = 1024
_HEX: Final = 64
_DIGITS: Final = 19
WINDOW: Final = 128
"""Gaps in the numbers of one signer that are remembered; what is older than all of them is refused."""


class Signed(NamedTuple):
    """A message taken apart. ``said`` is what the MAC is over, without the topic."""

    mac: bytes
    number: int
    signer: str
    said: bytes
    message: bytes


def derive_key(master: bytes, user: str, nonce: str) -> str:
    """A device's key from the service's master secret (HKDF-SHA256, RFC 5869), 64 hex digits.

    ``nonce`` is anew with each rotation. The database holds user and nonce, and without the master
    secret they reveal nothing.
    """
    extracted = hmac.digest(bytes.fromhex(nonce), master, "sha256")
    return hmac.digest(extracted, b"ward device " + user.encode() + b"\x01", "sha256").hex()


def sign(key: str, topic: str, number: int, message: bytes, signer: str = "") -> bytes:
    """The payload to publish."""
    said = b"%d\n%b" % (number, message)
    mac = _mac(key.encode(), topic, said).hex().encode()
    return b"%b%b %d%b\n%b" % (MARK, mac, number, b" " + signer.encode() if signer else b"", message)


def is_signed(payload: bytes) -> bool:
    return payload.startswith(MARK)


def take_apart(payload: bytes) -> Signed | None:
    """The parts of a payload that ``is_signed``; None where its first line is not a signature."""
    line, newline, message = payload.partition(b"\n")
    if not newline or len(line) > MAX_LINE:
        return None
    parts = line[len(MARK) :].split(b" ", 2)
    if len(parts) < 2 or len(parts[0]) != _HEX or not (parts[1].isdigit() and len(parts[1]) <= _DIGITS):
        return None
    number = int(parts[1])
    try:
        mac, signer = bytes.fromhex(parts[0].decode()), parts[2].decode() if len(parts) == 3 else ""
    except ValueError:
        return None
    if number > MAX_NUMBER or len(mac) != _HEX // 2:
        return None
    return Signed(mac, number, signer, b"%b\n%b" % (parts[1], message), message)


def is_genuine(key: bytes, topic: str, signed: Signed) -> bool:
    """Whether who holds ``key`` signed this for this topic; takes as long for any wrong MAC."""
    return hmac.compare_digest(_mac(key, topic, signed.said), signed.mac)


def _mac(key: bytes, topic: str, said: bytes) -> bytes:
    return hmac.digest(key, topic.encode("utf-8", "surrogatepass") + b"\n" + said, "sha256")


class Numbers(msgspec.Struct, array_like=True):
    """Which numbers of one signer were heard, as sorted, closed, disjoint spans.

    At most ``WINDOW`` spans: beyond that the lowest is forgotten, and nothing up to its end is new
    any more. Counting one by one makes one span; signing with the time makes one a message, and
    then messages may be out of order by ``WINDOW``.
    """

    firsts: list[int] = []
    lasts: list[int] = []
    floor: int = -1

    def copy(self) -> Numbers:
        return Numbers(list(self.firsts), list(self.lasts), self.floor)

    def is_new(self, number: int) -> bool:
        at = bisect_right(self.firsts, number)
        return number > self.floor and not (at and number <= self.lasts[at - 1])

    def add(self, number: int) -> None:
        """Remember a number that ``is_new``."""
        insert(self.firsts, self.lasts, number)
        if len(self.firsts) > WINDOW:
            self.floor = self.lasts[0]
            del self.firsts[0], self.lasts[0]
