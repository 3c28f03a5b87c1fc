"""The engine: readings in, transitions of sustained rules out. The only place where a rule is evaluated.

It is driven live (a batch and a tick each second), in recovery (the journal since the last snapshot)
and offline (recordings, trials, one stay's stored readings when late ones arrive). It reads no clock:
``now`` is an argument.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ward.scoring.conditions import Conditions, changes
from ward.scoring.filter import VALID, Filter, Marked
from ward.scoring.held import Held, Timeline
from ward.scoring.readings import DTYPES, Bool, Int, Readings
from ward.scoring.rules import Rule
from ward.scoring.sustain import NEVER, Sustain, Transitions
from ward.signals import N_OBSERVED, SECOND

LATENESS: Final = 2 * SECOND
_NOT_STARTED: Final = -2
"""Below any time reached: times are not negative, and a slot begins 1 ms before its first reading."""
_PART: Final = 200_000
"""Readings evaluated at once at the most."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one step brought: transitions; marks of readings; readings too late to be taken in order.

    The clocks of the slots in ``late`` want a ``rebuild``.
    """

    transitions: Transitions
    marked: Marked
    late: Readings


class Engine:
    """All stays of a partition as arrays; one slot a stay, one column a rule."""

    def __init__(
        self, rules: Sequence[Rule], slots: int, *, lateness: int = LATENESS, filtered: bool = True
    ) -> None:
        self.lateness = lateness
        self.filter = Filter(slots) if filtered else None
        self.held = Held(slots)
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
        self.frontier[slot] = _NOT_STARTED
        self.declared[slot] = False
        self.scale[slot] = 1
        self.applies[slot] = True
        self._touched[slot] = self._changed[slot] = False
        self._coming = [r.take(r.slot != slot) for r in self._coming]
        self._valid = self._valid.take(self._valid.slot != slot)

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
        ready, missed = self._take(until)
        self.until = until
        if self.filter:
            marked = self.filter.push(ready, until)
            waiting = self.filter.waiting()
        else:
            marked, waiting = Marked.all_valid(ready), np.full(self.slots, NEVER)
        valid = Readings.concat([self._valid, marked.readings.take(marked.mark == VALID)])
        before = valid.time <= self.frontier[valid.slot]
        late = Readings.concat([missed, valid.take(before)])
        valid = valid.take(~before)
        span = np.maximum(np.minimum(until, waiting - 1), self.frontier)
        in_span = valid.time <= span[valid.slot]
        self._valid = valid.take(~in_span)
        return Step(self._evaluate_in_parts(valid.take(in_span), span), marked, late)

    def _take(self, until: int) -> tuple[Readings, Readings]:
        """What came and is due, in order, and what came too late."""
        coming = Readings.concat(self._coming)
        due = coming.time <= until
        self._coming = [coming.take(~due)] if not due.all() else []
        ready = coming.take(due)
        old = ready.time <= self.until
        return ready.take(~old).in_order(), ready.take(old)

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
        fresh_start = np.full(self.slots, NEVER)
        np.minimum.at(fresh_start, valid.slot, valid.time)
        starting = (self.frontier == _NOT_STARTED) & (fresh_start != NEVER)
        self.frontier[starting] = fresh_start[starting] - 1
        started = self.frontier != _NOT_STARTED
        span = np.where(started, span, _NOT_STARTED)
        touched = np.flatnonzero(self._touched & started & (span > self.frontier))
        self._touched[touched] = False
        rows = self.held.advance(valid, self.frontier, span, (touched, self.frontier[touched] + 1))
        if len(rows) and self.rules:
            self._run(rows)
        self.sustain.finish(span)
        self.frontier = np.where(started, span, self.frontier)
        return Transitions.of(self.sustain.transitions(), len(self.rules))

    def _run(self, rows: Timeline) -> None:
        """Tell the clocks what changes at the rows: the k-th change of every cell at once."""
        states = self.conditions.evaluate(rows, self.declared, self.scale)
        sustain = self.sustain
        need = sustain.min_readings
        changed = changes(
            states, rows, sustain.grid("state"), sustain.grid("clear_seen"), sustain.grid("count"), need
        )
        changed |= self._changed[rows.slot]
        changed &= self.applies[rows.slot]
        row, column = np.nonzero(changed)
        cells = rows.slot[row] * len(self.rules) + column
        order = np.argsort(cells, kind="stable")
        row, column, cells = row[order], column[order], cells[order]
        begins = np.flatnonzero(np.concatenate([[True], cells[1:] != cells[:-1]])) if len(cells) else cells
        rank = np.arange(len(cells)) - np.repeat(begins, np.diff(np.append(begins, len(cells))))
        by_rank = np.argsort(rank, kind="stable")
        for part in np.split(by_rank, np.flatnonzero(np.diff(rank[by_rank])) + 1):
            r, c = row[part], column[part]
            sustain.change(
                cells[part], rows.time[r], states.state[r, c], states.clear[r, c], states.counted[r, c]
            )
            if self._changed.any():
                here = self._changed[rows.slot[r], c]
                self._changed[rows.slot[r], c] = False
                sustain.recheck(cells[part][here], rows.time[r][here])

    # ------------------------------------------------------------------ late readings

    def rebuild(self, slot: int, stored: Readings, since: int) -> tuple[Transitions, Marked]:
        """Build the clocks of one stay again from its stored readings (all of the time that matters).

        ``since`` (ms) is the earliest of the readings that came late: nothing before it can be news.

        What was told stays told; what is now found sustained is raised, ``late``, with its true since.
        Returns those transitions, stamped with the time reached (never back in time), and the marks.
        """
        trial = Engine(self.rules, 1, lateness=0, filtered=self.filter is not None)
        trial.declared[0], trial.scale[0], trial.applies[0] = (
            self.declared[slot], self.scale[slot], self.applies[slot]
        )  # fmt: skip
        trial.add(stored.at_slot(0))
        found = trial.step(self.until)
        reached = trial.frontier[0]
        self.held.adopt(slot, trial.held)
        if self.filter and trial.filter:
            self.filter.adopt(slot, trial.filter)
        keep = self._valid.slot != slot
        self._valid = Readings.concat([self._valid.take(keep), trial._valid.at_slot(slot)])
        self.frontier[slot] = reached
        told = self.sustain.adopt_slot(slot, trial.sustain, found.transitions, since, int(reached))
        return Transitions.of(told, len(self.rules), late=True), found.marked

    def latest(self, slots: Int) -> Timeline:
        """What these slots hold at the time each has reached, one row a slot (for views)."""
        h, now = self.held, self.frontier[slots]
        read = np.zeros((len(slots), N_OBSERVED), np.bool_)
        fresh = now[:, None] < h.expires[slots]
        return Timeline(slots, now, h.value[slots], fresh, read, h.expires[slots], h.taken[slots])

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
