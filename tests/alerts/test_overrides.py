"""Thresholds in three scopes: all < ward < stay; each change a version with its author."""

from __future__ import annotations

import pytest

from ward.alerts.overrides import Rulebook
from ward.alerts.packs import PackError, load_pack
from ward.errors import InvalidError, NotFoundError, PreconditionError
from ward.signals import MINUTE

RULE = "spo2-below-88"


@pytest.fixture
def book() -> Rulebook:
    return Rulebook(load_pack("default"))


def change(book: Rulebook, scope: str, definition, rule_id: str = RULE, ward=None, **options):
    override = book.plan(rule_id, definition, scope, "carl", 1, "*", ward, **options)
    book.put(override)
    return override


def test_without_overrides_the_pack_is_in_force(book) -> None:
    assert book.effective("a", "s1") == load_pack("default").rules
    assert book.origin(RULE, "a", "s1") == ("pack", 0)


def test_the_narrower_scope_wins(book) -> None:
    change(book, "all", {"for": "11m"})
    change(book, "ward:a", {"for": "12m"})
    change(book, "stay:s1", {"for": "13m"}, ward="a")
    durations = [book.rule(RULE, *place).for_ms for place in ((), ("b",), ("a",), ("a", "s2"), ("a", "s1"))]
    assert durations == [11 * MINUTE, 11 * MINUTE, 12 * MINUTE, 12 * MINUTE, 13 * MINUTE]
    assert book.origin(RULE, "a", "s1") == ("stay:s1", 1)


def test_each_change_is_a_version_with_its_author_and_all_fields(book) -> None:
    first = change(book, "all", {"priority": "medium"})
    second = change(book, "all", {"for": "20m"})
    assert (first.version, second.version, second.by, second.at) == (1, 2, "carl", 1)
    assert (second.definition["priority"], second.definition["for"]) == ("medium", "20m")
    assert Rulebook(book.pack, [second, first]).rule(RULE) == book.rule(RULE)


def test_changing_for_keeps_a_continuous_rule_continuous_and_its_title_true(book) -> None:
    change(book, "all", {"for": "15m"})
    rule = book.rule(RULE)
    assert (rule.within_ms, rule.gap_ms) == (15 * MINUTE, 15 * MINUTE)
    assert rule.title == "SpO2 below 88 % for 15 min"


def test_a_change_must_name_the_version_it_saw(book) -> None:
    seen = book.etag(RULE, "a")
    change(book, "all", {"for": "11m"})
    assert book.etag(RULE, "a") != seen
    with pytest.raises(PreconditionError):
        book.plan(RULE, {"for": "12m"}, "ward:a", "carl", 1, seen)
    with pytest.raises(PreconditionError):
        book.plan(RULE, {"for": "12m"}, "ward:a", "carl", 1, None)
    assert book.plan(RULE, {"for": "12m"}, "ward:a", "carl", 1, book.etag(RULE, "a")).version == 1


def test_the_same_content_at_a_new_version_has_a_new_etag(book) -> None:
    seen = book.etag(RULE)
    change(book, "all", {})
    assert book.etag(RULE) != seen


def test_a_rule_can_be_added_and_retired_in_a_scope(book) -> None:
    new = {"priority": "low", "when": ["temp > 38.5"], "for": "10m"}
    with pytest.raises(NotFoundError):
        book.plan("fever", new, "ward:a", "carl", 1, '"x"')
    book.put(book.plan("fever", new, "ward:a", "carl", 1, None))
    assert book.rule("fever", "a").id == "fever"
    with pytest.raises(NotFoundError):
        book.rule("fever", "b")
    change(book, "ward:a", {}, "spo2-below-92", retired=True)
    assert "spo2-below-92" not in {r.id for r in book.effective("a")}
    assert "spo2-below-92" in {r.id for r in book.effective("b")}
    assert "spo2-below-92" not in book.rule("spo2-below-80", "a").inhibits


@pytest.mark.parametrize(
    ("definition", "field"),
    [
        ({"for": "5"}, "for"),
        ({"colour": "red"}, "colour"),
        ({"inhibits": ["nothing"]}, "inhibits"),
        ({"inhibits": ["spo2-below-80"]}, "inhibits"),
        ({"id": "other"}, "id"),
    ],
)
def test_a_wrong_change_is_refused_with_its_field(book, definition, field) -> None:
    with pytest.raises(PackError) as error:
        book.plan(RULE, definition, "all", "carl", 1, "*")
    assert {p.field for p in error.value.problems} == {field}
    assert book.effective() == book.pack.rules


@pytest.mark.parametrize("scope", ["", "ward", "ward:", "stay:", "bed:1"])
def test_a_wrong_scope_is_refused(book, scope) -> None:
    with pytest.raises(InvalidError):
        book.plan(RULE, {}, scope, "carl", 1, "*")
