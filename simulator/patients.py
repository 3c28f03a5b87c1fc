"""One patient's physiology: true vital signs as a pure function of time.

The signs hang together through four small models: oxygen and carbon dioxide by the alveolar gas
equation, oxygen saturation by Severinghaus' curve (J Appl Physiol 46:599, 1979), pressure as output
times resistance under a baroreflex, and a fever that speeds heart and breath. Coefficients are chosen
to look right on a ward, not fitted to data.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Final

import numpy as np

from simulator.courses import Course
from simulator.noise import Float, Int, Key, Waves, generator
from ward.signals import HOUR, MINUTE, SECOND

SIGNS: Final = ("hr", "pr", "spo2", "rr", "sbp", "dbp", "map", "temp", "pi")
DAY_S: Final = 86_400
PAO2_FAILED: Final = 42.0
"""mmHg towards which failing lungs bring arterial oxygen."""


@dataclass(frozen=True)
class Patient:
    """Baseline at rest: age in years; hr, rr 1/min; sbp, dbp mmHg; temp Cel; pao2 mmHg; pi %."""

    key: Key
    age: int
    hr: float
    rr: float
    sbp: float
    dbp: float
    temp: float
    pao2: float
    pi: float
    oxygen: bool = False
    courses: tuple[Course, ...] = field(default=())

    @cached_property
    def _waves(self) -> dict[str, Waves]:
        return {
            "hr": Waves((*self.key, 1), 3.0, 60, 7_200),
            "rr": Waves((*self.key, 2), 0.8, 40, 3_600),
            "map": Waves((*self.key, 3), 3.0, 300, 10_800),
            "spo2": Waves((*self.key, 4), 0.35, 60, 5_400),
            "temp": Waves((*self.key, 5), 0.08, 3_600, 30_000),
            "pi": Waves((*self.key, 6), 0.2, 60, 3_600),
            "rhythm": Waves((*self.key, 7), 1.0, 3, 40, 12),
        }

    def truth(self, t: Int, start: int) -> dict[str, Float]:
        """The true signs at rising times ``t`` (ms since ``start``; ``start`` in ms since 1970, UTC)."""
        s = t / SECOND
        wave = {name: w(s) for name, w in self._waves.items()}
        # Body clock: highest about 16 h, lowest about 4 h.
        day = np.cos(2 * np.pi * ((start / SECOND + s) % DAY_S / DAY_S - 16 / 24))
        moving, dip = self._transients(t, start)
        cause = self._causes(t)

        temp = self.temp + 0.3 * day + cause["fever"] + wave["temp"]
        rr, spo2 = self._breathing(cause, self.rr + 0.6 * day + wave["rr"] + 4.0 * moving)
        spo2 = np.clip(spo2 + wave["spo2"] + 0.3 * day - dip, 35.0, 99.6)
        reflex, pressure, stroke, rhythm, weight = self._circulation(cause)

        sinus = self.hr * (1 + self._reserve * reflex) + 4.0 * day + wave["hr"] + 12.0 * moving
        sinus += cause["stress"]
        sinus += 8.0 * np.maximum(cause["fever"], 0) + 0.9 * np.maximum(0, 91.0 - spo2)
        # Breath-bound sinus arrhythmia, weaker with age and under stress.
        depth = 5.0 * np.exp(-self.age / 45) * (1 - np.clip(reflex, 0, 1))
        sinus += depth * np.sin(2 * np.pi * self.rr / 60 * s)
        sinus = np.minimum(sinus, 215.0 - 0.8 * self.age)
        hr = sinus + weight * (rhythm + cause["irregular"] * wave["rhythm"] - sinus)

        mean0 = self.dbp + (self.sbp - self.dbp) / 3
        mean = mean0 * pressure + 4.0 * day + wave["map"] + 5.0 * moving
        pulse = np.maximum((self.sbp - self.dbp) * stroke, 14.0)
        # A fast irregular heart has beats too weak to reach the finger.
        deficit = weight * 0.05 * np.maximum(0, hr - 110)
        pi = self.pi * np.exp(wave["pi"] + 0.8 * cause["dilation"] - 1.6 * np.maximum(reflex, 0))
        return {
            "hr": np.maximum(hr, 18.0),
            "pr": np.maximum(hr - deficit, 18.0),
            "spo2": spo2,
            "rr": rr,
            "sbp": mean + pulse * 2 / 3,
            "dbp": mean - pulse / 3,
            "map": mean,
            "temp": temp,
            "pi": np.clip(pi, 0.1, 19.0),
        }

    @property
    def _reserve(self) -> float:
        """How far the reflex can raise the rate of the heart, relative to rest."""
        return 0.8 * (160 / self.hr - 1)

    def _causes(self, t: Int) -> dict[str, Float]:
        """What the patient's courses do at each time, summed; 'rhythm' is NaN where the sinus rules."""
        names = ("fever", "dilation", "loss", "lungs", "depression", "stress", "irregular")
        total = {name: np.zeros(len(t)) for name in names}
        total["effort"] = np.zeros(len(t))
        total["rhythm"], total["weight"] = np.full(len(t), self.hr), np.zeros(len(t))
        for course in self.courses:
            if not course.touches(t):
                continue
            severity, effect = course.severity(t), course.script.effect
            for name in names:
                total[name] += severity * getattr(effect, name)
            if effect.effort is not None:
                total["effort"] += severity * max(0.0, effect.effort - self.rr)
            if effect.rhythm is not None:
                stronger = severity > total["weight"]
                total["rhythm"][stronger] = effect.rhythm
                total["weight"] = np.maximum(total["weight"], severity)
        return total

    def _breathing(self, cause: dict[str, Float], rest: Float) -> tuple[Float, Float]:
        """Respiratory rate and saturation; low oxygen drives breathing, breathing brings oxygen."""
        awake = 1 - np.clip(cause["depression"], 0, 0.95)
        own = rest + cause["effort"] + 1.2 * np.maximum(cause["fever"], 0)
        lungs = self.pao2 - cause["lungs"] * (self.pao2 - PAO2_FAILED)
        spo2 = np.full(len(rest), 96.0)
        for _ in range(6):
            rr = np.maximum((own + 0.3 * np.maximum(0, 92.0 - spo2)) * awake, 1.0)
            # Fast breaths are shallow, slow ones somewhat deeper: ventilation follows the rate less
            # than in proportion. 40 mmHg carbon dioxide at rest, each mmHg more costs 1/0.8 of oxygen.
            relative = rr / rest
            ventilation = np.where(relative > 1, relative**0.35, relative**0.65)
            carbon = np.clip(40 / ventilation, 24, 82)
            spo2 = 0.5 * (spo2 + saturation(lungs + (40 - carbon) / 0.8))
        return rr, spo2

    def _circulation(self, cause: dict[str, Float]) -> tuple[Float, Float, Float, Float, Float]:
        """Reflex drive (-0.2..1), pressure and stroke volume relative to rest, foreign rhythm, its weight."""
        resistance, volume = 1 - cause["dilation"], 1 - cause["loss"]
        rhythm, weight = cause["rhythm"], cause["weight"]
        reflex = np.zeros(len(volume))
        for _ in range(14):
            rate = (1 + self._reserve * reflex) * (1 - weight) + rhythm / self.hr * weight
            # Less time to fill: output grows with the root of the rate, and falls above twice of it.
            output = volume * np.sqrt(rate) * np.where(rate > 1.6, (1.6 / rate) ** 0.8, 1.0)
            pressure = output * resistance * (1 + 0.35 * reflex)
            reflex += 0.4 * (np.clip(1.7 * (1 - pressure), -0.2, 1.0) - reflex)
        return reflex, pressure, np.clip(output / rate, 0.25, 1.5), rhythm, weight

    def _transients(self, t: Int, start: int) -> tuple[Float, Float]:
        """Moving about (0..1.5) and short desaturations (% below the rest) at each time."""
        moving, dip = np.zeros(len(t)), np.zeros(len(t))
        if not len(t):
            return moving, dip
        for hour in range(int(t[0]) // HOUR - 1, int(t[-1]) // HOUR + 1):
            night = (start // HOUR + hour) % 24 in (22, 23, 0, 1, 2, 3, 4, 5)
            for centre, width, size, is_dip in _hour_events(self.key, hour, night):
                shape = size * np.exp(-0.5 * ((t - centre) / width) ** 2)
                target = dip if is_dip else moving
                target += shape
        return np.minimum(moving, 1.5), np.minimum(dip, 11.0)


@lru_cache(maxsize=8192)
def _hour_events(key: Key, hour: int, night: bool) -> list[tuple[float, float, float, bool]]:
    """(centre ms, width ms, size, is a desaturation) of the short events that begin in this hour."""
    source = generator((*key, 8, hour + 10_000))
    events: list[tuple[float, float, float, bool]] = []
    for _ in range(source.poisson(0.15 if night else 1.2)):
        centre = (hour + source.random()) * HOUR
        events.append((centre, source.uniform(0.4, 2.5) * MINUTE, source.uniform(0.4, 1.3), False))
    for _ in range(source.poisson(0.5 if night else 0.2)):
        centre = (hour + source.random()) * HOUR
        events.append((centre, source.uniform(7, 25) * SECOND, source.uniform(3, 9), True))
    return events


def saturation(pao2: Float) -> Float:
    """Oxygen saturation in % from arterial oxygen in mmHg (Severinghaus)."""
    p = np.maximum(pao2, 15.0)
    return np.asarray(100 / (1 + 23_400 / (p**3 + 150 * p)))


def draw_patient(key: Key, *, copd: bool = False, oxygen: bool = False) -> Patient:
    """A patient as surgical and medical wards have them: mostly elderly, treated, stable."""
    source = generator((*key, 0))
    age = int(np.clip(source.normal(67, 13), 22, 94))
    sbp = float(np.clip(source.normal(118 + 0.2 * (age - 50), 8), 108, 146))
    return Patient(
        key=key,
        age=age,
        hr=float(np.clip(source.normal(75, 7), 60, 88)),
        rr=float(np.clip(source.normal(15.0, 1.3), 12.5, 17.5)),
        sbp=sbp,
        dbp=float(np.clip(sbp * source.normal(0.58, 0.03), 60, 88)),
        temp=float(np.clip(source.normal(36.7, 0.2), 36.3, 37.2)),
        pao2=float(source.normal(64, 1.0) if copd else np.clip(source.normal(99 - 0.22 * age, 3), 79, 98)),
        pi=float(np.clip(source.lognormal(1.1, 0.35), 1.2, 8.0)),
        oxygen=oxygen,
    )
