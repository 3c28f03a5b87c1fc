"""Every number of the artefact filter, with where it comes from. Physical ranges are in ``ward.signals``.

'Measured' refers to MIMIC-IV WDB record 86130599 (48 h) and BIDMC (53 × 8 min): the largest changes
from one second to the next there are 25/min for heart rate (a lone 88 aside), 19/min for pulse,
3.8 % for SpO2 and 13/min for respiration. 'Judgement' marks what no stored source confirms; nothing
here decides whether an extreme passes, only whether it has to last first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from ward.signals import INDEX, MEASURED, MINUTE, SECOND, SIGNALS

PERSIST: Final = 15 * SECOND
"""A deviation that lasts this long is confirmed (architecture, law 11)."""
LONGEST_WAIT: Final = 65 * MINUTE
"""Nothing doubtful waits longer than this for its signal's next reading. Judgement: hourly cuffs."""
FRESH: Final = 5 * SECOND
"""Signals are compared within a moment of this length: longer, and a pulse may have stopped meanwhile."""
LOW_QUALITY: Final = 0.3
"""A device's own quality below this makes its reading doubtful. Judgement."""
LOW_PERFUSION: Final = 0.3
"""Perfusion index (%) below which oximetry is doubtful. From memory."""
RATES_APART: Final = 15.0
"""|HR − PR| above which SpO2 is doubtful (1/min). From memory."""
NO_BEAT: Final = 20.0
"""A heart rate below this beside a good pulse is a lead that came off (1/min). Judgement."""
GOOD_PULSE: Final = (30.0, 220.0)
"""Pulse rates that can stand against a silent heart rate (1/min). Judgement."""
LAG: Final = 10 * SECOND
"""Oximeters average: a pulse shown less than this after the heart fell silent may be from before. One that is
later, and no older than this, bears witness that the heart beats. Judgement: averages are over 4 to 16 s."""
PULSE_PRESSURE: Final = 10.0
"""SBP − DBP below which a cuff measurement is doubtful (mm[Hg]). From memory."""
OFF_FOR: Final = 30 * SECOND
"""Leads that are off for so long are told (a technical alert). Judgement: an electrode that slips is pressed
on again within this time."""
OFF_MEMORY: Final = 90 * SECOND
"""So long after the last such reading nothing is known of the leads; the heart rate is then absent."""
SPEED: Final = 0.8
"""How fast saturation falls in bodies (% a second). In sleep apnoea it falls by 0.26 on average, for 20 s,
and comes back by 0.44, in 12 s (33 patients, 'patterns of oximetric desaturations and resaturations', Sleep);
by 0.3 to 0.9 in plots of MIMIC-IV WDB 86130599. Faster and back within 15 s is a finger that moved."""
FAST: Final = 0.5
"""SpO2 that is lower than such a fall allows by more than this (%) is doubtful ..."""
FAST_NEAR: Final = 2.0
"""... and waits where it is off the stream's level by more than this (%) ..."""
FAST_LOW: Final = 3.0
"""... or this, where that level is low itself. Judgement, as are the two before."""
RR_SPEED: Final = 2.0
"""How fast a respiratory rate moves (1/min a second): it is counted over several breaths. Measured: with
``RR_FAST`` what 99.3 % (86130599) and 99.9 % (BIDMC) of all seconds keep within."""
RR_FAST: Final = 1.0
"""A rate that is off by more than such a move allows and this (1/min) is doubtful ..."""
RR_NEAR: Final = 5.0
"""... and waits where it is off the stream's level by more than this (1/min), beyond what is normal."""
GOOD_QUALITY: Final = 0.7
"""A device's own quality from this on vouches for a fast fall. Judgement."""
FROZEN: Final = 10 * MINUTE
"""A device whose beat-to-beat signals all keep their value this long is frozen. Measured: 13 s at most."""
FROZEN_ALONE: Final = 30 * MINUTE
"""The same where it has one such signal: a paced heart keeps its rate for long. Judgement."""
BEATING: Final = ("hr", "pr", "spo2", "rr", "pi")
"""Signals that change from moment to moment in the living."""
CONTINUOUS: Final = 30 * SECOND
"""Readings further apart than this do not show that nothing changed between them."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What one signal does in one stream (one device).

    jump: a change from the last valid value beyond this (plus ``growth`` a minute between the two)
    waits for confirmation; near: so does a change beyond this where the reading is doubtful, and a return
    to within half of it contradicts; memory: for how long (ms) the last valid value says what to expect;
    normal: values that a passing artefact returns to.
    """

    jump: float
    growth: float
    near: float
    memory: int
    normal: tuple[float, float]


# normal: at most one point in NEWS2, for sbp no point beside hypertension; dbp, map, pi: judgement.
# jump: hr pr spo2 just above what is measured, rr what 99.99 % of all seconds keep within; pressures and
# temperature: judgement, wide enough that a true fall within an hour is believed at once. memory, growth,
# near: judgement; growth is small, as under rules that last a minute it costs nothing to wait in vain.
LIMITS: Final[dict[str, Limit]] = {
    "hr": Limit(25, 5, 10, 5 * MINUTE, (41, 110)),
    "pr": Limit(25, 5, 10, 5 * MINUTE, (41, 110)),
    "spo2": Limit(6, 1, 3, 5 * MINUTE, (94, 100)),
    "rr": Limit(8, 2, 6, 5 * MINUTE, (9, 20)),
    "sbp": Limit(40, 1.5, 15, 65 * MINUTE, (101, 180)),
    "dbp": Limit(30, 1.2, 12, 65 * MINUTE, (45, 110)),
    "map": Limit(35, 1.3, 12, 65 * MINUTE, (60, 130)),
    "temp": Limit(1.0, 0.1, 0.5, 30 * MINUTE, (35.1, 39.0)),
    "pi": Limit(np.inf, 0, 5, 5 * MINUTE, (0, 30)),
}

# The table as arrays over signal indices; signals beyond MEASURED are never doubted.
N_MEASURED: Final = len(MEASURED)
_rows = [LIMITS[name] for name in MEASURED]
JUMP: Final = np.array([row.jump for row in _rows])
GROWTH: Final = np.array([row.growth / MINUTE for row in _rows])
NEAR: Final = np.array([row.near for row in _rows])
MEMORY: Final = np.array([row.memory for row in _rows], np.int64)
NORMAL: Final = np.array([row.normal for row in _rows])
POSSIBLE: Final = np.array([signal.possible for signal in SIGNALS], np.float64)
PLAUSIBLE: Final = np.array([signal.plausible for signal in SIGNALS], np.float64)
IS_BEATING: Final = np.array([signal.name in BEATING for signal in SIGNALS])


@dataclass(frozen=True, slots=True)
class Detector:
    """One detector of the table: what it looks for, the numbers above that it has, what is known of it.

    verdict: 'invalid' at once, 'waits' until what follows decides (15 s or the next reading), 'stays
    questionable', or 'invalid while disproved' by another signal.
    """

    looks_for: str
    parameters: tuple[str, ...]
    evidence: str
    verdict: str


DETECTORS: Final[dict[str, Detector]] = {
    "impossible": Detector(
        "a value that no body and no sensor can have", ("POSSIBLE",), "physics; public contract", "invalid"
    ),
    "no-measurement": Detector(
        "the device's own word: probe or leads off, calibrating, invalid",
        (),
        "ISO/IEEE 11073: such a value is not a measurement",
        "invalid",
    ),
    "doubtful-word": Detector(
        "the device says motion, low perfusion, out of range or what ward does not know",
        ("LIMITS.near",),
        "the device sees more than its numbers; a word alone proves nothing",
        "waits",
    ),
    "low-quality": Detector(
        "the device's own quality is low", ("LOW_QUALITY", "LIMITS.near"), "judgement", "waits"
    ),
    "implausible": Detector(
        "a value outside the plausible range",
        ("PLAUSIBLE", "LIMITS.jump"),
        "clifpy's outlier_config.yaml; tighter ranges delete true extremes",
        "waits",
    ),
    "jump": Detector(
        "a change from the last valid value that is larger than monitors show of living patients",
        ("LIMITS.jump", "LIMITS.growth", "LIMITS.memory"),
        "neighbours beat absolute limits (Colopy 2017); measured, MIMIC-IV WDB 86130599 and BIDMC",
        "waits",
    ),
    "fast-fall": Detector(
        "SpO2 that falls faster than bodies fall",
        ("SPEED", "FAST", "FAST_NEAR", "FAST_LOW", "GOOD_QUALITY"),
        "desaturations fall by 0.26 % a second in sleep apnoea, by under 0.9 in MIMIC-IV WDB 86130599",
        "waits",
    ),
    "fast-breath": Detector(
        "a respiratory rate that leaps in one or several steps beyond what is normal",
        ("RR_SPEED", "RR_FAST", "RR_NEAR"),
        "a rate is counted over several breaths; measured, MIMIC-IV WDB 86130599 and BIDMC",
        "waits",
    ),
    "no-breath": Detector(
        "a respiratory rate of 0 right after one of more than 6",
        ("LIMITS.memory", "LIMITS.near"),
        "a lost signal is shown as 0 for 2 to 4 s, MIMIC-IV WDB 86130599; an apnoea that matters lasts",
        "waits",
    ),
    "low-perfusion": Detector(
        "SpO2 or pulse while the perfusion index is low",
        ("LOW_PERFUSION", "FRESH", "LIMITS.near"),
        "from memory",
        "waits",
    ),
    "hr-against-pr": Detector(
        "SpO2 while heart rate and pulse rate differ",
        ("RATES_APART", "FRESH", "LIMITS.near"),
        "from memory; a pulse counted half, 14 places listed in MIMIC-IV WDB 86130599",
        "waits",
    ),
    "leads-off": Detector(
        "heart rate 0 beside a good pulse",
        ("NO_BEAT", "GOOD_PULSE", "FRESH", "LAG", "OFF_FOR"),
        "a heart that stands still gives no pulse; three times in MIMIC-IV WDB 86130599",
        "invalid while disproved",
    ),
    "pressures": Detector(
        "cuff pressures that cannot be together: DBP < MAP < SBP, pulse pressure",
        ("PULSE_PRESSURE",),
        "from memory; charting errors in the CinC 2019 and 2012 collections",
        "waits",
    ),
    "flat-line": Detector(
        "a device none of whose beat-to-beat signals changes, at normal-looking values",
        ("FROZEN", "FROZEN_ALONE", "CONTINUOUS"),
        "measured: 13 s at most in MIMIC-IV WDB 86130599 and BIDMC",
        "stays questionable",
    ),
}
"""All of them, by name. ``Filter(without=...)`` leaves some out, to see what each catches and costs."""

HR, PR, SPO2, RR, PI = (INDEX[name] for name in ("hr", "pr", "spo2", "rr", "pi"))
SBP, DBP, MAP = (INDEX[name] for name in ("sbp", "dbp", "map"))
