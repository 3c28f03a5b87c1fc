"""What a signal was when its rule was raised: a start evaluates minutes in one step, and tells only then."""

from __future__ import annotations

import numpy as np

from ward.live.views import Newest
from ward.scoring.conditions import HR, PR
from ward.scoring.engine import Engine, Step
from ward.scoring.filter import VALID
from ward.scoring.sustain import RAISED
from ward.signals import INDEX, SIGNALS

Values = dict[tuple[int, int, int], tuple[str, float]]
"""By slot, column and instant of the raise: the signal (``pr`` where it stood in) and its value."""


def values_at_raises(engine: Engine, newest: Newest, step: Step) -> Values:
    """After a step, with the newest readings of before it. Without those that no reading at hand tells:
    derived signals, and readings that were marked long before they were evaluated."""
    found: Values = {}
    t = step.transitions
    for i in np.flatnonzero(np.asarray(t.kind) == RAISED).tolist():
        slot, column, at = int(t.slot[i]), int(t.rule[i]), int(t.at[i])
        signal = INDEX[engine.rules[column].when[0].signal]
        if SIGNALS[signal].derived:
            continue
        for one in (HR, PR) if signal == HR else (signal,):
            if (value := _value_at(engine, newest, step, slot, one, at)) is not None:
                found[slot, column, at] = (SIGNALS[one].name, value)
                break
    return found


def _value_at(engine: Engine, newest: Newest, step: Step, slot: int, signal: int, at: int) -> float | None:
    """None where it was not known then, or cannot be told any more."""
    readings = step.marked.readings
    mine = np.flatnonzero((readings.slot == slot) & (readings.signal == signal) & (step.marked.mark == VALID))
    past = mine[readings.time[mine] <= at]
    if len(past):
        last = past[np.argmax(readings.time[past])]
        value, until = float(readings.value[last]), int(readings.time[last] + readings.hold[last])
    elif newest.mark[slot, signal] == VALID and 0 <= newest.time[slot, signal] <= at:
        value = float(newest.value[slot, signal])
        until = at + 1 if len(mine) else int(engine.held.expires[slot, signal])
    else:
        return None
    return value if at < until else None
