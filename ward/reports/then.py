"""NEWS2 as it was at an instant, from what is stored: each part's last valid value by then."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection

from ward.scoring.news2 import NOT_FOR, PARTS, RISKS, scale_of, score
from ward.signals import HOLD_BY_PERSON, HOUR, INDEX, MEASURED, N_OBSERVED, SIGNALS
from ward.store.chunks import History
from ward.store.history import read_histories
from ward.store.stays import Stay

BACK: Final = 12 * HOUR
"""Older values are not looked for: even what a person entered has ended by then."""
_VITAL: Final = ("rr", "spo2", "sbp", "hr", "pr", "temp")


def news2_then(connection: Connection, stays: Collection[Stay], at: int) -> dict[str, dict[str, Any]]:
    """By stay: ``score`` (None: unknown), ``risk``, ``partial``, ``not_applicable``. A device's own interval
    is not stored: a value counts as fresh for its signal's usual hold."""
    ids = [stay.id for stay in stays if stay.start <= at]
    found = read_histories(connection, ids, range(N_OBSERVED), at - BACK, at + 1) if ids else {}
    return {stay.id: _score(found.get(stay.id), stay.flags, at) for stay in stays}


def _score(found: History | None, flags: tuple[str, ...], at: int) -> dict[str, Any]:
    why = next((flag for flag in NOT_FOR if flag in flags), None)
    nothing = {"score": None, "risk": None, "partial": False, "not_applicable": why}
    if found is None or why is not None:
        return nothing
    last = _last(found)
    fresh = {name for name, (_, until) in last.items() if until > at}
    if not fresh.intersection(_VITAL):
        return nothing
    known = {part: last[part][0] if part in last else np.nan for part in PARTS}
    if "pr" in last and "hr" not in fresh and ("pr" in fresh or last["pr"][1] > last.get("hr", (0, -1))[1]):
        known["hr"] = last["pr"][0]
    made = score(**known, scale=scale_of(flags))
    return {
        "score": int(made.total[0]),
        "risk": RISKS[int(made.risk[0])],
        "partial": bool(made.missing[0].any()),
        "not_applicable": None,
    }


def _last(found: History) -> Mapping[str, tuple[float, int]]:
    """By signal: the last valid value and until when it counts as fresh (ms)."""
    valid = found.take(found.mark == 0)
    last = {}
    for name in (*PARTS, "pr"):
        mine = np.flatnonzero(valid.signal == INDEX[name])
        if len(mine):
            row = mine[-1]
            by_person = valid.device[row] == 0 and name in MEASURED
            hold = HOLD_BY_PERSON if by_person else SIGNALS[INDEX[name]].hold
            last[name] = float(valid.value[row]), int(valid.time[row]) + hold
    return last
