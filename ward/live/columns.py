"""The engine's columns for the rules in force: stays whose definitions agree share a column.

So the limits of one patient or one ward cost a column, and no engine of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ward.scoring.readings import Bool, Int
from ward.scoring.rules import Rule

InForce = Mapping[int, Sequence[Rule]]
"""The rules of each slot that holds a stay."""


def columns_of(in_force: InForce, base: Sequence[Rule]) -> tuple[Rule, ...]:
    """Every definition that any slot uses, once; those of ``base`` first, so that new stays fit in."""
    return tuple(dict.fromkeys((*base, *(rule for rules in in_force.values() for rule in rules))))


def layout(
    in_force: InForce, slots: int, columns: Sequence[Rule], old: Sequence[Rule], old_applies: Bool
) -> tuple[Int, Bool]:
    """(origin, applies) as ``Engine.replace_rules`` takes them, both [slots, columns].

    A cell takes over the clocks of the column that was this slot's rule of the same id.
    """
    place = {rule: i for i, rule in enumerate(columns)}
    origin = np.full((slots, len(columns)), -1, np.int64)
    applies = np.zeros((slots, len(columns)), np.bool_)
    for slot, rules in in_force.items():
        before = {old[c].id: c for c in np.flatnonzero(old_applies[slot]).tolist()}
        for rule in rules:
            applies[slot, place[rule]] = True
            origin[slot, place[rule]] = before.get(rule.id, -1)
    return origin, applies
