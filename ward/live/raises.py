"""What a signal was when its rule was raised: a start evaluates minutes in one step, and tells only then."""

from __future__ import annotations

import numpy as np

from ward.live.views import Newest
from ward.scoring.conditions import HR, PR
from ward.scoring.engine import Engine, Step
from ward.scoring.filter import VALID, Marked
from ward.scoring.sustain import RAISED
from ward.signals import INDEX, SIGNALS

Values = dict[tuple[int, int, int], tuple[str, float]]
"""By slot, column and instant of the raise: the signal (``pr`` where it stood in) and its value."""


def values_at_raises(engine: Engine, newest: Newest, step: Step) -> Values:
    """After a step, with the newest readings of before it. Without those that no reading at hand tells:
    derived signals, and readings that were marked long before they were evaluated."""
    found: Values = {}
    t = step.transitions
    raised = np.flatnonzero(np.asarray(t.kind) == RAISED).tolist()
    if not raised:
        return found
    marked = step.marked
    for i in raised:
        slot, column, at = int(t.slot[i]), int(t.rule[i]), int(t.at[i])
        signal = INDEX[engine.rules[column].when[0].signal]
        if SIGNALS[signal].derived:
            continue
        for one in (HR, PR) if signal == HR else (signal,):
            told, value = _value_at(engine, newest, marked, slot, one, at)
            if value is not None:
                found[slot, column, at] = (SIGNALS[one].name, value)
            if told and value is None:
                continue  # it was not known then: another stood in, if any
            break
    return found


def _value_at(
    engine: Engine, newest: Newest, marked: Marked, slot: int, signal: int, at: int
) -> tuple[bool, float | None]:
    """Whether that can be told, and the value; None where it was not known then."""
    readings, held = marked.readings, engine.held
    mine = np.flatnonzero((readings.slot == slot) & (readings.signal == signal) & (marked.mark == VALID))
    past = mine[readings.time[mine] <= at]
    if len(past):
        last = past[np.argmax(readings.time[past])]
        value, until = float(readings.value[last]), int(readings.time[last] + readings.hold[last])
    elif held.taken[slot, signal] <= at:  # it has not been read since
        value, until = float(held.value[slot, signal]), int(held.expires[slot, signal])
    elif newest.time[slot, signal] > at:  # in its place is what was read later
        return False, None
    elif newest.mark[slot, signal] == VALID and newest.time[slot, signal] >= 0 and len(mine):
        hold = readings.hold[mine[np.argmin(readings.time[mine])]]  # the next one's, for want of its own
        value, until = float(newest.value[slot, signal]), int(newest.time[slot, signal] + hold)
    else:
        return True, None
    return True, value if at < until else None
