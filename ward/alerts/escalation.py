"""A ward's plan for alerts that nobody acknowledges: how long each priority may wait, step by step."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ward.scoring.rules import Priority


@dataclass(frozen=True, slots=True)
class EscalationPlan:
    """``steps``: per priority the waits in ms, rising. Each wait that passes calls the next in line."""

    steps: Mapping[Priority, tuple[int, ...]] = field(default_factory=dict)

    def level(self, priority: Priority, waited: int) -> int:
        """How many steps are due after so long."""
        return bisect_right(self.steps.get(priority, ()), waited)


NO_ESCALATION: Final = EscalationPlan()
