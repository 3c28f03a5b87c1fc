"""The deterioration score, judged: cross-validated at home, on other collections, and where it could fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ward.evaluation import score_checks as checks
from ward.evaluation.datasets import Person, load
from ward.evaluation.members import calibrate
from ward.evaluation.protocol import Course
from ward.evaluation.score_text import targets, text
from ward.evaluation.section import Draw, Json, Progress, Section
from ward.evaluation.training import FOLDS, Prepared, enough, prepare
from ward.models import OWN, find_risk
from ward.scoring.risk import RiskModel

Float = NDArray[np.float64]
Bool = NDArray[np.bool_]

BURDENS: Final = (0.25, 0.5, 1.0, 2.0)
_ONSETS: Final = (
    (-np.inf, 12, "up to 12 h"),
    (12, 24, "12 to 24 h"),
    (24, 72, "24 to 72 h"),
    (72, np.inf, "later"),
)
_AGES: Final = ((0, 50, "under 50"), (50, 65, "50 to 64"), (65, 80, "65 to 79"), (80, 200, "80 and older"))


def run(folder: Path, *, seed: int, quick: bool, progress: Progress) -> Section:
    """Raises InvalidError where the folder holds no stays of the Challenge 2019."""
    prepared = prepare(folder, seed, quick, progress)
    figures = measured(prepared, folder, find_risk(OWN), seed=seed, quick=quick, progress=progress)
    figures["targets"] = targets(figures)
    course, score, other = _scores(prepared)
    return Section(
        "The deterioration score",
        text(figures, prepared.said),
        figures,
        _pictures(course, score, other, figures),
    )


def measured(
    prepared: Prepared, folder: Path, model: RiskModel | None, *, seed: int, quick: bool, progress: Progress
) -> Json:
    """Every figure of the score, out of fold; direction and speed of the model that is given."""
    rows, risk = prepared.rows, prepared.validated.risk
    course, score, other = _scores(prepared)
    times, every = (50, 1) if quick else (500, 4)
    progress("score: intervals", 0.0)
    figures: Json = {
        "data": {
            "stays": len(rows.names),
            "events": int(course.event.sum()),
            "rows": len(rows),
            "scored": float((~np.isnan(risk)).mean()),
        },
        "risk": _measured(course, score, seed, times),
        "news2": _measured(course, other, seed, times),
        "calibration": calibration(risk, rows.label, rows.folds),
        "groups": groups(prepared, score, other, course),
        "onset": by_onset(course, score, other),
        "robustness": checks.robustness(prepared, every, progress),
        "leaks": checks.leaks(prepared, every, seed),
        "elsewhere": _elsewhere(prepared, folder, quick, seed, progress),
    }
    model = model or prepared.model_of(0)
    figures["direction"] = checks.lower_spo2(model, rows.inputs)
    figures["speed"] = {"model": model.id, "seconds_for_10000": checks.speed(model, rows.inputs)}
    found: Json = _rounded(figures)
    return found


def _scores(prepared: Prepared) -> tuple[Course, Float, Float]:
    """The truth, the risk and NEWS2 as the truth keeps its rows."""
    rows = prepared.rows
    course = rows.course
    partial_news = np.where(enough(rows), checks.news(rows.inputs), np.nan)
    return course, course.sorted(prepared.validated.risk), course.sorted(partial_news)


def _measured(course: Course, score: Float, seed: int, times: int) -> Json:
    found: Json = dict(course.rows(score))
    for burden in BURDENS:
        point = course.at_burden(score, burden)
        for name in ("recall", "precision", "lead", "cutoff"):
            found[f"{name}@{burden:g}"] = getattr(point, name) if point else None
    at = course.at_recall(score, 0.8)
    found["burden@80"] = at.burden if at else None
    ends = course.intervals(score, seed=seed, times=times, burdens=BURDENS[:2])
    found["intervals"] = {name: list(pair) for name, pair in ends.items()}
    return found


def calibration(risk: Float, label: Bool, folds: NDArray[np.int64]) -> Json:
    """Slope and intercept of the out-of-fold risk's log-odds; expected and seen by tenths of the rows."""
    known = ~np.isnan(risk)
    z = np.log(risk[known] / (1 - risk[known]))
    slope, intercept = calibrate(z, label[known])
    by_fold = [calibrate(z[folds[known] == k], label[known][folds[known] == k])[0] for k in range(FOLDS)]
    order = np.array_split(np.argsort(risk[known], kind="stable"), 10)
    return {
        "slope": slope,
        "intercept": intercept,
        "slope_by_fold": by_fold,
        "expected": [float(risk[known][part].mean()) for part in order],
        "seen": [float(label[known][part].mean()) for part in order],
    }


def groups(prepared: Prepared, score: Float, other: Float, course: Course) -> Json:
    """By sex, age and unit; alerts and events at the one cut-off that gives half an alert a day to all."""
    sides: Mapping[str, Callable[[Person], str]] = {
        "sex": lambda person: person.sex or "not told",
        "age": lambda person: next((w for a, b, w in _AGES if a <= person.age < b), "not told"),
        "unit": lambda person: person.unit or "not told",
        "hospital": lambda person: person.hospital or "not told",
    }
    at = course.at_burden(score, 0.5)
    cutoff = at.cutoff if at else np.inf
    count, _, lead = course.per_stay(score, cutoff)
    found: Json = {}
    for side, of in sides.items():
        words = np.array([of(person) for person in prepared.rows.people])
        own = words[np.unique(prepared.rows.stay)]
        for word in sorted(set(own.tolist())):
            stays = own == word
            rows = stays[course.stay]
            part = Course(course.stay[rows], course.hour[rows], course.label[rows])
            found[f"{side}: {word}"] = {
                "stays": int(stays.sum()),
                "events": int(course.event[stays].sum()),
                "auroc": part.rows(score[rows])["auroc"],
                "auroc_t": part.rows(score[rows])["auroc_t"],
                "auroc_news2": part.rows(other[rows])["auroc"],
                "burden": float(count[stays].sum() / course.hours[stays].sum() * 24),
                "recall": float((lead >= 0)[stays].sum() / max(1, course.event[stays].sum())),
            }
    return found


def by_onset(course: Course, score: Float, other: Float) -> Json:
    """Which events are missed: by hour of stay of the onset, each at its own half alert a day."""
    onset = np.full(course.stays, np.nan)
    np.fmin.at(onset, course.stay, (course.hour + course.ahead).astype(np.float64))
    found: Json = {}
    caught = {}
    for name, own in (("risk", score), ("news2", other)):
        at = course.at_burden(own, 0.5)
        caught[name] = course.per_stay(own, at.cutoff if at else np.inf)[2] >= 0
    for begin, end, word in _ONSETS:
        stays = course.event & (onset > begin) & (onset <= end)
        found[word] = {"events": int(stays.sum())} | {
            name: float(own[stays].mean()) if stays.any() else None for name, own in caught.items()
        }
    return found


def _elsewhere(prepared: Prepared, folder: Path, quick: bool, seed: int, progress: Progress) -> Json:
    found: Json = {}
    every = 4
    for name in ("cinc2012", "mimic3_demo"):
        data = load(name, folder, progress)
        if data is None:
            continue
        if quick:
            data = data.first(100)
        progress(f"score: {name}", 0.5)
        if name == "cinc2012":
            if 0 < int((data.died if data.died is not None else np.zeros(1)).sum()) < len(data.recordings):
                found[name] = checks.mortality(prepared, data, every, seed)
        else:
            course, z = prepared.rows.course, prepared.validated.z
            points = {f"{b:g}": course.at_burden(course.sorted(z), b) for b in BURDENS[:2]}
            cutoffs = {burden: point.cutoff for burden, point in points.items() if point}
            found[name] = checks.load_elsewhere(prepared, data, cutoffs)
    return found


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(v) for v in value]
    if isinstance(value, (float, np.floating)):
        return None if np.isnan(value) else float(f"{value:.4g}")
    return value


# ---------------------------------------------------------------- pictures


def _pictures(course: Course, score: Float, other: Float, figures: Json) -> dict[str, Draw]:
    wanted = np.geomspace(0.05, 3, 15)
    curves = {
        name: [(b, p.recall) for b in wanted if (p := course.at_burden(own, float(b))) is not None]
        for name, own in (("risk", score), ("NEWS2, partial", other))
    }
    return {
        "score-load": partial(_draw_load, curves=curves),
        "score-reliability": partial(_draw_reliability, found=figures["calibration"]),
    }


def _draw_load(figure: Any, curves: Mapping[str, Sequence[tuple[float, float]]]) -> None:
    axes = figure.subplots()
    for name, points in curves.items():
        axes.plot(*zip(*points, strict=True), marker="o", markersize=3, label=name)
    axes.set(xlabel="alerts a patient-day", ylabel="events caught", xscale="log", ylim=(0, 1))
    axes.legend(frameon=False)


def _draw_reliability(figure: Any, found: Json) -> None:
    axes = figure.subplots()
    most = max(*found["expected"], *found["seen"])
    axes.plot([0, most], [0, most], linestyle=":", color="grey", label="as it should be")
    axes.plot(found["expected"], found["seen"], marker="o", markersize=4, label="tenths of the hours")
    axes.set(xlabel="risk", ylabel="share of positive hours")
    axes.legend(frameon=False)
