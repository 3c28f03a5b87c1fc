"""Devices, unassigned ones, and what was refused."""

from __future__ import annotations

from tests.web.conftest import Client, TestClient
from tests.web.fake import NOON
from ward.store.letters import DeadLetter, add_letters

A = "/api/v1"


def test_every_device_by_pages(clinician: TestClient) -> None:
    first = clinician.get(f"{A}/devices?limit=3").json()
    assert [d["id"] for d in first["items"]] == ["6A/mon-1", "6A/mon-9", "6B/mon-1"]
    rest = clinician.get(f"{A}/devices", params={"limit": 3, "cursor": first["next"]}).json()
    assert [d["id"] for d in rest["items"]] == ["6B/mon-9"]
    assert rest["next"] is None


def test_devices_that_are_nobodys(nurse: TestClient) -> None:
    assert [d["id"] for d in nurse.get(f"{A}/devices/unassigned").json()["items"]] == ["6A/mon-9"]


def test_what_was_refused_and_why(client: Client, engine) -> None:
    with engine.begin() as tx:
        add_letters(
            tx,
            [
                DeadLetter(NOON, "ward/v1/6A/mon-1/vitals", "not-json", "at 3", b'{"a\xff', "6A", "mon-1"),
                DeadLetter(NOON, "ward/v1/6B/mon-1/vitals", "unknown-signal", "hx", b"{}", "6B", "mon-1"),
                DeadLetter(NOON, "nonsense", "bad-topic", "", b""),
            ],
        )

    def reasons(one: TestClient, query: str = "") -> list[str]:
        return [letter["reason"] for letter in one.get(f"{A}/dead-letters{query}").json()["items"]]

    assert reasons(client("admin")) == ["bad-topic", "unknown-signal", "not-json"]
    assert reasons(client("nurse", ["6A"])) == ["not-json"]
    assert reasons(client("nurse", ["6A"]), "?ward=6B") == []
    assert reasons(client("admin"), "?reason=bad-topic") == ["bad-topic"]
    (letter,) = client("nurse", ["6A"]).get(f"{A}/dead-letters").json()["items"]
    assert letter["received_at"] == "2026-11-21T12:00:00.000Z"
    assert letter["payload"] == '{"a\ufffd'
