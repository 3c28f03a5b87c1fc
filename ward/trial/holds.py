"""Other holds than those in force: how long a reading speaks for the patient, tried for a signal.

What is in force is swept over the readings as they are, the settings over the same readings that hold
otherwise: two sweeps of one engine, each with rules of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from ward.errors import InvalidError
from ward.scoring.filter import Marked
from ward.scoring.readings import Readings
from ward.scoring.risk import RiskModel
from ward.scoring.rules import Rule
from ward.signals import HOLD_BY_PERSON, OBSERVED
from ward.trial.beside import Progress
from ward.trial.candidates import Candidates
from ward.trial.sweep import Alerts, Found, Load, Sets, Sharing, Subject, looked_at, sweep

Holds = Mapping[int, int]
"""Signal (index) to ms, of readings that devices sent; what a person entered holds as ever."""


@dataclass(frozen=True, slots=True)
class Reheld(Rule):
    """A rule over readings that hold otherwise: never equal to the same rule over those that are in force."""


def concerned(rules: Iterable[Rule], holds: Holds) -> frozenset[str]:
    """The ids of those that look at a signal whose hold is tried."""
    return frozenset(rule.id for rule in rules if not holds.keys().isdisjoint(looked_at([rule])))


def reheld(rules: Sequence[Rule], holds: Holds) -> tuple[Rule, ...]:
    ids = concerned(rules, holds)
    return tuple(_other(rule) if rule.id in ids else rule for rule in rules)


def _other(rule: Rule) -> Rule:
    return Reheld(**{field.name: getattr(rule, field.name) for field in fields(Rule)})


def tried(candidates: Candidates, in_force: Iterable[Rule], holds: Holds) -> Candidates:
    """With the rules that the holds concern among those that are tried. Raises InvalidError for none."""
    ids = concerned(in_force, holds)
    if holds and not ids:
        names = ", ".join(OBSERVED[signal] for signal in sorted(holds))
        raise InvalidError(
            f"no rule looks at {names}: its hold changes nothing",
            field="holds",
            code="hold-nothing",
            params={"names": names},
        )
    return replace(candidates, rules=candidates.rules | ids)


def held_otherwise(loaded: Readings | Marked, holds: Holds) -> Readings:
    """To be judged anew: how long the filter waits for what follows depends on the hold."""
    readings = loaded.readings if isinstance(loaded, Marked) else loaded
    hold = readings.hold.copy()
    for signal, ms in holds.items():
        hold[(readings.signal == signal) & (hold != HOLD_BY_PERSON)] = ms
    return replace(readings, hold=hold)


def sweep_both(
    subjects: Sequence[Subject],
    load: Load,
    progress: Progress,
    risk: RiskModel | None,
    holds: Holds,
    processes: int = 1,
    sharing: Sharing | None = None,
) -> Found:
    """As ``sweep``, with ``Reheld`` rules over readings that hold as ``holds`` say."""
    if not holds:
        return sweep(subjects, load, progress, risk, processes, sharing)
    plain = _only(subjects, lambda rule: type(rule) is Rule)
    as_is = sweep(plain, load, lambda x: progress(x / 2), risk, processes)
    other = sweep(
        _only(subjects, lambda rule: type(rule) is Reheld),
        lambda where: [held_otherwise(one, holds) for one in load(where)],
        lambda x: progress(0.5 + x / 2),
        risk,
        processes,
    )
    moved = replace(other.alerts, column=other.alerts.column + len(as_is.rules))
    every = Alerts.concat([as_is.alerts, moved])
    every = every.take(np.lexsort((every.raised, every.column, every.stay)))
    return replace(as_is, rules=(*as_is.rules, *other.rules), alerts=every)


def _only(subjects: Sequence[Subject], is_mine: Callable[[Rule], bool]) -> list[Subject]:
    """The same stays with a part of their rules; stays that share sets go on sharing."""
    parts = {
        sets: Sets(
            tuple(tuple(filter(is_mine, rules)) for rules in sets.sets), tuple(filter(is_mine, sets.watch))
        )
        for sets in dict.fromkeys(subject.sets for subject in subjects)
    }
    return [replace(subject, sets=parts[subject.sets]) for subject in subjects]
