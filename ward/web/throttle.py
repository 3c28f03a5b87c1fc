"""How many guesses anybody gets.

Three counts, each with its own patience, so that guessing is slow and nobody is kept from her ward by it:
of a name from one address (what a person mistypes), of an address (one guesser, many names), and of a name
from anywhere (many guessers, one name). The last two would let anybody lock out a colleague (a whole hospital
may have one address), so she waits for neither where she has logged in before: there only what fails in her
name does, and it costs minutes at most.

An attempt is counted before its password is looked at and taken back when it was right: a thousand at once
are a thousand attempts. Names that do not exist are counted alike, so nothing is learnt from waiting.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection

from ward.errors import WardError
from ward.signals import HOUR, MINUTE, SECOND
from ward.store import attempts
from ward.store.attempts import Attempt

DAY: Final = 24 * HOUR
KNOWN_MS: Final = 30 * DAY
"""For how long an address is one from which a person has logged in before."""


class LockedOutError(WardError):
    """Too many attempts; ``retry_after_s`` says when the next one is heard."""

    type, title, status = "locked-out", "Too many attempts", 429

    def __init__(self, wait: int) -> None:
        seconds = -(-wait // SECOND)
        said = f"{seconds} s" if seconds < 120 else f"{-(-seconds // 60)} min"
        super().__init__(f"too many attempts that failed; try again in {said}", retry_after_s=seconds)


@dataclass(frozen=True, slots=True)
class Limit:
    """``free`` failures cost nothing; each further one doubles the wait from ``first`` up to ``cap``. A count
    begins anew when nothing failed for ``forget``. All in ms."""

    free: int
    first: int
    cap: int
    forget: int

    def wait(self, failed: int) -> int:
        over = failed - self.free
        return 0 if over < 0 else min(self.first << min(over, 30), self.cap)


LIMITS: Final[Mapping[str, Limit]] = {
    "pair": Limit(free=5, first=5 * SECOND, cap=5 * MINUTE, forget=HOUR),
    "address": Limit(free=50, first=5 * SECOND, cap=5 * MINUTE, forget=HOUR),
    "account": Limit(free=20, first=30 * SECOND, cap=HOUR, forget=DAY),
}


def waiting(connection: Connection, login: str, address: str, now: int) -> int:
    """The ms until the next attempt is heard, 0: at once. Writes nothing: a flood must not keep the disk."""
    keys = _keys(login, address)
    found = attempts.look(connection, keys.values())
    counted = _counted(keys, {key: found.get(key) or Attempt(key) for key in keys.values()}, now)
    return _wait(counted, now)


def charge(tx: Connection, login: str, address: str, now: int) -> int:
    """Count an attempt as one that failed. 0, or the ms to wait where it is not to be heard at all."""
    keys = _keys(login, address)
    found = attempts.hold(tx, keys.values(), now)
    counted = _counted(keys, found, now)
    wait = _wait(counted, now)
    if wait > 0:
        return wait
    attempts.save(tx, [_failed(LIMITS[kind], attempt, now) for kind, attempt in counted.items()])
    attempts.forget(tx, before=now - KNOWN_MS)
    return 0


def settle(tx: Connection, login: str, address: str, now: int) -> None:
    """The attempt that was charged last was right: it costs nothing, and the address is known from now on."""
    counted = _take_back(tx, login, address, now)
    pair = replace(counted.pop("pair"), failed=0, until=0, last=now, succeeded=now)
    attempts.save(tx, [pair, *counted.values()])


def refund(tx: Connection, login: str, address: str, now: int) -> None:
    """The attempt that was charged last was not looked at."""
    attempts.save(tx, _take_back(tx, login, address, now).values())


def locked_until(connection: Connection, logins: Collection[str], now: int) -> dict[str, int]:
    """Which of these names are kept waiting wherever they come from, and until when (ms)."""
    keys = {_digest("account", login): login for login in logins}
    found = attempts.look(connection, keys)
    return {keys[one.key]: one.until for one in found.values() if one.until > now}


def pardon(tx: Connection, login: str) -> None:
    """Forget what failed for a name from anywhere (an administrator gave it a new password)."""
    attempts.forget(tx, before=0, keys=[_digest("account", login)])


def _counted(keys: Mapping[str, str], found: Mapping[str, Attempt], now: int) -> dict[str, Attempt]:
    """The counts that an attempt for this name from this address adds to."""
    known = _is_known(found[keys["pair"]], now)
    return {kind: found[key] for kind, key in keys.items() if not (known and kind == "account")}


def _wait(counted: Mapping[str, Attempt], now: int) -> int:
    """What a known person's guesses add to their address keeps others waiting, and never her."""
    known = _is_known(counted["pair"], now)
    return max(0, *(one.until - now for kind, one in counted.items() if not (known and kind == "address")))


def _is_known(pair: Attempt, now: int) -> bool:
    return pair.succeeded is not None and now - pair.succeeded < KNOWN_MS


def _take_back(tx: Connection, login: str, address: str, now: int) -> dict[str, Attempt]:
    keys = _keys(login, address)
    counted = _counted(keys, attempts.hold(tx, keys.values(), now), now)
    return {
        kind: replace(one, failed=max(one.failed - 1, 0), until=min(one.until, now))
        for kind, one in counted.items()
    }


def _failed(limit: Limit, attempt: Attempt, now: int) -> Attempt:
    failed = 1 if now - attempt.last > limit.forget else attempt.failed + 1
    return replace(attempt, failed=failed, last=now, until=now + limit.wait(failed))


def _keys(login: str, address: str) -> dict[str, str]:
    place = network(address)
    return {
        "pair": _digest("pair", login, place),
        "address": _digest("address", place),
        "account": _digest("account", login),
    }


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def network(address: str) -> str:
    """The address, of IPv6 its /64: whoever has one of those has them all."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    mapped = getattr(parsed, "ipv4_mapped", None)
    if mapped is not None:
        return str(mapped)
    if parsed.version == 6:
        return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)
    return str(parsed)
