"""Conditions in three values: each rule's ``when`` at every row of a timeline, by Kleene's *and*."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ward.scoring.held import Timeline
from ward.scoring.news2 import NOT_SCORED, PARTS, Score, score
from ward.scoring.readings import Bool, Float, Int
from ward.scoring.rules import Clause, Rule
from ward.scoring.sustain import BREACH, OK, UNKNOWN
from ward.scoring.trends import TRACKED as RISK_SIGNALS
from ward.signals import INDEX, N_OBSERVED

HR: Final = INDEX["hr"]
PR: Final = INDEX["pr"]
NEWS2: Final = INDEX["news2"]
RISK: Final = INDEX["risk"]
_VITAL: Final = [INDEX[name] for name in ("rr", "spo2", "sbp", "hr", "pr", "temp")]
_PARTS: Final = {
    "news2": [INDEX[name] for name in PARTS],
    "risk": [INDEX[name] for name in RISK_SIGNALS],
}
"""What a derived signal is made of."""

COMPARE: Final[dict[str, Callable[[Float, float], Bool]]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


Counts = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class States:
    """Per row and rule: state (OK, BREACH, UNKNOWN), and whether it clears."""

    state: NDArray[np.int8]
    clear: Bool


def pulse(rows: Timeline) -> tuple[Float, Bool]:
    """The value a clause on ``hr`` uses, and whether it is known: ``pr`` stands in while hr is not."""
    known = rows.fresh[:, HR]
    value = np.where(known, rows.value[:, HR], rows.value[:, PR])
    return value, known | rows.fresh[:, PR]


def news2(rows: Timeline, scale: NDArray[np.int8]) -> tuple[Score, Bool]:
    """NEWS2 at each row from last known values, and whether it is known: any vital sign is fresh, and the
    patient is one whom it is for.

    A part whose hold has ended keeps its points. Where neither hr nor pr is fresh, the pulse keeps
    the value of the one that held longer (hr where they ended together).
    """
    use_hr = rows.fresh[:, HR] | (~rows.fresh[:, PR] & (rows.expires[:, HR] >= rows.expires[:, PR]))
    known = {name: rows.value[:, INDEX[name]] for name in PARTS}
    known["hr"] = np.where(use_hr, known["hr"], rows.value[:, PR])
    fresh: Bool = np.logical_or.reduce(rows.fresh[:, _VITAL], axis=1) & (scale[rows.slot] != NOT_SCORED)
    return score(**known, scale=scale[rows.slot]), fresh


class Conditions:
    """The conditions of all rules, compiled once."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        clauses = [c for r in rules for c in (*r.when, *r.clear_when)]
        self._needs_news2 = any(c.signal == "news2" for c in clauses)
        self.needs_risk = any(c.signal == "risk" for c in clauses)
        self._read_by = np.zeros((N_OBSERVED, len(rules)), np.bool_)
        self._pulse = np.zeros(len(rules), np.bool_)
        for column, rule in enumerate(rules):
            for name in rule.signals:
                self._read_by[_PARTS.get(name, [INDEX[name]]), column] = True
                self._pulse[column] |= name in ("hr", *_PARTS)

    def evaluate(
        self, rows: Timeline, declared: Bool, scale: NDArray[np.int8], risk: Float | None = None
    ) -> States:
        """States at each row.

        declared [slots, signals]: a device of the stay announces the signal, so that ``absent`` holds
        before its first reading; scale [slots]: NEWS2's SpO2 scale, 1 or 2, 0: the patient is none whom
        scores for adults are for; risk [n], NaN: unknown.
        """
        n = len(rows)
        state = np.empty((n, len(self.rules)), np.int8)
        clear = np.zeros((n, len(self.rules)), np.bool_)
        derived: dict[int, tuple[Float, Bool]] = {}
        if self._needs_news2:
            total, fresh = news2(rows, scale)
            derived[NEWS2] = (total.total.astype(np.float64), fresh)
        risk = np.full(n, np.nan) if risk is None else risk
        derived[RISK] = (risk, ~np.isnan(risk) & (scale[rows.slot] != NOT_SCORED))
        beat = pulse(rows)
        done: dict[Clause, tuple[Bool, Bool]] = {}

        def clause(c: Clause) -> tuple[Bool, Bool]:
            """(true, known) at each row."""
            if c not in done:
                s = INDEX[c.signal]
                if c.op == "absent":
                    never = rows.expires[:, s] < 0
                    gone = ~rows.fresh[:, s] & (~never | declared[rows.slot, s])
                    done[c] = (gone, np.ones(n, np.bool_))
                else:
                    own = (rows.value[:, s], rows.fresh[:, s]) if s < N_OBSERVED else derived[s]
                    value, known = beat if s == HR else own
                    done[c] = (known & COMPARE[c.op](value, c.number), known)
            return done[c]

        @cache  # rules of a trial's grid share their conditions
        def all_of(clauses: tuple[Clause, ...]) -> NDArray[np.int8]:
            true, known, false = np.ones(n, np.bool_), np.ones(n, np.bool_), np.zeros(n, np.bool_)
            for c in clauses:
                holds, sure = clause(c)
                true &= holds
                known &= sure
                false |= sure & ~holds
            return np.where(true, BREACH, np.where(false, OK, UNKNOWN)).astype(np.int8)

        with np.errstate(invalid="ignore"):
            for column, rule in enumerate(self.rules):
                state[:, column] = all_of(rule.when)
                if rule.clear_when:
                    clear[:, column] = all_of(rule.clear_when) == BREACH
        return States(state, clear)

    def counted(self, read: Mapping[int, Bool], hr_fresh: Bool) -> Bool:
        """Which rules [n, rules] a reading at each row is one of. read: by signal [n]; hr_fresh [n]: pr does
        not stand in."""
        found = np.zeros((len(hr_fresh), len(self.rules)), np.bool_)
        for signal, at in read.items():
            rows = np.flatnonzero(at)
            found[rows] |= self._read_by[signal]
        if PR in read:
            found[read[PR] & ~hr_fresh] |= self._pulse
        return found


def changes(
    slot: Int,
    states: States,
    counted: Bool,
    before: NDArray[np.int8],
    clear: Bool,
    count: Counts,
    need: Counts,
) -> Bool:
    """Which cells of [rows, rules] a clock must hear of.

    A state or clear flag that differs from the row before (``before``, ``clear`` [slots, rules] for a
    slot's first row), and of those ``counted`` in BREACH the first ``need`` (``count`` [slots, rules] were
    counted already).
    """
    n = len(slot)
    first = np.ones(n, np.bool_)
    first[1:] = slot[1:] != slot[:-1]
    previous, previous_clear = np.empty_like(states.state), np.empty_like(states.clear)
    previous[1:], previous_clear[1:] = states.state[:-1], states.clear[:-1]
    previous[first], previous_clear[first] = before[slot[first]], clear[slot[first]]
    changed: Bool = (states.state != previous) | (states.clear != previous_clear)
    for column in np.flatnonzero(counted.any(axis=0)).tolist():
        own, mine = counted[:, column], changed[:, column]
        seen = np.cumsum(own)
        # Runs of rows that share a state: what was counted before the run, less what it began with.
        begins = np.flatnonzero(mine | first)
        base: Int = seen[begins] - own[begins]
        carried = np.where(mine[begins], 0, count[slot[begins], column])
        run = np.diff(np.append(begins, n))
        rank: Int = seen - np.repeat(base - carried, run)
        mine |= own & (rank <= need[column])
    return changed
