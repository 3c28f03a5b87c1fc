"""Models for tests of all that is around a model: plain arithmetic on the real features, and small real ones
that are trained in a moment and written to files."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.scoring.test_trends import some_inputs
from ward.scoring.features import BY_NAME, matrix, monotone
from ward.scoring.risk import RiskModel

TYPICAL = {"hr": 80.0, "spo2": 97.0, "rr": 17.0, "sbp": 122.0, "dbp": 66.0, "map": 85.0, "temp": 37.0}
WEIGHTS = {  # by feature: log-odds for each unit beyond the centre, where a typical patient is
    "rr.last": (0.25, 17),
    "spo2.last": (-0.3, 97),
    "hr.change6": (0.05, 0),
    "sbp.mean24": (-0.01, 122),
    "news.last": (0.2, 1),
    "rr.drift": (0.1, 0),
    "temp.std12": (0.3, 0),
    "hr.max12": (0.01, 85),
}


@dataclass(frozen=True)
class Linear:
    """Monotone where the features are; a tilt makes members differ."""

    tilt: float = 1.0
    n_features_in_: int = len(WEIGHTS)

    def decision_function(self, matrix):
        total = np.zeros(len(matrix))
        for column, (weight, centre) in enumerate(WEIGHTS.values()):
            total += np.nan_to_num(matrix[:, column].astype(np.float64) - centre) * weight * self.tilt
        return total


def linear_model(**changes) -> RiskModel:
    given = {
        "id": "linear",
        "members": (Linear(), Linear(1.02)),
        "weights": (0.5, 0.5),
        "typical": TYPICAL,
        "features": tuple(BY_NAME[name] for name in WEIGHTS),
        "intercept": -3.0,
    }
    return RiskModel(**given | changes)


NAMES = ("hr.last", "spo2.last", "rr.last", "sbp.last", "temp.last", "news.mean6", "rr.change6", "spo2.min12")
"""Features of the model that is trained here."""


def fit_members():
    """Trees and a line, trained on made-up patients who breathe fast and saturate badly before it happens."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    features = [BY_NAME[name] for name in NAMES]
    inputs = some_inputs(1200)
    table = matrix(inputs, features)
    log_odds = np.nan_to_num(table[:, 2] - 18) * 0.3 - np.nan_to_num(table[:, 1] - 96) * 0.3
    label = log_odds + np.random.default_rng(4).logistic(size=len(table)) > 2
    trees = HistGradientBoostingClassifier(
        max_iter=25, max_leaf_nodes=7, monotonic_cst=monotone(features), early_stopping=False, random_state=1
    )
    with threadpool_limits(1):  # others compute on this machine, too
        trees.fit(table, label)
    line = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()).fit(table, label)
    return trees, line


def write_model(folder: Path, members, **changes) -> Path:
    """``risk.skops`` with these members, and ``risk.json`` with what is changed in it."""
    import skops.io

    path = folder / "risk.skops"
    skops.io.dump({"members": members}, path)
    told = {
        "schema": 1,
        "id": "tiny",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "features": list(NAMES),
        "typical": TYPICAL,
        "weights": [1 / len(members)] * len(members),
        "calibration": {"slope": 0.9, "intercept": -0.1},
        "interval": {"factor": 1.645, "least": 0.3, "missing": 0.3},
        "trained": {"stays": 1200, "seed": 1},
    }
    path.with_suffix(".json").write_text(json.dumps(told | changes))
    return path
