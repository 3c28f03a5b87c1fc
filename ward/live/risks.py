"""The risk as people see it: with its interval, its reasons, its age, or why it is not known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from ward.clock import iso
from ward.live.views import Json
from ward.scoring.engine import Engine
from ward.scoring.news2 import NOT_SCORED
from ward.scoring.risk import RiskModel, missing
from ward.scoring.trends import STEP, Inputs


@dataclass(frozen=True, slots=True)
class RiskShown:
    """One stay's: value, low, high (0..1, NaN: not enough data); of which instant (ms, None: of none yet);
    what it was computed from; whether scores for adults are for this patient at all."""

    value: float
    low: float
    high: float
    at: int | None
    inputs: Inputs
    applies: bool = True


def risks_now(engine: Engine, slots: Sequence[int]) -> list[RiskShown]:
    """Of these slots, in the same order; nothing without a model."""
    risk = engine.risk
    if risk is None or not len(slots):
        return []
    where = np.array(slots, np.int64)
    inputs = Inputs(risk.present[where], risk.hourly[where])  # copies: the engine goes on
    numbers = (risk.value, risk.low, risk.high)
    columns = zip(*(each[where].tolist() for each in numbers), strict=True)
    steps = (engine.frontier[where] // STEP * STEP).tolist()
    applies = (engine.scale[where] != NOT_SCORED).tolist()
    nothing = (np.nan, np.nan, np.nan)
    shown = []
    for row, (found, step, own) in enumerate(zip(columns, steps, applies, strict=True)):
        value, low, high = found if own else nothing
        at = step if step > 0 else None
        shown.append(RiskShown(value, low, high, at, inputs.take([row]), own))
    return shown


def known(value: float) -> float | None:
    """A risk as JSON has it."""
    return None if np.isnan(value) else value


def risk_view(model: RiskModel | None, shown: RiskShown | None, now: int) -> Json:
    """As ``ward.web.schemas.stays.Risk``."""
    if model is None or shown is None:
        state = "no-model" if model is None else "not-enough-data"
        return {"state": state, "model": model.id if model else None}
    if not shown.applies:
        return {"state": "not-applicable", "model": model.id}
    value = known(shown.value)
    return {
        "state": "known" if value is not None else "not-enough-data",
        "value": value,
        "low": known(shown.low),
        "high": known(shown.high),
        "above": model.above(shown.value),
        "computed_at": iso(shown.at),
        "age_s": None if shown.at is None else (now - shown.at) / 1000,
        "model": model.id,
        "missing": missing(shown.inputs),
        "contributions": [
            {"group": c.group, "log_odds": c.log_odds, "words": c.words, "seen": asdict(c.seen)}
            for c in model.contributions(shown.inputs)
        ],
    }
