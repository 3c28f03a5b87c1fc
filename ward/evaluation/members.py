"""The members of the score: what they learn from, in which directions, and how they are put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from ward.evaluation.protocol import WINDOW
from ward.scoring.features import FEATURES, Feature, matrix
from ward.scoring.trends import TRACKED, Float32, Inputs

if TYPE_CHECKING:
    from ward.evaluation.training import Rows

Float = NDArray[np.float64]
Bool = NDArray[np.bool_]

BAGS: Final = 4
"""Members of trees over all features, each of its own hours and its own drawing of stays ..."""
LINEAR, POINTS = 0.35, 0.1
"""... and the weights of one that is linear, and of one of trees that sees NEWS2 points only."""
EVERY: Final = 6
"""A member takes every so-manieth hour of those without an onset ahead, another phase than the others."""
AFTER: Final = 9
"""Hours after the onset that still teach what it looks like."""
DRAWN: Final = 0.85
"""Share of the stays that a member learns from ..."""
THINNED: Final = 0.4
"""... and of its rows those that are thinned."""

TREES: Final[dict[str, Any]] = {
    "learning_rate": 0.2,
    "max_iter": 45,
    "max_leaf_nodes": 8,
    "min_samples_leaf": 120,
    "l2_regularization": 20.0,
    "max_features": 0.2,
    "max_bins": 63,
    "early_stopping": False,
}
FEW_TREES: Final[dict[str, Any]] = TREES | {"max_iter": 20, "max_leaf_nodes": 6, "max_features": 1.0}
PENALTY: Final = 1_000.0
"""On the squared coefficients of the linear member, of features in standard deviations."""

_STEPS: Final = 200

_RISING: Final = frozenset({"hr", "rr", "shock_index", "hr_temp", "sirs"})
_FALLING: Final = frozenset({"spo2", "sbp", "map", "spo2_rr"})


def direction(feature: Feature) -> int:
    """Which way the risk may go with a feature: +1, -1, or 0 for either.

    As physiology has it: up with heart rate, breathing, shock index, NEWS points and unrest; down with
    SpO2 and pressure. Slow heart rate, slow breathing and high pressure have their own points.
    """
    if feature.view in ("drift", "trend"):
        return 0
    if feature.view.startswith(("std", "unrest")):
        return 1
    if feature.series in _RISING or feature.series.startswith("news"):
        return 1
    return -1 if feature.series in _FALLING else 0


# ---------------------------------------------------------------- rows

_LEFT_OUT: Final = {"hr": 0.03, "spo2": 0.15, "rr": 0.15, "sbp": 0.06, "dbp": 0.4, "map": 0.12, "temp": 0.15}
"""Shares of the thinned rows in which a signal is taken away."""


def thinned(inputs: Inputs, rng: np.random.Generator) -> Inputs:
    """Some of the rows as of another hospital: signals that it lacks, hours that it does not chart."""
    n = len(inputs)
    present, hourly = inputs.present.copy(), inputs.hourly.copy()
    some = rng.random(n) < THINNED
    for column, name in enumerate(TRACKED):
        gone = some & (rng.random(n) < _LEFT_OUT[name])
        present[gone, column] = np.nan
        hourly[gone, :, column] = np.nan
    every = np.where(some, rng.choice([1, 2, 3, 4], n, p=[0.5, 0.25, 0.15, 0.1]), 1)
    phase = rng.integers(0, 4, n) % every
    present[phase != 0] = np.nan
    for hour in range(hourly.shape[1]):
        hourly[(hour + 1 + phase) % every != 0, hour] = np.nan
    return Inputs(present, hourly)


def fit(rows: Rows, use: Bool, *, seed: int, features: Sequence[Feature] = FEATURES) -> list[Any]:
    """Members (scikit-learn): of trees, the linear one, that of NEWS2 points. use [n]: rows to learn from."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    members: list[Any] = []
    signs = [direction(feature) for feature in features]
    for bag in range(BAGS + 2):
        rng = np.random.default_rng((seed, bag))
        chosen = np.flatnonzero(use & _of_member(rows, bag, rng))
        table = matrix(thinned(rows.inputs.take(chosen), rng), features)
        target = rows.ahead[chosen] <= WINDOW
        if bag == BAGS:
            members.append(_linear(table, target, signs))
            continue
        options = TREES if bag < BAGS else FEW_TREES
        if bag > BAGS:
            others = [i for i, feature in enumerate(features) if not feature.series.startswith("news")]
            table[:, others] = 0  # never split at
        trees = HistGradientBoostingClassifier(**options, monotonic_cst=signs, random_state=seed + bag)
        medians = _medians().fit(table)
        members.append(_knowing(trees.fit(medians.transform(table), target), medians.statistics_))
    return members


def _of_member(rows: Rows, member: int, rng: np.random.Generator) -> Bool:
    """Hours up to an onset of the drawn stays, and some of the others."""
    drawn = rng.random(len(rows.names)) < DRAWN
    phase = (rows.hour + rows.stay) % EVERY == member % EVERY
    kept: Bool = drawn[rows.stay] & (rows.ahead >= -AFTER) & ((rows.ahead <= WINDOW) | phase)
    return kept


def _medians() -> Any:
    """Medians for what is not known, so that no member sees whether something is: the first hours of a stay
    lack history, and in such records the hour alone foretells."""
    from sklearn.impute import SimpleImputer

    return SimpleImputer(strategy="median", keep_empty_features=True)


def _knowing(trees: Any, medians: Float) -> Any:
    """The same trees, going the median's way at each split where a value is missing: what they would answer
    were it filled in before, without the filling in."""
    for (predictor,) in trees._predictors:
        nodes = predictor.nodes
        nodes["missing_go_to_left"] = medians[nodes["feature_idx"]] <= nodes["num_threshold"]
    return trees


def _linear(table: Float32, target: Bool, signs: Sequence[int]) -> Any:
    """Logistic regression of features cut off at their 1st and 99th percentiles, medians where missing;
    no coefficient against its direction."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler

    imputer = _medians()
    filled = imputer.fit_transform(table.astype(np.float64))
    scaler = MinMaxScaler(clip=True).fit(np.percentile(filled, [1, 99], axis=0))
    scaled = scaler.transform(filled)
    middle, spread = scaled.mean(axis=0), np.maximum(scaled.std(axis=0), 1e-6)
    x = (scaled - middle) / spread
    beta = _bounded(np.append(x, np.ones((len(x), 1)), axis=1), target, [*signs, 0])
    model = LogisticRegression()
    model.classes_ = np.array([False, True])
    model.n_features_in_ = x.shape[1]
    model.coef_ = (beta[:-1] / spread)[None, :]
    model.intercept_ = np.array([beta[-1] - float(beta[:-1] / spread @ middle)])
    return make_pipeline(imputer, scaler, model)


def _bounded(x: Float, target: Bool, signs: Sequence[int]) -> Float:
    """Coefficients [features, the last one's without penalty] of the logistic regression of target on x, none
    against its sign: accelerated projected gradients, with as many steps as its conditioning asks for."""
    penalty = np.append(np.full(x.shape[1] - 1, PENALTY), 1.0)
    lower = np.where(np.array(signs) > 0, 0.0, -np.inf)
    upper = np.where(np.array(signs) < 0, 0.0, np.inf)
    steepest = float(np.linalg.eigvalsh(x.T @ x)[-1]) / 4 + PENALTY
    root = float(np.sqrt(PENALTY / steepest))
    momentum = (1 - root) / (1 + root)
    beta = np.zeros(x.shape[1])
    beta[-1] = np.log(target.mean() / (1 - target.mean()))
    ahead = beta
    for _ in range(_STEPS):
        wrong = 1 / (1 + np.exp(-np.clip(x @ ahead, -50, 50))) - target
        found = np.clip(ahead - (x.T @ wrong + penalty * ahead) / steepest, lower, upper)
        ahead = found + momentum * (found - beta)
        beta = found
    return beta


def weights() -> tuple[float, ...]:
    """Of the members, their sum is 1."""
    return (*[(1 - LINEAR - POINTS) / BAGS] * BAGS, LINEAR, POINTS)


def log_odds(members: Sequence[Any], table: Float32) -> Float:
    """The members' weighted mean [n], not calibrated."""
    total: Float = np.zeros(len(table))
    for weight, member in zip(weights(), members, strict=True):
        total += weight * member.decision_function(table)
    return total


def calibrate(z: Float, label: Bool) -> tuple[float, float]:
    """Slope and intercept of the log-odds of the label on z, by Newton's method."""
    design = np.stack([z, np.ones(len(z))], axis=1)
    beta = np.array([1.0, 0.0])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        step = np.linalg.solve((design * (p * (1 - p))[:, None]).T @ design, design.T @ (label - p))
        beta += step
        if np.abs(step).max() < 1e-9:
            break
    return float(beta[0]), float(beta[1])
