"""The risk as people see it: with its interval, its reasons, its age, or why it is not known."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from ward.clock import iso
from ward.live.views import Json
from ward.scoring.engine import Engine
from ward.scoring.news2 import NOT_SCORED
from ward.scoring.readings import Float, Int
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


@dataclass(frozen=True, slots=True)
class RisksThen:
    """The risks of some slots at one moment. slots, reached (ms), scale: one row each; the others are the
    engine's own arrays, of all slots: it replaces them, and does not change them."""

    slots: Int
    reached: Int
    scale: NDArray[np.int8]
    numbers: tuple[Float, Float, Float]
    inputs: Inputs

    @classmethod
    def of(cls, engine: Engine, slots: Int) -> RisksThen:
        """Of an engine that has a model."""
        risk = engine.risk
        assert risk is not None
        return cls(
            slots,
            engine.frontier[slots],
            engine.scale[slots],
            (risk.value, risk.low, risk.high),
            Inputs(risk.present, risk.hourly),
        )

    def value(self, row: int) -> float:
        """0..1; NaN: not known, or not for this patient."""
        return self._number(self.numbers[0], row)

    def _number(self, numbers: Float, row: int) -> float:
        return float(numbers[self.slots[row]]) if self._applies(row) else np.nan

    def _applies(self, row: int) -> bool:
        return bool(self.scale[row] != NOT_SCORED)

    def shown(self, row: int) -> RiskShown:
        slot, step = int(self.slots[row]), int(self.reached[row]) // STEP * STEP
        value, low, high = (self._number(each, row) for each in self.numbers)
        at = step if step > 0 else None
        return RiskShown(value, low, high, at, self.inputs.take([slot]), self._applies(row))


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
