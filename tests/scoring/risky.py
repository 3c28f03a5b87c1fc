"""A risk that is plain arithmetic on the real features, for tests of all that is around a model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ward.scoring.features import BY_NAME
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
