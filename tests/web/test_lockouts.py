"""What administrators see of who is logged in, and of who is kept out by wrong guesses."""

from __future__ import annotations

from sqlalchemy import Engine

from tests.web.conftest import Client, Wall
from ward.clock import iso
from ward.web import throttle

A = "/api/v1"


def test_a_lock_out_is_seen_and_ended(client: Client, engine: Engine, wall: Wall) -> None:
    admin = client("admin")
    made = admin.post(
        "/api/v1/users", json={"login": "ada", "name": "Ada", "role": "nurse", "wards": ["6A"]}
    ).json()
    path = f"/api/v1/users/{made['id']}"
    assert admin.get(path).json()["locked_until"] is None
    with engine.begin() as tx:
        for number in range(21):
            throttle.charge(tx, "ada", f"10.0.0.{number}", wall())
    (shown,) = [one for one in admin.get("/api/v1/users").json()["items"] if one["login"] == "ada"]
    assert shown["locked_until"] is not None
    assert admin.post(f"{path}/pardon").status_code == 204
    assert admin.get(path).json()["locked_until"] is None
    assert admin.post("/api/v1/users/nobody/pardon").status_code == 404


def test_where_somebody_is_logged_in(client: Client, engine: Engine, wall: Wall) -> None:
    admin = client("admin")
    made = admin.post(
        "/api/v1/users", json={"login": "ada", "name": "Ada", "role": "nurse", "wards": ["6A"]}
    ).json()
    answer = client().post(
        "/api/v1/session/password", json={"code": made["code"], "password": "four words nobody joins"}
    )
    assert answer.status_code == 201, answer.text
    shown = admin.get(f"/api/v1/users/{made['id']}").json()
    assert (shown["sessions"], shown["last_seen_at"]) == (1, iso(wall()))
