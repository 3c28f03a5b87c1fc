"""Recordings through the engine, offline: all input sorted by time, no lateness, the same rules.

It ends at the newest time in the input, and every stay is evaluated from its first reading until then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np

from ward.ingest.recordings import Recording
from ward.replay_lives import Lives
from ward.scoring.conditions import COMPARE
from ward.scoring.engine import Engine
from ward.scoring.filter import INVALID, REASONS, VALID, Marked
from ward.scoring.readings import Int, Readings
from ward.scoring.risk import RiskModel
from ward.scoring.rules import Clause, Rule
from ward.scoring.sustain import CLEARED, RAISED
from ward.signals import HOUR, INDEX, OBSERVED, SIGNALS, hold_of

_GROUP: Final = 2_000_000
"""Readings that are replayed at once, of several stays ..."""
_STAYS: Final = 8_192
"""... and how many stays at the most."""
HEALTHY: Final = {"hr": 75, "pr": 75, "spo2": 98, "rr": 15, "sbp": 120, "dbp": 75, "map": 90, "temp": 36.8}
"""A healthy adult at rest."""
_KINDS: Final[dict[int, Literal["raised", "cleared"]]] = {RAISED: "raised", CLEARED: "cleared"}

Progress = Callable[[int, int], None]
"""Told the number of stays done and of all."""


@dataclass(frozen=True, slots=True)
class ReplayEvent:
    """One line of ``ward replay``: ``at`` and ``since`` in ms of the recording's own time."""

    stay: str
    rule: str
    event: Literal["raised", "cleared"]
    at: int
    since: int
    priority: str
    recording: Recording


@dataclass(slots=True)
class Summary:
    """What a replay saw: readings, crossings of single thresholds before and after the filter, events."""

    stays: int = 0
    readings: int = 0
    invalid: Counter[str] = field(default_factory=Counter)
    days: float = 0.0
    crossings: Counter[str] = field(default_factory=Counter)
    crossings_filtered: Counter[str] = field(default_factory=Counter)
    raised: Counter[str] = field(default_factory=Counter)


def holds_of(recording: Recording, holds: Mapping[str, int]) -> Int:
    """Hold of every reading, ms: as given, else the format's, else the signal's own."""
    table = np.array([recording.hold or hold_of(s) for s in range(len(OBSERVED))], np.int64)
    for name in ("consciousness", "oxygen"):
        table[INDEX[name]] = hold_of(INDEX[name])
    for name, ms in holds.items():
        table[INDEX[name]] = ms
    found: Int = table[recording.signal]
    return found


def as_readings(recordings: Sequence[Recording], holds: Mapping[str, int], shift: int = 0) -> Readings:
    """All of them as one table; slot = position, times moved by ``shift`` ms."""
    return Readings.concat(
        Readings.of(
            len(r), slot=slot, signal=r.signal, time=r.time + shift, value=r.value, hold=holds_of(r, holds)
        )
        for slot, r in enumerate(recordings)
    )


def replay(
    recordings: Sequence[Recording],
    rules: Sequence[Rule],
    *,
    holds: Mapping[str, int] | None = None,
    filtered: bool = True,
    progress: Progress | None = None,
    summary: Summary | None = None,
    lives: Lives | None = None,
    risk: RiskModel | None = None,
) -> list[ReplayEvent]:
    """Every raising and clearing of every rule, in order of time.

    holds: signal name to ms, in place of the signal's own. The engine is the live one; only clocks,
    lateness and the queue before it are missing. lives: takes what a ward would have heard of it. risk: the
    model for rules on it; without one it is not known.
    """
    holds = holds or {}
    with_data = [r for r in recordings if len(r)]
    if not with_data:
        return []
    end = max(int(r.rows[-1]) if len(r.rows) else int(r.time[-1]) for r in with_data)
    shift = shift_of(with_data)
    events: list[ReplayEvent] = []
    model = risk if looks_at_risk(rules) else None
    done = 0
    for group in groups(with_data):
        engine = Engine(rules, len(group), lateness=0, filtered=filtered, risk=model)
        engine.add(as_readings(group, holds, shift))
        step = engine.step(end + shift)
        t = step.transitions
        for slot, rule, kind, at, since in zip(t.slot, t.rule, t.kind, t.at, t.since, strict=True):
            if int(kind) in _KINDS:
                own, what = group[int(slot)], engine.rules[int(rule)]
                event = _KINDS[int(kind)]
                events.append(
                    ReplayEvent(
                        own.stay, what.id, event, int(at) - shift, int(since) - shift, what.priority, own
                    )
                )
        if summary is not None:
            _summarise(summary, group, step.marked, rules)
        if lives is not None:
            lives.take(group, engine.rules, step, shift)
        done += len(group)
        if progress:
            progress(done, len(with_data))
    if summary is not None:
        summary.raised.update(e.rule for e in events if e.event == "raised")
    return sorted(events, key=lambda e: (e.at, e.stay))


def looks_at_risk(rules: Sequence[Rule]) -> bool:
    """Whether any rule does."""
    return any(clause.signal == "risk" for rule in rules for clause in (*rule.when, *rule.clear_when))


def shift_of(recordings: Sequence[Recording]) -> int:
    """By how much to move all times, ms: the engine's are never negative. Whole hours stay whole hours."""
    earliest = min((int(r.time[0]) for r in recordings), default=0)
    return max(0, -(earliest // HOUR)) * HOUR


def groups(
    recordings: Sequence[Recording], *, readings: int = _GROUP, stays: int = _STAYS
) -> Iterator[list[Recording]]:
    """As many recordings at a time as fit into ``readings`` and ``stays``."""
    group: list[Recording] = []
    size = 0
    for recording in recordings:
        if group and (size + len(recording) > readings or len(group) == stays):
            yield group
            group, size = [], 0
        group.append(recording)
        size += len(recording)
    if group:
        yield group


# ---------------------------------------------------------------------- what single thresholds would do


def crossings(rules: Sequence[Rule], readings: Readings) -> Counter[str]:
    """How often each single-threshold clause of the rules begins to hold, reading by reading."""
    return Counter({name: len(found) for name, found in crossed(rules, readings).items()})


def crossed(rules: Sequence[Rule], readings: Readings) -> dict[str, Readings]:
    """The readings at which each single-threshold clause of the rules begins to hold.

    This is what a monitor that alarms at once would do: no duration, no filter. A clause that is true of a
    healthy adult (``hr > 20``) only qualifies another and is no threshold. Readings are in order of time
    within each slot.
    """
    found: dict[str, Readings] = {}
    for clause in {c for r in rules for c in r.when if _is_threshold(c)}:
        mine = readings.take(readings.signal == INDEX[clause.signal])
        mine = mine.take(np.argsort(mine.slot, kind="stable"))
        hold = COMPARE[clause.op](mine.value, clause.number)
        before = np.concatenate([[False], hold[:-1] & (mine.slot[1:] == mine.slot[:-1])])[: len(hold)]
        found[str(clause)] = mine.take(hold & ~before)
    return found


def _is_threshold(clause: Clause) -> bool:
    if clause.op == "absent" or SIGNALS[INDEX[clause.signal]].derived:
        return False
    healthy = HEALTHY.get(clause.signal)
    return healthy is None or not COMPARE[clause.op](np.array([float(healthy)]), clause.number).all()


def _summarise(summary: Summary, group: Sequence[Recording], marked: Marked, rules: Sequence[Rule]) -> None:
    first = marked.readings.take(marked.first)
    valid = marked.readings.take(marked.mark == VALID).in_order()
    summary.stays += len(group)
    summary.readings += len(first)
    summary.days += sum(float(r.time[-1] - r.time[0]) for r in group) / (24 * HOUR)
    reasons, counts = np.unique(marked.reason[marked.mark == INVALID], return_counts=True)
    summary.invalid.update({REASONS[int(r)]: int(n) for r, n in zip(reasons, counts, strict=True)})
    summary.crossings.update(crossings(rules, first.in_order()))
    summary.crossings_filtered.update(crossings(rules, valid))
