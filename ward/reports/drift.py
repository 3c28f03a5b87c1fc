"""Whether a ward is still what it was: days of now against days of a reference. Pure.

What is compared is time (how long each value was in force), what it is judged by is patients: a thousand
readings of one patient are one patient. A difference counts when it is beyond chance, for as many patients as
there were, *and* large enough to matter; it is told when it has lasted for days (see docs/adr/0030).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ward.reports.tally import MONITORED, PRESENT, QUANTITIES, VITALS, Quantity, total
from ward.signals import INDEX, SIGNALS
from ward.store.feedback import Present
from ward.store.tallies import DAY, Baseline, Tally

Json = dict[str, Any]
Float = NDArray[np.float64]
Aspect = Literal["value", "known", "load"]
WINDOWS: Final = (7, 28)
"""Days that are compared: a short window for what is plain, a long one for what needs many patients."""
LASTING: Final = 3
"""It is told when it was found on each of so many days in a row."""
WATCHED_HOURS: Final = 12
"""A day counts when the ward was watched in at least so many of its hours."""
FEWEST_PATIENTS: Final = 8
"""Nothing is said about fewer, in either period."""
FEWEST_ALERTS: Final = 10
CHANCE_Z: Final = 3.3
"""Standard errors beyond which a difference is not chance: once in a thousand comparisons of independent
patients. There are some twenty comparisons a ward, and neighbouring days have most of their patients in
common; what that comes to is measured by ``python -m benchmarks.drift``."""
CHANCE_KS: Final = 1.95
"""The same for the largest difference of two distributions (Kolmogorov and Smirnov), times √(1/n + 1/m)."""
MATERIAL_PSI: Final = 0.1
"""Population stability index from which a shift matters: the usual first mark of credit scoring (Siddiqi,
Credit Risk Scorecards, 2006). A shift of the mean by a third of a standard deviation makes about that."""
MATERIAL_SHARE: Final = 0.1
"""Share of the time in which a signal or a score is known."""
MATERIAL_RATIO: Final = 1.5
"""Of alerts or interruptions per patient-day, up or down."""
GROUPS: Final = 10
_FLOOR: Final = 0.005
"""A share of nothing is taken as this in the stability index, which would be infinite."""


class Key(NamedTuple):
    what: str
    aspect: Aspect


@dataclass(frozen=True, slots=True)
class Finding:
    """One comparison. ``before`` and ``now``: means, shares, or alerts per patient-day; ``chance``: how far
    the difference is beyond chance (from 1 on it is); ``size``: how large (from 1 on it matters)."""

    key: Key
    days: int
    before: float
    now: float
    chance: float
    size: float
    psi: float | None = None

    @property
    def differs(self) -> bool:
        return self.chance >= 1 and self.size >= 1


@dataclass(frozen=True, slots=True)
class Past:
    """All that is known of a ward. ``alerts`` and ``told`` (interruptions): by day (ms) and stay."""

    tallies: Sequence[Tally]
    stays: Sequence[Present]
    alerts: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    told: Mapping[int, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Window:
    """Some days of a ward. ``sums``: their counts by name; present [stays]: ms of each stay in them; alerts
    and told [stays]."""

    sums: Mapping[str, NDArray[np.int64]]
    present: Float
    alerts: Float
    told: Float

    @property
    def patients(self) -> float:
        """How many patients these are worth: one who was there all the time counts as one, those who were
        there for a part of it as fewer (Kish)."""
        square = float((self.present**2).sum())
        return float(self.present.sum()) ** 2 / square if square else 0.0


def complete(tallies: Sequence[Tally], until: int) -> list[Tally]:
    """Days that are over at ``until`` and in which the ward was watched long enough, in order."""
    return [
        tally
        for tally in sorted(tallies, key=lambda t: t.day)
        if tally.day + DAY <= until
        and sum(seconds > 0 for seconds in tally.counts.get(MONITORED, ())) >= WATCHED_HOURS
    ]


def window(past: Past, days: Sequence[Tally]) -> Window:
    """``days``, not empty, with the stays and alerts of their time."""
    start, end = days[0].day, days[-1].day + DAY
    here = {
        one.stay: min(end, end if one.end is None else one.end) - max(start, one.start)
        for one in past.stays
        if one.start < end and (one.end is None or one.end > start)
    }

    def summed(by_day: Mapping[int, Mapping[str, int]]) -> Float:
        found = dict.fromkeys(here, 0)
        for tally in days:
            for stay, number in by_day.get(tally.day, {}).items():
                if stay in found:  # one who was moved to another ward is that ward's
                    found[stay] += number
        return np.array(list(found.values()), np.float64)

    present = np.array(list(here.values()), np.float64)
    sums = {name: total(days, name) for name in (*(q.name for q in QUANTITIES), MONITORED, PRESENT)}
    return Window(sums, present, summed(past.alerts), summed(past.told))


# --- comparing ------------------------------------------------------------------------------------------


def compare(before: Window, now: Window, days: int) -> list[Finding]:
    """Everything that can be compared; nothing where there are too few patients."""
    n, m = before.patients, now.patients
    if min(n, m) < FEWEST_PATIENTS:
        return []
    spread = 1 / n + 1 / m
    found = []
    for quantity in QUANTITIES:
        first, second = before.sums[quantity.name], now.sums[quantity.name]
        if len(first) == len(second) and first.any() and second.any():
            found.append(_value(quantity, first, second, spread, days))
        if first.any() or second.any():
            found.append(_known(quantity, before, now, spread, days))
    for what, one, other in (("alerts", before.alerts, now.alerts), ("interruptions", before.told, now.told)):
        if max(one.sum(), other.sum()) >= FEWEST_ALERTS:
            found.append(_load(what, (one, before.present), (other, now.present), days))
    return found


def _value(
    quantity: Quantity, first: NDArray[np.int64], second: NDArray[np.int64], spread: float, days: int
) -> Finding:
    """Means and shapes of two distributions. Each patient counts as one draw of her ward's: patients differ
    from each other by less than that, so chance is over-estimated rather than under-estimated."""
    p, q = first / first.sum(), second / second.sum()
    centres = quantity.centres
    mean, other = float(p @ centres), float(q @ centres)
    wide = [float(w @ (centres - at) ** 2) for w, at in ((p, mean), (q, other))]
    error = math.sqrt(max(sum(wide) / 2, quantity.width**2 / 12) * spread)
    gap = float(np.abs(np.cumsum(p) - np.cumsum(q)).max())
    chance = max(abs(other - mean) / error / CHANCE_Z, gap / (CHANCE_KS * math.sqrt(spread)))
    psi = stability_index(p, q)
    return Finding(Key(quantity.name, "value"), days, mean, other, chance, psi / MATERIAL_PSI, psi)


def stability_index(p: Float, q: Float) -> float:
    """Σ (q − p) ln(q / p) over about ten groups of bins that the reference ``p`` fills alike."""
    before = np.concatenate([[0.0], np.cumsum(p)[:-1]])
    group = np.minimum((before + p / 2) * GROUPS, GROUPS - 1).astype(np.int64)
    a, b = (np.maximum(np.bincount(group, weights=w, minlength=GROUPS), _FLOOR) for w in (p, q))
    used = np.bincount(group, weights=p + q, minlength=GROUPS) > 0
    return float(((b - a) * np.log(b / a))[used].sum())


def _known(quantity: Quantity, before: Window, now: Window, spread: float, days: int) -> Finding:
    """The share of the time in which there was a value: of monitored time, for NEWS2 of all time."""
    of = PRESENT if quantity.name == "news2" else MONITORED
    shares = [
        min(float(w.sums[quantity.name].sum()) / max(float(w.sums[of].sum()), 1.0), 1.0)
        for w in (before, now)
    ]
    first, second = shares
    middle = min(max((first + second) / 2, 0.01), 0.99)
    error = math.sqrt(middle * (1 - middle) * spread)
    chance = abs(second - first) / error / CHANCE_Z
    return Finding(
        Key(quantity.name, "known"), days, first, second, chance, abs(second - first) / MATERIAL_SHARE
    )


def _load(what: str, before: tuple[Float, Float], now: tuple[Float, Float], days: int) -> Finding:
    """Ratio of two rates, with the spread between patients, who differ widely (a tenth has half of it)."""
    rates, variance = [], 0.0
    for count, time in (before, now):
        number, spent = float(count.sum()) + 0.5, float(time.sum()) / DAY
        rate = number / spent
        left = count - rate * time / DAY
        variance += max(float((left**2).sum()) / number**2, 1 / number)
        rates.append(rate)
    change = abs(math.log(rates[1] / rates[0]))
    chance = change / math.sqrt(variance) / CHANCE_Z
    return Finding(Key(what, "load"), days, rates[0], rates[1], chance, change / math.log(MATERIAL_RATIO))


# --- what is told ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verdict:
    """``state``: collecting (the reference, or days to compare), compared, or quiet (nothing was watched
    lately). ``findings``: of the last day, by window; ``lasting``: what differs and has for days."""

    state: Literal["collecting", "compared", "quiet"]
    until: int | None = None
    findings: Sequence[Finding] = ()
    lasting: frozenset[Key] = frozenset()
    patients: tuple[float, float] | None = None
    """What the reference and the last week are worth, as numbers of patients."""


def examine(past: Past, baseline: Baseline | None, now: int) -> Verdict:
    """A ward at ``now`` (ms): its last complete days against its baseline (None: not chosen yet)."""
    if baseline is None:
        return Verdict("collecting")
    over = complete(past.tallies, now)
    reference = [t for t in over if baseline.start <= t.day < baseline.end]
    recent = [t for t in over if t.day >= baseline.end]
    if not reference or len(recent) < min(WINDOWS):
        return Verdict("collecting")
    if recent[-1].day + (1 + min(WINDOWS)) * DAY < now:
        return Verdict("quiet", recent[-1].day)
    first = window(past, reference)
    lasting: frozenset[Key] | None = None
    newest: list[Finding] = []
    patients = None
    for back in range(LASTING):
        days = recent[: len(recent) - back]
        windows = {n: window(past, days[-n:]) for n in WINDOWS if _is_dense(days, n)}
        found = [one for n, each in windows.items() for one in compare(first, each, n)]
        if not back:
            newest = found
            patients = first.patients, windows[min(windows)].patients if windows else 0.0
        differing = frozenset(one.key for one in found if one.differs)
        lasting = differing if lasting is None else lasting & differing
    return Verdict("compared", recent[-1].day, newest, lasting or frozenset(), patients)


def _is_dense(days: Sequence[Tally], n: int) -> bool:
    """There are so many, without a gap that is longer than they are."""
    return len(days) >= n and days[-1].day - days[-n].day < 2 * n * DAY


def sentence(found: Finding) -> str:
    """For people: what was, and what is."""
    what, aspect = found.key
    signal = SIGNALS[INDEX[what]] if what in INDEX else None
    if signal is None:
        return f"{what} {found.now:.2g} a patient and day, in the reference {found.before:.2g}"
    if aspect == "known":
        of = "monitored time" if what in VITALS or what == "risk" else "the time"
        return (
            f"{signal.label} is known {found.now:.0%} of {of}, in the reference {found.before:.0%}".replace(
                "%", " %"
            )
        )
    decimals = max(signal.decimals, 1)
    unit = {"score": "", "0..1": ""}.get(signal.unit, f" {signal.unit}")
    now, before = (f"{value:.{decimals}f}{unit}" for value in (found.now, found.before))
    how = "is spread otherwise: on average" if now == before else "is on average"
    return f"{signal.label} {how} {now}, in the reference {before}"
