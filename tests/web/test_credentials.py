"""Credentials of devices over HTTP."""

from tests.web.conftest import problem
from tests.web.fake import NOON
from ward.ingest.gate import Forged

PATH = "/api/v1/devices/credentials"


def test_a_credential_from_making_to_removing(client, service):
    admin = client("admin")
    made = admin.post(PATH, json={"user": "6A/mon-12", "signed": True})
    assert made.status_code == 201
    body = made.json()
    assert body["speaks_for"] == ["6A/mon-12"]
    assert len(body["password"]) >= 32
    assert len(body["key"]) == 64
    assert "ward/v1/6A/mon-12/vitals" in body["example"]
    assert "WARD_MQTT_FILES_DIR" in body["unreloaded"]
    service.forged["6A/mon-12"] = Forged(3, NOON)
    (listed,) = admin.get(PATH).json()["items"]
    assert (listed["user"], listed["forged"], listed["forged_at"]) == (
        "6A/mon-12",
        3,
        "2026-11-21T12:00:00.000Z",
    )
    assert {"password", "key"} & set(listed) == set()
    rotated = admin.post(f"{PATH}/{body['id']}/rotate").json()
    assert rotated["id"] == body["id"]
    assert rotated["password"] != body["password"]
    assert admin.delete(f"{PATH}/{body['id']}").status_code == 204
    assert admin.get(PATH).json()["items"] == []
    assert problem(admin.delete(f"{PATH}/{body['id']}"))["status"] == 404
    assert problem(admin.post(f"{PATH}/{body['id']}/rotate"))["status"] == 404


def test_a_gateway_and_a_listener(client):
    admin = client("admin")
    gateway = admin.post(PATH, json={"user": "6A/gateway", "speaks_for": ["6A/+"]}).json()
    assert "ward/v1/6A/my-device/vitals" in gateway["example"]
    pager = admin.post(PATH, json={"user": "pager", "hears": ["6A"]}).json()
    assert pager["speaks_for"] == []
    assert "ward/v1/6A/alerts" in pager["example"]


def test_what_cannot_be_is_refused(client):
    admin = client("admin")
    assert problem(admin.post(PATH, json={"user": "mon-1"}))["status"] == 422
    assert problem(admin.post(PATH, json={"user": "6A/#"}))["status"] == 422
    assert (
        problem(admin.post(PATH, json={"user": "g", "speaks_for": ["6A"]}))["errors"][0]["field"]
        == "speaks_for"
    )
    assert admin.post(PATH, json={"user": "6A/mon-1"}).status_code == 201
    assert problem(admin.post(PATH, json={"user": "6A/mon-1"}))["status"] == 409


def test_only_who_administers_all_wards_may(client):
    for role in ("nurse", "clinician", "integration"):
        assert problem(client(role).get(PATH))["status"] == 403
        assert problem(client(role).post(PATH, json={"user": "6A/mon-1"}))["status"] == 403
    assert problem(client("admin", ["6A"]).get(PATH))["status"] == 403
    assert problem(client().get(PATH))["status"] == 401
