"""The deterioration score: from what is remembered of a stay to a probability, an interval and reasons.

The model is learned (see ``ward train``) and handed in; without one the risk is not known. It is not
known either where too few of the signals are present: no answer is better than a guess that looks sure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ward.scoring.features import FEATURES, Feature, matrix
from ward.scoring.readings import Bool, Float
from ward.scoring.trends import TRACKED, Float32, Inputs

NEEDED: Final = ("hr", "spo2", "rr", "sbp", "temp")
"""What enough of must be known."""
DECIMALS: Final = 5
"""The risk is rounded to these, so that it does not depend on the last bit of a sum."""
MOST: Final = 9.0
"""Log-odds beyond these are not said: no model knows that well."""

GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "breathing": ("rr",),
    "oxygen": ("spo2",),
    "heart rate": ("hr",),
    "blood pressure": ("sbp", "dbp", "map"),
    "temperature": ("temp",),
}
"""The signals as a clinician groups them."""

_AT_ONCE: Final = 1_024
"""Rows computed together: trees run three times as fast over a table that fits into the processor's cache."""
_NEEDED: Final = [TRACKED.index(name) for name in NEEDED]


class Member(Protocol):
    """A fitted estimator of scikit-learn's kind."""

    def decision_function(self, matrix: Float32) -> Float:
        """Log-odds [n] of features [n, features]."""
        ...


@dataclass(frozen=True, slots=True)
class Spread:
    """How wide the interval is, in log-odds: ``factor`` times the standard deviation of the members, of
    ``least`` (what they share and cannot show) and of ``missing`` for each needed signal that is not present.
    """

    factor: float = 1.645
    least: float = 0.25
    missing: float = 0.25


@dataclass(frozen=True, slots=True)
class Predicted:
    """Of n inputs: value, low and high (0..1), NaN where there is not enough to say."""

    value: Float
    low: Float
    high: Float


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one group of signals adds to the log-odds, against a typical patient's, and what of it is seen."""

    group: str
    log_odds: float
    seen: Seen

    @property
    def words(self) -> str:
        return self.seen.words()


@dataclass(frozen=True, slots=True)
class RiskModel:
    """id: as people refer to it; members with their weights (their sum is 1); the members' mean log-odds,
    times ``slope`` plus ``intercept``, are those of the risk; typical: what most patients have, by signal."""

    id: str
    members: tuple[Member, ...]
    weights: tuple[float, ...]
    typical: Mapping[str, float]
    features: tuple[Feature, ...] = FEATURES
    slope: float = 1.0
    intercept: float = 0.0
    spread: Spread = field(default_factory=Spread)
    need: int = 3
    """So many of ``NEEDED`` must be known, by their present value ..."""
    within: int = 3
    """... or by one of so many newest completed hours."""
    quantiles: tuple[float, ...] = ()
    """The risk at even steps, from the least to the most, of the hours it was learned from; () if unknown."""

    def predict(self, inputs: Inputs) -> Predicted:
        """The risk of n inputs."""
        found = Predicted(*(np.full(len(inputs), np.nan) for _ in range(3)))
        rows = np.flatnonzero(self.enough(inputs))
        if len(rows):
            own = inputs if len(rows) == len(inputs) else inputs.take(rows)
            middle, apart = self._log_odds(own)
            gone = len(NEEDED) - _present(own).sum(axis=1)
            wide = self.spread
            error = np.sqrt(apart**2 + wide.least**2 + gone * wide.missing**2) * wide.factor
            for values, odds in (
                (found.value, middle),
                (found.low, middle - error),
                (found.high, middle + error),
            ):
                values[rows] = np.round(_probability(odds), DECIMALS)
        return found

    def above(self, value: float) -> int | None:
        """How much of the hours it was learned from had a lower risk, %; None where that is not told."""
        if len(self.quantiles) < 2 or np.isnan(value):
            return None
        share = np.searchsorted(self.quantiles, value) / len(self.quantiles)
        return int(100 * share)

    def enough(self, inputs: Inputs) -> Bool:
        """Where enough is known [n] to say anything."""
        lately = ~np.isnan(inputs.hourly[:, : self.within][:, :, _NEEDED]).all(axis=1)
        known: Bool = (_present(inputs) | lately).sum(axis=1) >= self.need
        return known

    def contributions(self, inputs: Inputs) -> list[Contribution]:
        """What speaks for and against, of one input, the greatest first; nothing where there is not enough.

        A group's part is what the log-odds lose when its signals are as a typical patient's, now and in all
        hours that are known.
        """
        if not self.enough(inputs)[0]:
            return []
        variants = [inputs, *(self._as_typical(inputs, signals) for signals in GROUPS.values())]
        every = Inputs(*(np.concatenate(parts) for parts in zip(*map(_arrays, variants), strict=True)))
        odds, _ = self._log_odds(every)
        parts = [
            Contribution(group, round(float(odds[0] - without), 3), seen)
            for (group, signals), without in zip(GROUPS.items(), odds[1:], strict=True)
            if (seen := seen_of(inputs, signals, self.typical)) is not None
        ]
        return sorted(parts, key=lambda part: -abs(part.log_odds))

    def _log_odds(self, inputs: Inputs) -> tuple[Float, Float]:
        """Mean and standard deviation over the members [n], calibrated."""
        parts = []
        for begin in range(0, len(inputs), _AT_ONCE):
            table = matrix(inputs.take(slice(begin, begin + _AT_ONCE)), self.features)
            parts.append([np.asarray(member.decision_function(table), np.float64) for member in self.members])
        each = [np.concatenate(odds) for odds in zip(*parts, strict=True)]
        mean = np.zeros(len(inputs))
        for weight, odds in zip(self.weights, each, strict=True):
            mean += weight * odds
        variance = np.zeros(len(inputs))
        for weight, odds in zip(self.weights, each, strict=True):
            variance += weight * (odds - mean) ** 2
        return self.intercept + self.slope * mean, abs(self.slope) * np.sqrt(variance)

    def _as_typical(self, inputs: Inputs, signals: Sequence[str]) -> Inputs:
        present, hourly = inputs.present.copy(), inputs.hourly.copy()
        for name in signals:
            column = TRACKED.index(name)
            for values in (present[:, column], hourly[:, :, column]):
                values[~np.isnan(values)] = self.typical[name]
        return Inputs(present, hourly)


def _present(inputs: Inputs) -> Bool:
    return ~np.isnan(inputs.present[:, _NEEDED])


def missing(inputs: Inputs) -> list[str]:
    """Needed signals of one input that are not present."""
    return [name for name, there in zip(NEEDED, _present(inputs)[0], strict=True) if not there]


def _arrays(inputs: Inputs) -> tuple[NDArray[Any], NDArray[Any]]:
    return inputs.present, inputs.hourly


def _probability(log_odds: Float) -> Float:
    return 1.0 / (1.0 + np.exp(-np.clip(log_odds, -MOST, MOST)))


# ---------------------------------------------------------------------- in words


@dataclass(frozen=True, slots=True)
class _Said:
    """name: as on a chart; worth: a change of so much is worth saying; decimals, unit: of the number."""

    name: str
    worth: float
    decimals: int = 0
    unit: str = ""


_SAID: Final[dict[str, _Said]] = {
    "hr": _Said("HR", 10),
    "spo2": _Said("SpO2", 2, unit=" %"),
    "rr": _Said("RR", 3),
    "sbp": _Said("Systolic BP", 12),
    "dbp": _Said("Diastolic BP", 10),
    "map": _Said("Mean BP", 10),
    "temp": _Said("Temperature", 0.5, decimals=1, unit=" °C"),
}


Course = Literal["rose", "fell", "steady", "stands", "unmeasured"]


@dataclass(frozen=True, slots=True)
class Seen:
    """What is to be said of one signal, for who says it in another language.

    ``rose``, ``fell``: from ``before`` to ``value`` in ``hours``. ``steady``, ``stands`` (no past is known):
    at ``value``, with ``away`` where that is far from ``typical``. ``unmeasured``: ``value``, ``hours`` old.
    """

    signal: str
    course: Course
    value: float
    before: float | None = None
    hours: int | None = None
    away: Literal["high", "low"] | None = None
    typical: float | None = None

    def words(self) -> str:
        word = _SAID[self.signal]
        value = _number(word, self.value)
        if self.course == "unmeasured":
            return f"{word.name} not measured now; {value} {self.hours} h ago"
        if self.before is not None:
            before = _number(word, self.before)
            return f"{word.name} {self.course} from {before} to {value}{word.unit} in {self.hours} h"
        steady = " steady at" if self.course == "steady" else ""
        typical = f"{_number(word, self.typical)}" if self.typical is not None else ""
        return f"{word.name}{steady} {value}{word.unit}" + (
            f", {self.away} beside a typical {typical}" if self.away else ""
        )


def seen_of(inputs: Inputs, signals: Sequence[str], typical: Mapping[str, float]) -> Seen | None:
    """The first of these signals that is known, of one input: how it changed, or how it stands."""
    for name in signals:
        column = TRACKED.index(name)
        now = float(inputs.present[0, column])
        hours = inputs.hourly[0, :, column].astype(np.float64)
        if not np.isnan(now):
            return _course(name, now, hours, typical[name])
    for name in signals:
        hours = inputs.hourly[0, :, TRACKED.index(name)].astype(np.float64)
        if not np.isnan(hours).all():
            last = int(np.flatnonzero(~np.isnan(hours))[0])
            return Seen(name, "unmeasured", float(hours[last]), hours=last + 1)
    return None


def _course(name: str, now: float, hours: Float, typical: float) -> Seen:
    worth = _SAID[name].worth
    change = now - hours
    known = np.flatnonzero(~np.isnan(change))
    most = np.abs(change[known]).max(initial=0.0)
    if most >= worth:
        # The shortest time in which most of that change came about.
        hour = int(known[np.abs(change[known]) >= 0.8 * most][0])
        course: Course = "rose" if now > hours[hour] else "fell"
        return Seen(name, course, now, before=float(hours[hour]), hours=hour + 1)
    away: Literal["high", "low"] | None = "high" if now > typical + worth else "low"
    if abs(now - typical) <= worth:
        away = None
    return Seen(name, "steady" if len(known) else "stands", now, away=away, typical=typical)


def _number(word: _Said, value: float) -> str:
    return f"{value:.{word.decimals}f}"
