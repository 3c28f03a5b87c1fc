"""Which screen of a ward makes the sounds, where the ward wants only one to.

A screen that can sound says so every few seconds, for each ward that it shows: that is its proof of life.
Whoever said so first sounds for the ward; the others are silent as long as they hear that somebody else does.
Whoever is not heard for ``ALIVE_S`` has lost it to the next. Where that is in doubt (no answer, a restart, a
network in two halves) two sound rather than none: a screen is silent only on the word of the service, and as
long as that word is fresh. Nothing is kept; one thread (the event loop) uses it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

ALIVE_S: Final = 7.0
"""A screen says so every 3 s; two of them may be lost."""
MOST: Final = 500
"""Screens known of a ward; whoever comes beyond that sounds as if it were alone."""
EVERY: Final = "*"


@dataclass(slots=True)
class _Claim:
    rank: float
    heard: float


@dataclass(frozen=True, slots=True)
class Heard:
    """What one screen is answered for one ward: whether it is to sound, and how many others can."""

    sounds: bool
    others: int


class Sounding:
    """``wards``: those in which one screen sounds for all, names with commas between, or ``*``."""

    def __init__(self, wards: str = "", steady: Callable[[], float] = time.monotonic) -> None:
        self._wards = frozenset(name.strip() for name in wards.split(",") if name.strip())
        self._steady = steady
        self._claims: dict[str, dict[str, _Claim]] = {}

    def is_shared(self, ward: str) -> bool:
        """Whether the ward wants only one screen to sound."""
        return EVERY in self._wards or ward in self._wards

    def hear(self, ward: str, screen: str, *, able: bool, take: bool = False) -> Heard:
        """A screen says that it can sound (``able``), or that it cannot any more. ``take``: from now on it is
        the one, because somebody in front of it said so."""
        if not self.is_shared(ward):
            return Heard(able, 0)
        now = self._steady()
        claims = self._claims.setdefault(ward, {})
        for gone in [s for s, claim in claims.items() if now - claim.heard >= ALIVE_S]:
            del claims[gone]
        if not able:
            claims.pop(screen, None)
            return Heard(False, len(claims))
        if screen not in claims and len(claims) >= MOST:
            return Heard(True, len(claims))
        mine = claims.setdefault(screen, _Claim(now, now))
        mine.heard = now
        if take:
            mine.rank = min(claim.rank for claim in claims.values()) - 1.0
        return Heard(min(claims, key=lambda s: (claims[s].rank, s)) == screen, len(claims) - 1)
