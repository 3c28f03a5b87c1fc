"""Shares of small numbers: how much a count of assessments can say, and the words for it.

Intervals are Jeffreys' (Beta(k + ½, n − k + ½)), which keep their level also near 0 and 1: Brown, Cai,
DasGupta, Statist. Sci. 16 (2001) 101, doi 10.1214/ss/1009213286. Alerts of one patient are not independent
of each other, so n counts less where few patients gave many (Kish's design effect). Pure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from ward.language import Language

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


Kind = Literal[
    "not-assessed",
    "too-few",
    "too-few-patients",
    "mostly-actionable",
    "mostly-artefact",
    "mostly-not-actionable",
    "rarely-actionable",
    "uncertain",
]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What assessments can say: ``actionable`` of ``assessed``, of so many patients; the share is between
    ``low`` and ``high``, both rounded away from what they claim; None where nothing can be said of it."""

    kind: Kind
    actionable: int
    assessed: int
    patients: int
    low: float | None = None
    high: float | None = None

    def words(self, language: Language = "en") -> str:
        """One sentence for people, which says no more than the numbers do."""
        shares = {
            name: percent(share) for name in ("low", "high") if (share := getattr(self, name)) is not None
        }
        return _WORDS[language][self.kind].format(
            of=self.actionable, all=self.assessed, patients=self.patients, **shares
        )


_WORDS: Final[Mapping[Language, Mapping[Kind, str]]] = {
    "en": {
        "not-assessed": "not assessed",
        "too-few": "too few to tell ({of} of {all} actionable)",
        "too-few-patients": "too few patients to tell ({of} of {all} actionable, patients: {patients})",
        "mostly-actionable": "at least {low} actionable",
        "mostly-artefact": "likely mostly artefact",
        "mostly-not-actionable": "likely mostly not actionable",
        "rarely-actionable": "at most {high} actionable",
        "uncertain": "uncertain: {low} to {high} actionable",
    },
    "da": {
        "not-assessed": "ikke vurderet",
        "too-few": "for få til at sige noget ({of} af {all} krævede handling)",
        "too-few-patients": "for få patienter til at sige noget ({of} af {all} krævede handling, "
        "patienter: {patients})",
        "mostly-actionable": "mindst {low} krævede handling",
        "mostly-artefact": "formentlig mest artefakter",
        "mostly-not-actionable": "krævede formentlig mest ingen handling",
        "rarely-actionable": "højst {high} krævede handling",
        "uncertain": "usikkert: {low} til {high} krævede handling",
    },
    "nb": {
        "not-assessed": "ikke vurdert",
        "too-few": "for få til å si noe ({of} av {all} krevde handling)",
        "too-few-patients": "for få pasienter til å si noe ({of} av {all} krevde handling, "
        "pasienter: {patients})",
        "mostly-actionable": "minst {low} krevde handling",
        "mostly-artefact": "trolig mest artefakter",
        "mostly-not-actionable": "krevde trolig mest ingen handling",
        "rarely-actionable": "høyst {high} krevde handling",
        "uncertain": "usikkert: {low} til {high} krevde handling",
    },
}


def verdict(
    assessed: int, patients: int, actionable: Share, not_actionable: Share, artefact: Share
) -> Verdict:
    """Of so many assessments of so many patients, shared out as given."""

    def found(kind: Kind, low: float | None = None, high: float | None = None) -> Verdict:
        return Verdict(kind, actionable.count, assessed, patients, low, high)

    if actionable.low is None or actionable.high is None:
        return found("not-assessed")
    if assessed < LEAST:
        return found("too-few")
    if patients < LEAST_PATIENTS:
        return found("too-few-patients")
    low, high = _down(actionable.low), _up(actionable.high)
    if low >= 0.5:
        return found("mostly-actionable", low, high)
    others: tuple[tuple[Share, Kind], ...] = (
        (artefact, "mostly-artefact"),
        (not_actionable, "mostly-not-actionable"),
    )
    for other, kind in others:
        if other.low is not None and other.low >= 0.5:
            return found(kind, low, high)
    return found("rarely-actionable" if high <= 0.5 else "uncertain", low, high)


def percent(share: float) -> str:
    """``65 %``."""
    return f"{share:.0%}".replace("%", " %")


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
