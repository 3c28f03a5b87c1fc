"""Recordings through one engine that runs the rules of several packs, and what staff hear of each pack.

A rule that two packs share is evaluated once: packs differ mostly in what they inhibit and how urgent they
call it, which is the alert book's work and not the engine's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ward.ingest.recordings import Recording
from ward.lifetime import PROMPT, Life, Staff
from ward.replay import as_readings, crossed, shift_of
from ward.replay_lives import lives_of, monitored, valid_of
from ward.scoring.engine import Engine, Step
from ward.scoring.readings import Int, Readings
from ward.scoring.risk import RiskModel
from ward.scoring.rules import Rule
from ward.signals import HOUR

Packs = Mapping[str, Sequence[Rule]]
AT_ONCE = 4_000_000
"""Readings in one engine at the most."""


@dataclass(frozen=True, slots=True)
class Course:
    """Some recordings, and what one engine made of them."""

    recordings: Sequence[Recording]
    rules: tuple[Rule, ...]
    columns: Mapping[str, Mapping[int, Rule]]
    """by pack: engine column -> its rule"""
    step: Step
    shift: int

    def lives(
        self,
        pack: str,
        *,
        staff: Staff = PROMPT,
        always_on: bool = True,
        flags: Mapping[str, Collection[str]] | None = None,
    ) -> list[Life]:
        """One a recording. ``always_on``: with the technical alerts that are in no pack."""
        return lives_of(
            self.recordings,
            self.rules,
            self.step,
            self.shift,
            columns=self.columns[pack],
            staff=staff,
            flags=flags or {},
            always_on=always_on,
        )

    def monitored(self) -> Int:
        """ms in which at least one signal was known, by recording."""
        return monitored(self.recordings, valid_of(self.step), self.shift)

    def crossed(self, pack: str) -> Readings:
        """What a monitor without filter and durations would call: each reading at which a single threshold of
        the pack is crossed (in the engine's time)."""
        readings = as_readings(self.recordings, {}, self.shift)
        return Readings.concat(crossed(list(self.columns[pack].values()), readings).values())


def courses(recordings: Sequence[Recording], packs: Packs, risk: RiskModel | None = None) -> Iterator[Course]:
    """In parts that fit into memory. Without ``risk`` the signal of that name is UNKNOWN."""
    distinct: dict[tuple[object, ...], int] = {}
    rules: list[Rule] = []
    columns: dict[str, dict[int, Rule]] = {}
    for name, pack in packs.items():
        columns[name] = {}
        for rule in pack:
            alike = sum(_condition(rule) == _condition(other) for other in columns[name].values())
            key = (*_condition(rule), alike)
            if key not in distinct:
                distinct[key] = len(rules)
                rules.append(rule)
            columns[name][distinct[key]] = rule
    for part in _parts([r for r in recordings if len(r)]):
        shift = shift_of(part)
        engine = Engine(rules, len(part), lateness=0, risk=risk)
        engine.add(as_readings(part, {}, shift))
        step = engine.step(max(int(r.rows[-1]) for r in part) + shift)
        yield Course(part, tuple(rules), columns, step, shift)


def _condition(rule: Rule) -> tuple[object, ...]:
    """All that the engine goes by."""
    durations = (rule.for_ms, rule.within_ms, rule.gap_ms, rule.clear_for_ms)
    return (rule.when, rule.clear_when, rule.min_readings, durations)


def _parts(recordings: Sequence[Recording]) -> Iterator[list[Recording]]:
    part: list[Recording] = []
    size = 0
    for recording in recordings:
        if part and size + len(recording) > AT_ONCE:
            yield part
            part, size = [], 0
        part.append(recording)
        size += len(recording)
    if part:
        yield part


def days(ms: Int | float) -> float:
    return float(np.sum(ms)) / (24 * HOUR)
