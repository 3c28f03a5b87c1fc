"""The artefact filter, judged: on simulated wards, on real recordings with faults and events injected, on
their own artefacts; each detector by leaving it out; a learned one beside them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any, Final

import numpy as np

from ward.evaluation import filter_learned, filter_text
from ward.evaluation.filter_events import Outcome, events, judge
from ward.evaluation.filter_judge import Alerts, Tally, alerts, marks_of, outlasting, physiological
from ward.evaluation.filter_real import Verdict, as_streams, verdicts, with_faults
from ward.evaluation.filter_shapes import ALIKE, FROZEN, KINDS, SAID, Bank
from ward.evaluation.filter_wards import LASTS, START, Wards
from ward.evaluation.section import Json, Progress, Section
from ward.scoring.detectors import REASONS
from ward.scoring.filter import Filter
from ward.scoring.limits import DETECTORS
from ward.scoring.readings import Float, Int

JUDGED: Final = 200
"""Wards; their seeds begin at ``FIRST`` + 1,000 × the seed of the evaluation. The filter was tuned on seeds
below 100, and what is learned is trained on 100 to 199."""
FIRST: Final = 60_000
AT_ONCE: Final = 10
DRAWS: Final = 1_000
RESTS: Final = frozenset((*ALIKE, *SAID, FROZEN))
"""Kinds beside the target: alike in every signal, or the simulator's own, of which no recording has one."""
MATERIAL: Final = 0.02
"""A learned detector is taken where the share of crossings it stops more than the table is above this, with
its whole interval, and it loses no more true readings."""

Share = tuple[float, float, float]
"""A share and its 95 % interval by bootstrap over wards."""


@dataclass(frozen=True, slots=True)
class Found:
    """Everything the section tells."""

    wards: Tally
    brief: Tally
    alerts: list[Alerts]
    real: Tally
    real_brief: Tally
    events: list[Outcome]
    verdicts: list[Verdict]
    extremes: list[tuple[str, int, int, str, int, int]]
    ablation: dict[str, tuple[Tally, Int]]
    learned: tuple[Tally, Tally, int, int]
    cost: dict[str, float]


def run(folder: Path, *, seed: int, quick: bool, progress: Progress) -> Section:
    """The section on the filter. Raises ``InvalidError`` where mimic4wdb or bidmc are not in the folder."""
    progress("reading the recordings", 0.0)
    bank = Bank(folder)
    first = FIRST + 1_000 * seed
    wards = range(first, first + (4 if quick else JUDGED))
    tally, brief, told = _judged(
        Wards(bank, wards), lambda done: progress("simulated wards", 0.05 + 0.45 * done)
    )
    progress("faults in real recordings", 0.5)
    real = with_faults(bank, seed)
    marks = marks_of(real, Filter(real.slots))
    real_tallies = Tally.of(real, marks), Tally.of(real, marks, without=outlasting(real))
    own, extremes = verdicts(bank)
    outcomes = judge(
        events(bank, 100 if quick else None),
        lambda done: progress("true events on real recordings", 0.55 + 0.15 * done),
    )
    few = wards[: 2 if quick else 30]
    ablation = _ablation(Wards(bank, few), lambda done: progress("each detector", 0.7 + 0.15 * done))
    progress("a learned detector", 0.85)
    learned = _learned(bank, seed, quick)
    progress("cost", 0.97)
    found = Found(
        tally, brief, told, *real_tallies, outcomes, own, extremes, ablation, learned,
        _cost(bank, 20 if quick else 200),
    )  # fmt: skip
    figures = _figures(found, seed, wards)
    return Section(
        "The artefact filter",
        filter_text.text(figures),
        figures,
        filter_text.pictures(figures, bank),
    )


def _judged(wards: Wards, progress: Callable[[float], None]) -> tuple[Tally, Tally, list[Alerts]]:
    """All artefact, all but what law 11 lets pass, and the alerts."""
    rules = physiological()
    tallies: list[Tally] = []
    brief: list[Tally] = []
    told: list[Alerts] = []
    for number, streams in enumerate(wards.batches(AT_ONCE)):
        mark = marks_of(streams, Filter(streams.slots))
        tallies.append(Tally.of(streams, mark))
        brief.append(Tally.of(streams, mark, without=outlasting(streams)))
        told.append(alerts(streams, mark, rules, START + LASTS))
        progress(min(1.0, (number + 1) * AT_ONCE / len(wards.seeds)))
    return reduce(add, tallies), reduce(add, brief), told


def _ablation(wards: Wards, progress: Callable[[float], None]) -> dict[str, tuple[Tally, Int]]:
    """The filter without each detector, and whole (''), on the same wards."""
    found: dict[str, tuple[Tally, Int]] = {}
    batches = list(wards.batches(AT_ONCE))
    names = ["", *DETECTORS]
    for number, name in enumerate(names):
        for streams in batches:
            filter_ = Filter(streams.slots, without=[name] if name else ())
            tally = Tally.of(streams, marks_of(streams, filter_))
            before = found.get(name)
            found[name] = (
                (tally, filter_.confirmed)
                if before is None
                else (before[0] + tally, before[1] + filter_.confirmed)
            )
        progress((number + 1) / len(names))
    return found


def _learned(bank: Bank, seed: int, quick: bool) -> tuple[Tally, Tally, int, int]:
    """The table, and the table with a second opinion, on wards and shapes that this was not trained on; how
    many readings each let wait in vain."""
    train, judged = filter_learned.halves(bank.shapes)
    opinion = filter_learned.train(
        Wards(bank, range(100, 102 if quick else 116), shapes=train).batches(AT_ONCE), seed
    )
    first = FIRST + 1_000 * seed + 500
    parts: list[tuple[Tally, Tally, int, int]] = []
    for streams in Wards(bank, range(first, first + (2 if quick else 40)), shapes=judged).batches(AT_ONCE):
        plain = Filter(streams.slots)
        table = Tally.of(streams, marks_of(streams, plain))
        both, waited = filter_learned.advised(streams, opinion)
        parts.append((table, both, int(plain.confirmed.sum()), int(waited.sum())))
    tables, advised = reduce(add, [part[0] for part in parts]), reduce(add, [part[1] for part in parts])
    return tables, advised, sum(part[2] for part in parts), sum(part[3] for part in parts)


def _cost(bank: Bank, seconds: int) -> dict[str, float]:
    """µs of processor a reading: 500 copies of BIDMC's patients, second by second as live."""
    patients = list(bank.bidmc.values())
    readings = as_streams([patients[i % len(patients)] for i in range(500)]).clean
    filter_, n, spent = Filter(500), 0, 0.0
    cuts = np.searchsorted(readings.time, int(readings.time[0]) + 1_000 * np.arange(seconds + 1))
    for second in range(seconds):
        part = readings.take(slice(int(cuts[second]), int(cuts[second + 1])))
        begin = time.process_time()
        filter_.push(part, int(readings.time[0]) + 1_000 * (second + 1) - 1)
        filter_.waiting()
        spent += time.process_time() - begin
        n += len(part)
    return {"microseconds_per_reading": 1e6 * spent / n, "readings_per_second_live": n / seconds}


# ---------------------------------------------------------------------- figures


def share(part: Float, whole: Float) -> Share:
    """Σ part / Σ whole, with its interval over rows (wards); (nan, nan, nan) of nothing."""
    if not whole.sum():
        return (float("nan"),) * 3
    drawn = np.random.default_rng(0).integers(0, len(whole), (DRAWS, len(whole)))
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = part[drawn].sum(axis=1) / whole[drawn].sum(axis=1)
    low, high = np.nanpercentile(shares, [2.5, 97.5])
    return float(part.sum() / whole.sum()), float(low), float(high)


def _stopped(tally: Tally, kinds: Sequence[int]) -> Json:
    def over(table: Any) -> Float:
        return np.asarray(table[:, kinds].sum(axis=1), np.float64)

    readings, crossing = over(tally.readings), over(tally.crossing)
    return {
        "artefacts": int(over(tally.instances).sum()),
        "readings": int(readings.sum()),
        "readings_stopped": _rounded(share(readings - over(tally.passed), readings)),
        "crossings": int(crossing.sum()),
        "crossings_stopped": _rounded(share(crossing - over(tally.crossed), crossing)),
    }


def _by_kind(tally: Tally, brief: Tally) -> Json:
    groups = {kind: [i] for i, kind in enumerate(KINDS) if tally.instances[:, i].any()}
    target = [i for i, kind in enumerate(KINDS) if kind not in RESTS]
    alike = [i for i, kind in enumerate(KINDS) if kind in ALIKE]
    made = [i for i, kind in enumerate(KINDS) if kind in RESTS - ALIKE]
    return {
        "kinds": {kind: _stopped(tally, which) | {"alike": kind in ALIKE} for kind, which in groups.items()},
        "target": _stopped(tally, target),
        "target_brief": _stopped(brief, target),
        "alike": _stopped(tally, alike),
        "made_up": _stopped(tally, made),
        "true_readings": int(tally.good.sum()),
        "true_readings_lost": int(tally.doubted.sum()),
    }


def _of_alerts(parts: Sequence[Alerts], wards: Sequence[int]) -> Json:
    row = {ward: i for i, ward in enumerate(wards)}

    def count(pairs: Sequence[tuple[int, int]], alike: bool) -> Float:
        n = np.zeros(len(row))
        for ward, kind in pairs:
            if (kind < 0 or KINDS[kind] in RESTS) == alike:
                n[row[ward]] += 1
        return n

    raw = [pair for part in parts for pair in part.caused_raw]
    left = [pair for part in parts for pair in part.caused]
    result: Json = {}
    for name, alike in (("target", False), ("alike", True)):
        before, after = count(raw, alike), count(left, alike)
        result[name] = {
            "caused": int(before.sum()),
            "left": int(after.sum()),
            "stopped": _rounded(share(before - after, before)),
        }
    resting = [
        np.array([flag for part in parts for flag in getattr(part, name)]) for name in ("rests_raw", "rests")
    ]
    pairs = [
        [p for p, flag in zip(found, flags, strict=True) if flag]
        for found, flags in zip((raw, left), resting, strict=True)
    ]
    before, after = count(pairs[0], False), count(pairs[1], False)
    result["resting"] = {
        "caused": int(before.sum()),
        "left": int(after.sum()),
        "stopped": _rounded(share(before - after, before)),
    }
    result["kinds"] = {
        kind: [sum(k == i for _, k in raw), sum(k == i for _, k in left)]
        for i, kind in enumerate(KINDS)
        if any(k == i for _, k in (*raw, *left))
    }
    kept = {
        name: np.array([flag for part in parts for flag in getattr(part, name)])
        for name in ("kept_raw", "kept", "clean")
    }
    delay = np.array([ms for part in parts for ms in part.delay])
    return result | {
        "true": len(kept["clean"]),
        "kept_without_artefact": int(kept["clean"].sum()),
        "kept_unfiltered": int(kept["kept_raw"].sum()),
        "kept": int(kept["kept"].sum()),
        "lost_to_filter": int((kept["kept_raw"] & ~kept["kept"]).sum()),
        "delay_s": _delay(delay),
    }


def _delay(ms: Any) -> Json:
    if not len(ms):
        return {"median": None, "most": None}
    return {"median": round(float(np.median(ms)) / 1000, 1), "most": round(float(np.max(ms)) / 1000, 1)}


def _of_events(outcomes: Sequence[Outcome]) -> Json:
    rows: Json = {}
    for rule in dict.fromkeys(o.event.rule for o in outcomes):
        own = [o for o in outcomes if o.event.rule == rule and o.raised]
        kept = [o for o in own if o.kept]
        rows[rule] = {
            "events": len(own),
            "kept": len(kept),
            "stamp_s": _delay([o.stamp for o in kept]),
            "told_s": _delay([o.told for o in kept]),
        }
    both = [o for o in outcomes if o.raised and o.kept]
    return {
        "rules": rows,
        "events": sum(o.raised for o in outcomes),
        "made": len(outcomes),
        "kept": len(both),
        "stamp_s": _delay([o.stamp for o in both]),
        "told_s": _delay([o.told for o in both]),
    }


def _of_ablation(found: dict[str, tuple[Tally, Int]]) -> Json:
    whole, waited = found[""]
    target = [i for i, kind in enumerate(KINDS) if kind not in ALIKE]
    rows: Json = {}
    for name, (tally, confirmed) in found.items():
        if not name:
            continue
        more = tally.passed[:, target].sum(axis=0) - whole.passed[:, target].sum(axis=0)
        rows[name] = {
            "readings_more_passed": int(more.sum()),
            "crossings_more_passed": int(tally.crossed[:, target].sum() - whole.crossed[:, target].sum()),
            "mostly": KINDS[target[int(np.argmax(more))]] if more.max() > 0 else "",
            "waited_in_vain_less": int(waited.sum() - confirmed.sum()),
            "true_readings_lost_less": int(whole.doubted.sum() - tally.doubted.sum()),
        }
    hours = len(whole.wards) * 2 * LASTS / 3_600_000
    reasons = {REASONS[i]: int(n) for i, n in enumerate(waited) if n}
    return {"rows": rows, "bed_hours": hours, "waited_in_vain": int(waited.sum()), "by_reason": reasons}


def _of_learned(table: Tally, both: Tally, waited: int, waited_both: int) -> Json:
    target = [i for i, kind in enumerate(KINDS) if kind not in RESTS]
    crossing = table.crossing[:, target].sum(axis=1).astype(np.float64)
    gain = (table.crossed[:, target].sum(axis=1) - both.crossed[:, target].sum(axis=1)).astype(np.float64)
    more = _rounded(share(gain, crossing))
    lost = int(both.doubted.sum() - table.doubted.sum())
    return {
        "table": _stopped(table, target),
        "with_opinion": _stopped(both, target),
        "crossings_more_stopped": more,
        "true_readings_lost_more": lost,
        "waited_in_vain": [waited, waited_both],
        "better": bool(more[1] is not None and more[1] > MATERIAL and lost <= 0),
    }


def _figures(found: Found, seed: int, wards: Sequence[int]) -> Json:
    return {
        "seed": seed,
        "wards": len(wards),
        "first_ward_seed": wards[0],
        "bed_hours": len(wards) * 2 * LASTS / 3_600_000,
        "simulated": _by_kind(found.wards, found.brief),
        "alerts": _of_alerts(found.alerts, list(wards)),
        "real": _by_kind(found.real, found.real_brief),
        "events": _of_events(found.events),
        "artefacts": [
            {
                "record": v.segment.record,
                "start": v.segment.start,
                "end": v.segment.end,
                "kind": v.segment.kind,
                "seen": v.segment.seen,
                "alike": v.segment.alike,
                "wrong": v.shown,
                "stopped": v.caught,
                "extreme": v.beyond,
                "extreme_stopped": v.beyond_caught,
                "reasons": list(v.reasons),
            }
            for v in found.verdicts
        ],
        "extremes": [
            {"record": r, "start": a, "end": b, "seen": seen, "extreme": n, "kept": kept}
            for r, a, b, seen, n, kept in found.extremes
        ],
        "ablation": _of_ablation(found.ablation),
        "learned": _of_learned(*found.learned),
        "cost": {name: round(value, 2) for name, value in found.cost.items()},
    }


def _rounded(found: Share) -> list[float | None]:
    return [None if np.isnan(value) else round(value, 4) for value in found]
