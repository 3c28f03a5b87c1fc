"""What is tried: definitions of rules, or one rule over a grid of thresholds and durations.

A *setting* is one whole set of rules to compare with what is in force. All settings share the engine's
columns where their rules agree, so a grid costs columns of one rule and no engine of its own.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from ward.alerts.clauses import format_clause
from ward.alerts.durations import format_duration, parse_duration
from ward.alerts.overrides import merge
from ward.alerts.packs import PackError, check_inhibits, parse_rule, rule_to_dict
from ward.errors import InvalidError
from ward.scoring.rules import Clause, Rule
from ward.signals import INDEX, MINUTE, SIGNALS

MOST_CELLS: Final = 400
"""Cells of a grid."""
LADDER: Final = tuple(minutes * MINUTE for minutes in (1, 2, 5, 10, 15, 20, 30, 60))
"""Durations that are tried where none are named."""
_AROUND: Final = range(-6, 7)
"""Steps of thresholds around the present one that are tried where none are named."""

Definition = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Grid:
    """One rule at every threshold for every duration (ms). ``signal`` says which clause's number it is."""

    rule: str
    signal: str
    thresholds: tuple[float, ...]
    durations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """``definitions``: rules that are put in place of, or beside, those in force (fields left out stay);
    ``threshold`` and ``duration`` (ms) of the grid's rule, None where there is no grid."""

    label: str
    definitions: tuple[Definition, ...] = ()
    grid: Grid | None = None
    threshold: float = math.nan
    duration: int = 0
    only: bool = False
    """The definitions are a whole pack: what is in force beside them goes."""

    def rules(self, in_force: Sequence[Rule], kept: frozenset[str] = frozenset()) -> tuple[Rule, ...]:
        """The set as a stay would have it. ``kept``: ids that stay as they are in this stay.

        Raises InvalidError (or ``PackError``) where the result is no valid set of rules.
        """
        base = {rule.id: rule for rule in in_force}
        found = {} if self.only else dict(base)
        for given in self.definitions:
            if given["id"] not in kept:
                found[given["id"]] = parse_rule(
                    dict(given) if self.only else merge(base.get(given["id"]), given), file="trial"
                )
        if self.grid is not None and self.grid.rule in found.keys() - kept:
            found[self.grid.rule] = self._moved(found[self.grid.rule])
        if problems := check_inhibits({rule.id: rule.inhibits for rule in found.values()}):
            raise PackError("trial", problems)
        return tuple(found.values())

    def _moved(self, rule: Rule) -> Rule:
        """The rule at this threshold and duration; what else names the signal keeps its distance to it."""
        assert self.grid is not None
        at = next(c for c in rule.when if c.signal == self.grid.signal and c.op != "absent")
        by = self.threshold - at.number
        moved = replace(at, number=self.threshold)
        definition = {
            **rule_to_dict(rule),
            "when": [format_clause(moved if c is at else c) for c in rule.when],
            "clear_when": [format_clause(_shifted(c, self.grid.signal, by)) for c in rule.clear_when],
            "for": format_duration(self.duration),
        }
        for name in ("title", "titles"):
            definition.pop(name, None)
        return parse_rule(definition, file="trial")


def _shifted(clause: Clause, signal: str, by: float) -> Clause:
    if clause.signal != signal or clause.op == "absent":
        return clause
    return replace(clause, number=round(clause.number + by, 9))


@dataclass(frozen=True, slots=True)
class Candidates:
    """All settings of one trial; ``rules``: the ids of what is tried, in all of them."""

    settings: tuple[Setting, ...]
    rules: frozenset[str]
    grid: Grid | None = None


def candidates_of(
    definitions: Sequence[Definition],
    grid: Grid | None,
    in_force: Sequence[Rule],
    *,
    only: bool = False,
    bare: bool = False,
) -> Candidates:
    """``definitions`` alone are one setting; with ``grid`` each of its cells is one, on top of them.

    in_force: what any of the stays has. bare: something else
    differs, so that rules may stay as they are. Raises InvalidError for rules that cannot be.
    """
    given = _once(definitions)
    base = Setting("candidate", given, only=only)
    present = base.rules(in_force)
    if grid is None:
        if not given and not bare:
            raise InvalidError("nothing to try: name rules or a grid", field="rules")
        settings = [base]
    else:
        clause = _clause_of(grid.rule, grid.signal, present)
        settings = [
            replace(
                base,
                label=f"{clause.signal} {clause.op} {number:g} for {format_duration(ms)}",
                grid=grid,
                threshold=number,
                duration=ms,
            )
            for number in grid.thresholds
            for ms in grid.durations
        ]
        for setting in settings:
            setting.rules(in_force)
    tried = {str(one["id"]) for one in given} | ({grid.rule} if grid else set())
    if only:
        unchanged = set(present) & set(in_force)
        tried |= {rule.id for rule in in_force}
        tried -= {rule.id for rule in unchanged} - ({grid.rule} if grid else set())
    return Candidates(tuple(settings), frozenset(tried), grid)


def _once(definitions: Sequence[Definition]) -> tuple[Definition, ...]:
    ids = Counter(str(given["id"]) for given in definitions)
    if repeated := sorted(rule for rule, count in ids.items() if count > 1):
        raise InvalidError(f"the same rule twice: {', '.join(repeated)}", field="rules")
    return tuple(definitions)


def grid_of(
    rule: str,
    thresholds: Sequence[float],
    durations: Sequence[str],
    signal: str | None,
    rules: Sequence[Rule],
) -> Grid:
    """A grid as asked for, of one of ``rules``. Without thresholds: 13 steps around the present one; without
    durations: 1 min to 1 h. ``signal`` may be left out where the rule compares once. Raises InvalidError."""
    clause = _clause_of(rule, signal, rules)
    numbers = tuple(dict.fromkeys(float(n) for n in thresholds)) or _around(clause)
    if not all(math.isfinite(number) for number in numbers):
        raise InvalidError("a threshold must be a finite number", field="grid.thresholds")
    lengths = tuple(dict.fromkeys(_length(text) for text in durations)) or LADDER
    if len(numbers) * len(lengths) > MOST_CELLS:
        raise InvalidError(
            f"the grid is too large: {len(numbers)} thresholds × {len(lengths)} durations; "
            f"at most {MOST_CELLS} cells",
            field="grid",
        )
    return Grid(rule, clause.signal, numbers, lengths)


def _clause_of(rule: str, signal: str | None, rules: Sequence[Rule]) -> Clause:
    """The one clause whose number is the threshold."""
    own = next((r for r in rules if r.id == rule), None)
    if own is None:
        raise InvalidError(f"no rule {rule} to vary", field="grid.rule")
    compared = [c for c in own.when if c.op != "absent"]
    found = [c for c in compared if signal in (None, c.signal)]
    if len(found) != 1:
        listed = ", ".join(format_clause(c) for c in compared) or "none"
        raise InvalidError(
            f"which threshold of rule {rule}? Name a signal that it compares once; its comparisons: {listed}",
            field="grid.signal",
        )
    return found[0]


def _around(clause: Clause) -> tuple[float, ...]:
    signal = SIGNALS[INDEX[clause.signal]]
    step = 10.0**-signal.decimals
    low, high = signal.possible
    numbers = (round(clause.number + n * step, 6) for n in _AROUND)
    return tuple(number for number in numbers if low <= number <= high)


def _length(text: str) -> int:
    try:
        ms = parse_duration(text)
    except ValueError as error:
        raise InvalidError(f"duration {text!r}: allowed is {error}", field="grid.for") from None
    if ms <= 0:
        raise InvalidError(f"duration {text!r}: must be more than 0", field="grid.for")
    return ms


def parse_grid(text: str, rules: Sequence[Rule]) -> Grid:
    """``spo2-below-88``, ``spo2-below-88: 84..92 × 1m,5m,10m`` or, where a rule compares several signals,
    ``sbp-below-100-hr-above-110 hr: 100..120/5 × 10m,30m``. ``x`` or ``*`` may stand for ``×``."""
    head, _, tail = text.partition(":")
    rule, _, signal = head.strip().partition(" ")
    numbers, _, lengths = tail.replace("*", "×").replace(" x ", " × ").partition("×")
    thresholds = [n for part in numbers.split(",") if part.strip() for n in _span(part.strip())]
    durations = [part.strip() for part in lengths.split(",") if part.strip()]
    return grid_of(rule, thresholds, durations, signal.strip() or None, rules)


def _span(text: str) -> list[float]:
    """``88``, ``84..92`` (in steps of 1) or ``100..120/5``."""
    ends, _, step_text = text.partition("/")
    low_text, dots, high_text = ends.partition("..")
    try:
        low = float(low_text)
        high, step = (float(high_text), float(step_text or 1)) if dots else (low, 1.0)
        count = (high - low) / step if math.isfinite(high + low + step) and step > 0 else -1.0
    except (ValueError, OverflowError):
        count = -1.0
    if not 0 <= count <= MOST_CELLS:
        raise InvalidError(f"thresholds {text!r}: must be such as 88, 84..92 or 100..120/5", field="grid")
    return [round(low + n * step, 9) for n in range(int(count + 1e-9) + 1)]
