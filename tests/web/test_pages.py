"""Headers, the dashboard's files, documentation, health and metrics."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi import FastAPI

from tests.web.conftest import Client, TestClient
from ward.web.app import create_app
from ward.web.middleware import HEADERS
from ward.web.openapi import bodies, operations
from ward.web.service_protocol import COMMANDS

A = "/api/v1"


@pytest.mark.parametrize(
    "path",
    ["/", "/assets/index-1a2b.js", "/healthz", "/nonsense", f"{A}/stays", "/docs", "/problems/invalid"],
)
def test_security_headers_are_everywhere(path: str, client: Client) -> None:
    for one in (client(), client("nurse")):
        answer = one.get(path)
        for name, value in HEADERS.items():
            assert answer.headers[name] == value
        assert "server" not in answer.headers


def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere() -> None:
    policy = HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize(
    ("path", "caching"),
    [
        ("/", "no-cache"),
        ("/assets/index-1a2b.js", "public, max-age=31536000, immutable"),
        (f"{A}/stays", "no-store"),
        (f"{A}/nonsense", "no-store"),
        ("/metrics", "no-store"),
    ],
)
def test_patients_stay_out_of_caches(path: str, caching: str, client: Client) -> None:
    assert client("admin").get(path).headers["cache-control"] == caching


def test_the_dashboard_needs_no_credentials_but_only_its_own_files(client: Client) -> None:
    guest = client()
    assert "<title>ward</title>" in guest.get("/").text
    script = guest.get("/assets/index-1a2b.js")
    assert script.headers["content-type"].startswith("text/javascript")
    for path in ("/assets/other.js", "/assets/../../ward.db", "/assets/%2e%2e/%2e%2e/ward.db", "/ward.db"):
        assert guest.get(path).status_code in (401, 404)
        assert client("admin").get(path).status_code == 404
    assert guest.post("/", json={}).status_code == 401


def test_without_the_dashboard_a_page_says_how_to_get_it(service, tmp_path: Path) -> None:
    page = TestClient(create_app(service, ui=tmp_path / "nothing")).get("/")
    assert page.status_code == 200
    assert "pip install" in page.text


def test_alive_and_ready(client: Client, service) -> None:
    assert client().get("/healthz").json() == {"status": "alive"}
    assert client().get("/readyz").json() == {"ready": True, "reasons": []}
    service.broker_said = "refused: Not authorized"
    assert "detail" not in client().get("/readyz").json()
    assert "detail" not in client("nurse").get("/readyz").json()
    assert client("integration").get("/readyz").json()["detail"] == {"broker": "refused: Not authorized"}
    assert client().get("/readyz", headers={"Authorization": "Bearer wrong"}).status_code == 200
    service.ready = False
    answer = client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "reasons": ["no connection to the broker"]}


def test_metrics_count_by_route_and_never_name_a_stay(client: Client) -> None:
    admin = client("admin")
    admin.get(f"{A}/stays/stay-6A")
    admin.get("/nonsense-of-somebody")
    admin.request("BREW", f"{A}/stays")
    text = admin.get("/metrics").text
    assert re.search(
        r'^ward_http_requests_total{method="GET",route="/api/v1/stays/{stay}",status="200"}', text, re.M
    )
    for secret in ("stay-6A", "nonsense-of-somebody", "BREW"):
        assert secret not in text


def test_every_route_is_described(schema: dict) -> None:
    for operation in operations(schema):
        name = operation["operationId"]
        assert operation["summary"], name
        assert len(operation["description"]) > 20, name
        assert operation["tags"], name
        for parameter in operation.get("parameters", ()):
            assert parameter.get("description"), (name, parameter["name"])
        for status, answer in operation["responses"].items():
            assert answer["description"], (name, status)
            if status[0] == "4":
                assert set(answer["content"]) <= {"application/problem+json", "application/json"}
    ids = [operation["operationId"] for operation in operations(schema)]
    assert len(ids) == len(set(ids))


def texts(value: object) -> list[str]:
    """Every text in it."""
    if isinstance(value, dict):
        return texts(list(value.values()))
    if isinstance(value, list):
        return [text for one in value for text in texts(one)]
    return [value] if isinstance(value, str) else []


def test_every_body_has_an_example(schema: dict) -> None:
    for operation in operations(schema):
        for body in bodies(operation):
            assert body["example"] not in (None, {}, ""), operation["operationId"]
            assert "" not in texts(body["example"]), operation["operationId"]


def test_every_schema_is_described(schema: dict) -> None:
    for name, shape in schema["components"]["schemas"].items():
        assert shape.get("description") or "enum" in shape, name


def test_the_page_of_documentation_needs_no_script(client: Client, schema: dict) -> None:
    page = client("nurse").get("/docs").text
    assert "<script" not in page
    assert "style=" not in page
    assert not re.search(r'(?:src|href)="(?!#|docs.css|openapi.json)', page)
    for operation in operations(schema):
        assert f'id="{operation["operationId"]}"' in page
    assert client().get("/docs.css").headers["content-type"].startswith("text/css")


def test_the_description_is_the_same_that_is_served(client: Client, schema: dict) -> None:
    assert client("nurse").get("/openapi.json").json() == schema
    assert schema["openapi"].startswith("3.1")


def test_every_command_is_used_by_a_route() -> None:
    folder = Path(__file__).parents[2] / "ward/web/routers"
    used = set(re.findall(r'service\.call\(\s*"(\w+)"', "".join(p.read_text() for p in folder.glob("*.py"))))
    assert used == set(COMMANDS)


def test_every_setting_of_a_route_survives_a_second_application(app: FastAPI, service, ui: Path) -> None:
    """Routers are shared by all applications of a process; one must not change the other."""
    second = create_app(service, ui=ui)
    assert {r.path for r in second.routes if hasattr(r, "path")} == {
        r.path for r in app.routes if hasattr(r, "path")
    }
