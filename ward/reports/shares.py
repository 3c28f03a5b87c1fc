"""Shares of small numbers: how much a count of assessments can say, and the words for it.

Intervals are Jeffreys' (Beta(k + ½, n − k + ½)), which keep their level also near 0 and 1: Brown, Cai,
DasGupta, Statist. Sci. 16 (2001) 101, doi 10.1214/ss/1009213286. Alerts of one patient are not independent
of each other, so n counts less where few patients gave many (Kish's design effect). Pure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

LEVEL: Final = 0.9
"""Of intervals: 'at least 60 %' is then wrong about once in 20 times."""
CLUSTER: Final = 0.3
"""Assumed correlation between assessments of two alerts of one rule and one patient. Nobody has measured it
on wards; at 0 ten alerts of one patient would count as ten patients, at 1 as one."""
LEAST: Final = 5
"""Fewer assessments than this tell nothing, whatever they are."""
LEAST_PATIENTS: Final = 3
"""So do those of fewer patients."""
STEP: Final = 0.05
"""Bounds are told in steps of this, rounded away from what they claim."""
_TINY: Final = 1e-300


@dataclass(frozen=True, slots=True)
class Share:
    """``count`` of some; ``share`` and its interval are None where there is nothing to share."""

    count: int
    share: float | None
    low: float | None
    high: float | None


def weight(per_patient: Iterable[int]) -> float:
    """What so many assessments of each patient are worth, as a number of independent ones: n / deff."""
    counts = [n for n in per_patient if n > 0]
    total = sum(counts)
    if not total:
        return 0.0
    size = sum(n * n for n in counts) / total
    return total / (1 + CLUSTER * (size - 1))


def share(count: int, total: int, worth: float) -> Share:
    """``count`` of ``total`` that are worth ``worth`` independent ones."""
    if not total:
        return Share(count, None, None, None)
    k = count / total * worth
    a, b = k + 0.5, worth - k + 0.5
    tail = (1 - LEVEL) / 2
    low = 0.0 if count == 0 else beta_quantile(tail, a, b)
    high = 1.0 if count == total else beta_quantile(1 - tail, a, b)
    return Share(count, count / total, low, high)


def verdict(assessed: int, patients: int, actionable: Share, not_actionable: Share, artefact: Share) -> str:
    """One sentence for people, which says no more than the numbers do."""
    if not assessed:
        return "not assessed"
    of = f"{actionable.count} of {assessed}"
    if assessed < LEAST:
        return f"too few to tell ({of} actionable)"
    if patients < LEAST_PATIENTS:
        return f"too few patients to tell ({of} actionable, {patients} {_patients(patients)})"
    assert actionable.low is not None
    assert actionable.high is not None
    low, high = _down(actionable.low), _up(actionable.high)
    if low >= 0.5:
        return f"at least {low:.0%} actionable".replace("%", " %")
    for found, word in ((artefact, "artefact"), (not_actionable, "not actionable")):
        if found.low is not None and found.low >= 0.5:
            return f"likely mostly {word}"
    if high <= 0.5:
        return f"at most {high:.0%} actionable".replace("%", " %")
    return f"uncertain: {low:.0%} to {high:.0%} actionable".replace("%", " %")


def _patients(n: int) -> str:
    return "patient" if n == 1 else "patients"


def _down(value: float) -> float:
    return math.floor(value / STEP + 1e-9) * STEP


def _up(value: float) -> float:
    return math.ceil(value / STEP - 1e-9) * STEP


# --- many rules -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Prior:
    """Beta(a, b): what is believed of a rule before its own assessments."""

    a: float
    b: float

    def mean(self, count: float, worth: float) -> float:
        """Of the posterior: few assessments leave a rule near the others, many leave it where they put it."""
        return (count + self.a) / (worth + self.a + self.b)


JEFFREYS: Final = Prior(0.5, 0.5)
MEANS: Final = tuple(i / 20 for i in range(1, 20))
STRENGTHS: Final = tuple(2.0**i for i in range(7))
"""1 to 64 assessments: a prior that is worth more would hide what a rule's own say."""


def common_prior(rules: Sequence[tuple[float, float]]) -> Prior:
    """The Beta under which (count, worth) of all rules are most likely; Jeffreys' for fewer than three.

    Empirical Bayes by the beta-binomial's likelihood on a grid; on a plateau the weaker one is taken.
    """
    known = [(k, n) for k, n in rules if n > 0]
    if len(known) < 3:
        return JEFFREYS
    grid = [(strength, mean) for strength in STRENGTHS for mean in MEANS]

    def likelihood(at: tuple[float, float]) -> float:
        strength, mean = at
        a, b = mean * strength, (1 - mean) * strength
        return sum(_log_beta(k + a, n - k + b) - _log_beta(a, b) for k, n in known)

    strength, mean = max(grid, key=likelihood)
    return Prior(mean * strength, (1 - mean) * strength)


# --- Beta -----------------------------------------------------------------------------------------------


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def beta_quantile(p: float, a: float, b: float) -> float:
    """Where Beta(a, b) has a share p below, by halving; a, b > 0; exact to 1e-9."""
    return _halve(lambda x: beta_below(x, a, b) < p)


def _halve(is_below: Callable[[float], bool]) -> float:
    low, high = 0.0, 1.0
    for _ in range(32):
        middle = (low + high) / 2
        low, high = (middle, high) if is_below(middle) else (low, middle)
    return (low + high) / 2


def beta_below(x: float, a: float, b: float) -> float:
    """The share of Beta(a, b) below x: the regularised incomplete beta function, by Lentz's continued
    fraction (Press et al., Numerical Recipes, 6.4)."""
    if not 0 < x < 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):  # the fraction converges quickly on the other side
        return 1 - beta_below(1 - x, b, a)
    front = math.exp(a * math.log(x) + b * math.log1p(-x) - _log_beta(a, b)) / a
    c, d = 1.0, 1 / _apart(1 - (a + b) * x / (a + 1))
    found = d
    for m in range(1, 300):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for step in (even, odd):
            d = 1 / _apart(1 + step * d)
            c = _apart(1 + step / c)
            found *= d * c
        if abs(d * c - 1) < 1e-12:
            break
    return min(front * found, 1.0)


def _apart(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
