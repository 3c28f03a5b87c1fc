"""A trial from beginning to end, wherever the readings come from: ``load`` gives those of some stays."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from ward.errors import InvalidError
from ward.scoring.conditions import Conditions
from ward.scoring.filter import Marked
from ward.scoring.readings import Bool, Int, Readings
from ward.scoring.risk import RiskModel
from ward.scoring.rules import Rule
from ward.trial.answer import Judged, answer
from ward.trial.candidates import Candidates
from ward.trial.events import AFTER, WINDOW, labelled, severe, severe_for
from ward.trial.holds import Holds, reheld, sweep_both, tried
from ward.trial.interruptions import Interruptions
from ward.trial.outcome import Measured, measure
from ward.trial.suggest import Suggestion, Wish, ahead, front, suggest
from ward.trial.sweep import Sets, Sharing, Subject

MOST_READINGS: Final = 25_000_000
"""Readings of one trial."""
MOST_TOLD: Final = 6_000
"""Alerts that the book is told for interruptions, about; each costs it some tenths of a millisecond, more
where it stands for hours and is reminded of."""
_SWEPT: Final = 0.85
"""The part of the whole that the engine is."""

Json = dict[str, Any]
Tell = Callable[[float, str], None]
"""Told what part of the whole is done (0 to 1), and what is going on. May raise, to end it."""


@dataclass(frozen=True, slots=True)
class Patient:
    """One stay before its readings are read. start, end: what the trial is of, ms; size: readings, about."""

    id: str
    start: int
    end: int
    size: int
    in_force: tuple[Rule, ...]
    flags: frozenset[str] = frozenset()
    declared: tuple[int, ...] = ()
    kept: frozenset[str] = frozenset()
    """rules that the trial leaves as they are in this stay"""
    ward: str = ""
    bed: str = ""
    recorded_until: int | None = None
    """When its own recording ends, where that is before ``end``: what a rule finds afterwards (a probe
    that is off) is not the patient's, and no alert goes on."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """events: labelled ones by stay (ms), None where nothing is labelled; window, after: ms."""

    candidates: Candidates
    events: Mapping[str, Collection[int]] | None = None
    window: int = WINDOW
    after: int = AFTER
    wish: Wish | None = None
    listed: bool = True
    """Every alert one by one, too."""
    holds: Holds = field(default_factory=dict)
    """Of readings, as they are tried."""
    zone: str | None = None
    """Whose days are counted; None: UTC's."""


def run(
    patients: Sequence[Patient],
    load: Callable[[Sequence[Patient]], Sequence[Readings | Marked]],
    wanted: Wanted,
    tell: Tell,
    moment: Callable[[int], Any],
    model: Callable[[], RiskModel | None] = lambda: None,
    processes: int = 1,
    sharing: Sharing | None = None,
    most: int = MOST_READINGS,
) -> Json:
    """The answer, JSON-ready (``ward.web.schemas.trials``). ``load``: readings of each, any order, with their
    marks where the filter has judged all of them; ``moment`` turns ms into what the answer says; ``model``:
    of the risk, asked for where a rule looks at that; ``processes``, ``sharing``: as in ``sweep``; what looks
    at the risk or tries other holds is not shared. ``most``: readings; raises InvalidError for more."""
    size = sum(patient.size for patient in patients)
    if size > most:
        raise InvalidError(
            f"about {size / 1e6:.0f} million readings; at most {most / 1e6:.0f} million at once: "
            "ask for fewer stays or a shorter time",
            field="start",
            code="trial-large",
            params={"millions": round(size / 1e6), "most": round(most / 1e6)},
        )
    every = [rule for rules in dict.fromkeys(one.in_force for one in patients) for rule in rules]
    wanted = replace(wanted, candidates=tried(wanted.candidates, every, wanted.holds))
    sets = _sets(patients, wanted)
    subjects = [
        Subject(p.start, p.end, p.size, own, p.flags, p.declared)
        for p, own in zip(patients, sets, strict=True)
    ]
    risk = model() if _needs_risk(sets) else None
    found = sweep_both(
        subjects,
        lambda where: load(patients[where]),
        lambda part: tell(part * _SWEPT, "evaluating"),
        risk,
        wanted.holds,
        processes,
        None if risk is not None else sharing,
    )
    over = np.array([p.end if p.recorded_until is None else p.recorded_until for p in patients], np.int64)
    found = replace(found, alerts=found.alerts.take(found.alerts.raised <= over[found.alerts.stay]))
    watched = [n for n, rule in enumerate(found.rules) if any(rule in kind.watch for kind in set(sets))]
    if wanted.events is None:
        events = severe(found.alerts, watched, found.rules)
    else:
        within = {p.id: (p.start, last) for p, last in zip(patients, over.tolist(), strict=True)}
        events = labelled(wanted.events, within, wanted.window, wanted.after)
    tell(_SWEPT, "counting")
    candidates = wanted.candidates
    measured = measure(found, sets, over, candidates.rules, events, len(candidates.settings))
    staff = Interruptions(found, sets, over, [patient.flags for patient in patients], processes)
    called = _Called(measured, staff, tell)
    suggestion = called.suggest(wanted.wish)
    judged = Judged(
        found, sets, measured, called.counts, called.known, wanted.candidates, wanted.wish, suggestion
    )
    tell(1.0, "done")
    return answer(
        judged, [(p.id, p.ward, p.bed) for p in patients], moment, listed=wanted.listed, zone=wanted.zone
    )


def _sets(patients: Sequence[Patient], wanted: Wanted) -> list[Sets]:
    """Each stay's rules under each setting; stays with the same rules in force share one."""
    known: dict[tuple[object, ...], Sets] = {}
    found = []
    for patient in patients:
        key = (patient.in_force, patient.kept)
        if key not in known:
            settings = [
                reheld(s.rules(patient.in_force, patient.kept), wanted.holds)
                for s in wanted.candidates.settings
            ]
            judged = [
                rule
                for rules in (patient.in_force, *settings)
                for rule in rules
                if rule.id in wanted.candidates.rules
            ]
            watch = severe_for(judged) if wanted.events is None else ()
            known[key] = Sets((patient.in_force, *settings), watch)
        found.append(known[key])
    return found


def _needs_risk(sets: Sequence[Sets]) -> bool:
    return any(Conditions(kind.rules).needs_risk for kind in set(sets))


class _Called:
    """Interruptions of the settings that matter most, as many as there is time for: the book goes alert by
    alert. All settings where that is little; else what is in force, what is suggested, then the front."""

    def __init__(self, measured: Measured, staff: Interruptions, tell: Tell) -> None:
        self._measured, self._staff, self._tell = measured, staff, tell
        many = len(measured.rows)
        self.counts: Int = np.zeros((many, len(measured.monitored)), np.int64)
        self.known: Bool = np.zeros(many, np.bool_)
        recall = measured.caught.sum(axis=1) / max(len(measured.events), 1)
        load = measured.alerts.sum(axis=1).astype(np.float64)
        self._front = front(load, recall, ahead(measured), range(1, many))
        self._count(0)

    def suggest(self, wish: Wish | None) -> Suggestion | None:
        many = len(self._measured.rows)
        if sum(int(row.all.sum()) for row in self._measured.rows) <= MOST_TOLD:
            for n in range(many):
                self._count(n)
        if wish is None:
            self._count_front()
            return None
        if wish.of == "alerts":
            found = suggest(self._measured, self._measured.alerts, np.ones(many, np.bool_), wish)
            self._count(found.least if found.chosen is None else found.chosen)
            self._count_front()
            return found
        self._look_for(wish.per_day * self._measured.days)
        self._count_front()
        return suggest(self._measured, self.counts, self.known, wish)

    def _count(self, setting: int) -> None:
        if not self.known[setting]:
            share = min(self._staff.told / MOST_TOLD, 1.0)
            self._tell(_SWEPT + (1 - _SWEPT) * share, "counting interruptions")
            self.counts[setting], self.known[setting] = self._staff.of(setting), True

    def _look_for(self, wanted: float) -> None:
        """More alerts are more interruptions, nearly: halve the front until the wanted load is found."""
        low, high = 0, len(self._front)
        while low < high:
            middle = (low + high) // 2
            self._count(self._front[middle])
            if int(self.counts[self._front[middle]].sum()) <= wanted:
                low = middle + 1
            else:
                high = middle

    def _count_front(self) -> None:
        for n in self._front:
            if self._staff.told >= MOST_TOLD:
                break
            self._count(n)
