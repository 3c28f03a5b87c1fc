"""A step of the engine although some readings make it fail: without them, and only them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ward.scoring.engine import Engine, Step
from ward.scoring.readings import DTYPES, Int, Readings

MOST: Final = 100
"""Steps tried; one reading among a million is found in 40. Then what is not cleared by then is left out."""


def step_without(engine: Engine, now: int) -> tuple[Step, Readings]:
    """``engine.step(now)``, and the readings that had to be left out for it, for they fail.

    The state is copied first, so this is for where it is known that something fails. Raises what the step
    raises where it fails whatever is left out.
    """
    state = engine.snapshot()
    try:
        return engine.step(now), Readings.empty()
    except Exception:
        trial = _Trial(engine, state, now)
        lost = trial.culprits(trial.due)
        step = trial.step(np.setdiff1d(trial.due, lost))
        if step is None:
            raise
        return step, trial.coming.take(lost)


class _Trial:
    """The same step again and again, each time of other readings."""

    def __init__(self, engine: Engine, state: dict[str, NDArray[Any]], now: int) -> None:
        self._engine, self._state, self._now = engine, state, now
        self.coming = Readings(**{name: state[f"coming.{name}"] for name in DTYPES})
        is_due = self.coming.time <= now - engine.lateness
        self._later = np.flatnonzero(~is_due)
        order = np.lexsort((self.coming.time, self.coming.slot))
        self.due: Int = order[is_due[order]]
        """Rows that are evaluated, each stay's together."""
        self._left = MOST

    def step(self, rows: Int) -> Step | None:
        """Of these rows and what is not due; None where it fails."""
        kept = self.coming.take(np.union1d(rows, self._later)).columns()
        self._engine.restore(self._state | {f"coming.{name}": column for name, column in kept.items()})
        try:
            return self._engine.step(self._now)
        except Exception:
            return None

    def culprits(self, rows: Int) -> Int:
        """The fewest of these that must be left out, as far as each fails by itself."""
        self._left -= 1
        if not len(rows) or self.step(rows) is not None:
            return rows[:0]
        if len(rows) == 1 or self._left <= 0:
            return rows
        found = np.concatenate([self.culprits(half) for half in np.array_split(rows, 2)])
        return found if len(found) else rows  # they fail only together
