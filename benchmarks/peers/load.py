"""What the peers are fed: monitors that send a sample each second, and what is due of it, by the rules alone.

A part of the patients gets worse once: the signs of one rule go to where it holds, no faster than bodies do,
and stay for as long as it asks. A minute is a second in the rules (``files``), not in the patients.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.publisher import Publisher, packet
from ward.scoring.engine import Engine
from ward.scoring.readings import Readings
from ward.scoring.rules import Rule
from ward.scoring.sustain import RAISED
from ward.signals import INDEX, SECOND

SIGNALS: Final = ("hr", "spo2", "rr", "sbp")
USUAL: Final = {"hr": 80.0, "spo2": 97.0, "rr": 16.0, "sbp": 125.0}
SPREAD: Final = {"hr": 0.8, "spo2": 0.25, "rr": 0.4, "sbp": 1.5}
PACE: Final = {"hr": 4.0, "spo2": 0.6, "rr": 1.0, "sbp": 5.0}
"""How fast a sign moves, a second."""
ILL: Final = 0.4
"""Part of the patients who get worse."""
_LONGER: Final = 6
"""Seconds that it lasts beyond what the rule asks."""

Alert = tuple[int, str]
"""Patient and rule."""


@dataclass(frozen=True, slots=True)
class Load:
    """value: by signal, [patients, seconds]; patient p's sample k: start + 1000 k + 1000 p / patients."""

    value: dict[str, NDArray[np.float64]]
    patients: int
    seconds: int

    def moment(self, patient: Any, second: Any, start: int) -> Any:
        return start + SECOND * second + SECOND * patient // self.patients

    def due(self, rules: Sequence[Rule], start: int) -> dict[Alert, int]:
        """When each rule is first sustained, ms: the engine's answer, without filter, lateness or ticks."""
        engine = Engine(rules, self.patients, lateness=0, filtered=False)
        patient, second = np.divmod(np.arange(self.patients * self.seconds), self.seconds)
        for name, value in self.value.items():
            at = self.moment(patient, second, start)
            engine.add(
                Readings.of(
                    len(at), slot=patient, signal=INDEX[name], time=at, value=value.ravel(), hold=10 * SECOND
                )
            )
        found = engine.step(start + SECOND * (self.seconds + 1)).transitions
        first: dict[Alert, int] = {}
        for slot, rule, kind, at in zip(found.slot, found.rule, found.kind, found.at, strict=True):
            if kind == RAISED:
                first.setdefault((int(slot), engine.rules[int(rule)].id), int(at))
        return first

    def publish(self, port: int, start: int) -> float:
        """Each sample at its own moment. Returns how late the latest of them was sent, s."""
        late = 0.0
        with Publisher(port, "monitors") as publisher:
            for second in range(self.seconds):
                for packets, due in self._of(second, start):
                    wait = due / 1000 - time.time()
                    if wait > 0:
                        time.sleep(wait)
                    late = max(late, -wait)
                    publisher.send(packets)
        return late

    def _of(self, second: int, start: int) -> list[tuple[list[bytes], int]]:
        """Packets of one second in fifty parts, each with when it goes out."""
        parts = []
        for some in np.array_split(np.arange(self.patients), min(50, self.patients)):
            at = [int(self.moment(p, second, start)) for p in some.tolist()]
            made = [self._packet(p, second, one) for p, one in zip(some.tolist(), at, strict=True)]
            parts.append((made, at[-1]))
        return parts

    def _packet(self, patient: int, second: int, at: int) -> bytes:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at // 1000)) + f".{at % 1000:03}+00:00"
        readings = {name: float(self.value[name][patient, second]) for name in SIGNALS}
        sample = {"seq": second, "time": moment, "session": "bench", "readings": readings}
        number = (second * self.patients + patient) % 65_535 + 1
        return packet(f"ward/v1/bench/mon-{patient}/vitals", json.dumps(sample).encode(), 1, number)


def load(patients: int, seconds: int, rules: Sequence[Rule], seed: int = 1) -> Load:
    source = np.random.default_rng(seed)
    mean = {name: np.full((patients, seconds), USUAL[name]) for name in SIGNALS}
    ill = np.flatnonzero(source.random(patients) < ILL)
    for number, patient in enumerate(ill.tolist()):
        _worsen(mean, patient, rules[number % len(rules)], seconds, source)
    value = {
        name: np.clip(np.round(mean[name] + SPREAD[name] * source.standard_normal(mean[name].shape)), 0, 300)
        for name in SIGNALS
    }
    value["spo2"] = np.minimum(value["spo2"], 100)
    return Load(value, patients, seconds)


def _worsen(
    mean: dict[str, NDArray[np.float64]], patient: int, rule: Rule, seconds: int, source: np.random.Generator
) -> None:
    aim = {name: _aim(rule, name) for name in rule.signals}
    way = max(int(np.ceil(abs(aim[name] - USUAL[name]) / PACE[name])) for name in aim)
    length = way + rule.for_ms // SECOND + _LONGER
    begin = int(source.integers(3, max(4, seconds - length)))
    t = np.arange(seconds) - begin
    for name, goal in aim.items():
        moved = np.clip(np.minimum(t, length + way - t) * PACE[name], 0, abs(goal - USUAL[name]))
        mean[name][patient] += np.sign(goal - USUAL[name]) * moved


def _aim(rule: Rule, name: str) -> float:
    """A value at which all of a rule's clauses on a signal hold with room for noise."""
    below = [c.number for c in rule.when if c.signal == name and c.op in ("<", "<=")]
    above = [c.number for c in rule.when if c.signal == name and c.op in (">", ">=")]
    if below and above:
        return (min(below) + max(above)) / 2
    room = 8 * SPREAD[name]
    if below:
        return min(USUAL[name], min(below) - room)
    return max(USUAL[name], max(above) + room)
