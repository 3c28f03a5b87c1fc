"""What a candidate changes, alert by alert, on stays in which everything that happens is known."""

from __future__ import annotations

from tests.trial.made import RULES, steady, tried, wandering
from ward.alerts.packs import parse_rule
from ward.trial.candidates import candidates_of

LOW = parse_rule({"id": "low", "priority": "high", "when": ["spo2 < 88"], "for": "10m"})
M = 60


def test_each_alert_gained_lost_and_moved() -> None:
    """86 for 30 min, 87 for 15 min, 84 for 7 min: one moves, one is lost, one is new."""
    stay = steady(720, [(60, 90, "spo2", 86.0), (200, 215, "spo2", 87.0), (300, 307, "spo2", 84.0)])
    change = {"id": "low", "when": ["spo2 < 87"], "for": "5m"}
    answer = tried({"a": stay, "b": steady(720)}, (LOW,), candidates_of([change], None, (LOW,)))
    changes = answer["changes"]
    (lost,) = changes["lost"]["items"]
    assert (lost["stay"], lost["breach_since"], lost["raised_at"]) == ("a", 200 * M, 210 * M)
    (gained,) = changes["gained"]["items"]
    assert (gained["breach_since"], gained["raised_at"]) == (300 * M, 305 * M)
    (moved,) = changes["moved"]["items"]
    assert (moved["raised_at"], moved["delay_s"]) == (70 * M, -5 * M)
    assert answer["by_rule"] == [
        {"rule": "low", "title": gained["title"], "priority": "high"}
        | {"now": 2, "candidate": 2, "gained": 1, "lost": 1}
    ]
    rows = {row["stay"]: row for row in answer["patients"]}
    assert [rows["a"][name] for name in ("now", "candidate", "gained", "lost")] == [2, 2, 1, 1]
    assert [rows["b"][name] for name in ("now", "candidate", "gained", "lost")] == [0, 0, 0, 0]
    assert rows["b"]["hours"] > 11.9
    assert sum(day["now"] for day in answer["by_day"]) == 2


def test_a_new_rule_gains_and_one_that_never_holds_loses_all() -> None:
    stay = steady(720, [(60, 90, "spo2", 86.0)])
    new = {"id": "mine", "priority": "low", "when": ["spo2 < 90"], "for": "5m"}
    never = {"id": "low", "when": ["spo2 < 10"]}
    answer = tried({"a": stay}, (LOW,), candidates_of([new, never], None, (LOW,)))
    rows = {row["rule"]: row for row in answer["by_rule"]}
    assert (rows["mine"]["now"], rows["mine"]["gained"]) == (0, 1)
    assert (rows["low"]["candidate"], rows["low"]["lost"]) == (0, 1)


def test_the_parts_add_up_to_the_whole() -> None:
    stays = {str(seed): wandering(seed, 2_000) for seed in range(3)}
    change = {"id": "spo2-below-88", "when": ["spo2 < 90"], "for": "6m"}
    answer = tried(stays, RULES, candidates_of([change], None, RULES))
    row, now = answer["settings"][0], answer["in_force"]
    for parts in (answer["by_rule"], answer["patients"]):
        for name, whole in (("now", now["alerts"]), ("candidate", row["alerts"])):
            assert sum(part[name] for part in parts) == whole > 0
        for name in ("gained", "lost"):
            assert sum(part[name] for part in parts) == row[name] == answer["changes"][name]["count"]
    assert sum(day["candidate"] for day in answer["by_day"]) == row["alerts"]


def test_of_very_many_every_so_manyth_is_told(monkeypatch) -> None:
    monkeypatch.setattr("ward.trial.detail.MOST", 2)
    falls = [(60 * n, 60 * n + 30, "spo2", 86.0) for n in range(1, 6)]
    never = {"id": "low", "when": ["spo2 < 10"]}
    answer = tried({"a": steady(720, falls)}, (LOW,), candidates_of([never], None, (LOW,)))
    lost = answer["changes"]["lost"]
    assert lost["count"] == 5
    assert [item["breach_since"] // 3600 for item in lost["items"]] == [1, 4]
