"""All settings at once find what each alone finds, through the same engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from tests.scoring.risky import linear_model
from tests.trial.made import RULES, START, steady, wandering
from ward.alerts.packs import parse_rule
from ward.scoring.engine import Engine
from ward.scoring.readings import Readings
from ward.scoring.risk import RiskModel
from ward.scoring.rules import Rule
from ward.signals import HOUR, INDEX, MINUTE, hold_of
from ward.trial import sweep as swept
from ward.trial.candidates import candidates_of, parse_grid
from ward.trial.sweep import Alerts, Sets, Subject, monitored, pieces, sweep

MINUTES = 600
END = START + MINUTES * MINUTE


def sets_of(grid: str) -> Sets:
    settings = candidates_of((), parse_grid(grid, RULES), RULES).settings
    return Sets((RULES, *(setting.rules(RULES) for setting in settings)))


@dataclass(frozen=True)
class Stay:
    id: str
    readings: Readings
    subject: Subject


def stay(
    name: str, readings: Readings, sets: Sets, *, start: int = START, end: int = END, **given: Any
) -> Stay:
    return Stay(name, readings, Subject(start, end, len(readings), sets, **given))


def stays(many: int, sets: Sets, **given: Any) -> list[Stay]:
    return [stay(f"s{n}", wandering(n, MINUTES), sets, **given) for n in range(many)]


def found(
    some: list[Stay], risk: RiskModel | None = None
) -> dict[tuple[str, Rule], list[tuple[int, int, int]]]:
    result = sweep(
        [s.subject for s in some], lambda where: [s.readings for s in some[where]], lambda _: None, risk
    )
    every: dict[tuple[str, Rule], list[tuple[int, int, int]]] = {}
    alerts = result.alerts
    for place, column, *times in zip(
        *(getattr(alerts, n).tolist() for n in ("stay", "column", "since", "raised", "cleared")), strict=True
    ):
        every.setdefault((some[place].id, result.rules[column]), []).append(tuple(times))
    return every


def alone(
    one: Stay, rules: tuple[Rule, ...], risk: RiskModel | None = None
) -> dict[tuple[str, Rule], list[tuple[int, int, int]]]:
    """One stay and one set, in one step of the filtering engine, as `ward replay` does."""
    engine = Engine(rules, 1, lateness=0, risk=risk)
    engine.add(one.readings)
    alerts = Alerts.of(engine.step(one.subject.end).transitions)
    every: dict[tuple[str, Rule], list[tuple[int, int, int]]] = {}
    for column, *times in zip(
        *(getattr(alerts, n).tolist() for n in ("column", "since", "raised", "cleared")), strict=True
    ):
        every.setdefault((one.id, rules[column]), []).append(tuple(times))
    return every


def test_every_setting_is_as_if_it_were_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """However the readings are cut into groups, pushes and steps."""
    sets = sets_of("spo2-below-88: 85..93/2 × 1m,10m,30m")
    some = stays(4, sets)
    expected = {}
    for one in some:
        for rules in sets.sets:
            expected |= alone(one, rules)
    assert sum(map(len, expected.values())) > 100
    assert found(some) == expected
    for name, value in (("GROUP", 4_000), ("_LOT", 2_000), ("PIECE", 700), ("_CELLS", 1), ("_LEAST", 400)):
        monkeypatch.setattr(swept, name, value)
    assert found(some) == expected


def test_rules_on_the_risk_use_the_model_that_runs_live(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = parse_rule({"id": "risk", "priority": "low", "when": ["risk >= 0.4"], "for": "10m"})
    grid = parse_grid("risk: 0.2..0.6/0.2 × 5m,20m", (rule,))
    sets = Sets(((rule,), *(s.rules((rule,)) for s in candidates_of((), grid, (rule,)).settings)))
    model = linear_model()
    some = stays(2, sets)
    expected = {}
    for one in some:
        for rules in sets.sets:
            expected |= alone(one, rules, model)
    assert expected
    for name, value in (("_LOT", 1_500), ("PIECE", 700), ("_CELLS", 1), ("_LEAST", 400)):
        monkeypatch.setattr(swept, name, value)
    assert found(some, model) == expected
    assert found(some) == {}


def test_flags_and_the_other_scale_are_the_stays_own() -> None:
    sets = Sets((RULES,))
    plain, flagged = (
        found(stays(1, sets, flags=frozenset(flags))) for flags in ((), ("copd", "spo2-scale-2"))
    )
    assert any(rule.id == "spo2-below-92" for _, rule in plain)
    assert not any(rule.id == "spo2-below-92" for _, rule in flagged)
    assert {r.id for _, r in plain if r.id.startswith("news2")} != set()
    assert [v for (_, r), v in plain.items() if r.id == "news2-from-5"] != [
        v for (_, r), v in flagged.items() if r.id == "news2-from-5"
    ]


def test_what_was_before_the_beginning_leads_in_and_is_not_counted() -> None:
    """A fall 20 min before the trial begins: its rule of 60 min is raised 40 min after it began."""
    readings = steady(300, [(100, 250, "spo2", 90.0)])
    begun = START + 120 * MINUTE
    sets = Sets((RULES,))
    one = stay("a", readings, sets, start=begun, end=START + 300 * MINUTE)
    told = {rule.id: times for (_, rule), times in found([one]).items()}
    assert [t[:2] for t in told["spo2-below-92"]] == [(START + 100 * MINUTE, START + 160 * MINUTE)]
    late = stay("a", readings, sets, start=START + 161 * MINUTE, end=START + 300 * MINUTE)
    assert "spo2-below-92" not in {rule.id for _, rule in found([late])}


def test_an_alert_that_is_not_over_by_the_end_has_no_clearing() -> None:
    sets = Sets((RULES,))
    readings = steady(300, [(100, 300, "spo2", 84.0)])
    told = found([stay("a", readings, sets, end=START + 250 * MINUTE)])
    ((since, raised, cleared),) = next(v for (_, r), v in told.items() if r.id == "spo2-below-85")
    assert (since, raised) == (START + 100 * MINUTE, START + 105 * MINUTE)
    assert cleared == swept.NEVER


def test_monitored_time_is_the_union_of_holds_within_the_trial() -> None:
    def read(name: str, *minutes: int) -> Readings:
        time = START + np.array(minutes) * MINUTE
        return Readings.of(
            len(minutes), slot=0, signal=INDEX[name], time=time, value=80.0, hold=hold_of(INDEX[name])
        )

    # hr holds 90 s, so 0, 1, 2 are 3.5 min together; 10 alone 1.5; sbp holds 65 min.
    apart = read("hr", 0, 1, 2, 10)
    starts, ends = np.array([START]), np.array([START + 5 * HOUR])
    assert monitored(apart, starts, ends).tolist() == [5 * MINUTE]
    both = Readings.concat([apart, read("sbp", 1)]).in_order()
    assert monitored(both, starts, ends).tolist() == [66 * MINUTE]
    assert monitored(both, starts + 2 * MINUTE, starts + 12 * MINUTE).tolist() == [10 * MINUTE]
    assert monitored(read("consciousness", 0), starts, ends).tolist() == [0]
    assert monitored(Readings.empty(), starts, ends).tolist() == [0]


def test_pieces_hold_what_fits_and_every_stay_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pieces([60, 50, 500, 10, 20, 30], 100) == [slice(0, 1), slice(1, 2), slice(2, 3), slice(3, 6)]
    assert pieces([], 100) == []
    monkeypatch.setattr(swept, "_STAYS", 2)
    assert pieces([1] * 5, 100) == [slice(0, 2), slice(2, 4), slice(4, 5)]
