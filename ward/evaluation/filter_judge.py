"""What the filter did to streams whose truth is known: readings, threshold crossings, alerts; by ward."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ward.alerts.packs import load_pack
from ward.evaluation.filter_shapes import KINDS
from ward.evaluation.filter_wards import Streams, wrong
from ward.scoring.engine import Engine
from ward.scoring.filter import VALID, Filter
from ward.scoring.limits import HR, LAG, NO_BEAT, PERSIST, PR
from ward.scoring.readings import Bool, Float, Int, Readings
from ward.scoring.rules import Rule
from ward.scoring.sustain import CLEARED, RAISED
from ward.signals import INDEX, MINUTE, N_OBSERVED

ABSENT: Final = 255
"""Instead of a mark: the artefact left no reading."""
APART: Final = 5 * MINUTE
"""Two breaches of one rule that are further apart than this are two."""
LOW: Final[dict[str, tuple[float, ...]]] = {
    "spo2": (92, 88, 85, 80),
    "rr": (6, 11),
    "hr": (30, 40, 50),
    "sbp": (70, 91, 100),
}
HIGH: Final[dict[str, tuple[float, ...]]] = {"rr": (24,), "hr": (111, 131), "sbp": (181, 220)}
"""Thresholds at which WARD's rules begin to look: below the lower ones, from the higher ones on. Pulse rate
has none: it counts only where the heart rate is unknown."""

Table = NDArray[np.int64]
"""[wards, kinds]"""


def physiological(pack: str = "default") -> list[Rule]:
    return [rule for rule in load_pack(pack).rules if rule.kind == "physiological"]


def marks_of(streams: Streams, filter_: Filter) -> NDArray[np.uint8]:
    """Final mark of every row of ``streams.clean`` as shown, ``ABSENT`` where nothing is shown."""
    shown, rows = streams.shown()
    shown.seq[:] = rows
    marked = filter_.push(shown, int(shown.time[-1]) + 70 * MINUTE)
    result = np.full(len(streams.clean), ABSENT, np.uint8)
    result[marked.readings.seq] = marked.mark
    return result


def crossed(signal: NDArray[np.int8], value: Float, true: Float) -> Bool:
    """Readings that are beyond a threshold at which the true value is not, [n]."""
    found = np.zeros(len(value), np.bool_)
    with np.errstate(invalid="ignore"):
        for limits, sign in ((LOW, 1), (HIGH, -1)):
            for name, numbers in limits.items():
                own = signal == INDEX[name]
                for number in numbers:
                    beyond = sign * value[own] < sign * number if sign > 0 else value[own] >= number
                    within = true[own] >= number if sign > 0 else true[own] < number
                    found[own] |= beyond & within
    return found


@dataclass(slots=True)
class Tally:
    """Counts by ward and kind of artefact. ``wards`` [w] names the rows.

    readings, passed: wrong readings shown, and found valid; instances, crossing, crossed: artefacts, those
    that carry a reading over a threshold, and those that still do after the filter; good, doubted [w]:
    true readings, and those of them not found valid.
    """

    wards: Int
    readings: Table
    passed: Table
    instances: Table
    crossing: Table
    crossed: Table
    good: Int
    doubted: Int

    @classmethod
    def of(cls, streams: Streams, mark: NDArray[np.uint8], *, without: Int | None = None) -> Tally:
        """``without``: numbers of artefacts that are not to be counted."""
        wards, ward = np.unique(streams.group, return_inverse=True)
        shape = (len(wards), len(KINDS))
        shown, spoilt = mark != ABSENT, streams.kind >= 0
        counted = np.ones(len(mark), np.bool_) if without is None else ~np.isin(streams.instance, without)
        off = wrong(streams) & shown & counted
        valid = mark == VALID
        over = off & crossed(streams.clean.signal, streams.value, streams.clean.value)

        def table(rows: Bool) -> Table:
            return _count(ward[rows], streams.kind[rows], shape)

        def instances(rows: Bool) -> Table:
            _, first = np.unique(streams.instance[rows], return_index=True)
            return _count(ward[rows][first], streams.kind[rows][first], shape)

        good = shown & ~spoilt
        return cls(
            wards,
            table(off),
            table(off & valid),
            instances(spoilt & counted),
            instances(over),
            instances(over & valid),
            np.bincount(ward[good], minlength=len(wards)),
            np.bincount(ward[good & ~valid], minlength=len(wards)),
        )

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            *(
                np.concatenate([getattr(self, name), getattr(other, name)])
                for name in Tally.__dataclass_fields__
            )
        )


def _count(ward: Int, kind: NDArray[np.int8], shape: tuple[int, int]) -> Table:
    cells = ward * shape[1] + kind
    return np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)


def outlasting(streams: Streams) -> Int:
    """Numbers of the artefacts that law 11 lets pass, by what is injected and not by what the filter does.

    One of their signals shows wrong readings, one after the other, for longer than the filter may wait, and
    nothing disproves them: a heart rate of 0 is disproved by readings of a true pulse until it ends.
    """
    rows = np.flatnonzero(~np.isnan(streams.value))
    clean = streams.clean
    order = rows[np.lexsort((clean.time[rows], clean.device[rows], clean.signal[rows], clean.slot[rows]))]
    slot, time = clean.slot[order], clean.time[order]
    number = np.where(wrong(streams)[order], streams.instance[order], -1)
    stream = np.append(True, np.any([np.diff(c[order]) != 0 for c in _stream_of(clean)], axis=0))
    begin = np.flatnonzero(stream | np.append(True, np.diff(number) != 0))
    end = np.append(begin[1:], len(order))
    over = np.minimum(end, len(order) - 1)
    until = np.where(stream[over] | (end == len(order)), time[end - 1], time[over])
    long = (number[begin] >= 0) & (end - begin > 1) & (until - time[begin] > PERSIST)

    pulse = np.flatnonzero((clean.signal == PR) & (streams.kind < 0) & ~np.isnan(streams.value))
    silent = (clean.signal[order] == HR) & (streams.value[order] < NO_BEAT)
    for run in np.flatnonzero(long & silent[begin]):
        beats = clean.time[pulse[clean.slot[pulse] == slot[begin[run]]]]
        after = beats[(beats > time[begin[run]]) & (beats <= until[run] + LAG)]
        long[run] = len(after) == 0
    return np.unique(number[begin[long]])


def _stream_of(readings: Readings) -> tuple[NDArray[Any], ...]:
    return readings.slot, readings.signal, readings.device


@dataclass(frozen=True, slots=True)
class Breach:
    """A sustained breach: slot, column of the rule, when raised, when cleared (the end if not), ms."""

    slot: int
    rule: int
    raised: int
    cleared: int


def breaches(readings: Readings, slots: int, rules: Sequence[Rule], end: int) -> list[Breach]:
    """What the engine raises on these readings, taken as they are."""
    engine = Engine(rules, slots, lateness=0, filtered=False)
    declared = np.unique(readings.signal[readings.signal < N_OBSERVED]).tolist()
    for slot in range(slots):
        engine.configure(slot, declared=declared)
    engine.add(readings)
    t = engine.step(end).transitions
    found: list[Breach] = []
    standing: dict[tuple[int, int], int] = {}
    for slot, rule, kind, at in zip(t.slot.tolist(), t.rule.tolist(), t.kind, t.at.tolist(), strict=True):
        if kind == RAISED:
            standing[slot, rule] = at
        elif kind == CLEARED:
            found.append(Breach(slot, rule, standing.pop((slot, rule)), at))
    return [*found, *(Breach(slot, rule, at, end) for (slot, rule), at in standing.items())]


def matched(some: Collection[Breach], others: Collection[Breach]) -> dict[Breach, Breach]:
    """Of ``some`` those that are also among ``others``: same stay and rule, at the same time or nearly."""
    by_cell: dict[tuple[int, int], list[Breach]] = {}
    for breach in others:
        by_cell.setdefault((breach.slot, breach.rule), []).append(breach)
    found = {}
    for breach in some:
        near = [
            b
            for b in by_cell.get((breach.slot, breach.rule), ())
            if b.raised <= breach.cleared + APART and breach.raised <= b.cleared + APART
        ]
        if near:
            found[breach] = min(near, key=lambda b: b.raised)
    return found


@dataclass(frozen=True, slots=True)
class Alerts:
    """One batch of wards: what was sustained in truth, and what is raised of it.

    caused_raw, caused: (ward, kind) of each alert that only artefact explains, without and with the filter;
    rests_raw, rests: whether that alert had a wrong reading to rest on, for it may come of missing ones;
    true: wards of the true alerts; kept_raw, kept: which of these are raised in spite of the artefact,
    without and with the filter; clean: which the filter keeps where there is no artefact; delay [ms]: of
    those kept without artefact, against no filter.
    """

    caused_raw: list[tuple[int, int]]
    caused: list[tuple[int, int]]
    rests_raw: list[bool]
    rests: list[bool]
    true: list[int]
    kept_raw: list[bool]
    kept: list[bool]
    clean: list[bool]
    delay: list[int]


def alerts(streams: Streams, mark: NDArray[np.uint8], rules: Sequence[Rule], end: int) -> Alerts:
    shown, rows = streams.shown()
    slots = streams.slots
    true = breaches(streams.clean, slots, rules, end)
    raw = breaches(shown, slots, rules, end)
    filtered = breaches(shown.take(mark[rows] == VALID), slots, rules, end)
    quiet = Filter(slots).push(streams.clean, end + 70 * MINUTE)
    clean = breaches(quiet.readings.take(quiet.mark == VALID).in_order(), slots, rules, end)

    def group(breach: Breach) -> int:
        return int(streams.group[np.argmax(streams.clean.slot == breach.slot)])

    def only(found: list[Breach]) -> list[Breach]:
        known = matched(found, true)
        return [b for b in found if b not in known]

    def caused(found: list[Breach]) -> list[tuple[int, int]]:
        return [(group(b), _culprit(streams, b)) for b in only(found)]

    off = wrong(streams)
    in_raw, in_filtered, in_clean = (matched(true, found) for found in (raw, filtered, clean))
    return Alerts(
        caused(raw),
        caused(filtered),
        [_rests(streams, b, rules[b.rule], off & (mark != ABSENT)) for b in only(raw)],
        [_rests(streams, b, rules[b.rule], off & (mark == VALID)) for b in only(filtered)],
        [group(b) for b in true],
        [b in in_raw for b in true],
        [b in in_filtered for b in true],
        [b in in_clean for b in true],
        [in_clean[b].raised - b.raised for b in true if b in in_clean],
    )


def _rests(streams: Streams, breach: Breach, rule: Rule, counted: Bool) -> bool:
    """Whether a reading of ``counted`` spoke in the time that the alert looked at."""
    clean = streams.clean
    names = {clause.signal for clause in rule.when}
    looked = np.isin(clean.signal, [INDEX[n] for n in names | ({"pr"} if "hr" in names else set())])
    if names & {"news2", "risk"}:
        looked[:] = True
    spoke = (clean.time <= breach.raised) & (clean.time + clean.hold >= breach.raised - rule.within_ms)
    return bool((counted & looked & spoke & (clean.slot == breach.slot)).any())


def _culprit(streams: Streams, breach: Breach) -> int:
    """The kind of the artefact last seen before an alert, -1: there was none."""
    own = (streams.clean.slot == breach.slot) & (streams.kind >= 0) & (streams.clean.time <= breach.raised)
    rows = np.flatnonzero(own)
    return int(streams.kind[rows[-1]]) if len(rows) else -1
