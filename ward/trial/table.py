"""A trial's answer as text: for people at a terminal, and a flat row a setting for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from ward.trial.run import Json

MOST_LINES: Final = 40
"""Settings in a table that is read; of more, only those that no other beats."""

COLUMNS: Final[tuple[str, ...]] = (
    "label", "threshold", "for_s", "alerts", "alerts_per_day", "alerts_per_day_low", "alerts_per_day_high",
    "interruptions_per_day", "all_alerts_per_day", "alert_hours_per_day", "gained", "lost", "delay_s_median",
    "delay_s_p90", "caught", "recall", "recall_low", "recall_high", "true", "false", "precision",
    "precision_low", "precision_high", "lead_s_median", "stays_without", "per_day_median", "per_day_p90",
    "per_day_most", "top_tenth_share", "cost_per_day", "on_front",
)  # fmt: skip


def flat(row: Json) -> Json:
    """One setting by ``COLUMNS``; None is an empty cell."""
    spread = row["distribution"]
    found: Json = {name: row[name] for name in COLUMNS if name in row}
    for name in ("alerts_per_day", "recall", "precision"):
        low, high = row[f"{name}_interval"] or (None, None)
        found |= {f"{name}_low": low, f"{name}_high": high}
    for name in ("delay_s", "lead_s"):
        found |= {f"{name}_{part}": (row[name] or {}).get(part) for part in ("median", "p90")}
    found |= {
        "for_s": row["for"],
        "stays_without": spread["without"],
        "per_day_median": spread["median"],
        "per_day_p90": spread["p90"],
        "per_day_most": spread["most"],
        "top_tenth_share": spread["top_tenth_share"],
    }
    return {name: found[name] for name in COLUMNS}


def lines(answer: Json) -> list[str]:
    """To be printed."""
    return list(_lines(answer))


def _lines(answer: Json) -> Iterator[str]:
    events = answer["events"]
    yield (
        f"{answer['stays']} stays, {answer['patient_days']:.2f} patient-days ({answer['denominator']}), "
        f"{answer['readings']} readings"
    )
    yield f"tried: {', '.join(answer['rules']) or 'nothing that differs'}"
    yield f"judged by {events['count']} {events['kind']} events of {events['stays']} stays"
    yield events["meaning"]
    yield ""
    marks = _marks(answer["suggestion"] or {})
    rows = answer["settings"]
    if len(rows) > MOST_LINES:
        shown = [r for r in rows if r["on_front"]] or _by_recall(rows)
        yield f"{len(rows)} settings; these no other beats (all of them: --output FILE.csv or .json)"
        rows = shown[:MOST_LINES]
    yield from _table([answer["in_force"], *rows], marks)
    yield ""
    yield "a day, h in alert, interruptions, cost: per patient-day; in brackets 95 % intervals"
    if answer["suggestion"] is not None:
        yield ""
        yield from _suggested(answer["suggestion"])


def _by_recall(rows: list[Json]) -> list[Json]:
    """Without a wish there is no front: those that more recall needs more alerts for."""
    best, found = -1.0, []
    for row in sorted(rows, key=lambda r: (r["alerts"], -(r["recall"] or 0.0))):
        if (row["recall"] or 0.0) > best:
            best = row["recall"] or 0.0
            found.append(row)
    return found


def _number(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _with_interval(row: Json, name: str) -> str:
    interval = row[f"{name}_interval"]
    text = _number(row[name])
    return f"{text} ({interval[0]:.2f}–{interval[1]:.2f})" if interval else text


def _span(seconds: Json | None) -> str:
    """A median in the unit that suits it."""
    if seconds is None:
        return "–"
    value = seconds["median"]
    size = abs(value)
    if size >= 7_200:
        return f"{value / 3_600:.1f} h"
    return f"{value / 60:.1f} min" if size >= 120 else f"{value:.0f} s"


_HEADS: Final[tuple[tuple[str, Callable[[Json], str]], ...]] = (
    ("alerts a day", lambda row: _with_interval(row, "alerts_per_day")),
    ("h in alert", lambda row: _number(row["alert_hours_per_day"])),
    ("interruptions", lambda row: _number(row["interruptions_per_day"])),
    ("gained", lambda row: str(row["gained"])),
    ("lost", lambda row: str(row["lost"])),
    ("delay", lambda row: _span(row["delay_s"])),
    ("recall", lambda row: _with_interval(row, "recall")),
    ("precision", lambda row: _with_interval(row, "precision")),
    ("lead", lambda row: _span(row["lead_s"])),
    ("cost", lambda row: _number(row["cost_per_day"])),
)


def _marks(suggestion: Json) -> dict[str, str]:
    """Label to what stands behind it."""
    named = {"cheapest": " <- costs least", "chosen": " <- suggested"}
    return {suggestion[which]["label"]: text for which, text in named.items() if suggestion.get(which)}


def _table(rows: list[Json], marks: dict[str, str]) -> Iterator[str]:
    cells = [["", *(name for name, _ in _HEADS)]]
    cells += [
        [row["label"] + marks.get(row["label"], ""), *(read(row) for _, read in _HEADS)] for row in rows
    ]
    widths = [max(len(line[n]) for line in cells) for n in range(len(cells[0]))]
    for line in cells:
        first, *rest = line
        padded = [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        yield "  ".join([first.ljust(widths[0]), *padded]).rstrip()


def _suggested(suggestion: Json) -> Iterator[str]:
    wanted = f"{suggestion['wanted_per_day']:g} {suggestion['of']} a patient-day"
    chosen: Any = suggestion["chosen"]
    yield f"suggestion for {wanted}: {chosen['label'] if chosen else 'none'}"
    held = suggestion["held_out"]
    if held is not None:
        yield (
            f"  chosen on half of the stays, on the other: {held['per_day']:.2f} a day, "
            f"{held['caught']} of {held['events']} events heard"
        )
    for note in suggestion["notes"]:
        yield f"  {note}"
