"""Packs over HTTP: read, in force as a file, and checked with every problem in its place."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from ward.alerts.packs import BUILT_IN, load_pack, parse_pack

GOOD = """id = "mine"
title = "Mine"

[[rule]]
id = "spo2-low"
priority = "high"
when = ["spo2 < 86"]
for = "5m"
evidence = "A look at \\"our\\" own ward, 2026."
"""


def check(client: TestClient, toml: str) -> dict:
    answer = client.post("/api/v1/packs/check", json={"toml": toml})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_those_that_come_with_ward_are_listed(clinician: TestClient):
    found = clinician.get("/api/v1/packs").json()["items"]
    assert [pack["id"] for pack in found] == list(BUILT_IN)
    assert [pack["started_with"] for pack in found] == [True, False]
    assert all(pack["source"] and pack["rules"] > 10 for pack in found)


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_pack_as_a_file_says_what_the_pack_says(clinician: TestClient, name: str):
    found = clinician.get(f"/api/v1/packs/{name}").json()
    assert parse_pack(found["toml"], name) == load_pack(name)
    assert all(rule["evidence"] for rule in found["rules"])


def test_what_is_in_force_is_a_pack_as_well(clinician: TestClient):
    found = clinician.get("/api/v1/packs/in-force", params={"ward": "6A"}).json()
    assert found["id"] == "default-6A"
    assert [rule.id for rule in parse_pack(found["toml"], "x").rules] == [
        rule["id"] for rule in found["rules"]
    ]
    assert "version" not in found["toml"]


def test_an_unknown_pack_is_not_found(clinician: TestClient):
    answer = clinician.get("/api/v1/packs/nothing")
    assert answer.status_code == 404
    assert "in-force" in answer.json()["detail"]


def test_a_good_text_gives_its_rules(clinician: TestClient):
    found = check(clinician, GOOD)
    assert found["problems"] == []
    assert found["pack"]["rules"][0]["evidence"] == 'A look at "our" own ward, 2026.'


@pytest.mark.parametrize(
    ("change", "rule", "field", "line"),
    [
        (("spo2 < 86", "spo3 < 86"), "spo2-low", "when", 7),
        (('for = "5m"', 'for = "5 parsecs"'), "spo2-low", "for", 8),
        (('for = "5m"\n', ""), "spo2-low", "for", 4),
        (('id = "spo2-low"\n', ""), "no. 1", "id", 4),
        (('title = "Mine"', 'titel = "Mine"'), None, "titel", 2),
    ],
)
def test_each_problem_is_told_with_its_line(clinician: TestClient, change, rule, field, line):
    found = check(clinician, GOOD.replace(*change))
    assert found["pack"] is None
    (problem,) = found["problems"]
    assert (problem["rule"], problem["field"], problem["line"]) == (rule, field, line)
    assert problem["allowed"]


def test_what_is_no_toml_is_told_with_the_line_where_it_ends_to_be_some(clinician: TestClient):
    (problem,) = check(clinician, GOOD + "\nfor = = 3\n")["problems"]
    assert problem["line"] == 11
    assert "not TOML" in problem["found"]


def test_a_nurse_reads_and_does_not_check(nurse: TestClient):
    assert nurse.get("/api/v1/packs/default").status_code == 200
    assert nurse.post("/api/v1/packs/check", json={"toml": GOOD}).status_code == 403
