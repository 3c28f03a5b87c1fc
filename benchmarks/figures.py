"""What a part of the suite (``python -m benchmarks``) answers with: figures and what they are against. Pure.

A part is a module of this package with a function ``part(quick: bool) -> Part`` and a line in
``benchmarks.suite.PARTS``. It measures in turn what is measured and what it is beside, at least ``ROUNDS``
times, and makes its figures of the rounds, never of a single one:

    mine, beside = paired(rounds, tick, copy)                  # seconds of processor, one number a round
    Figure.of("a tick", mine * 1000, "ms", against="…")        # the median, with the least and the greatest
    Figure.ratio("a tick", mine, beside, against="a copy", target=at_most(3))    # the median of the ratios

Whether a target is met is computed from the figure: nobody writes it. ``why`` says, where it is not, what is
in the way. ``Series`` are for growth: four sizes or more, with the exponent that fits them on a log-log plot.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

ROUNDS: Final = 5
"""Fewer are no median; ``--quick`` may take fewer, and the paper then says that it is no measurement."""
Sign = Literal["≤", "≥", "<", ">"]


@dataclass(frozen=True, slots=True)
class Target:
    sign: Sign
    bound: float

    def met_by(self, value: float) -> bool:
        """NaN meets nothing."""
        if self.sign in ("≤", "≥"):
            return value <= self.bound if self.sign == "≤" else value >= self.bound
        return value < self.bound if self.sign == "<" else value > self.bound


def at_most(bound: float) -> Target:
    return Target("≤", bound)


def at_least(bound: float) -> Target:
    return Target("≥", bound)


def under(bound: float) -> Target:
    return Target("<", bound)


@dataclass(frozen=True, slots=True)
class Figure:
    """``value``: the median of so many rounds; ``spread``: the least and the greatest. ``unit`` × is a ratio
    to ``against``. ``why``: one sentence, where the target is not met."""

    what: str
    value: float
    unit: str
    against: str
    spread: tuple[float, float]
    rounds: int
    target: Target | None = None
    why: str = ""

    @classmethod
    def of(
        cls,
        what: str,
        values: ArrayLike,
        unit: str,
        against: str = "",
        target: Target | None = None,
        why: str = "",
    ) -> Figure:
        """Of one number a round. Raises ValueError where there is none."""
        rounds = np.asarray(values, np.float64).ravel()
        if not len(rounds):
            raise ValueError(f"{what}: no rounds")
        spread = float(rounds.min()), float(rounds.max())
        return cls(what, float(np.median(rounds)), unit, against, spread, len(rounds), target, why)

    @classmethod
    def ratio(
        cls,
        what: str,
        mine: ArrayLike,
        beside: ArrayLike,
        against: str,
        target: Target | None = None,
        why: str = "",
    ) -> Figure:
        """The median of the ratios of each round, not the ratio of the medians."""
        pairs = np.asarray(mine, np.float64) / np.asarray(beside, np.float64)
        return cls.of(what, pairs, "×", against, target, why)

    @property
    def met(self) -> bool | None:
        """None: there is no target."""
        return None if self.target is None else self.target.met_by(self.value)


@dataclass(frozen=True, slots=True)
class Table:
    """More than a figure says: a delay's budget, what a peer cannot express. Cells are ready text."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """How something grows. ``across`` and ``measure`` are the axes, each with its unit; ``y`` holds the
    median at each of ``x``. ``target``: of the exponent."""

    name: str
    across: str
    measure: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    target: Target | None = None
    why: str = ""

    @property
    def exponent(self) -> float:
        return exponent(self.x, self.y)

    @property
    def met(self) -> bool | None:
        return None if self.target is None else self.target.met_by(self.exponent)


@dataclass(frozen=True, slots=True)
class Part:
    """``text``: one or two paragraphs of Markdown: what was done, on what data, beside what; a peer's
    configuration as a link from docs/. ``versions``: of what was measured beside, by name. ``unmeasured``:
    what could not be and why, a sentence each (a peer that is not installed)."""

    name: str
    title: str
    text: str
    command: str
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    series: tuple[Series, ...] = ()
    versions: dict[str, str] | None = None
    unmeasured: tuple[str, ...] = ()


def exponent(x: ArrayLike, y: ArrayLike) -> float:
    """The slope of the line through the logarithms: 1 is linear. NaN for fewer than two different sizes, or
    what is not positive."""
    over, of = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if len(np.unique(over)) < 2 or (over <= 0).any() or not (of > 0).all():
        return math.nan
    return float(np.polyfit(np.log(over), np.log(of), 1)[0])


def processor(work: Callable[[], object]) -> float:
    """Seconds of this process: other work on the machine does not count."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def clock(work: Callable[[], object]) -> float:
    """Seconds of the wall's clock: for what waits for others."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def paired(
    rounds: int, *works: Callable[[], object], taken: Callable[[Callable[[], object]], float] = processor
) -> NDArray[np.float64]:
    """Each in turn, round by round; one row a work, one column a round, seconds."""
    return np.array([[taken(work) for work in works] for _ in range(rounds)]).T


def number(value: float) -> str:
    """Three digits that count: 0.0123, 1.23, 12.3, 1,230."""
    if not math.isfinite(value):
        return "unknown"
    if value == 0 or abs(value) >= 1e15:
        return f"{value:g}"
    rounded = float(f"{value:.3g}")
    places = max(0, 2 - math.floor(math.log10(abs(rounded))))
    text = f"{rounded:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def quantity(value: float, unit: str) -> str:
    """With its unit; a ratio's × stands close."""
    return f"{number(value)}{'' if unit in ('×', '') else ' '}{unit}"


def table(part: Part) -> str:
    """Its figures as text, for whoever runs one part by itself."""
    lines = [part.title]
    for f in part.figures:
        aim = (
            "" if f.target is None else f"; target {f.target.sign} {number(f.target.bound)}: {verdict(f.met)}"
        )
        low, high = f.spread
        beside = f", against {f.against}" if f.against else ""
        lines.append(
            f"  {f.what}: {quantity(f.value, f.unit)} ({number(low)} to {number(high)}, {f.rounds} rounds)"
            f"{beside}{aim}"
        )
    for s in part.series:
        points = ", ".join(f"{number(x)}: {number(y)}" for x, y in zip(s.x, s.y, strict=True))
        lines.append(f"  {s.name}: {s.measure} by {s.across}: {points}; exponent {s.exponent:.2f}")
    for one in part.tables:
        lines += [f"  {one.title}", *("    " + " | ".join(row) for row in (one.columns, *one.rows))]
    return "\n".join([*lines, *(f"  not measured: {each}" for each in part.unmeasured)])


def verdict(met: bool | None) -> str:
    return {None: "", True: "met", False: "**not met**"}[met]
