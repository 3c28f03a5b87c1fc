"""What rules are called, in every language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import ward
from ward.alerts import technical
from ward.alerts.overrides import merge
from ward.alerts.packs import BUILT_IN, PackError, load_pack, parse_rule, rule_to_dict
from ward.language import LANGUAGES

RULE = {"id": "r", "priority": "high", "when": ["spo2 < 88"], "for": "10m"}


@pytest.mark.parametrize(
    ("fields", "da", "en", "nb"),
    [
        ({}, "SpO2 under 88 % i 10 min", "SpO2 below 88 % for 10 min", "SpO2 under 88 % i 10 min"),
        (
            {"when": ["temp >= 38.5", "hr <= 40"], "for": "90s"},
            "Temperatur 38,5 °C eller derover og hjertefrekvens 40 eller derunder i 90 s",
            "Temperature 38.5 °C or more and heart rate 40 or less for 90 s",
            "Temperatur 38,5 °C eller høyere og hjertefrekvens 40 eller lavere i 90 s",
        ),
        (
            {"when": ["hr >= 30", "hr < 40"], "for": "3m", "within": "30m"},
            "Hjertefrekvens 30 eller derover og under 40 i 3 min af 30 min",
            "Heart rate 30 or more and below 40 for 3 min of 30 min",
            "Hjertefrekvens 30 eller høyere og under 40 i 3 min av 30 min",
        ),
        (
            {"when": ["sbp absent"], "for": "3h"},
            "Systolisk blodtryk mangler i 3 t",
            "No systolic pressure for 3 h",
            "Systolisk blodtrykk mangler i 3 t",
        ),
    ],
)
def test_a_rule_without_a_name_is_called_by_its_condition(fields: dict, da: str, en: str, nb: str) -> None:
    rule = parse_rule(RULE | fields)
    assert (rule.title, dict(rule.titles)) == (en, {"da": da, "nb": nb})
    assert parse_rule(rule_to_dict(rule)) == rule


def test_a_name_that_somebody_gave_is_translated_by_nobody_else() -> None:
    assert parse_rule(RULE | {"title": "Lav iltmætning"}).titles == ()
    given = parse_rule(RULE | {"title": "Lav iltmætning", "titles": {"nb": "Lav metning", "en": "Low SpO2"}})
    assert dict(given.titles) == {"en": "Low SpO2", "nb": "Lav metning"}
    assert parse_rule(rule_to_dict(given)) == given


@pytest.mark.parametrize("wrong", [{"sv": "Låg"}, {"da": ""}, {"da": 3}, "Lav", ["da"]])
def test_translations_that_are_none_are_refused(wrong: object) -> None:
    with pytest.raises(PackError, match="titles"):
        parse_rule(RULE | {"titles": wrong})


def test_translations_go_with_the_title_that_they_translate() -> None:
    named = parse_rule(RULE | {"title": "Low", "titles": {"da": "Lav"}})
    assert dict(parse_rule(merge(named, {"priority": "medium"})).titles) == {"da": "Lav"}
    assert parse_rule(merge(named, {"title": "Lower"})).titles == ()
    changed = parse_rule(merge(named, {"for": "5m"}))
    assert dict(changed.titles)["da"] == "SpO2 under 88 % i 5 min"


@pytest.mark.parametrize("pack", BUILT_IN)
def test_every_rule_of_ours_is_named_in_every_language_with_the_same_numbers(pack: str) -> None:
    for rule in load_pack(pack).rules:
        assert {language for language, _ in rule.titles} == set(LANGUAGES) - {"en"}, rule.id
        for _, title in rule.titles:
            assert re.findall(r"\d+", title) == re.findall(r"\d+", rule.title), rule.id
            assert title == title.strip() != rule.title


def test_technical_alerts_are_named_in_every_language() -> None:
    for rule_id in technical.RULES:
        rule = technical.rule_for(rule_id, "mon-1")
        assert {language for language, _ in rule.titles} == set(LANGUAGES) - {"en"}
        assert all(title.endswith(": mon-1") for title in (rule.title, *dict(rule.titles).values()))


def test_a_part_of_the_service_that_fails_is_told_in_words() -> None:
    titles = dict(technical.rule_for("service-fault", "overload").titles)
    assert titles == {"da": "Fejl i alarmsystemet: overbelastet", "nb": "Feil i alarmsystemet: overbelastet"}
    catalogue = (Path(ward.__file__).parent / "web/ui/src/text/en/problems.ts").read_text()
    parts = re.findall(r"^    (\w+): ", catalogue.partition("  } as")[0], re.MULTILINE)
    assert set(parts) == set(technical.PARTS)
    assert all(set(words) == set(LANGUAGES) - {"en"} for words in technical.PARTS.values())
