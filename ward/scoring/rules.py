"""A rule: a condition on signals that must be sustained before anyone is told."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal

from ward.language import Titles
from ward.scoring.news2 import NOT_FOR

OPERATORS: Final = ("<", "<=", ">", ">=", "absent")
PRIORITIES: Final = ("low", "medium", "high")
KINDS: Final = ("physiological", "technical")

Operator = Literal["<", "<=", ">", ">=", "absent"]
Priority = Literal["low", "medium", "high"]
Kind = Literal["physiological", "technical"]


FOR_ADULTS: Final = frozenset({"news2", "risk"})
"""Scores made for adults."""


@dataclass(frozen=True, slots=True)
class Clause:
    """``signal op number`` or ``signal absent`` (number is then 0 and not used)."""

    signal: str
    op: Operator
    number: float = 0.0

    def __str__(self) -> str:
        return f"{self.signal} absent" if self.op == "absent" else f"{self.signal} {self.op} {self.number:g}"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule with every option resolved; durations in ms. ``titles``: what it is called in other languages
    than that of ``title``; ``evidence``: why it is as it is, for who reads the pack."""

    id: str
    title: str
    priority: Priority
    kind: Kind
    when: tuple[Clause, ...]
    for_ms: int
    within_ms: int
    gap_ms: int
    min_readings: int = 2
    clear_when: tuple[Clause, ...] = ()
    clear_for_ms: int = 120_000
    unless: tuple[str, ...] = ()
    inhibits: tuple[str, ...] = ()
    titles: Titles = ()
    evidence: str = ""

    def off_for(self, flags: Collection[str]) -> str | None:
        """The flag of a stay that switches the rule off: one that it names, or one of those whom no score for
        adults is for, where it looks at such a score."""
        every = (*self.unless, *(NOT_FOR if any(s in FOR_ADULTS for s in self.signals) else ()))
        return next((flag for flag in every if flag in flags), None)

    @property
    def signals(self) -> tuple[str, ...]:
        """The signals of ``when``, each once, in order."""
        return tuple(dict.fromkeys(clause.signal for clause in self.when))
