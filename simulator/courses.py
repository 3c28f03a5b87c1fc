"""Scripted courses: what goes wrong with a patient, when, how fast, and which thresholds it reaches.

A course acts on causes (volume, vessels, lungs, drive, rhythm), never on a vital sign itself; the
signs follow in ``patients``. So a bleeding patient's pulse rises because the pressure falls.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.noise import Float, Int
from ward.signals import HOUR, MINUTE


@dataclass(frozen=True, slots=True)
class Effect:
    """The causes at full severity.

    fever: Cel; dilation: fall of vascular resistance, fraction; loss: blood volume lost, fraction;
    lungs: how far arterial oxygen falls from the patient's own towards 42 mmHg, fraction; effort:
    breaths per minute towards which the patient is driven, or None; depression: breathing drive lost,
    fraction; stress: extra heart beats per minute (adrenaline, pain); rhythm: heart rate that replaces
    the sinus node's, or None; irregular: spread of that rhythm, 1/min.
    """

    fever: float = 0.0
    dilation: float = 0.0
    loss: float = 0.0
    lungs: float = 0.0
    effort: float | None = None
    depression: float = 0.0
    stress: float = 0.0
    rhythm: float | None = None
    irregular: float = 0.0


@dataclass(frozen=True, slots=True)
class Condition:
    """A threshold with a duration in a pack's own words, e.g. ``("spo2 < 88",)`` for ``10m``."""

    when: tuple[str, ...]
    duration: str


@dataclass(frozen=True, slots=True)
class Script:
    """One kind of course. ``rise``: ms from onset to full severity; ``reaches``: what the patient's
    true values meet and hold at full severity, whoever the patient is."""

    effect: Effect
    rise: int
    reaches: tuple[Condition, ...]


RR_HIGH: Final = Condition(("rr >= 24",), "5m")
SPO2_88: Final = Condition(("spo2 < 88",), "10m")
HR_111: Final = Condition(("hr >= 111",), "60m")
SHOCK: Final = Condition(("sbp < 100", "hr > 110"), "30m")

SCRIPTS: Final[dict[str, Script]] = {
    "sepsis": Script(
        Effect(fever=2.2, dilation=0.53, loss=0.1, lungs=0.45, effort=28.0, stress=10.0),
        3 * HOUR,
        (RR_HIGH, HR_111, SHOCK),
    ),
    "bleeding": Script(
        Effect(fever=-0.4, loss=0.52, effort=21.0, stress=24.0),
        75 * MINUTE,
        (HR_111, SHOCK),
    ),
    "respiratory-failure": Script(
        Effect(fever=0.5, lungs=1.1, effort=27.0),
        60 * MINUTE,
        (RR_HIGH, SPO2_88, Condition(("spo2 < 92",), "60m")),
    ),
    "arrhythmia": Script(
        Effect(rhythm=154.0, irregular=5.0, loss=0.2),
        MINUTE,
        (Condition(("hr > 130",), "30m"), HR_111),
    ),
    "bradycardia": Script(
        Effect(rhythm=35.0, irregular=0.5),
        2 * MINUTE,
        (Condition(("hr >= 30", "hr < 40"), "5m"),),
    ),
    "opioid": Script(
        Effect(depression=0.63, lungs=0.14),
        25 * MINUTE,
        (Condition(("rr < 11", "spo2 < 88"), "5m"), SPO2_88),
    ),
}
"""Every course but 'stable', which is having none."""


@dataclass(frozen=True, slots=True)
class Course:
    """One course of one patient; times in ms since the simulation's start, negative: under way already.

    ``lasts``: time at full severity, None: for good; then it is treated and fades within ``fades``.
    """

    kind: str
    onset: int
    lasts: int | None = None
    fades: int = 60 * MINUTE

    @property
    def script(self) -> Script:
        return SCRIPTS[self.kind]

    @property
    def full(self) -> int:
        """When severity reaches 1."""
        return self.onset + self.script.rise

    @property
    def treated(self) -> int | None:
        return None if self.lasts is None else self.full + self.lasts

    @property
    def end(self) -> int | None:
        """When severity is 0 again."""
        return None if self.treated is None else self.treated + self.fades

    def severity(self, t: Int) -> Float:
        """0..1 at each time (ms since start)."""
        up = _smooth((t - self.onset) / self.script.rise)
        if self.treated is None:
            return up
        return up * (1 - _smooth((t - self.treated) / self.fades))

    def touches(self, t: Int) -> bool:
        """Whether severity can be above 0 anywhere between the first and the last of these times."""
        return bool(len(t)) and int(t[-1]) > self.onset and (self.end is None or int(t[0]) < self.end)


def _smooth(x: Float) -> Float:
    x = np.clip(x, 0.0, 1.0)
    smooth: Float = x * x * (3 - 2 * x)
    return smooth
