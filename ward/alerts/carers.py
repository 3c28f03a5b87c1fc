"""Who has which patient now. Whoever has one is told of her patient's alerts first, where the plan says so.

Values only; nothing here reads a clock. Times in ms of the ward's clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ward.signals import HOUR

REMEMBERED: Final = 24 * HOUR
"""So long it is known who had a patient last, for 'nobody has bed 7' to say since when."""


@dataclass(frozen=True, slots=True)
class Carer:
    """``person``: her id in the ward's plan, or her name where the plan does not know her.

    ``until``: when it ends by itself, with her shift. ``by``: who said so.
    """

    person: str
    name: str
    since: int
    until: int
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Gone:
    """Who had a patient last, until when, and why no more."""

    name: str
    at: int
    reason: str


class Carers:
    """At most one a stay."""

    def __init__(self) -> None:
        self._now: dict[str, Carer] = {}
        self._before: dict[str, Gone] = {}

    def copy(self) -> Carers:
        """As they are now, and stay."""
        other = Carers()
        other._now, other._before = dict(self._now), dict(self._before)
        return other

    def of(self, stay: str) -> Carer | None:
        return self._now.get(stay)

    def last(self, stay: str) -> Gone | None:
        """Who had it last, where nobody has it now."""
        return self._before.get(stay)

    def before(self, stay: str, now: int) -> Gone | None:
        """The same, as long as it is worth saying."""
        gone = self.last(stay)
        return gone if gone is not None and now - gone.at < REMEMBERED else None

    def take(self, stay: str, carer: Carer) -> None:
        self._now[stay] = carer
        self._before.pop(stay, None)

    def end(self, stay: str, now: int, reason: str) -> Carer | None:
        """Nobody has it any more. Returns who had it."""
        carer = self._now.pop(stay, None)
        if carer is not None:
            self._before[stay] = Gone(carer.name, now, reason)
        return carer

    def restore(self, stay: str, carer: Carer | None, had: Gone | None) -> None:
        self.forget(stay)
        if carer is not None:
            self._now[stay] = carer
        elif had is not None:
            self._before[stay] = had

    def forget(self, stay: str) -> None:
        self._now.pop(stay, None)
        self._before.pop(stay, None)

    def due(self, now: int) -> list[str]:
        """The stays whose carer's shift is over."""
        return [stay for stay, carer in self._now.items() if carer.until <= now]

    def named(self, stays: Iterable[str]) -> list[Carer]:
        """Those who have one of these stays, each person once."""
        found = {carer.person: carer for stay in stays if (carer := self.of(stay)) is not None}
        return list(found.values())
