"""Bounds on what strangers can make the service remember: devices of nobody, and dead letters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from ward.ingest.packed import Packed, Part, entries_of
from ward.ingest.records import Announcement, Entry, Refusal, Sample
from ward.ingest.router import Router
from ward.ingest.topics import PREFIX

IN_WARD: Final = 2_000
"""Devices of one ward that may be known without belonging to a stay; one that a stay has is always taken."""
IN_ALL: Final = 20_000
LETTERS_OF_ONE: Final = 200
"""Dead letters of one device and day."""
LETTERS: Final = 20_000
"""Dead letters of all and a day."""
DAY: Final = 86_400_000


class DeviceRoom:
    """Whether there is room for a device that was never heard. The fold of the journal knows the others."""

    def __init__(self, router: Router) -> None:
        self._router = router
        self._new: dict[str, set[str]] = {}

    def begin(self) -> None:
        """A batch begins: what was new in the one before is known to the router, or came to nothing."""
        self._new.clear()

    def divide(self, parts: Sequence[Part]) -> tuple[list[Part], list[Refusal]]:
        """Those there is room for, and refusals of the others."""
        kept: list[Part] = []
        refused: list[Refusal] = []
        for part in parts:
            if isinstance(part, Packed):
                if all(map(self._is_known, part.devices())):
                    kept.append(part)
                else:  # a device nobody has heard, once in its life: its samples one by one
                    own, more = self.divide(entries_of([part]))
                    kept += own
                    refused += more
                continue
            entry = part
            if self._takes(entry):
                kept.append(entry)
            elif isinstance(entry, Sample | Announcement):
                topic = f"{PREFIX}{entry.ward}/{entry.device}"
                refused.append(
                    Refusal(entry.received, topic, "too-many-devices", "", b"", entry.device, entry.ward)
                )
        return kept, refused

    def _is_known(self, key: str) -> bool:
        return self._router.knows(key) or bool(self._router.spans(key))

    def _takes(self, entry: Entry) -> bool:
        if not isinstance(entry, Sample | Announcement):
            return True
        router, key = self._router, f"{entry.ward}/{entry.device}"
        if self._is_known(key):
            return True
        new = self._new.setdefault(entry.ward, set())
        every = sum(map(len, self._new.values()))
        if entry.device not in new and (
            router.known_in(entry.ward) + len(new) >= IN_WARD or router.known() + every >= IN_ALL
        ):
            return False
        new.add(entry.device)
        return True


class LetterBudget:
    """Which refusals become dead letters. All are counted; where too many of a day are alike, one letter
    says that the rest is, and the next day's first how many that were."""

    def __init__(self) -> None:
        self._day = 0
        self._kept: Counter[str] = Counter()
        self._more: Counter[str] = Counter()
        self._next: tuple[int, Counter[str], Counter[str]] | None = None

    def limit(self, refusals: Sequence[Refusal]) -> list[Refusal]:
        """The same refusals, those beyond the limits not to be kept. Counts only once ``settle`` is called:
        a batch that could not be written comes again."""
        day, kept, more = self._day, self._kept.copy(), self._more.copy()
        total = kept.total()
        found: list[Refusal] = []
        for refusal in refusals:
            if refusal.received // DAY != day:
                found += [_summary(refusal, name, count) for name, count in more.most_common(LETTERS_OF_ONE)]
                day = refusal.received // DAY
                kept.clear()
                total = 0
                more.clear()
            if not refusal.kept:
                found.append(refusal)
                continue
            name = f"{refusal.ward}/{refusal.device}" if refusal.device else ""
            has_room = kept[name] < LETTERS_OF_ONE and total < LETTERS
            if has_room:
                kept[name] += 1
                total += 1
            else:
                if name not in more and len(more) < LETTERS_OF_ONE:
                    found.append(_notice(refusal, name))
                more[name if name in more or len(more) < LETTERS_OF_ONE else ""] += 1
            found.append(refusal if has_room else replace(refusal, kept=False))
        self._next = (day, kept, more)
        return found

    def settle(self) -> None:
        """What ``limit`` gave last is written."""
        if self._next is not None:
            self._day, self._kept, self._more = self._next


def _notice(refusal: Refusal, name: str) -> Refusal:
    told = f"too many today of {name or 'senders unknown'}: the rest is only counted"
    return replace(refusal, reason="more", detail=told, payload=b"", count=0)


def _summary(refusal: Refusal, name: str, count: int) -> Refusal:
    ward, _, device = name.partition("/")
    told = f"and {count} more the day before, of {name or 'senders unknown'}"
    return Refusal(refusal.received, "", "more", told, b"", device or None, ward or None, count=0)
