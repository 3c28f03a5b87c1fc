"""What a ward would have heard of a recording: the alerts of its stays, lived through the real alert book.

A recording stands for one device of one stay that begins with the first reading and ends with the last row:
what a rule would find afterwards (a probe that is off) is not the patient's. It says nothing about the
device's own messages, so of the technical alerts that are always on there are 'no valid reading', 'device
lost' where rows are missing, 'leads off' and 'measure again'; no clock is off and no will is sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from ward.alerts.technical import SILENCE, rule_for
from ward.ingest.recordings import Recording
from ward.lifetime import PROMPT, Interruption, Life, Span, Staff, asked, leads_off, live, silences, spans
from ward.scoring.engine import Step
from ward.scoring.filter import INVALID, REASONS, VALID
from ward.scoring.readings import Readings
from ward.scoring.rules import Rule
from ward.signals import HOUR, INDEX

HR: Final = INDEX["hr"]
_LEADS_OFF: Final = REASONS.index("leads-off")
_NONE: Final[Mapping[str, Collection[str]]] = {}


@dataclass(slots=True)
class Lives:
    """Collects the lives of the stays of a replay; give it to ``ward.replay.replay``.

    flags: of the stays that have any, by stay. ``days``: monitored patient-days, that is time in which at
    least one signal was known.
    """

    staff: Staff = PROMPT
    flags: Mapping[str, Collection[str]] = field(default_factory=dict)
    found: list[Life] = field(default_factory=list)
    recordings: list[Recording] = field(default_factory=list)
    days: float = 0.0

    def take(self, group: Sequence[Recording], rules: Sequence[Rule], step: Step, shift: int) -> None:
        """What an engine made of a group of recordings in one step; its times are ``shift`` ms later."""
        self.found += lives_of(group, rules, step, shift, staff=self.staff, flags=self.flags)
        self.recordings += group
        self.days += float(monitored(group, valid_of(step), shift).sum()) / (24 * HOUR)

    def interruptions(self) -> list[tuple[Interruption, Recording]]:
        """All of them, in order of time."""
        every = [
            (call, own) for life, own in zip(self.found, self.recordings, strict=True)
            for call in life.interruptions
        ]  # fmt: skip
        return sorted(every, key=lambda pair: (pair[0].at, pair[0].stay))

    def counts(self) -> dict[str, int]:
        """Alerts told, interruptions, and their parts."""
        told = [alert for life in self.found for alert in life.alerts if alert.announced_at is not None]
        calls = [call for life in self.found for call in life.interruptions]
        kinds = Counter(call.kind for call in calls)
        return {
            "alerts": sum(alert.kind == "physiological" for alert in told),
            "interruptions": kinds["physiological"],
            "technical_alerts": sum(alert.kind == "technical" for alert in told),
            "technical_interruptions": kinds["technical"],
            "repeats": sum(len(life.repeats) for life in self.found),
        }


def valid_of(step: Step) -> Readings:
    return step.marked.readings.take(step.marked.mark == VALID)


def lives_of(
    group: Sequence[Recording],
    rules: Sequence[Rule],
    step: Step,
    shift: int,
    *,
    columns: Mapping[int, Rule] | None = None,
    staff: Staff = PROMPT,
    flags: Mapping[str, Collection[str]] = _NONE,
    always_on: bool = True,
) -> list[Life]:
    """One life a recording, in their own times. ``columns``: as in ``ward.lifetime.spans``; ``always_on``:
    with the technical alerts that are in no pack."""
    found = step.transitions
    breaches = spans(found, rules, columns)
    valid = valid_of(step) if always_on else Readings.empty()
    again = asked(found, valid, rules, columns) if always_on else {}
    quiet = silence_of(group, valid, shift) if always_on else [[] for _ in group]
    if always_on:
        _add_leads_off(quiet, group, step, shift)
    lives = []
    for slot, own in enumerate(group):
        mine = [*breaches.get(slot, ()), *again.get(slot, ()), *quiet[slot]]
        life = live(
            own.stay, (_moved(span, -shift) for span in mine),
            end=int(own.rows[-1]), flags=flags.get(own.stay, ()), staff=staff,
        )  # fmt: skip
        lives.append(life)
    return lives


def _add_leads_off(
    spans_of: Sequence[list[Span]], group: Sequence[Recording], step: Step, shift: int
) -> None:
    marked, beats = step.marked, step.marked.readings.signal == HR
    wrong = marked.readings.take(beats & (marked.mark == INVALID) & (marked.reason == _LEADS_OFF))
    valid = marked.readings.take(beats & (marked.mark == VALID))
    for slot in np.unique(wrong.slot).tolist():
        mine, known = (np.sort(r.time[r.slot == slot]) for r in (wrong, valid))
        spans_of[slot].extend(leads_off(mine, known, int(group[slot].rows[-1]) + shift))


def silence_of(group: Sequence[Recording], valid: Readings, shift: int) -> list[list[Span]]:
    """By slot: where no valid reading came, and where no row did (in the engine's time)."""
    order = np.argsort(valid.slot, kind="stable")
    bounds = np.searchsorted(valid.slot[order], np.arange(len(group) + 1))
    found = []
    for slot, own in enumerate(group):
        start, end = int(own.time[0]) + shift, int(own.rows[-1]) + shift
        allowed = max(SILENCE, own.hold or 0)
        times = valid.time[order[bounds[slot] : bounds[slot + 1]]]
        rows = own.rows[own.rows >= own.time[0]] + shift
        found.append(
            silences(times[times <= end], start, end, rule_for("no-valid-reading"), allowed)
            + silences(rows, start, end, rule_for("device-lost", own.stay), allowed)
        )
    return found


def monitored(group: Sequence[Recording], valid: Readings, shift: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """By slot: ms in which at least one signal was known, until the recording's last row."""
    ends = np.array([int(own.rows[-1]) + shift for own in group], np.int64)
    order = np.lexsort((valid.time, valid.slot))
    slot, begin = valid.slot[order].astype(np.int64), valid.time[order]
    over = np.minimum(begin + valid.hold[order], ends[slot])
    total = np.zeros(len(group), np.int64)
    if not len(slot):
        return total
    # What is known from a reading on that was not known already: each slot in a range of its own.
    span = int(max(over.max(), begin.max())) + 1
    reached = np.maximum.accumulate(over + slot * span)
    before = np.concatenate([[0], reached[:-1]])
    new = np.maximum(over + slot * span - np.maximum(before, begin + slot * span), 0)
    np.add.at(total, slot, new)
    return total


def _moved(span: Span, by: int) -> Span:
    if not by:
        return span
    cleared = None if span.cleared is None else span.cleared + by
    return Span(span.rule, span.since + by, span.raised + by, cleared)
