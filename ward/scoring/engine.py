"""The engine: readings in, transitions of sustained rules out. The only place where a rule is evaluated.

It is driven live (a batch and a tick each second), in recovery (the journal since the last snapshot)
and offline (recordings, trials, one stay's stored readings when late ones arrive). It reads no clock:
``now`` is an argument.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ward.scoring.conditions import HR, Conditions, States, changes
from ward.scoring.course import Course
from ward.scoring.deterioration import Deterioration, RiskCourse
from ward.scoring.filter import VALID, Filter, Marked
from ward.scoring.held import Effective, Held, Moment
from ward.scoring.levels import Levels
from ward.scoring.readings import DTYPES, Bool, Int, Readings, distinct
from ward.scoring.risk import RiskModel
from ward.scoring.rules import Rule
from ward.scoring.sustain import BREACH, NEVER, Sustain, Transitions
from ward.signals import MINUTE, N_OBSERVED, SECOND

LATENESS: Final = 2 * SECOND
_NOT_STARTED: Final = -2
"""Below any time reached: times are not negative, and a slot begins 1 ms before its first reading."""
_PART: Final = 1_000_000
"""Readings evaluated at once at the most."""
_MANY: Final = 400_000
"""More at once, of longer than a minute, come of no clock, but from recordings: they are judged ..."""
PIECE: Final = 50_000
"""... so many at a time, as a trial does: the columns stay in the cache, and soon little is doubted."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one step brought: transitions; marks of readings, in parts; readings too late to be taken in
    order.

    The clocks of the slots in ``late`` want a ``rebuild``.
    """

    transitions: Transitions
    parts: tuple[Marked, ...]
    late: Readings

    @property
    def marked(self) -> Marked:
        """The parts as one: a copy, where there are more."""
        return Marked.concat(self.parts)


class Engine:
    """All stays of a partition as arrays; one slot a stay, one column a rule."""

    def __init__(
        self,
        rules: Sequence[Rule],
        slots: int,
        *,
        lateness: int = LATENESS,
        filtered: bool = True,
        risk: RiskModel | None = None,
    ) -> None:
        self.lateness = lateness
        self.filter = Filter(slots) if filtered else None
        self.held = Held(slots)
        self.risk = Deterioration(risk, slots) if risk else None
        self.frontier: Int = np.full(slots, _NOT_STARTED, np.int64)
        self.declared: Bool = np.zeros((slots, N_OBSERVED), np.bool_)
        self.scale: NDArray[np.int8] = np.ones(slots, np.int8)
        self.applies: Bool = np.ones((slots, len(rules)), np.bool_)
        self.until = _NOT_STARTED
        self._touched: Bool = np.zeros(slots, np.bool_)
        self._coming: list[Readings] = []
        self._valid = Readings.empty()
        self._set_rules(rules, slots)

    def _set_rules(self, rules: Sequence[Rule], slots: int) -> None:
        self.rules = tuple(rules)
        self.conditions = Conditions(rules)
        self.levels = Levels(rules)
        self.sustain = Sustain(rules, slots)
        self._changed: Bool = np.zeros((slots, len(rules)), np.bool_)

    @property
    def slots(self) -> int:
        return len(self.frontier)

    def has_started(self, slot: int) -> bool:
        """Whether it ever had a reading that counts."""
        return bool(self.frontier[slot] != _NOT_STARTED)

    # ------------------------------------------------------------------ slots and what they are

    def resize(self, slots: int) -> None:
        """Make room for more stays."""
        added = slots - self.slots
        if added <= 0:
            return
        self.held.resize(slots)
        self.sustain.resize(slots)
        if self.filter:
            self.filter.resize(slots)
        if self.risk:
            self.risk.resize(slots)
        rules = len(self.rules)
        self.frontier = np.concatenate([self.frontier, np.full(added, _NOT_STARTED, np.int64)])
        self.declared = np.concatenate([self.declared, np.zeros((added, N_OBSERVED), np.bool_)])
        self.scale = np.concatenate([self.scale, np.ones(added, np.int8)])
        self.applies = np.concatenate([self.applies, np.ones((added, rules), np.bool_)])
        self._changed = np.concatenate([self._changed, np.zeros((added, rules), np.bool_)])
        self._touched = np.concatenate([self._touched, np.zeros(added, np.bool_)])

    def forget(self, slot: int) -> None:
        """The slot is free for another stay."""
        self.held.forget(slot)
        self.sustain.forget(slot)
        if self.filter:
            self.filter.forget(slot)
        if self.risk:
            self.risk.forget(slot)
        self.frontier[slot] = _NOT_STARTED
        self.declared[slot] = False
        self.scale[slot] = 1
        self.applies[slot] = True
        self._touched[slot] = self._changed[slot] = False
        self._coming = [r.take(r.slot != slot) for r in self._coming]
        self._valid = self._valid.take(self._valid.slot != slot)

    def start_anew(self, slot: int) -> None:
        """Its clocks start anew with what it holds: what is raised must be found again."""
        self.sustain.forget(slot)
        self._touched[slot] = True

    def configure(
        self,
        slot: int,
        *,
        declared: Sequence[int] = (),
        scale: int = 1,
        applies: Sequence[bool] | None = None,
    ) -> None:
        """What is known of a stay beside its readings; takes effect from the next evaluation."""
        wanted = np.zeros(N_OBSERVED, np.bool_)
        wanted[list(declared)] = True
        columns = np.ones(len(self.rules), np.bool_) if applies is None else np.asarray(applies, np.bool_)
        for cell in np.flatnonzero(self.applies[slot] & ~columns):
            self.sustain.reset(np.array([slot * len(self.rules) + cell]))
        self.declared[slot], self.scale[slot], self.applies[slot] = wanted, scale, columns
        self._touched[slot] = True

    def replace_rules(self, rules: Sequence[Rule], origin: Int, applies: Bool) -> None:
        """Other rules from the next evaluation on.

        origin [slots, new rules]: the present column whose clocks a cell takes over, -1 for none;
        applies [slots, new rules]. A raised alert that no longer holds under a changed rule then gives
        a ``RULE_CHANGED`` transition.
        """
        old, old_rules = self.sustain, self.rules
        self._set_rules(rules, self.slots)
        self.sustain.adopt_columns(old, origin)
        for column, rule in enumerate(rules):
            same = np.array([rule == r for r in old_rules] + [True])  # the last stands for origin -1
            self._changed[:, column] = ~same[origin[:, column]]
        self.applies = applies.copy()
        self._touched[:] = self.frontier != _NOT_STARTED

    # ------------------------------------------------------------------ the flow of time

    def add(self, readings: Readings) -> None:
        """Readings in any order; evaluated by the step that reaches their time."""
        if len(readings):
            self._coming.append(readings)

    def step(self, now: int) -> Step:
        """Evaluate every stay up to ``now`` less the lateness."""
        until = now - self.lateness
        if until < self.until:
            until = self.until  # time never goes backwards: a clock set back must not undo what was told
        coming, ready, missed = self._take(until)
        self.until = until
        if self.filter:
            parts, waiting = self._judge(self.filter, coming, ready, until), self.filter.waiting()
        else:
            every = coming if len(ready) == len(coming) else coming.take(ready)
            parts, waiting = (Marked.all_valid(every),), np.full(self.slots, NEVER)
        span = np.maximum(np.minimum(until, waiting - 1), self.frontier)
        due: list[Readings] = []
        later: list[Readings] = []
        late = [missed]
        for part in (Marked.all_valid(self._valid), *parts):
            rows, valid = part.readings, part.mark == VALID
            comes, behind = rows.time <= span[rows.slot], rows.time <= self.frontier[rows.slot]
            for kept, mask in (
                (due, comes & ~behind & valid),
                (later, ~comes & valid),
                (late, behind & valid),
            ):
                if mask.any():
                    kept.append(rows.where(mask))
        self._valid = Readings.concat(later)
        transitions = self._evaluate_in_parts(Readings.concat(due), span)
        return Step(transitions, parts, Readings.concat(late))

    def _take(self, until: int) -> tuple[Readings, Int, Readings]:
        """What came, the rows of it that are due, and what came too late."""
        coming = Readings.concat(self._coming)
        is_due, is_missed = coming.time <= until, coming.time <= self.until
        self._coming = [] if is_due.all() else [coming.take(~is_due)]
        return coming, np.flatnonzero(is_due & ~is_missed), coming.take(is_missed)

    @staticmethod
    def _judge(gate: Filter, coming: Readings, rows: Int, until: int) -> tuple[Marked, ...]:
        """In pieces of time where there are many; how they are cut cannot be seen in the marks."""
        if len(rows) <= _MANY or int(np.ptp(coming.time[rows])) <= MINUTE:
            return gate.judge(coming.in_cell_order(rows), until)
        time = coming.time[rows]
        some = np.sort(time[:: PIECE // 1_000])
        cuts = np.unique(some[1_000::1_000])
        piece = np.searchsorted(cuts, time)
        order = np.argsort(piece.astype(np.uint16) if len(cuts) < 2**16 else piece, kind="stable")
        edges = np.searchsorted(piece[order], np.arange(len(cuts) + 2)).tolist()
        ends = [*cuts.tolist(), until]
        return tuple(
            part
            for (low, high), end in zip(pairwise(edges), ends, strict=True)
            for part in gate.judge(coming.take(rows[order[low:high]]).in_cell_order(), end)
        )

    def _evaluate_in_parts(self, valid: Readings, span: Int) -> Transitions:
        """In parts of time, so that a long recording needs no more memory than a short one."""
        if len(valid) <= _PART:
            return self._evaluate(valid, span)
        cuts = np.unique(np.sort(valid.time)[_PART::_PART])
        found = []
        for low, high in zip([np.iinfo(np.int64).min, *cuts], [*cuts, NEVER], strict=True):
            part = valid.take((valid.time > low) & (valid.time <= high))
            found.append(self._evaluate(part, np.maximum(np.minimum(span, high), self.frontier)))
        return Transitions.concat(found)

    def _evaluate(self, valid: Readings, span: Int) -> Transitions:
        """Run the clocks of every started slot over (frontier, span]."""
        started = self.frontier != _NOT_STARTED
        first = valid.where(~started[valid.slot])
        starting = distinct(first.slot.astype(np.int64))
        if len(starting):
            self.frontier[starting] = NEVER
            np.minimum.at(self.frontier, first.slot, first.time - 1)
            started[starting] = True
        span = np.where(started, span, _NOT_STARTED)
        new = self.held.take(valid, span)
        risk = self.risk.advance(new, self.frontier, span) if self.risk else None
        if self.rules:
            self._run(new, span, starting, risk)
        self.held.settle(new, span)
        self.sustain.finish(span)
        self.frontier = np.where(started, span, self.frontier)
        return Transitions.of(self.sustain.transitions(), len(self.rules))

    def _run(self, new: Effective, span: Int, starting: Int, risk: RiskCourse | None) -> None:
        """Find where something may change, and tell the clocks what does."""
        second = self.scale == 2
        course = Course(self.held, new, self.frontier, span, self.levels, second)
        touched = np.flatnonzero(self._touched & (span > self.frontier))
        self._touched[touched] = False
        looked_at = distinct(np.concatenate([touched, starting]))
        extra = (looked_at, self.frontier[looked_at] + 1)
        if risk and self.conditions.needs_risk:
            slots, times = risk.changes()
            extra = (np.concatenate([extra[0], slots]), np.concatenate([extra[1], times]))
        most = int(self.sustain.min_readings.max())
        rows = course.rows(extra, self.sustain.hungry(), most)
        if not len(rows):
            return
        risks = risk.at(rows.slot, rows.time) if risk and self.conditions.needs_risk else None
        states = self.conditions.evaluate(rows, self.declared, self.scale, risks)
        key = course.key(rows)
        # Between rows nothing changes, but the first readings that find a breach so are counted there.
        counts = (states.state == BREACH) & (self.sustain.min_readings > 0) & self.applies[rows.slot]
        more = course.readings_after(key, counts.any(axis=1), most)
        every = distinct(np.concatenate([key, more])) if len(more) else key
        row = np.searchsorted(key, every, side="right") - 1
        slot, time = course.open(every)
        states = States(states.state[row], states.clear[row])
        counted = self.conditions.counted(course.read_at(every), rows.fresh[row, HR])
        counted &= states.state == BREACH
        self._tell(slot, time, states, counted)

    def _tell(self, slot: Int, time: Int, states: States, counted: Bool) -> None:
        """Tell the clocks what changes at the rows: the k-th change of every cell at once."""
        sustain = self.sustain
        need = sustain.min_readings
        changed = changes(
            slot,
            states,
            counted,
            sustain.grid("state"),
            sustain.grid("clear_seen"),
            sustain.grid("count"),
            need,
        )
        changed |= self._changed[slot]
        changed &= self.applies[slot]
        row, column = np.nonzero(changed)
        cells = slot[row] * len(self.rules) + column
        order = np.argsort(cells, kind="stable")
        row, column, cells = row[order], column[order], cells[order]
        begins = np.flatnonzero(np.concatenate([[True], cells[1:] != cells[:-1]])) if len(cells) else cells
        rank = np.arange(len(cells)) - np.repeat(begins, np.diff(np.append(begins, len(cells))))
        by_rank = np.argsort(rank, kind="stable")
        for part in np.split(by_rank, np.flatnonzero(np.diff(rank[by_rank])) + 1):
            r, c = row[part], column[part]
            sustain.change(cells[part], time[r], states.state[r, c], states.clear[r, c], counted[r, c])
            if self._changed.any():
                here = self._changed[slot[r], c]
                self._changed[slot[r], c] = False
                sustain.recheck(cells[part][here], time[r][here])

    # ------------------------------------------------------------------ late readings

    def rebuild(
        self, slot: int, stored: Readings, since: int, start: int | None = None
    ) -> tuple[Transitions, Marked]:
        """Build the clocks of one stay again from its stored readings (all of the time that matters).

        ``since`` (ms) is the earliest of the readings that came late: nothing before it can be news.
        ``start`` (ms, a whole hour): all readings are there from then on; of the time before, the risk keeps
        what it remembers. Without it they are all that there ever were.

        What was told stays told; what is now found sustained is raised, ``late``, with its true since.
        Returns those transitions, stamped with the time reached (never back in time), and the marks.
        """
        trial = Engine(self.rules, 1, lateness=0, filtered=self.filter is not None)
        if self.risk:
            trial.risk = self.risk.as_of(slot, start)
        trial.declared[0], trial.scale[0], trial.applies[0] = (
            self.declared[slot], self.scale[slot], self.applies[slot]
        )  # fmt: skip
        trial.add(stored.at_slot(0))
        found = trial.step(self.until)
        reached = trial.frontier[0]
        self.held.adopt(slot, trial.held)
        if self.filter and trial.filter:
            self.filter.adopt(slot, trial.filter)
        if self.risk and trial.risk:
            self.risk.adopt(slot, trial.risk)
        keep = self._valid.slot != slot
        self._valid = Readings.concat([self._valid.take(keep), trial._valid.at_slot(slot)])
        self.frontier[slot] = reached
        told = self.sustain.adopt_slot(slot, trial.sustain, found.transitions, since, int(reached))
        return Transitions.of(told, len(self.rules), late=True), found.marked

    def latest(self, slots: Int) -> Moment:
        """What these slots hold at the time each has reached, one row a slot (for views)."""
        return self.held.at(slots, self.frontier[slots])

    # ------------------------------------------------------------------ state

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Everything as arrays; ``restore`` on an engine of the same rules goes on as if never stopped."""
        coming = Readings.concat(self._coming)
        own: dict[str, NDArray[Any]] = {
            "frontier": self.frontier.copy(),
            "declared": self.declared.copy(),
            "scale": self.scale.copy(),
            "applies": self.applies.copy(),
            "changed": self._changed.copy(),
            "touched": self._touched.copy(),
            "until": np.array(self.until),
        }
        for name, buffer in (("coming", coming), ("valid", self._valid)):
            own |= {f"{name}.{k}": v.copy() for k, v in buffer.columns().items()}
        parts = [own, self.held.snapshot(), self.sustain.snapshot()]
        if self.filter:
            parts.append({f"filter.{k}": v for k, v in self.filter.snapshot().items()})
        if self.risk:
            parts.append({f"risk.{k}": v for k, v in self.risk.snapshot().items()})
        return {k: v for part in parts for k, v in part.items()}

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        self.resize(len(state["frontier"]))
        self.frontier, self.declared, self.scale, self.applies, self._changed, self._touched = (
            state[k].copy() for k in ("frontier", "declared", "scale", "applies", "changed", "touched")
        )
        self.until = int(state["until"])
        self._coming, self._valid = (
            [Readings(**{k: state[f"coming.{k}"] for k in DTYPES})],
            Readings(**{k: state[f"valid.{k}"] for k in DTYPES}),
        )
        self.held.restore(state)
        self.sustain.restore(state)
        if self.filter:
            self.filter.restore({k[7:]: v for k, v in state.items() if k.startswith("filter.")})
        if self.risk:
            known = {k[5:]: v for k, v in state.items() if k.startswith("risk.")}
            if not self.risk.restore(known):
                self.risk.seed(self.held)
