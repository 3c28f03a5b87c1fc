"""Learning the deterioration score: from a folder of recordings to ``risk.skops`` and ``risk.json``.

One target, sepsis of the Challenge 2019; other collections only judge. What keeps the model from
learning one hospital's habits: no feature that tells hour, counts or ages; the directions of physiology
as constraints; copies of the training rows with signals left out and hours thinned, so that absence
says nothing; small trees; and NEWS2 itself as one member. All drawing is seeded: retraining gives the
same figures.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from zipfile import ZIP_DEFLATED

import numpy as np
from numpy.typing import NDArray

from ward.errors import InvalidError
from ward.evaluation.datasets import DataSet, Person, check, load
from ward.evaluation.members import calibrate, fit, log_odds, weights
from ward.evaluation.protocol import SHIFT, Course, Point
from ward.models import SCHEMA, load_risk
from ward.replay_scores import steps
from ward.scoring.features import FEATURES, matrix
from ward.scoring.risk import RiskModel, Spread
from ward.scoring.trends import TRACKED, Inputs
from ward.signals import HOUR

Float = NDArray[np.float64]
Int = NDArray[np.int64]
Bool = NDArray[np.bool_]
Progress = Callable[[str, float], None]

FOLDS: Final = 5
NEED: Final = 3
KNOWN_WITHIN: Final = 3
BURDENS: Final = (0.25, 0.5, 1.0, 2.0)


# ---------------------------------------------------------------- rows


@dataclass(frozen=True, slots=True)
class Rows:
    """Every recorded hour [n] of a collection, sorted by stay and hour.

    stay: index into ``names`` and ``people``; hour: of stay; label: as the collection has it; ahead:
    hours until the onset (very many without one); news2: -1 where nothing is fresh.
    """

    names: list[str]
    people: list[Person]
    stay: Int
    hour: Int
    label: Bool
    ahead: Int
    news2: Int
    inputs: Inputs

    def __len__(self) -> int:
        return len(self.stay)

    @property
    def folds(self) -> Int:
        """The fold of each row."""
        own = np.array([fold_of(name) for name in self.names], np.int64)
        return own[self.stay]

    @property
    def course(self) -> Course:
        return Course(self.stay, self.hour, self.label)


def fold_of(stay: str) -> int:
    """Which part of the cross-validation a stay is judged in; by its name alone."""
    return zlib.crc32(stay.encode()) % FOLDS


def rows_of(found: DataSet, progress: Progress | None = None) -> Rows:
    """Through the very path of ``ward replay --scores``: filter, holds, trends."""
    told = None
    if progress:

        def told(done: int, of: int) -> None:
            progress(f"{found.name}: {done:,} of {of:,} stays through the filter", done / of)

    parts = list(steps(found.recordings, on_rows=True, progress=told))
    if not parts:
        raise InvalidError(f"{found.name}: no stay holds a reading")
    stay = np.concatenate([part.stay for part in parts])
    hour = np.concatenate([part.time for part in parts]) // HOUR
    labels = found.labels or [np.zeros(len(r.rows), bool) for r in found.recordings]
    label = np.concatenate([labels[i] for i in np.unique(stay)])
    first = np.full(len(found.recordings), 10**9, np.int64)
    np.minimum.at(first, stay[label], hour[label])
    inputs = Inputs(*(np.concatenate([getattr(p.inputs, k) for p in parts]) for k in ("present", "hourly")))
    return Rows(
        [r.stay for r in found.recordings],
        found.people,
        stay,
        hour,
        label,
        first[stay] + SHIFT - hour,
        np.concatenate([part.news2 for part in parts]).astype(np.int64),
        inputs,
    )


# ---------------------------------------------------------------- cross-validation


@dataclass(frozen=True, slots=True)
class Validated:
    """members: of each fold, which have not seen it; z [n]: their log-odds, NaN where not enough is known;
    risk [n]: calibrated on the other folds' z."""

    members: list[list[Any]]
    z: Float
    risk: Float


def validate(rows: Rows, *, seed: int, progress: Progress) -> Validated:
    """Out of fold scores of all stays."""
    folds, z = rows.folds, np.full(len(rows), np.nan)
    known = enough(rows)
    members = []
    for fold in range(FOLDS):
        progress(f"cross-validation: fold {fold + 1} of {FOLDS}", fold / FOLDS)
        members.append(fit(rows, folds != fold, seed=seed))
        own = np.flatnonzero((folds == fold) & known)
        z[own] = log_odds(members[-1], matrix(rows.inputs.take(own)))
    risk = np.full(len(rows), np.nan)
    for fold in range(FOLDS):
        others = known & (folds != fold)
        slope, intercept = calibrate(z[others], rows.label[others])
        own = known & (folds == fold)
        risk[own] = 1 / (1 + np.exp(-(intercept + slope * z[own])))
    return Validated(members, z, risk)


def enough(rows: Rows) -> Bool:
    """Where the model gives an answer."""
    return RiskModel("", (), (), {}, need=NEED, within=KNOWN_WITHIN).enough(rows.inputs)


def typical(rows: Rows) -> dict[str, float]:
    """The median of every signal over rows without an onset ahead."""
    quiet = rows.inputs.present[rows.ahead > 10**6]
    return {name: round(float(np.nanmedian(quiet[:, i])), 1) for i, name in enumerate(TRACKED)}


def _model(name: str, members: Sequence[Any], slope: float, intercept: float, usual: Any) -> RiskModel:
    return RiskModel(
        name, tuple(members), weights(), usual, FEATURES, slope, intercept, Spread(), NEED, KNOWN_WITHIN
    )


# ---------------------------------------------------------------- the whole of it


@dataclass(frozen=True, slots=True)
class Prepared:
    """Cross-validated stays of a folder, and what to say of the data."""

    rows: Rows
    validated: Validated
    said: list[str]

    def model_of(self, fold: int) -> RiskModel:
        """A calibrated model that has seen no stay of this fold (``fold_of``)."""
        rows, z = self.rows, self.validated.z
        others = ~np.isnan(z) & (rows.folds != fold)
        slope, intercept = calibrate(z[others], rows.label[others])
        return _model(f"without-fold-{fold}", self.validated.members[fold], slope, intercept, typical(rows))


QUICK: Final = 400
"""Stays that the small form looks at."""


_prepared: dict[tuple[Path, int, bool], Prepared] = {}
"""The newest only: several parts of the report ask for the same."""


def prepare(folder: Path, seed: int, quick: bool, progress: Progress) -> Prepared:
    """Read, filter and cross-validate; kept for the next who asks in this process.

    Raises InvalidError where the folder holds no stays of the Challenge 2019, or hardly any with an onset.
    """
    key = (folder.resolve(), seed, quick)
    if key not in _prepared:
        made = _prepare(folder, seed, quick, progress)
        _prepared.clear()
        _prepared[key] = made
    return _prepared[key]


def known(folder: Path, seed: int, quick: bool) -> Prepared | None:
    """What ``prepare`` made in this process already; it takes minutes."""
    return _prepared.get((folder.resolve(), seed, quick))


def _prepare(folder: Path, seed: int, quick: bool, progress: Progress) -> Prepared:
    found = load("cinc2019", folder, progress)
    if found is None:
        raise InvalidError(
            f"{folder}: no stays of the Challenge 2019 to learn from: no *.psv in it, in cinc2019 or in "
            "training (https://physionet.org/content/challenge-2019 has them)"
        )
    said = check(found, "cinc2019")
    if quick:
        found = found.first(QUICK)
    if sum(bool(label.any()) for label in found.labels) < 2 * FOLDS:
        raise InvalidError(f"{folder}: fewer than {2 * FOLDS} stays have an onset: too few to learn from")
    rows = rows_of(found, progress)
    return Prepared(rows, validate(rows, seed=seed, progress=progress), said)


def train(folder: Path, output: Path, *, seed: int, quick: bool = False, progress: Progress) -> list[str]:
    """Write ``risk.skops``, ``risk.json`` and the model card into a folder; what to tell a person, in lines.

    The model learns from all stays; its calibration and thresholds are those of the cross-validation.
    """
    import sklearn
    import skops
    import skops.io

    # What judges a model needs this module, too.
    from ward.evaluation.card import write_card
    from ward.evaluation.score import measured

    prepared = prepare(folder, seed, quick, progress)
    rows, validated = prepared.rows, prepared.validated
    progress("fitting the model on all stays", 0.0)
    members = fit(rows, np.ones(len(rows), bool), seed=seed)
    known = ~np.isnan(validated.z)
    slope, intercept = calibrate(validated.z[known], rows.label[known])
    output.mkdir(parents=True, exist_ok=True)
    skops.io.dump({"members": members}, output / "risk.skops", compresslevel=9, compression=ZIP_DEFLATED)
    digest = hashlib.sha256((output / "risk.skops").read_bytes()).hexdigest()
    course = rows.course
    score = course.sorted(validated.risk)
    said = {
        "schema": SCHEMA,
        "id": f"sepsis-vitals-{digest[:8]}",
        "sha256": digest,
        "meaning": "chance that sepsis sets in within 6 h, or has set in",
        "features": [feature.name for feature in FEATURES],
        "weights": [round(weight, 6) for weight in weights()],
        "calibration": {"slope": round(slope, 6), "intercept": round(intercept, 6)},
        "typical": typical(rows),
        "interval": {},
        "need": NEED,
        "known_within": KNOWN_WITHIN,
        "thresholds": {
            f"alerts_{burden:g}": round(point.cutoff, 5)
            for burden in BURDENS
            if (point := course.at_burden(score, burden)) is not None
        },
        "quantiles": [round(float(q), 5) for q in np.nanquantile(validated.risk, np.linspace(0, 1, 101))],
        "reference": reference(rows, validated.risk),
        "trained": {
            "data": "PhysioNet/Computing in Cardiology Challenge 2019",
            "stays": len(rows.names),
            "stays_with_onset": int(course.event.sum()),
            "rows": len(rows),
            "seed": seed,
            "folds": FOLDS,
            "versions": {
                "scikit-learn": sklearn.__version__,
                "skops": skops.__version__,
                "numpy": np.__version__,
            },
        },
        "cross_validated": {name: round(value, 4) for name, value in course.rows(score).items()},
    }
    (output / "risk.json").write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", "utf-8")
    figures = measured(
        prepared, folder, load_risk(output / "risk.skops"), seed=seed, quick=quick, progress=progress
    )
    card = write_card(output, said, figures, prepared.said)
    return [
        *prepared.said,
        *_told(said, course, score),
        f"wrote {output / 'risk.skops'}, risk.json and {card.name}",
    ]


def _told(said: dict[str, Any], course: Course, score: Float) -> list[str]:
    rows = said["cross_validated"]
    lines = [
        f"cross-validated: AUROC {rows['auroc']:.3f}, within the hour {rows['auroc_t']:.3f}, "
        f"AUPRC {rows['auprc']:.3f}"
    ]
    for burden in BURDENS[:2]:
        point: Point | None = course.at_burden(score, burden)
        if point:
            lines.append(
                f"at {burden:g} alerts a patient-day: events caught {point.recall:.1%}, "
                f"alerts in their 12 h {point.precision:.1%}, cut-off {point.cutoff:.4f}"
            )
    return lines


def reference(rows: Rows, risk: Float) -> dict[str, Any]:
    """Quantiles of the risk and of every present signal, by which drift is seen."""
    shares = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
    columns = {name: rows.inputs.present[:, i] for i, name in enumerate(TRACKED)} | {"risk": risk}
    return {
        "shares": list(shares),
        "quantiles": {
            name: [round(float(q), 5) for q in np.nanquantile(values, shares)]
            for name, values in columns.items()
        },
        "missing": {name: round(float(np.isnan(values).mean()), 4) for name, values in columns.items()},
    }
