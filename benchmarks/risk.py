"""The risk of every stay at once, beside one copy of what is remembered of them, in the same run.

Three parts: taking a second's readings into memory (each tick), reading features out of it, and the model
itself (both at whole five minutes only). Processor time; the model computes in one thread.
"""

from __future__ import annotations

import argparse
import gc

import numpy as np

from benchmarks.figures import Figure, Part, processor, table, under
from ward.models import find_risk
from ward.scoring.features import matrix
from ward.scoring.readings import Int
from ward.scoring.risk import RiskModel
from ward.scoring.trends import STEP, TRACKED, Trends
from ward.signals import HOUR, SECOND

USUAL = ((82, 12), (96, 3), (18, 4), (122, 18), (66, 12), (85, 13), (37, 0.6))
HOURS = 26
TARGET_S = 0.2
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


def measure(model: RiskModel, stays: int, rounds: int) -> dict[str, np.ndarray]:
    """Seconds by round: a tick's readings, inputs and features, all of a score, and a copy of the memory."""
    random = np.random.default_rng(1)
    trends, end = filled(stays, random)
    slots, at = np.arange(stays), np.full(stays, end // STEP * STEP)
    took = []
    for _ in range(rounds):
        end += SECOND
        readings = sample(stays, end, random)
        took.append(
            (
                processor(lambda readings=readings: trends.take(*readings)),
                processor(lambda: matrix(trends.inputs(slots, at), model.features)),
                processor(lambda: model.predict(trends.inputs(slots, at))),
                processor(lambda: (trends.sum.copy(), trends.count.copy())),
            )
        )
    return dict(zip(("tick", "features", "score", "copy"), np.array(took).T, strict=True))


def part(quick: bool = False, *, stays: int = 10_000, rounds: int = 7, model: str = "default") -> Part:
    """Raises RuntimeError where no model comes with this copy of ward."""
    found = find_risk(model)
    if found is None:
        raise RuntimeError("no model comes with this copy of ward; --model FILE")
    if quick:
        stays, rounds = 1_000, 2
    gc.disable()
    took = measure(found, stays, rounds)
    copy = "a copy of what is remembered of them"
    return Part(
        "risk",
        "Risk",
        f"The risk of {stays:,} stays, each with {HOURS} hours of its seven signals behind it, by the model "
        f"`{found.id}` ({len(found.features)} features, {len(found.members)} members): seconds of processor, "
        "in one thread, beside one copy of what is remembered of these stays. A second's readings are taken "
        "in with each tick; scores are made every five minutes.",
        "python -m benchmarks.risk",
        (
            Figure.of(
                f"{stays:,} stays scored", took["score"], "s", target=None if quick else under(TARGET_S)
            ),
            Figure.ratio("the same", took["score"], took["copy"], copy),
            Figure.ratio("of that, features", took["features"], took["copy"], copy),
            Figure.ratio("a second's readings taken in", took["tick"], took["copy"], copy),
        ),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stays", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--model", default="default")
    asked = parser.parse_args()
    print(table(part(stays=asked.stays, rounds=asked.rounds, model=asked.model)))


if __name__ == "__main__":
    main()
