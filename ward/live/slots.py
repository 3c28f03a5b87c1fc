"""Which row of the engine's arrays is whose."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class Slots:
    """Stays to slots and back; a freed slot is used again."""

    def __init__(self) -> None:
        self._slot: dict[str, int] = {}
        self._stay: dict[int, str] = {}
        self._free: list[int] = []

    def take(self, stay: str) -> int:
        slot = self._free.pop() if self._free else len(self._slot)
        self._slot[stay], self._stay[slot] = slot, stay
        return slot

    def free(self, stay: str) -> None:
        slot = self._slot.pop(stay)
        del self._stay[slot]
        self._free.append(slot)

    def get(self, stay: str) -> int | None:
        return self._slot.get(stay)

    def stay(self, slot: int) -> str:
        return self._stay[slot]

    def stays(self, slots: NDArray[np.integer]) -> dict[int, str]:
        """Of these slots, each once, whose it is."""
        return {slot: self._stay[slot] for slot in np.flatnonzero(np.bincount(slots)).tolist()}

    def taken(self) -> list[int]:
        return list(self._stay)

    def dump(self) -> dict[str, int]:
        return dict(self._slot)

    def load(self, slots: dict[str, int]) -> None:
        self._slot = dict(slots)
        self._stay = {slot: stay for stay, slot in slots.items()}
        highest = max(self._stay, default=-1)
        self._free = [slot for slot in range(highest) if slot not in self._stay]
