"""Packs: what is accepted, what is refused and how; the built-in ones."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ward.alerts.clauses import format_clause, parse_clause
from ward.alerts.durations import LONGEST, format_duration, parse_duration
from ward.alerts.model import RANK
from ward.alerts.packs import BUILT_IN, PackError, load_pack, parse_pack, parse_rule, rule_to_dict
from ward.scoring.rules import Clause
from ward.signals import HOUR, MINUTE, SECOND

MINIMAL = {"id": "a", "priority": "high", "when": ["spo2 < 88"], "for": "10m"}


def pack(rules: str, head: str = 'id = "p"') -> str:
    return head + "\n" + rules


def one(**fields) -> str:
    return "[[rule]]\n" + "\n".join(f"{name} = {json.dumps(value)}" for name, value in fields.items())


def problems(text: str) -> list[tuple[str | None, str | None]]:
    with pytest.raises(PackError) as error:
        parse_pack(text, "ward.toml")
    assert all(line.startswith("ward.toml: ") for line in str(error.value).splitlines())
    assert all(problem.allowed for problem in error.value.problems)
    return [(p.rule, p.field) for p in error.value.problems]


# --- the built-in packs -------------------------------------------------------------------------------

# Table T3 of the trial (doi 10.1213/ane.0000000000007606): condition, minutes, flags.
TRIAL = {
    ("spo2 < 92",): (60, ("copd", "bmi40")),
    ("spo2 < 88",): (10, ()),
    ("spo2 < 85",): (5, ()),
    ("spo2 < 80",): (1, ()),
    ("rr <= 5", "hr > 20"): (1, ()),
    ("rr < 11", "spo2 < 88"): (5, ()),
    ("rr >= 24",): (5, ()),
    ("hr < 30",): (1, ()),
    ("hr >= 30", "hr < 40"): (5, ()),
    ("hr >= 111",): (60, ()),
    ("hr > 130",): (30, ()),
    ("sbp < 70",): (30, ()),
    ("sbp < 91",): (60, ()),
    ("sbp > 180",): (60, ()),
    ("sbp >= 220",): (30, ()),
    ("sbp < 100", "spo2 < 92"): (10, ()),
    ("sbp < 100", "hr > 110"): (30, ()),
    ("sbp < 100", "hr < 50"): (30, ()),
}


def table(rules):
    return {tuple(map(str, r.when)): (r.for_ms // MINUTE, r.unless) for r in rules}


def test_ward_rct_2025_is_exactly_the_published_table() -> None:
    rules = load_pack("ward-rct-2025").rules
    assert table(rules) == TRIAL
    assert len(rules) == len(TRIAL)
    for rule in rules:
        assert rule.kind == "physiological"
        assert (rule.within_ms, rule.gap_ms) == (rule.for_ms, rule.for_ms)
        assert (rule.min_readings, rule.clear_when, rule.clear_for_ms) == (2, (), 2 * MINUTE)
        assert rule.inhibits == ()


def test_default_has_the_trials_conditions_news2_and_technical_rules() -> None:
    rules = load_pack("default").rules
    found = table(rules)
    assert {when: found[when] for when in TRIAL} == TRIAL
    assert ("news2 >= 7",) in found
    assert {r.kind for r in rules if tuple(map(str, r.when)) == ("spo2 absent",)} == {"technical"}


def test_in_default_a_worse_rule_inhibits_only_milder_ones_of_its_own_signal() -> None:
    rules = {r.id: r for r in load_pack("default").rules}
    assert rules["spo2-below-80"].inhibits == ("spo2-below-85", "spo2-below-88", "spo2-below-92")
    for rule in rules.values():
        for other in rule.inhibits:
            assert rules[other].signals == rule.signals
            assert RANK[rules[other].priority] <= RANK[rule.priority]


# --- reading --------------------------------------------------------------------------------


def test_defaults() -> None:
    rule = parse_rule(MINIMAL)
    assert (rule.within_ms, rule.gap_ms, rule.clear_for_ms) == (10 * MINUTE, 10 * MINUTE, 2 * MINUTE)
    assert (rule.min_readings, rule.kind, rule.clear_when) == (2, "physiological", ())
    assert (rule.unless, rule.inhibits, rule.title) == ((), (), "SpO2 below 88 % for 10 min")


def test_all_options_are_read() -> None:
    text = pack(
        one(
            **MINIMAL,
            title="SpO2 low",
            kind="technical",
            within="0.5h",
            gap="90s",
            min_readings=3,
            clear_when=["spo2 >= 90.5", "hr absent"],
            clear_for="1.5m",
            unless=["copd"],
            inhibits=["b"],
        )
        + "\n"
        + one(**{**MINIMAL, "id": "b"}),
        'id = "p"\ntitle = "P"\nsource = "ours"',
    )
    loaded = parse_pack(text, "f")
    rule = loaded.rules[0]
    assert (loaded.id, loaded.title, loaded.source) == ("p", "P", "ours")
    assert (rule.within_ms, rule.gap_ms, rule.clear_for_ms) == (30 * MINUTE, 90 * SECOND, 90 * SECOND)
    assert rule.clear_when == (Clause("spo2", ">=", 90.5), Clause("hr", "absent"))
    assert (rule.min_readings, rule.unless, rule.inhibits) == (3, ("copd",), ("b",))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", ""),
        ("id", "a b"),
        ("id", "device-lost"),
        ("priority", "urgent"),
        ("kind", "clinical"),
        ("when", []),
        ("when", "spo2 < 88"),
        ("when", ["spo2 = 88"]),
        ("when", ["spo2 88"]),
        ("when", ["sao2 < 88"]),
        ("when", ["spo2 < nan"]),
        ("when", ["spo2 < inf"]),
        ("when", ["spo2 < 1e999"]),
        ("when", ["spo2 < 8_8"]),
        ("when", ["news2 absent"]),
        ("when", ["risk absent"]),
        ("when", ["spo2 absent 3"]),
        ("when", [""]),
        ("when", [88]),
        ("for", "0s"),
        ("for", "-5m"),
        ("for", "10"),
        ("for", 600),
        ("for", "10 minutes"),
        ("for", "1e3s"),
        ("for", "0.0001s"),
        ("for", "99999999h"),
        ("within", "9.9m"),
        ("gap", "x"),
        ("min_readings", 0),
        ("min_readings", True),
        ("min_readings", 1.5),
        ("clear_when", ["nothing"]),
        ("clear_for", "0m"),
        ("unless", "copd"),
        ("unless", ["co pd"]),
        ("inhibits", ["a"]),
        ("inhibits", ["nobody"]),
        ("fro", "10m"),
    ],
)
def test_what_is_wrong_is_refused_by_its_field(field, value) -> None:
    found = problems(pack(one(**{**MINIMAL, field: value})))
    assert {name for _, name in found} == {field}


@pytest.mark.parametrize("field", ["id", "priority", "when", "for"])
def test_what_must_be_there_is_asked_for(field) -> None:
    fields = {name: value for name, value in MINIMAL.items() if name != field}
    assert problems(pack(one(**fields))) == [("no. 1" if field == "id" else "a", field)]


def test_all_problems_are_told_at_once() -> None:
    text = pack(
        one(id="a", priority="urgent", when=["x < 1", "hr < y"], inhibits=["z"])
        + "\n"
        + one(**{**MINIMAL, "id": "b", "inhibits": ["c"]})
        + "\n"
        + one(**{**MINIMAL, "id": "c", "for": "0s", "inhibits": ["b"]})
        + "\n"
        + one(**{**MINIMAL, "id": "b"}),
        'id = "p"\ncolour = "red"',
    )
    assert sorted(problems(text), key=str) == sorted(
        [
            (None, "colour"),
            ("a", "priority"),
            ("a", "when"),
            ("a", "when"),
            ("a", "for"),
            ("c", "for"),
            ("b", "id"),
            ("a", "inhibits"),
            ("b", "inhibits"),
        ],
        key=str,
    )


def test_longer_circles_are_found_and_named() -> None:
    rules = [one(**{**MINIMAL, "id": i, "inhibits": [j]}) for i, j in ("ab", "bc", "ca", "da")]
    with pytest.raises(PackError, match="a circle: a > b > c > a"):
        parse_pack(pack("\n".join(rules)), "f")


def test_inhibiting_without_a_circle_is_fine_however_long_the_chain() -> None:
    ids = [f"r{i}" for i in range(3000)]
    rules = [one(**{**MINIMAL, "id": i, "inhibits": [j]}) for i, j in pairwise(ids)] + [
        one(**{**MINIMAL, "id": ids[-1]})
    ]
    assert len(parse_pack(pack("\n".join(rules)), "f").rules) == 3000


@pytest.mark.parametrize("text", ["", 'id = "p"', "[", 'id = "p"\nrule = 3', 'id = "p"\nrule = [1]'])
def test_what_is_no_pack_is_refused(text) -> None:
    assert problems(text)


def test_files(tmp_path) -> None:
    good = tmp_path / "good.toml"
    good.write_text(pack(one(**MINIMAL)))
    assert load_pack(good).id == load_pack(str(good)).id == "p"
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    for name in ("bytes.toml", "missing.toml", "."):
        with pytest.raises(PackError, match="built-in packs default, ward-rct-2025"):
            load_pack(tmp_path / name)


# --- writing --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_rule_survives_being_written_and_read(name) -> None:
    for rule in load_pack(name).rules:
        assert parse_rule(json.loads(json.dumps(rule_to_dict(rule)))) == rule


@given(st.integers(0, LONGEST))
def test_durations_are_exact(ms) -> None:
    assert parse_duration(format_duration(ms)) == ms


@pytest.mark.parametrize(
    ("text", "ms"),
    [("90s", 90_000), ("10m", 600_000), ("1.5h", 90 * MINUTE), ("0.25s", 250), ("24h", 24 * HOUR)],
)
def test_durations(text, ms) -> None:
    assert parse_duration(text) == ms


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(["<", "<=", ">", ">="]))
def test_clauses_are_exact(number, op) -> None:
    clause = Clause("hr", op, number)
    assert parse_clause(format_clause(clause)) == clause
    assert parse_clause(format_clause(clause).replace(" ", "")) == clause
