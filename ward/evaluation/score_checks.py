"""What could be wrong with a score that looks right: leaks, missing signals, other hospitals, directions."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ward.evaluation.datasets import DataSet
from ward.evaluation.members import calibrate, log_odds
from ward.evaluation.protocol import Course, auroc, ranks
from ward.evaluation.training import Prepared, Rows, enough
from ward.replay_scores import steps
from ward.scoring.features import BY_NAME, FEATURES, matrix
from ward.scoring.risk import RiskModel
from ward.scoring.trends import TRACKED, Inputs
from ward.signals import HOUR

Float = NDArray[np.float64]
Int = NDArray[np.int64]
Json = dict[str, Any]

NEWS: Final = BY_NAME["news.last"]
_SPO2: Final = TRACKED.index("spo2")


def news(inputs: Inputs) -> Float:
    """NEWS2 points of what is measured, newest values of 24 h; NaN where none is known."""
    return matrix(inputs, [NEWS])[:, 0].astype(np.float64)


def part(rows: Rows, every: int) -> Rows:
    """Each so-manieth stay."""
    kept = rows.stay % every == 0
    names = ("stay", "hour", "label", "ahead", "news2")
    return replace(rows, inputs=rows.inputs.take(kept), **{n: getattr(rows, n)[kept] for n in names})


def out_of_fold(prepared: Prepared, rows: Rows) -> Float:
    """Log-odds [n] of rows whose inputs were changed, each by the members that have not seen its stay."""
    z, known, folds = np.full(len(rows), np.nan), enough(rows), rows.folds
    for fold, members in enumerate(prepared.validated.members):
        own = np.flatnonzero(known & (folds == fold))
        z[own] = log_odds(members, matrix(rows.inputs.take(own)))
    return z


def judged(course: Course, score: Float) -> Json:
    """AUROC and AUROC_t, and the events caught at half an alert a patient-day."""
    own = course.sorted(score)
    point = course.at_burden(own, 0.5)
    found = course.rows(own)
    return {**found, "recall@0.5": point.recall if point else None}


# ---------------------------------------------------------------- signals, charting, another hospital


def without(*names: str) -> Callable[[Rows], Inputs]:
    def changed(rows: Rows) -> Inputs:
        present, hourly = rows.inputs.present.copy(), rows.inputs.hourly.copy()
        for name in names:
            present[:, TRACKED.index(name)] = np.nan
            hourly[:, :, TRACKED.index(name)] = np.nan
        return Inputs(present, hourly)

    return changed


def charted_every(hours: int) -> Callable[[Rows], Inputs]:
    """Only every so-manieth hour was charted; each stay has its own rhythm."""

    def changed(rows: Rows) -> Inputs:
        present, hourly = rows.inputs.present.copy(), rows.inputs.hourly.copy()
        present[(rows.hour + rows.stay) % hours != 0] = np.nan
        for back in range(hourly.shape[1]):
            hourly[(rows.hour - back - 1 + rows.stay) % hours != 0, back] = np.nan
        return Inputs(present, hourly)

    return changed


def coarse(rows: Rows) -> Inputs:
    """Pressures to the nearest 10, heart rate to 5, breathing to 2, SpO2 to 2, temperature to 0.5."""
    step = np.array([5, 2, 2, 10, 10, 10, 0.5], np.float32)
    return Inputs(*(np.round(v / step) * step for v in (rows.inputs.present, rows.inputs.hourly)))


def another_hospital(rows: Rows) -> Inputs:
    """Charts every two hours, no diastolic pressure, no SpO2 in a third and no RR in a fifth of the stays."""
    inputs = charted_every(2)(rows)
    gone = {"dbp": rows.stay >= 0, "spo2": rows.stay % 3 == 0, "rr": rows.stay % 5 == 0}
    for name, where in gone.items():
        inputs.present[where, TRACKED.index(name)] = np.nan
        inputs.hourly[where, :, TRACKED.index(name)] = np.nan
    return inputs


CHANGES: Final[dict[str, Callable[[Rows], Inputs]]] = {
    "as it is": lambda rows: rows.inputs,
    "without SpO2": without("spo2"),
    "without RR": without("rr"),
    "without temperature": without("temp"),
    "without pressures": without("sbp", "dbp", "map"),
    "coarsely charted": coarse,
    "charted every 2 h": charted_every(2),
    "another hospital (simulated)": another_hospital,
}


def robustness(prepared: Prepared, every: int, progress: Callable[[str, float], None]) -> Json:
    """Each change: the score and NEWS2 on the same changed stays."""
    rows = part(prepared.rows, every)
    course, found = rows.course, {}
    for i, (name, change) in enumerate(CHANGES.items()):
        progress(f"score: {name}", i / len(CHANGES))
        changed = replace(rows, inputs=change(rows))
        partial = np.where(enough(changed), news(changed.inputs), np.nan)
        found[name] = {
            "risk": judged(course, out_of_fold(prepared, changed)),
            "news2": judged(course, partial),
            "scored": float(enough(changed).mean()),
        }
    return found


# ---------------------------------------------------------------- leaks


def leaks(prepared: Prepared, every: int, seed: int) -> Json:
    """What is left to rank by where the patients' values are taken away and what is missing stays as it is.

    ``typical values``: every value is the typical one; ``values of others``: each row has the values of a
    row drawn from another stay. Both must be near 0.5. ``hour``: how the score itself follows the hour of
    stay among rows without an onset ahead (Spearman).
    """
    rows = part(prepared.rows, every)
    rng = np.random.default_rng(seed)
    usual = np.array([prepared.model_of(0).typical[name] for name in TRACKED], np.float32)
    drawn = rows.inputs.take(rng.permutation(len(rows)))
    other = drawn.present if len(drawn) else usual
    found: Json = {}
    values = {
        "typical values": (usual, usual),
        "values of others": (
            np.where(np.isnan(other), usual, other),
            np.where(np.isnan(drawn.hourly), usual, drawn.hourly),
        ),
    }
    course = rows.course
    for name, (present, hourly) in values.items():
        kept = Inputs(
            np.where(np.isnan(rows.inputs.present), np.nan, present).astype(np.float32),
            np.where(np.isnan(rows.inputs.hourly), np.nan, hourly).astype(np.float32),
        )
        z = course.sorted(out_of_fold(prepared, replace(rows, inputs=kept)))
        found[name] = {k: v for k, v in course.rows(z).items() if k != "auprc"}
    z = out_of_fold(prepared, rows)
    quiet = ~np.isnan(z) & (rows.ahead > 10**6)
    found["hour"] = spearman(z[quiet], rows.hour[quiet].astype(np.float64))
    return found


def spearman(one: Float, other: Float) -> float:
    """Rank correlation; NaN where one does not vary."""
    a, b = (ranks(values) for values in (one, other))
    vary = len(a) > 1 and a.std() > 0 and b.std() > 0
    return float(np.corrcoef(a, b)[0, 1]) if vary else float("nan")


# ---------------------------------------------------------------- direction and speed


def lower_spo2(model: RiskModel, inputs: Inputs) -> Json:
    """The newest SpO2 lowered from 100 to 50, history fixed: how often the risk falls, how far it rises."""
    levels = np.arange(100, 49, -1)
    rows = inputs.take(np.flatnonzero(model.enough(inputs))[:: max(1, len(inputs) // 400)][:400])
    present = np.repeat(rows.present, len(levels), axis=0)
    present[:, _SPO2] = np.tile(levels, len(rows))
    risk = model.predict(Inputs(present, np.repeat(rows.hourly, len(levels), axis=0))).value
    change = np.diff(risk.reshape(len(rows), len(levels)), axis=1)
    return {
        "rows": len(rows),
        "falls": int((change < 0).sum()),
        "greatest_rise": float(change.max(initial=0)),
    }


def speed(model: RiskModel, inputs: Inputs) -> float:
    """Seconds for 10,000 stays, features included; the best of three, as other work may disturb."""
    many = inputs.take(np.resize(np.arange(len(inputs)), 10_000))
    best = np.inf
    for _ in range(3):
        begin = time.perf_counter()
        model.predict(many)
        best = min(best, time.perf_counter() - begin)
    return round(best, 3)


# ---------------------------------------------------------------- other collections


def mortality(prepared: Prepared, found: DataSet, every: int, seed: int) -> Json:
    """In-hospital death from each stay's hourly risk (mean, highest, last), against NEWS2 the same way."""
    stay, z, partial = _scored(prepared, found, every)
    died = found.died
    assert died is not None
    rng = np.random.default_rng(seed)
    result: Json = {"stays": len(np.unique(stay[~np.isnan(z)])), "died": int(died.sum())}
    for how in ("mean", "highest", "last"):
        risk, other = (_of_stay(stay, score, len(died), how) for score in (z, partial))
        both = ~np.isnan(risk) & ~np.isnan(other)
        ours, theirs, label = risk[both], other[both], died[both]
        apart = []
        for _ in range(200):
            drawn = rng.integers(0, len(label), len(label))
            apart.append(auroc(label[drawn], ours[drawn]) - auroc(label[drawn], theirs[drawn]))
        low, high = np.nanpercentile(apart, [2.5, 97.5])
        result[how] = {
            "risk": auroc(label, ours),
            "news2": auroc(label, theirs),
            "difference": [float(low), float(high)],
        }
    risk = _of_stay(stay, z, len(died), "mean")
    known = ~np.isnan(risk)
    result["slope"] = calibrate(risk[known], died[known])[0]
    return result


def load_elsewhere(prepared: Prepared, found: DataSet, cutoffs: dict[str, float]) -> Json:
    """Alerts per patient-day where nothing is labelled, at cut-offs (log-odds) chosen at home."""
    stay, z, partial = _scored(prepared, found, 1)
    hour = np.concatenate([np.arange(n) for n in np.unique(stay, return_counts=True)[1]])
    course = Course(stay, hour, np.zeros(len(stay), bool))
    known = ~np.isnan(z) & ~np.isnan(partial)
    return {
        "stays": len(found.recordings),
        "scored": float((~np.isnan(z)).mean()),
        "alerts": {name: course.point(course.sorted(z), cutoff).burden for name, cutoff in cutoffs.items()},
        "spearman_with_news2": spearman(z[known], partial[known]),
    }


def _scored(prepared: Prepared, found: DataSet, every: int) -> tuple[Int, Float, Float]:
    """Of each stay's hours: stay, mean log-odds of the folds' members, NEWS2 of what is measured."""
    stays, odds, partials = [], [], []
    model = prepared.model_of(0)
    for each in steps(found.recordings, every=every * HOUR):
        z = np.full(len(each.stay), np.nan)
        rows = np.flatnonzero(model.enough(each.inputs))
        table = matrix(each.inputs.take(rows), FEATURES)
        z[rows] = np.mean([log_odds(m, table) for m in prepared.validated.members], axis=0)
        stays.append(each.stay)
        odds.append(z)
        partials.append(np.where(np.isnan(z), np.nan, news(each.inputs)))
    return np.concatenate(stays), np.concatenate(odds), np.concatenate(partials)


def _of_stay(stay: Int, score: Float, stays: int, how: str) -> Float:
    known = ~np.isnan(score)
    own, values = stay[known], score[known]
    if how == "mean":
        count = np.bincount(own, minlength=stays)
        total = np.bincount(own, values, minlength=stays)
        mean: Float = np.divide(total, count, out=np.full(stays, np.nan), where=count > 0)
        return mean
    result = np.full(stays, np.nan)
    if how == "last":
        result[own] = values
    else:
        highest = np.full(stays, -np.inf)
        np.maximum.at(highest, own, values)
        result = np.where(np.isfinite(highest), highest, np.nan)
    return result
