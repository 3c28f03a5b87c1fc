"""Which deliveries a process carries: everything, or only its part where ``ward notify`` has the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ward.store.deliveries import DASHBOARD


@dataclass(frozen=True, slots=True)
class Duty:
    """``screens``: notices on open dashboards, which go through the engine of the ward; ``people``: all other
    channels. ``of_all``: those of every partition, not only those of the process's own."""

    screens: bool = True
    people: bool = True
    of_all: bool = False

    def has(self, channel: str) -> bool:
        return self.screens if channel == DASHBOARD else self.people


EVERYTHING: Final = Duty()
SCREENS: Final = Duty(people=False)
"""An engine whose alerts other processes carry to people."""
PEOPLE: Final = Duty(screens=False, of_all=True)
"""``ward notify``."""
