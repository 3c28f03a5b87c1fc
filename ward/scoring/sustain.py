"""Sustained rules: for each cell (slot x rule) the clocks that say since when, and how long still.

The states of a condition are piecewise constant, so a cell needs work only when its state changes,
when a reading counts, or when time alone completes something (its *deadline*). Between those, the
numbers of a cell are those of its ``anchor``. All is in integer ms and exact: a transition carries
the very instant at which the contract's conditions first hold, however the input was cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ward.scoring.readings import Bool, Int
from ward.scoring.rules import Rule
from ward.scoring.windows import Windows

OK: Final = 0
BREACH: Final = 1
UNKNOWN: Final = 2
NOT_STARTED: Final = 3

RAISED: Final = 0
CLEARED: Final = 1
MEASURE_AGAIN: Final = 2
RULE_CHANGED: Final = 3  # raised, and no longer holding under the changed rule

NEVER: Final = np.iinfo(np.int64).max
NONE: Final = -1

_CELL: Final[dict[str, tuple[Any, int]]] = {
    "state": (np.int8, NOT_STARTED),
    "clear": (np.bool_, False),  # time counts for clearing now
    "clear_seen": (np.bool_, False),  # clear_when holds now
    "anchor": (np.int64, 0),  # the numbers below are those of this instant
    "since": (np.int64, NONE),  # first BREACH after the last OK or the clock's start
    "breach": (np.int64, 0),  # BREACH ms since then
    "count": (np.int32, 0),  # readings that found BREACH since then, up to min_readings
    "clearing": (np.int64, 0),  # ms that count for clearing since the last BREACH
    "unknown": (np.int64, 0),  # length of the present UNKNOWN
    "raised": (np.bool_, False),
    "asked": (np.bool_, False),  # 'measure again' was told for this pending
    "raised_since": (np.int64, NONE),
    "raised_at": (np.int64, NONE),
    "cleared_at": (np.int64, NONE),
    "deadline": (np.int64, NEVER),
}


_TOLD: Final = ("raised", "raised_since", "raised_at", "cleared_at")


@dataclass(frozen=True, slots=True)
class Transitions:
    """What changed, as columns: slot, rule (index), kind, at (ms), since (ms), late.

    ``since`` names the alert: its ``breach_since``. ``late`` marks what late readings brought up.
    """

    slot: NDArray[np.int32]
    rule: NDArray[np.int32]
    kind: NDArray[np.int8]
    at: Int
    since: Int
    late: Bool

    def __len__(self) -> int:
        return len(self.at)

    @classmethod
    def of(cls, parts: Sequence[tuple[Int, int, Int, Int]], rules: int, late: bool = False) -> Transitions:
        """From (cells, kind, at, since) parts; sorted by instant, then slot, then rule."""
        empty = np.empty(0, np.int64)
        cells = np.concatenate([empty, *(p[0] for p in parts)])
        kinds = np.concatenate([empty, *(np.full(len(p[0]), p[1]) for p in parts)]).astype(np.int8)
        at = np.concatenate([empty, *(p[2] for p in parts)])
        since = np.concatenate([empty, *(p[3] for p in parts)])
        slot, rule = np.divmod(cells, max(rules, 1))
        order = np.lexsort((rule, slot, at))
        return cls(
            slot[order].astype(np.int32),
            rule[order].astype(np.int32),
            kinds[order],
            at[order],
            since[order],
            np.full(len(order), late),
        )

    @classmethod
    def concat(cls, parts: Sequence[Transitions]) -> Transitions:
        kept = [p for p in parts if len(p)] or [cls.of([], 1)]
        if len(kept) == 1:
            return kept[0]
        return cls(*(np.concatenate([getattr(p, name) for p in kept]) for name in cls.__slots__))


class Sustain:
    """The clocks of every cell. Cells are numbered slot * rules + rule."""

    def __init__(self, rules: Sequence[Rule], slots: int) -> None:
        self.rules = tuple(rules)
        self.slots = slots
        self._for = np.array([r.for_ms for r in rules], np.int64)
        self._gap = np.array([r.gap_ms for r in rules], np.int64)
        self._clear_for = np.array([r.clear_for_ms for r in rules], np.int64)
        self._own_clear = np.array([bool(r.clear_when) for r in rules], np.bool_)
        absent = [any(c.op == "absent" for c in r.when) for r in rules]
        self.min_readings = np.array(
            [0 if a else r.min_readings for a, r in zip(absent, rules, strict=True)], np.int32
        )
        self.windows = Windows(rules, slots)
        self._told: list[tuple[Int, int, Int, Int]] = []
        self._due: Int = np.zeros(slots, np.int64)
        """Of each slot: no deadline is before this. Looked at again when it has come."""
        self._hungry: Bool = np.ones(slots, np.bool_)
        """Slots that may have a cell in BREACH with too few readings."""
        self.cell: dict[str, NDArray[Any]] = {
            name: np.full(slots * len(rules), fill, kind) for name, (kind, fill) in _CELL.items()
        }

    def grid(self, name: str) -> NDArray[Any]:
        """One number of every cell as a view [slots, rules]."""
        return self.cell[name].reshape(self.slots, len(self.rules))

    def resize(self, slots: int) -> None:
        """More slots; the new ones have not started."""
        added = (slots - self.slots) * len(self.rules)
        for name, (kind, fill) in _CELL.items():
            self.cell[name] = np.concatenate([self.cell[name], np.full(added, fill, kind)])
        self.windows.resize(slots)
        self._due = np.concatenate([self._due, np.zeros(slots - self.slots, np.int64)])
        self._hungry = np.concatenate([self._hungry, np.ones(slots - self.slots, np.bool_)])
        self.slots = slots

    def forget(self, slot: int) -> None:
        """The slot starts anew, for another stay."""
        self.reset(np.arange(slot * len(self.rules), (slot + 1) * len(self.rules)))

    def reset(self, cells: Int) -> None:
        """These cells have not started; nothing is told of it."""
        for name, (_, fill) in _CELL.items():
            self.cell[name][cells] = fill
        self.windows.clear(cells)

    # ------------------------------------------------------------------ the flow of time

    def change(self, cells: Int, at: Int, state: NDArray[np.int8], clear: Bool, counted: Bool) -> None:
        """At instant ``at`` each cell (named once) takes a state; ``counted``: a reading found it so."""
        self._advance(cells, at, final=False)
        c = self.cell
        rule = cells % len(self.rules)
        before = c["state"][cells]
        c["unknown"][cells] = np.where(state == before, c["unknown"][cells], 0)
        c["state"][cells] = state
        c["clear_seen"][cells] = clear
        c["clear"][cells] = np.where(self._own_clear[rule], clear & (state != BREACH), state == OK)

        ended = cells[(state == OK) & ~c["raised"][cells]]
        c["since"][ended] = NONE
        c["breach"][ended] = 0
        c["count"][ended] = 0
        c["asked"][ended] = False

        breach = state == BREACH
        hit = cells[breach]
        c["clearing"][hit] = 0
        begun = breach & (c["since"][cells] == NONE)
        c["since"][cells[begun]] = at[begun]
        self.windows.begin(cells[begun], at[begun])
        counting = cells[breach & counted]
        limit = self.min_readings[counting % len(self.rules)]
        more = counting[c["count"][counting] < limit]
        c["count"][more] += 1
        self.windows.count(more)
        self._set_deadline(cells)
        self._hungry[hit // len(self.rules)] = True

    def finish(self, until: Int) -> None:
        """Complete what time alone completes, up to and including ``until`` (ms per slot)."""
        some = np.flatnonzero(self._due <= until)
        if not len(some) or not self.rules:
            return
        row, column = np.nonzero(self.grid("deadline")[some] <= until[some, None])
        due = some[row] * len(self.rules) + column
        if len(due):
            self._advance(due, until[some[row]], final=True)
            self._set_deadline(due)
        self._due[some] = self.grid("deadline")[some].min(axis=1)

    def hungry(self) -> Int:
        """Slots with a cell in BREACH that fewer readings than ``min_readings`` have found so."""
        some = np.flatnonzero(self._hungry)
        few = (self.grid("state")[some] == BREACH) & (self.grid("count")[some] < self.min_readings)
        self._hungry[some] = few.any(axis=1)
        return some[self._hungry[some]]

    def transitions(self) -> list[tuple[Int, int, Int, Int]]:
        """What happened since the last call, as parts for ``Transitions.of``."""
        told, self._told = self._told, []
        return told

    def _advance(self, cells: Int, to: Int, *, final: bool) -> None:
        """Let each cell's present state last until ``to``; tell what completes by then."""
        c = self.cell
        rule = cells % len(self.rules)
        state = c["state"][cells]
        anchor = c["anchor"][cells]
        lasted = np.where(state == NOT_STARTED, 0, to - anchor)
        raised = c["raised"][cells]

        breach = state == BREACH
        if breach.any():
            some = breach & ~raised
            self._fill(cells[some], rule[some], to[some], final)
            c["breach"][cells[breach]] += lasted[breach]
        self.windows.advance(cells, lasted, state)

        unknown = state == UNKNOWN
        if unknown.any():
            c["unknown"][cells[unknown]] += lasted[unknown]
            over = unknown & (c["unknown"][cells] > self._gap[rule])
            self._restart_clock(cells[over])

        clearing = c["clear"][cells] & raised
        if clearing.any():
            some, r = cells[clearing], rule[clearing]
            left = self._clear_for[r] - c["clearing"][some]
            at = anchor[clearing] + np.maximum(left, 0)
            done = at <= to[clearing]
            c["clearing"][some] += lasted[clearing]
            self._clear(some[done], at[done], to[clearing][done])
        c["anchor"][cells] = to

    def _fill(self, cells: Int, rule: Int, to: Int, final: bool) -> None:
        """Raise the pending cells in BREACH whose time and readings suffice by ``to``."""
        if not len(cells):
            return
        c = self.cell
        anchor = c["anchor"][cells]
        filled = anchor + np.maximum(self._for[rule] - c["breach"][cells], 0)
        enough = c["count"][cells] >= self.min_readings[rule]
        at = np.where(enough, filled, NEVER)
        since = c["since"][cells].copy()
        self.windows.earliest(cells, anchor, self.min_readings[rule], at, since, filled)

        done = at <= to
        up = cells[done]
        c["raised"][up] = True
        c["asked"][up] = False
        c["clearing"][up] = 0
        c["raised_at"][up] = at[done]
        c["raised_since"][up] = since[done]
        self._tell(up, RAISED, at[done], since[done])

        # At the very end of a change's span its own reading may still complete the count.
        due = filled <= to if final else filled < to
        ask = ~done & due & ~c["asked"][cells]
        c["asked"][cells[ask]] = True
        self._tell(cells[ask], MEASURE_AGAIN, filled[ask], c["since"][cells[ask]])

    def _clear(self, cells: Int, at: Int, to: Int) -> None:
        c = self.cell
        c["raised"][cells] = False
        c["cleared_at"][cells] = at
        c["clearing"][cells] = 0
        self._tell(cells, CLEARED, at, c["raised_since"][cells])
        self._restart_clock(cells)
        ok = c["state"][cells] == OK
        self.windows.restart(cells, np.where(ok, to - at, 0))

    def _restart_clock(self, cells: Int) -> None:
        c = self.cell
        c["since"][cells] = NONE
        c["breach"][cells] = 0
        c["count"][cells] = 0
        c["asked"][cells] = False
        self.windows.clear(cells)

    def _tell(self, cells: Int, kind: int, at: Int, since: Int) -> None:
        if len(cells):
            self._told.append((cells, kind, at, since))

    def _set_deadline(self, cells: Int) -> None:
        """The next instant at which time alone changes something in each cell."""
        c = self.cell
        rule = cells % len(self.rules)
        state, anchor, raised = c["state"][cells], c["anchor"][cells], c["raised"][cells]
        deadline = np.full(len(cells), NEVER)

        pending = (state == BREACH) & ~raised
        if pending.any():
            p, r = cells[pending], rule[pending]
            filled = anchor[pending] + np.maximum(self._for[r] - c["breach"][p], 0)
            enough = c["count"][p] >= self.min_readings[r]
            at = np.where(enough | ~c["asked"][p], filled, NEVER)
            since, due = c["since"][p].copy(), filled.copy()
            self.windows.earliest(p, anchor[pending], self.min_readings[r], at, since, due)
            deadline[pending] = np.where(c["asked"][p], at, np.minimum(at, due))
        waiting = (state == UNKNOWN) & ((c["since"][cells] != NONE) | self.windows.holds(cells))
        deadline[waiting] = (anchor + self._gap[rule] + 1 - c["unknown"][cells])[waiting]
        clearing = raised & c["clear"][cells]
        clear_at = anchor + np.maximum(self._clear_for[rule] - c["clearing"][cells], 0)
        deadline[clearing] = np.minimum(deadline, clear_at)[clearing]
        c["deadline"][cells] = deadline
        np.minimum.at(self._due, cells // max(len(self.rules), 1), deadline)

    def assume_raised(self, cell: int, since: int, at: int, reached: int) -> None:
        """It was told that this cell is raised, and its clocks are lost: it stays raised until it clears, of
        which nothing counts that was before ``reached``."""
        if not self.cell["raised"][cell]:
            where = np.array([cell])
            self._advance(where, np.array([reached]), final=True)
            self.cell["clearing"][where] = 0
            for name, value in (("raised", True), ("raised_since", since), ("raised_at", at)):
                self.cell[name][where] = value
            self._set_deadline(where)

    def recheck(self, cells: Int, at: Int) -> None:
        """After a change of their rule: what was raised and no longer holds is cleared, now."""
        c = self.cell
        rule = cells % len(self.rules)
        short = (c["breach"][cells] < self._for[rule]) & ~self.windows.owns(cells)
        gone = c["raised"][cells] & ((c["state"][cells] == OK) | ((c["state"][cells] == BREACH) & short))
        over, when = cells[gone], at[gone]
        self._tell(over, RULE_CHANGED, when, c["raised_since"][over])
        c["raised"][over] = False
        c["cleared_at"][over] = when
        c["clearing"][over] = 0
        self._restart_clock(over[c["state"][over] == OK])  # in a breach that is too short yet it is pending
        self._set_deadline(cells)

    # ------------------------------------------------------------------ taking over clocks

    def adopt_columns(self, other: Sustain, origin: Int) -> None:
        """Clocks of another set of rules over the same slots; origin [slots, rules], -1 for none."""
        slot, column = np.nonzero(origin >= 0)
        here = slot * len(self.rules) + column
        there = slot * len(other.rules) + origin[slot, column]
        for name in _CELL:
            self.cell[name][here] = other.cell[name][there]
        self._look_again()
        own = self.windows.owns(here)
        both = own & other.windows.owns(there)
        self.windows.adopt(here[both], other.windows, there[both])
        new = here[own & ~both]  # was continuous: its present run is all that it knows
        c = self.cell
        self.windows.seed(new, c["since"][new], c["breach"][new], c["count"][new])

    def adopt_slot(
        self, slot: int, other: Sustain, found: Transitions, since: int, reached: int
    ) -> list[tuple[Int, int, Int, Int]]:
        """The clocks of one stay, built again; what was told stays told.

        ``other`` has one slot and the same rules; ``found`` is what it told on its way; only what it
        raised from ``since`` on can be news. Returns what must be told now, at ``reached``.
        """
        rules = len(self.rules)
        here = np.arange(slot * rules, (slot + 1) * rules)
        told = {name: self.cell[name][here].copy() for name in _TOLD}
        for name in _CELL:
            self.cell[name][here] = other.cell[name]
        self.windows.adopt(here, other.windows, np.arange(rules))
        self._hungry[slot] = True
        news: list[tuple[Int, int, Int, Int]] = []
        now = np.array([reached])
        c = self.cell
        for rule in range(rules):
            cell = here[[rule]]
            for begun, raised_at, ended in _intervals(found, rule):
                first = begun
                if raised_at < since:
                    continue
                if told["raised"][rule] and ended >= told["raised_at"][rule]:
                    continue
                if begun <= told["cleared_at"][rule] and ended >= told["raised_at"][rule] != NONE:
                    if ended < NEVER:
                        continue
                    first = int(told["cleared_at"][rule])  # it was told to be over, and is not
                news.append((cell, RAISED, now, np.array([first])))
                if ended < NEVER:
                    news.append((cell, CLEARED, now, np.array([first])))
                else:
                    c["raised_since"][cell], c["raised_at"][cell] = first, reached
            if told["raised"][rule]:
                if not c["raised"][cell]:  # its clearing begins to count now: nothing told ends in the past
                    self._advance(cell, now, final=True)
                    c["clearing"][cell] = 0
                c["raised"][cell] = True
                c["raised_since"][cell], c["raised_at"][cell] = (
                    told["raised_since"][rule], told["raised_at"][rule]
                )  # fmt: skip
        self._set_deadline(here)
        return news

    # ------------------------------------------------------------------ views and state

    def pending(self, reached: Int) -> tuple[Int, Int]:
        """Cells that are pending (told to nobody yet), and how long each still is from firing, in ms.

        ``reached`` [slots] ms: up to when they are evaluated. While UNKNOWN the time left stands still.
        """
        c = self.cell
        cells = np.flatnonzero((c["since"] != NONE) & ~c["raised"] & (c["state"] != OK))
        rule = cells % max(len(self.rules), 1)
        anchor = c["anchor"][cells]
        filled = anchor + np.maximum(self._for[rule] - c["breach"][cells], 0)
        at, since = np.full(len(cells), NEVER), c["since"][cells].copy()
        self.windows.earliest(cells, anchor, np.zeros(len(cells), np.int32), at, since, filled)
        lasted = np.where(c["state"][cells] == BREACH, reached[cells // max(len(self.rules), 1)] - anchor, 0)
        return cells, np.maximum(filled - anchor - lasted, 0)

    def snapshot(self) -> dict[str, NDArray[Any]]:
        return {f"cell.{k}": v.copy() for k, v in self.cell.items()} | self.windows.snapshot()

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        for name in _CELL:
            self.cell[name] = state[f"cell.{name}"].copy()
        self.slots = len(self.cell["state"]) // max(len(self.rules), 1)
        self.windows.restore(state, self.slots)
        self._look_again()

    def _look_again(self) -> None:
        self._due = np.zeros(self.slots, np.int64)
        self._hungry = np.ones(self.slots, np.bool_)


def _intervals(found: Transitions, rule: int) -> list[tuple[int, int, int]]:
    """(since, raised at, cleared at or NEVER) of one rule, from one slot's transitions in order."""
    spans: list[tuple[int, int, int]] = []
    mine = found.rule == rule
    for kind, at, since in zip(found.kind[mine], found.at[mine], found.since[mine], strict=True):
        if kind == RAISED:
            spans.append((int(since), int(at), NEVER))
        elif kind == CLEARED and spans:
            spans[-1] = (*spans[-1][:2], int(at))
    return spans
