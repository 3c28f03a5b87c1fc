"""docs/performance.md from docs/performance.json: the text says what the figures say, and nothing else. Pure,
but for the pictures."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from benchmarks.figures import Figure, Part, Series, Table, number, quantity, verdict
from benchmarks.suite import PARTS, Entry, Made
from ward.evaluation.plots import save

NAME: Final = "performance"
GROWING: Final = frozenset("12345")
"""Items whose growth is item 10."""
NOTES: Final = "performance-notes.md"


@dataclass(frozen=True, slots=True)
class Paper:
    """A run of the suite. ``machine``: what it ran on, by name; ``parts`` in the table's order."""

    date: str
    seconds: float
    machine: dict[str, str]
    parts: tuple[Made, ...] = ()

    def of(self, name: str) -> Made | None:
        return next((made for made in self.parts if made.name == name), None)


def text(paper: Paper) -> str:
    blocks = [*_head(paper), *_targets(paper)]
    for entry in PARTS:
        blocks += _part(entry, paper.of(entry.name))
    return "\n\n".join([*blocks, *_growth(paper), *_how(paper)]) + "\n"


def _head(paper: Paper) -> Iterator[str]:
    yield "# Performance"
    yield (
        "This page is written by `make bench` from what it measured; nobody edits it. Each figure is the "
        "median of several rounds, in which what is measured and what it is against take turns, with the "
        "least and the greatest round. Ratios (×) are the median of the rounds' own ratios. Seconds of "
        "processor are those of the processes measured. What was tried to get here, and what did not help: "
        f"[performance-notes.md]({NOTES})."
    )
    machine = "; ".join(f"{name} {value}" for name, value in paper.machine.items())
    took = f"{paper.seconds / 60:.0f} minutes" if paper.seconds >= 90 else f"{paper.seconds:.0f} s"
    yield f"Measured {paper.date}, in {took}. {machine}."
    if any(made.quick for made in paper.parts):
        yield "**Some of this is of a quick run (`--quick`): small and of few rounds, no measurement.**"


def _targets(paper: Paper) -> Iterator[str]:
    yield "## Targets"
    rows = []
    for entry in PARTS:
        made = paper.of(entry.name)
        if made is None or made.part is None:
            rows.append((entry.item, entry.title, "", "", "", f"**no figure**: {_absent(made)}"))
            continue
        aims = (one for one in (*made.part.figures, *made.part.series) if one.target is not None)
        rows += [(entry.item, *_aim(one)) for one in aims]
    met = sum(1 for row in rows if row[-1] == "met")
    yield f"{met} of {len(rows)} are met."
    yield _grid(("", "what", "target", "measured", "against", ""), rows)


def _aim(one: Figure | Series) -> tuple[str, ...]:
    assert one.target is not None
    bound = one.target.bound
    said = verdict(one.met) + (f": {one.why}" if one.why and not one.met else "")
    if isinstance(one, Series):
        return (
            f"growth of {one.name}, exponent",
            f"{one.target.sign} {number(bound)}",
            f"{one.exponent:.2f}",
            one.across,
            said,
        )
    return (
        one.what,
        f"{one.target.sign} {quantity(bound, one.unit)}",
        quantity(one.value, one.unit),
        one.against,
        said,
    )


def _part(entry: Entry, made: Made | None) -> Iterator[str]:
    yield f"## {f'{entry.item}. ' if entry.item.isdigit() else ''}{entry.title}"
    if made is None or made.part is None:
        yield f"**Not measured**: {_absent(made)}."
        return
    part = made.part
    yield part.text
    yield _figures(part)
    for each in part.tables:
        yield from _table(each)
    if part.series:
        yield f"![{part.title} by size](images/{NAME}/{part.name}.svg)"
    if part.unmeasured:
        yield "\n".join(f"- Not measured: {each}" for each in part.unmeasured)
    beside = "; ".join(f"{name} {version}" for name, version in (part.versions or {}).items())
    yield (
        f"`{part.command}`, {made.date}, {made.seconds:.0f} s, load {made.load:g} when it began"
        f"{f'; {beside}' if beside else ''}{'; quick' if made.quick else ''}."
    )


def _absent(made: Made | None) -> str:
    return "it was not run" if made is None else f"it failed ({made.failure})"


def _figures(part: Part) -> str:
    rows = []
    for f in part.figures:
        low, high = f.spread
        aim = f"{f.target.sign} {quantity(f.target.bound, f.unit)}: {verdict(f.met)}" if f.target else ""
        rows.append(
            (
                f.what,
                quantity(f.value, f.unit),
                f"{number(low)} to {number(high)}",
                str(f.rounds),
                f.against,
                aim,
            )
        )
    return _grid(("what", "median", "least to greatest", "rounds", "against", "target"), rows)


def _table(each: Table) -> Iterator[str]:
    yield f"**{each.title}**"
    yield _grid(each.columns, each.rows)
    if each.note:
        yield each.note


def _grid(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def growing(paper: Paper) -> list[tuple[Entry, Series]]:
    """The series of items 1 to 5."""
    found = []
    for entry in PARTS:
        made = paper.of(entry.name)
        if entry.item in GROWING and made is not None and made.part is not None:
            found += [(entry, series) for series in made.part.series]
    return found


def _growth(paper: Paper) -> Iterator[str]:
    yield "## 10. Growth"
    found = growing(paper)
    if not found:
        yield "**Not measured**: no part of items 1 to 5 gave figures at several sizes."
        return
    yield (
        "The exponent is the slope of a straight line through the points on the log-log plots above: 1 is "
        "linear, 0 is no growth, less than 1 means that a fixed cost weighs less the larger the size."
    )
    rows = [
        (
            entry.item,
            s.name,
            s.measure,
            s.across,
            "; ".join(f"{number(x)}: {number(y)}" for x, y in zip(s.x, s.y, strict=True)),
            f"{s.exponent:.2f}",
            f"{s.target.sign} {number(s.target.bound)}: {verdict(s.met)}" if s.target else "",
        )
        for entry, s in found
    ]
    yield _grid(("", "what", "measured", "by", "points", "exponent", "target"), rows)


def _how(paper: Paper) -> Iterator[str]:
    yield "## Again"
    yield (
        "`make bench` measures all of it and writes this page; `python -m benchmarks tick peers` only some "
        "parts, and the others stay; `python -m benchmarks.tick --help` shows what a part can be asked for. "
        "The suite starts what it measures beside; what is not installed is said to be missing."
    )


# ---------------------------------------------------------------------- pictures


def draw(paper: Paper, folder: Path) -> None:
    """One SVG a part with series, below ``folder``; those that no part has any more go."""
    wanted = {
        made.name: partial(plot, made.part.series)
        for made in paper.parts
        if made.part is not None and made.part.series
    }
    save(wanted, folder)
    for path in folder.glob("*.svg"):
        if path.stem not in wanted:
            path.unlink()


def axes_of(series: Sequence[Series]) -> Mapping[tuple[str, str], list[Series]]:
    """Those that share a plot: the same axes."""
    grouped: dict[tuple[str, str], list[Series]] = defaultdict(list)
    for one in series:
        grouped[one.across, one.measure].append(one)
    return grouped


def plot(series: Sequence[Series], figure: Any) -> None:
    """Log-log, the points and the fitted line of each."""
    grouped = axes_of(series)
    figure.set_size_inches(max(4.2, 4.0 * len(grouped)), 3.2)
    for axes, ((across, measure), mine) in zip(
        figure.subplots(1, len(grouped), squeeze=False)[0], grouped.items(), strict=True
    ):
        for one in mine:
            slope = one.exponent
            label = one.name if math.isnan(slope) else f"{one.name}: exponent {slope:.2f}"
            (dots,) = axes.plot(one.x, one.y, "o", markersize=4, label=label)
            if not math.isnan(slope):
                axes.plot(*_line(one), color=dots.get_color(), linewidth=0.9)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel(across)
        axes.set_ylabel(measure)
        axes.legend(fontsize=7, frameon=False)


def _line(one: Series) -> tuple[list[float], list[float]]:
    """The fitted line from the least to the greatest size."""
    slope = one.exponent
    centre = math.fsum(map(math.log, one.x)) / len(one.x), math.fsum(map(math.log, one.y)) / len(one.y)
    ends = [min(one.x), max(one.x)]
    return ends, [math.exp(centre[1] + slope * (math.log(x) - centre[0])) for x in ends]
