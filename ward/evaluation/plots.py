"""Pictures of the report as SVG: the same figures give the same bytes. matplotlib is imported only here, and
only when something is drawn."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ward.errors import InvalidError
from ward.evaluation.section import Draw
from ward.ingest.recordings import Recording
from ward.lifetime import Life
from ward.signals import HOUR, INDEX, MINUTE, SIGNALS

BINS: Final = 200
"""Of a time line: what is drawn are medians and extremes of bins, never single readings."""
LARGEST: Final = 200_000
"""bytes"""
COLOURS: Final = {"high": "#c62828", "medium": "#ef8f00", "low": "#0288a7"}
_STYLE: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "ward",
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "path.simplify": True,
}
_COORDINATE: Final = re.compile(r"(\d\.\d)\d+")
"""A tenth of a point is more than anybody sees, and half of the file."""
_META: Final = {"Date": None, "Creator": None}


def save(pictures: Mapping[str, Draw], folder: Path) -> list[str]:
    """One SVG a picture; returns the names of those larger than ``LARGEST``. Raises InvalidError where
    matplotlib is not installed."""
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError:
        raise InvalidError(
            "drawing needs matplotlib: pip install matplotlib (make setup-dev has it)"
        ) from None
    folder.mkdir(parents=True, exist_ok=True)
    large = []
    for name, draw in pictures.items():
        with rc_context(_STYLE):
            figure = Figure(figsize=(8, 4.5), layout="constrained")
            draw(figure)
            path = folder / f"{name}.svg"
            figure.savefig(path, metadata=_META)
        path.write_text(_COORDINATE.sub(r"\1", path.read_text("utf-8")), "utf-8")
        if path.stat().st_size > LARGEST:
            large.append(name)
    return large


# ---------------------------------------------------------------------- time lines


@dataclass(frozen=True, slots=True)
class Stretch:
    """A recording from ``begin`` to ``end`` (ms; None: its own), with the alerts of a life drawn in."""

    recording: Recording
    life: Life
    begin: int | None = None
    end: int | None = None

    @property
    def span(self) -> tuple[int, int]:
        own = self.recording
        begin = int(own.time[0]) if self.begin is None else self.begin
        return begin, int(own.rows[-1]) if self.end is None else self.end


def stretch(figure: Any, what: Stretch) -> None:
    """One row a signal; a band from the least to the greatest of each bin, a line through the medians. Alerts
    as bars of their priority's colour, technical ones grey; each interruption a line with its rule's name."""
    stretches(figure, [what])


def stretches(figure: Any, columns: Sequence[Stretch]) -> None:
    """Several beside each other, the same signals in each."""
    order = ("hr", "pr", "spo2", "rr", "sbp", "pi") if len(columns) == 1 else ("hr", "pr", "spo2", "rr")
    present = {int(s) for each in columns for s in np.unique(each.recording.signal)}
    names = [name for name in order if INDEX[name] in present]
    figure.set_size_inches(max(8.0, 3.2 * len(columns)), 1.0 + 1.05 * len(names))
    grid = figure.subplots(len(names), len(columns), sharex="col", squeeze=False)
    for column, each in enumerate(columns):
        unit, word = (HOUR, "h") if each.span[1] - each.span[0] > 2 * HOUR else (MINUTE, "min")
        for row, name in enumerate(names):
            axes = grid[row][column]
            _signal(axes, each, name, unit, max(70, BINS // len(columns)))
            _alerts(axes, each, unit, titles=row == 0)
            if column == 0:
                axes.set_ylabel(f"{name}\n{SIGNALS[INDEX[name]].unit}")
        grid[-1][column].set_xlabel(f"{each.recording.stay}: {word} from the recording's zero")


def _signal(axes: Any, what: Stretch, name: str, unit: int, bins: int) -> None:
    begin, end = what.span
    own = what.recording
    mine = (own.signal == INDEX[name]) & (own.time >= begin) & (own.time <= end)
    centre, low, middle, high = binned(own.time[mine], own.value[mine], begin, end, bins)
    axes.fill_between(centre / unit, low, high, color="#5b7fa6", alpha=0.35, linewidth=0)
    axes.plot(centre / unit, middle, color="#1f4e79", linewidth=0.7, marker=_marker(middle), markersize=2)
    axes.set_xlim(begin / unit, end / unit)


def _marker(values: NDArray[np.float64]) -> str:
    """Sparse values are dots: a line needs neighbours."""
    known = ~np.isnan(values)
    return "." if (known[1:] & known[:-1]).sum() < known.sum() / 2 else ""


def binned(
    time: NDArray[np.int64], value: NDArray[np.float64], begin: int, end: int, bins: int = BINS
) -> tuple[NDArray[np.float64], ...]:
    """Centre, least, median, greatest of each bin; NaN where a bin holds nothing."""
    width = max(1, -(-(end - begin + 1) // bins))
    place = (time - begin) // width
    low, middle, high = (np.full(bins, np.nan) for _ in range(3))
    order = np.argsort(place, kind="stable")
    parts = np.split(value[order], np.flatnonzero(np.diff(place[order])) + 1) if len(value) else []
    for cell, part in zip(np.unique(place).tolist(), parts, strict=True):
        low[cell], middle[cell], high[cell] = part.min(), np.median(part), part.max()
    centre = begin + (np.arange(bins, dtype=np.float64) + 0.5) * float(width)
    return centre, low, middle, high


def _alerts(axes: Any, what: Stretch, unit: int, *, titles: bool) -> None:
    begin, end = what.span
    for alert in what.life.alerts:
        if alert.raised_at is None or alert.raised_at > end:
            continue
        over = min(end, alert.cleared_at if alert.cleared_at is not None else end)
        if over >= begin:
            colour = "#777777" if alert.kind == "technical" else COLOURS[alert.priority]
            axes.axvspan(alert.raised_at / unit, over / unit, color=colour, alpha=0.22, linewidth=0)
    for call in what.life.interruptions:
        if not begin <= call.at <= end:
            continue
        colour = "#777777" if call.kind == "technical" else COLOURS[call.priority]
        axes.axvline(call.at / unit, color=colour, linewidth=0.9)
        if titles:
            axes.annotate(
                call.rule.partition(":")[0],
                (call.at / unit, 1.02),
                xycoords=("data", "axes fraction"),
                rotation=35,
                fontsize=6,
                color=colour,
            )


# ---------------------------------------------------------------------- load against recall


@dataclass(frozen=True, slots=True)
class Point:
    """``interval``: of the recall, 95 %."""

    name: str
    load: float
    recall: float
    interval: tuple[float, float] | None = None
    chosen: bool = False


def load_recall(
    figure: Any, points: Sequence[Point], title: str, curves: Mapping[str, Any] | None = None
) -> None:
    """Interruptions a patient-day against the share of events with one in their window."""
    axes = figure.subplots()
    for name, (loads, recalls) in (curves or {}).items():
        axes.plot(loads, recalls, linewidth=1, label=name)
    for point in points:
        colour = "#c62828" if point.chosen else "#1f4e79"
        if point.interval is not None:
            axes.plot([point.load] * 2, point.interval, color=colour, linewidth=0.8, alpha=0.6)
        axes.plot([point.load], [point.recall], "o" if point.chosen else ".", color=colour)
        axes.annotate(point.name, (point.load, point.recall), (4, 3), textcoords="offset points", fontsize=6)
    axes.set_xlabel("interruptions a patient-day")
    axes.set_ylabel("events with one in their window")
    axes.set_xlim(left=0)
    axes.set_ylim(0, 1)
    axes.set_title(title, fontsize=9)
    if curves:
        axes.legend(fontsize=6, frameon=False)
