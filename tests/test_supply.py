"""The bills of materials are whole, and a known vulnerability is never passed over."""

from __future__ import annotations

import json

import pytest

from tests import supply
from tests.supply import Done, Verdict
from tests.test_packaging import UI, locked, normal


def test_the_bill_of_python_lists_every_locked_package_with_version_hashes_and_licence():
    bill = supply.bill_of_python(check="--no-validate")
    assert bill["bomFormat"] == "CycloneDX"
    listed = {(normal(c["name"]), c["version"]): c for c in bill["components"]}
    assert set(listed) == {(n, version.split(" ;")[0]) for n, version in locked("requirements.lock")}
    for (name, _), component in listed.items():
        hashes = component["externalReferences"][0]["hashes"]
        assert hashes, name
        assert all(h["alg"] == "SHA-256" and len(h["content"]) == 64 for h in hashes), name
        # A package of another platform is not installed here, so nobody can say its licence.
        assert component.get("licenses") or supply.licence_of(name) is None
    assert sum("licenses" in c for c in listed.values()) > 0.9 * len(listed)


def test_the_bill_of_the_dashboard_lists_every_locked_package_with_version_hash_and_licence():
    bill = supply.bill_of_npm()
    if bill is None:
        pytest.skip("needs node 20.19 or newer with npm on PATH")
    packages = json.loads((UI / "package-lock.json").read_text())["packages"]
    wanted = {(path.rpartition("node_modules/")[2], p["version"]) for path, p in packages.items() if path}
    # npm keeps a scope apart from the name.
    named = {
        (f"{c['group']}/{c['name']}" if c.get("group") else c["name"], c["version"]): c
        for c in bill["components"]
    }
    assert set(named) == wanted
    for key, component in named.items():
        assert component["hashes"], key
        assert component["licenses"], key


def answer(told, code=0, err=""):
    return lambda *_: Done(code, json.dumps(told) if told is not None else "", err)


CLEAN = {"name": "a", "version": "1", "vulns": []}
BAD = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}]}
UNKNOWN = {"name": "c", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"dependencies": [CLEAN]}, Verdict(1)),
        ({"dependencies": [CLEAN, BAD]}, Verdict(2, ["b 2: PYSEC-1, repaired in 3"])),
        (
            {"dependencies": [BAD, UNKNOWN]},
            Verdict(1, ["b 2: PYSEC-1, repaired in 3"], "1 packages are not in the advisory service"),
        ),
        (None, Verdict(0, [], "pip-audit says nothing")),
        ([], Verdict(0, [], "pip-audit says nothing")),
    ],
)
def test_what_pip_audit_says(told, expected):
    assert supply.ask_python(answer(told)) == expected


def test_what_npm_audit_says(monkeypatch):
    monkeypatch.setattr(supply, "node_on_path", lambda: [["node"], ["npm"]])
    counted = {"dependencies": {"total": 107}}
    clean = {"vulnerabilities": {}, "metadata": counted}
    bad = {"vulnerabilities": {"x": {"severity": "low", "range": "<2"}}, "metadata": counted}
    assert supply.ask_npm(answer(clean)) == Verdict(107)
    assert supply.ask_npm(answer(bad, 1)) == Verdict(107, ["x: low, <2"])
    assert supply.ask_npm(answer({"statusCode": 405}, 1)).unasked == "npm audit: 405"
    assert supply.ask_npm(answer(None, 1)).unasked == "npm audit: no answer"
    monkeypatch.setattr(supply, "node_on_path", lambda: None)
    assert supply.ask_npm(answer(clean)).unasked == "needs npm on PATH"


def test_a_found_vulnerability_fails_and_a_missing_service_does_not(capsys):
    assert supply.judge({"Python": Verdict(0, [], "no route"), "npm": Verdict(3)}) == 0
    assert "Python: advisories not reachable: skipped (no route)" in capsys.readouterr().out
    assert supply.judge({"Python": Verdict(3, ["b 2: PYSEC-1"]), "npm": Verdict(0, [], "?")}) == 1
    assert "VULNERABLE b 2: PYSEC-1" in capsys.readouterr().out


def test_no_address_is_told():
    done = Done(1, "", "Failed to ask https://advisories.example/v1 (host='advisories.example')")
    told = supply.ask_python(lambda *_: done).unasked
    assert "advisories.example" not in told


def test_a_program_that_is_not_there_is_no_answer(tmp_path):
    assert supply.run([str(tmp_path / "none")], tmp_path) == Done(-1, "", "FileNotFoundError")
