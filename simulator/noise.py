"""Randomness as a function of place, not of order: any moment can be asked for, in any order.

A simulated ward must give the same bytes however its time is cut into blocks, so nothing here keeps
a running state. ``Waves`` is slow, 1/f-like variability as a sum of sinusoids; ``Pages`` is white
noise addressed by sample number.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Int = NDArray[np.int64]
Key = tuple[int, ...]
"""What a stream of randomness is for: seed, bed, device, signal, ... Different keys are independent."""

PAGE: Final = 512


def generator(key: Key) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(list(key))))


@lru_cache(maxsize=4096)
def _page(key: Key, page: int, uniform: bool) -> Float:
    source = generator((*key, 1 if uniform else 0, page))
    drawn = source.random(PAGE) if uniform else source.standard_normal(PAGE)
    drawn.flags.writeable = False
    return drawn


def _pages(key: Key, index: Int, uniform: bool) -> Float:
    result = np.empty(len(index))
    page = index // PAGE
    for number in np.unique(page).tolist():
        rows = page == number
        result[rows] = _page(key, number, uniform)[index[rows] - number * PAGE]
    return result


def normal(key: Key, index: Int) -> Float:
    """Independent standard normal values, one for each sample number (>= 0)."""
    return _pages(key, index, uniform=False)


def uniform(key: Key, index: Int) -> Float:
    """Independent values in [0, 1), one for each sample number (>= 0)."""
    return _pages(key, index, uniform=True)


class Waves:
    """Zero-mean variability with standard deviation ``sd`` at periods from ``shortest`` to ``longest`` (s).

    Equal power in each octave, as heart rate and pressure vary over minutes to hours.
    """

    def __init__(self, key: Key, sd: float, shortest: float, longest: float, count: int = 8) -> None:
        source = generator(key)
        steps = (np.arange(count) + source.random(count)) / count
        self._omega = 2 * np.pi / (shortest * (longest / shortest) ** steps)
        self._phase = source.uniform(0, 2 * np.pi, count)
        self._amplitude = sd * np.sqrt(2 / count)

    def __call__(self, seconds: Float) -> Float:
        angle = np.multiply.outer(self._omega, seconds) + self._phase[:, None]
        total: Float = np.cos(angle).sum(axis=0) * self._amplitude
        return total
