"""What a signal was when its rule was raised: a start evaluates minutes in one step, and tells only then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from sqlalchemy.exc import SQLAlchemyError

from ward.live.history import stored_readings
from ward.live.risks import known
from ward.live.views import Newest, news2_now
from ward.scoring.conditions import HR, PR, news2
from ward.scoring.engine import Engine, Step
from ward.scoring.filter import VALID, Marked
from ward.scoring.held import Held
from ward.scoring.readings import Readings
from ward.scoring.rules import Rule
from ward.scoring.sustain import RAISED
from ward.signals import HOUR, INDEX, SECOND, SIGNALS

if TYPE_CHECKING:
    from ward.live.core import Core

NOW: Final = 2 * SECOND
"""A score of so soon after (ms, times the clock's speed) is that of the raise: it is a tick's."""
LOOK_BACK: Final = 12 * HOUR
"""The longest hold."""

Values = dict[tuple[int, int, int], tuple[str, float]]
"""By slot, column and instant of the raise: the signal (``pr`` where it stood in) and its value."""

Measured = tuple[str | None, float | None]
"""A signal and its value, None where that is not known."""


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


def measured_at(core: Core, slot: int, column: int, at: int) -> Measured:
    """The first signal of the rule and its value when it was raised."""
    if found := core.values.get((slot, column, at)):
        return found
    rule = core.engine.rules[column]
    name = rule.when[0].signal
    if name == "news2" and core.engine.frontier[slot] - at > NOW * core.speed:
        return name, news2_at(core, slot, at)
    return measured(core, slot, rule)


def measured(core: Core, slot: int, rule: Rule) -> Measured:
    """The first signal of the rule and its value now."""
    name, engine = rule.when[0].signal, core.engine
    signal = INDEX[name]
    if name == "news2":
        _, score, _ = news2_now(engine, np.array([slot]))
        return name, float(score.total[0])
    if SIGNALS[signal].derived:
        return name, known(float(engine.risk.value[slot])) if engine.risk else None
    held, now = engine.held, engine.frontier[slot]
    if signal == HR and held.expires[slot, HR] <= now < held.expires[slot, PR]:
        signal = PR
    value = float(held.value[slot, signal])
    return SIGNALS[signal].name, None if np.isnan(value) else value


def news2_at(core: Core, slot: int, at: int) -> float | None:
    """NEWS2 at a raise where evaluation is well beyond it; None where what is stored cannot be read."""
    stay, engine = core.stays[core.slots.stay(slot)], core.engine
    try:
        with core.db.connect() as connection:
            span = (stay.id, max(at - LOOK_BACK, stay.start), at, core.router.intervals())
            stored = stored_readings(connection, core.history, *span, only_valid=True)
    except SQLAlchemyError:  # an alert waits for nothing that it can do without
        return None
    before = engine.held.readings(slot)
    every = Readings.concat([before.take(before.time <= at).at_slot(0), stored])
    held, end = Held(1), np.array([at])
    held.settle(held.take(every, end), end)
    score, is_known = news2(held.at(np.array([0]), end), engine.scale[[slot]])
    return float(score.total[0]) if is_known[0] else None
