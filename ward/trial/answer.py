"""The answer of a trial: figures with their denominators and how sure they are, as JSON-ready values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ward.alerts.packs import rule_to_dict
from ward.scoring.readings import Bool, Float, Int
from ward.scoring.sustain import NEVER
from ward.signals import HOUR, SECOND
from ward.trial.candidates import Candidates
from ward.trial.detail import detail
from ward.trial.events import STANDS
from ward.trial.outcome import DAY, FEW_STAYS, Measured, Row, load_intervals, wilson
from ward.trial.suggest import MISS_COST, Suggestion, Wish, costs
from ward.trial.sweep import Alerts, Found, Sets

Json = dict[str, Any]

FEW_EVENTS: Final = 20
"""With fewer, one event more or less moves recall by more than five points."""
PROXY: Final = (
    "Nothing is labelled. Recall is that of a stand-in: the share of sustained severe events{titles} "
    "during which an alert of the rules tried was raised, or stood that was raised at most {stands:g} h "
    "before. It says nothing of patients who get worse without such an event; 'false' is then every alert "
    "away from one, among them good ones."
)
LABELLED: Final = (
    "Recall is the share of labelled events with an alert of the rules tried raised within {window:g} h "
    "before; an alert raised within {after:g} h after one counts neither way, any other is false."
)
DENOMINATOR: Final = "monitored time in which at least one vital sign was known"


@dataclass(frozen=True, slots=True)
class Judged:
    """All that the answer is made of; ``interrupted`` [settings, stays], ``known`` [settings]."""

    found: Found
    sets: Sequence[Sets]
    measured: Measured
    interrupted: Int
    known: Bool
    candidates: Candidates
    wish: Wish | None
    suggestion: Suggestion | None


def answer(
    judged: Judged,
    patients: Sequence[tuple[str, str, str]],
    moment: Callable[[int], Any],
    *,
    listed: bool = True,
    zone: str | None = None,
) -> Json:
    """``patients``: (id, ward, bed) of each stay; ``listed``: with every alert of the one candidate;
    ``zone``: whose days are counted."""
    measured = judged.measured
    rows = _Rows(judged)
    settings = [rows.of(n) for n in range(1, len(measured.rows))]
    found: Json = {
        "stays": len(patients),
        "patient_days": round(measured.days, 3),
        "denominator": DENOMINATOR,
        "readings": judged.found.readings,
        "rules": sorted(judged.candidates.rules),
        "events": _events(measured),
        "in_force": rows.of(0),
        "settings": settings,
        "suggestion": None if judged.suggestion is None else _suggestion(judged, rows),
    }
    if judged.candidates.grid is None:
        found |= detail(judged.found, judged.sets, judged.candidates.rules, patients, moment, zone)
        if listed:
            found |= _listed(judged, [id for id, _, _ in patients], moment)
    return found


def _events(measured: Measured) -> Json:
    events = measured.events
    if events.kind == "severe":
        titles = f" ({'; '.join(events.titles)})" if events.titles else ""
        text = PROXY.format(titles=titles, stands=STANDS / HOUR)
    else:
        text = LABELLED.format(window=events.window / HOUR, after=events.after / HOUR)
    return {
        "kind": events.kind,
        "count": len(events),
        "stays": len(np.unique(events.stay)),
        "meaning": text,
    }


class _Rows:
    """A setting's figures."""

    def __init__(self, judged: Judged) -> None:
        self.judged = judged
        self.measured = measured = judged.measured
        self.days = measured.days
        self.weight = judged.wish.miss_cost if judged.wish else MISS_COST
        self.costs = costs(measured, self.weight)
        self.alerts = load_intervals(measured.alerts, measured.monitored)
        self.interrupted = load_intervals(judged.interrupted, measured.monitored)
        self.front = frozenset(judged.suggestion.front if judged.suggestion else ())

    def of(self, n: int) -> Json:
        row, judged = self.measured.rows[n], self.judged
        events = len(self.measured.events)
        caught = int(row.caught.sum())
        true, false = int(row.true.sum()), int(row.false.sum())
        setting = judged.candidates.settings[n - 1] if n else None
        known = bool(judged.known[n])
        interrupted = int(judged.interrupted[n].sum())
        return {
            "label": setting.label if setting else "in force",
            "threshold": setting.threshold if setting and setting.grid else None,
            "for": setting.duration // SECOND if setting and setting.grid else None,
            "definitions": self._definitions(n),
            "alerts": int(row.alerts.sum()),
            "alerts_per_day": self._per_day(int(row.alerts.sum())),
            "alerts_per_day_interval": _pair(self.alerts, n),
            "all_alerts_per_day": self._per_day(int(row.all.sum())),
            "interruptions": interrupted if known else None,
            "interruptions_per_day": self._per_day(interrupted) if known else None,
            "interruptions_per_day_interval": _pair(self.interrupted, n) if known else None,
            "distribution": self._distribution(row),
            "alert_hours_per_day": round(float(row.time.sum()) / HOUR / self._safe, 3),
            "gained": int(row.gained.sum()),
            "lost": int(row.lost.sum()),
            "delay_s": _quantiles(row.delay / SECOND),
            "caught": caught,
            "recall": _share(caught, events),
            "recall_interval": _interval(caught, events),
            "true": true,
            "false": false,
            "precision": _share(true, true + false),
            "precision_interval": _interval(true, true + false),
            "lead_s": _quantiles(row.lead / SECOND),
            "cost_per_day": round(float(self.costs[n]), 4),
            "on_front": n in self.front,
        }

    @property
    def _safe(self) -> float:
        return max(self.days, 1e-9)

    def _per_day(self, count: int) -> float:
        return round(count / self._safe, 4)

    def _definitions(self, n: int) -> list[Json]:
        """The rules tried as the first stay that has them would have them: what a PUT would be given."""
        kind = self.judged.sets[0].sets[n] if self.judged.sets else ()
        tried = self.judged.candidates.rules
        return [rule_to_dict(rule) for rule in kind if rule.id in tried]

    def _distribution(self, row: Row) -> Json:
        """Over stays with at least an hour of monitored time: alerts a patient-day of each."""
        long = self.measured.monitored >= HOUR
        counts = row.alerts[long]
        rates = counts / np.maximum(self.measured.monitored[long] / DAY, 1e-9)
        top = np.sort(counts)[::-1][: max(len(counts) // 10, 1)]
        total = int(counts.sum())
        return {
            "stays": len(counts),
            "without": int((counts == 0).sum()),
            "median": _rounded(np.median(rates)) if len(rates) else None,
            "p90": _rounded(np.quantile(rates, 0.9)) if len(rates) else None,
            "most": _rounded(rates.max()) if len(rates) else None,
            "top_tenth_share": _rounded(top.sum() / total) if total else None,
        }


def _suggestion(judged: Judged, rows: _Rows) -> Json:
    given, wish = judged.suggestion, judged.wish
    assert given is not None
    assert wish is not None
    chosen = None if given.chosen is None else rows.of(given.chosen)
    held = given.held_out
    return {
        "wanted_per_day": wish.per_day,
        "of": wish.of,
        "miss_cost": wish.miss_cost,
        "chosen": chosen,
        "cheapest": None if given.cheapest is None else rows.of(given.cheapest),
        "front": [judged.candidates.settings[n - 1].label for n in given.front],
        "held_out": None
        if held is None
        else {
            "per_day": round(held.per_day, 4),
            "caught": held.caught,
            "events": held.events,
            "recall": _share(held.caught, held.events),
        },
        "notes": _notes(judged, chosen),
    }


def _notes(judged: Judged, chosen: Json | None) -> list[str]:
    """What a reader might otherwise take for more than it is."""
    given, wish, measured = judged.suggestion, judged.wish, judged.measured
    assert given is not None
    assert wish is not None
    notes = ["A suggestion only: nothing was changed. Whoever changes the rule answers for it."]
    if not len(measured.events):
        return [*notes, "There was no event: recall is not known, and nothing can be suggested."]
    if chosen is None:
        least = judged.candidates.settings[given.least - 1].label
        notes.append(
            f"No setting that was tried keeps to {wish.per_day:g} {wish.of} a patient-day; "
            f"'{least}' has the least."
        )
    else:
        notes.append(
            f"Chosen among {len(measured.rows) - 1} settings on the very readings that judge it: expect less "
            "on others. 'held_out' is what the same choice, made on half of the stays, came to on the rest."
        )
        notes += _of_cost(judged, given, wish.miss_cost)
        if given.held_out is None:
            notes.append("Too few stays or events to check it so.")
        if chosen["recall_interval"] is not None and len(measured.events) < FEW_EVENTS:
            low, high = (round(100 * end) for end in chosen["recall_interval"])
            notes.append(
                f"Only {len(measured.events)} events: {chosen['caught']} of {len(measured.events)} heard "
                f"may stand for anything from {low} to {high} %."
            )
    if len(measured.monitored) < FEW_STAYS:
        notes.append(f"{len(measured.monitored)} stays say nothing of how much stays differ.")
    if wish.of == "interruptions" and not judged.known.all():
        notes.append(
            f"Interruptions were counted for {int(judged.known.sum())} of {len(judged.known)} settings: of "
            "those that no other beats by alerts and recall, the ones around the wanted load."
        )
    return notes


def _of_cost(judged: Judged, given: Suggestion, weight: float) -> list[str]:
    """Where the cost speaks for less."""
    if given.cheapest is None or given.chosen in (None, given.cheapest):
        return []
    chosen, cheapest = (judged.measured.rows[n] for n in (given.chosen, given.cheapest))
    more = int(chosen.caught.sum()) - int(cheapest.caught.sum())
    price = int(chosen.false.sum()) - int(cheapest.false.sum())
    label = judged.candidates.settings[given.cheapest - 1].label
    return [
        f"If a missed event weighs {weight:g} false alerts, '{label}' costs less: what is suggested hears "
        f"{more} events more for {price} false alerts more, and pays from a weight of "
        f"{price / max(more, 1):.1f} on."
    ]


# ---------------------------------------------------------------------- alerts one by one


def _listed(judged: Judged, ids: Sequence[str], moment: Callable[[int], Any]) -> Json:
    """The whole sets' alerts under the one candidate and in force."""
    now, candidate = (_items(judged, n, ids, moment) for n in (0, 1))
    known, found = ({_key(item) for item in items} for items in (now, candidate))
    return {
        "raised": candidate,
        "now": now,
        "only_candidate": [item for item in candidate if _key(item) not in known],
        "only_now": [item for item in now if _key(item) not in found],
    }


def _items(judged: Judged, setting: int, ids: Sequence[str], moment: Callable[[int], Any]) -> list[Json]:
    rules = judged.found.rules
    number = {rule: n for n, rule in enumerate(rules)}
    member: dict[Sets, frozenset[int]] = {
        kind: frozenset(number[rule] for rule in kind.sets[setting]) for kind in set(judged.sets)
    }
    alerts: Alerts = judged.found.alerts
    order = np.lexsort((alerts.raised, alerts.stay))
    columns = zip(
        alerts.stay[order].tolist(),
        alerts.column[order].tolist(),
        alerts.raised[order].tolist(),
        alerts.cleared[order].tolist(),
        strict=True,
    )
    return [
        {
            "stay": ids[stay],
            "rule": rules[column].id,
            "raised_at": moment(raised),
            "cleared_at": None if cleared == NEVER else moment(cleared),
            "priority": rules[column].priority,
        }
        for stay, column, raised, cleared in columns
        if column in member[judged.sets[stay]]
    ]


def _key(item: Json) -> tuple[Any, ...]:
    return item["stay"], item["rule"], item["raised_at"]


# ---------------------------------------------------------------------- numbers


def _rounded(value: Any, digits: int = 4) -> float:
    return round(float(value), digits)


def _share(hits: int, of: int) -> float | None:
    return _rounded(hits / of) if of else None


def _interval(hits: int, of: int) -> list[float] | None:
    found = wilson(hits, of)
    return None if found is None else [_rounded(end) for end in found]


def _pair(intervals: Float | None, n: int) -> list[float] | None:
    return None if intervals is None else [_rounded(end) for end in intervals[n]]


def _quantiles(values: Float | Int) -> Json | None:
    """None where there is nothing to tell of."""
    if not len(values):
        return None
    median, high = np.quantile(values, (0.5, 0.9))
    return {"median": _rounded(median, 1), "p90": _rounded(high, 1), "most": _rounded(values.max(), 1)}
