"""The risk of every stay at once, beside one copy of what is remembered of them, in the same run.

Three parts: taking a second's readings into memory (each tick), reading features out of it, and the model
itself (both at whole five minutes only). Processor time; the model computes in one thread.
"""

from __future__ import annotations

import argparse
import gc
import os
import platform

import numpy as np

from benchmarks.tick import taken
from ward.models import find_risk
from ward.scoring.features import matrix
from ward.scoring.readings import Int
from ward.scoring.risk import RiskModel
from ward.scoring.trends import STEP, TRACKED, Trends
from ward.signals import HOUR, SECOND

USUAL = ((82, 12), (96, 3), (18, 4), (122, 18), (66, 12), (85, 13), (37, 0.6))
HOURS = 26
GOAL_S = 0.2
START = 480_000 * HOUR


def sample(stays: int, at: int, random: np.random.Generator) -> tuple[Int, Int, Int, np.ndarray]:
    """One reading of every signal of every stay: slot, channel, time, value."""
    mean, spread = np.array(USUAL).T
    values = mean + spread * random.standard_normal((stays, len(TRACKED)))
    channel = np.repeat(np.arange(len(TRACKED)), stays)
    return np.tile(np.arange(stays), len(TRACKED)), channel, np.full(len(channel), at), values.T.ravel()


def filled(stays: int, random: np.random.Generator) -> tuple[Trends, int]:
    """A day and more, and when it ends."""
    trends = Trends(stays)
    for hour in range(1, HOURS + 1):
        trends.take(*sample(stays, START + hour * HOUR - 7 * SECOND, random))
    return trends, START + HOURS * HOUR


def measure(model: RiskModel, stays: int, rounds: int) -> dict[str, float]:
    """Medians, s: a tick's readings, inputs and features, all of a score, and a copy of the memory."""
    random = np.random.default_rng(1)
    trends, end = filled(stays, random)
    slots, at = np.arange(stays), np.full(stays, end // STEP * STEP)
    took = []
    for _ in range(rounds):
        end += SECOND
        readings = sample(stays, end, random)
        took.append(
            (
                taken(lambda readings=readings: trends.take(*readings)),
                taken(lambda: matrix(trends.inputs(slots, at), model.features)),
                taken(lambda: model.predict(trends.inputs(slots, at))),
                taken(lambda: (trends.sum.copy(), trends.count.copy())),
            )
        )
    return dict(zip(("tick", "features", "score", "copy"), np.median(took, axis=0).tolist(), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stays", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--model", default="default")
    asked = parser.parse_args()
    model = find_risk(asked.model)
    if model is None:
        raise SystemExit("no model comes with this copy of ward; --model FILE")
    gc.disable()
    found = measure(model, asked.stays, asked.rounds)
    made_of = f"{len(model.features)} features, {len(model.members)} members"
    print(
        f"{asked.stays} stays, model {model.id} ({made_of}); Python {platform.python_version()}, "
        f"numpy {np.__version__}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    print(f"  all scored                    {found['score']:.3f} s (wanted: {GOAL_S} s)")
    print(f"  of that, features             {found['features']:.3f} s")
    print(f"  a second's readings taken in  {found['tick']:.3f} s")
    print(
        f"  a copy of what is remembered  {found['copy']:.3f} s: {found['score'] / found['copy']:.0f} a score"
    )


if __name__ == "__main__":
    main()
