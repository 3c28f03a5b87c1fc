"""Which wards belong together to one engine: partitions, numbered from 0.

The number of a ward's partition is the FNV-1a hash (32 bits) of its name in UTF-8, modulo the number of
partitions: what NATS computes for ``{{partition(N,1)}}`` in a subject mapping, so that its servers can give
each engine what is its own. http://www.isthe.com/chongo/tech/comp/fnv/
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ward.errors import ConflictError, InvalidError

MOST: Final = 256
_BASIS: Final = 0x811C9DC5
_PRIME: Final = 0x01000193


def hash_of(name: str) -> int:
    found = _BASIS
    for byte in name.encode("utf-8", "surrogatepass"):
        found = (found ^ byte) * _PRIME & 0xFFFFFFFF
    return found


@dataclass(frozen=True, slots=True)
class Partition:
    """One of ``of`` partitions. The only one of one has every ward: that is ``ward serve``."""

    number: int = 0
    of: int = 1

    @property
    def is_whole(self) -> bool:
        return self.of == 1

    @property
    def mark(self) -> str:
        """What sets its names apart from those of others: ``-3``, or nothing where it is the only one."""
        return "" if self.is_whole else f"-{self.number}"

    def has(self, ward: str | None) -> bool:
        """Whether a ward is its own. What is no ward's (None or empty) is everybody's."""
        return self.is_whole or not ward or hash_of(ward) % self.of == self.number

    def require(self, ward: str | None) -> None:
        """Raises ConflictError for a ward of another partition."""
        if not self.has(ward):
            raise ConflictError(f"ward {ward} is watched by another engine", code="other-partition")

    def among(self, wards: Iterable[str]) -> list[str]:
        return [ward for ward in wards if self.has(ward)]


WHOLE: Final = Partition()


def numbers(text: str, of: int) -> list[int]:
    """``0-3,6`` as numbers below ``of``, each once, in order. Raises InvalidError."""
    found: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,4})(?:-(\d{1,4}))?\s*", part, re.ASCII)
        first, last = (0, -1) if match is None else (int(match[1]), int(match[2] or match[1]))
        if last < first or last >= of:
            raise InvalidError(f"partitions {text!r}: numbers from 0 to {of - 1} are allowed, such as 0-3,6")
        found.update(range(first, last + 1))
    return sorted(found)
