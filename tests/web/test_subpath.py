"""Below a sub-path, behind a proxy that takes it off and behind one that leaves it."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy import Engine

from tests.web.conftest import UNLIMITED, TestClient, problem
from tests.web.fake import FakeService
from tests.web.test_limits import served
from ward.config import Settings, load_settings
from ward.errors import InvalidError
from ward.web.access import COOKIE
from ward.web.app import create_app
from ward.web.identity import create_code, create_token

A = "/api/v1"


@pytest.fixture
def below(service: FakeService, wall, ui) -> FastAPI:
    return create_app(service, wall=wall, heartbeat_s=0.05, ui=ui, limits=UNLIMITED, root="/ward")


def proxy(target: str, *, strip: bool) -> ThreadingHTTPServer:
    """A reverse proxy as hospitals have them, small: for all below /ward, streams included."""

    class Handler(BaseHTTPRequestHandler):
        def forward(self) -> None:
            if not self.path.startswith("/ward"):
                self.send_error(404)
                return
            path = (self.path.removeprefix("/ward") or "/") if strip else self.path
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            given = {
                k: v for k, v in self.headers.items() if k.lower() not in ("connection", "content-length")
            }
            given |= {"X-Forwarded-For": "10.1.2.3", "X-Forwarded-Proto": "https"}
            url = target + path
            with httpx.stream(self.command, url, headers=given, content=body, timeout=60) as answer:
                self.send_response(answer.status_code)
                for name, value in answer.headers.multi_items():
                    if name not in ("transfer-encoding", "connection", "date"):
                        self.send_header(name, value)
                self.send_header("Connection", "close")
                self.end_headers()
                try:
                    for piece in answer.iter_raw():
                        self.wfile.write(piece)
                        self.wfile.flush()
                except (BrokenPipeError, ConnectionResetError):
                    pass
            self.close_connection = True

        do_GET = do_POST = do_PATCH = do_DELETE = forward  # noqa: N815

        def log_message(self, *_: object) -> None: ...

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.daemon_threads = True
    return made


@pytest.fixture(params=[True, False], ids=["strips", "leaves"])
def outside(request: pytest.FixtureRequest, below: FastAPI, service: FakeService) -> Iterator[str]:
    """The address by which a browser knows the service."""
    with served(below) as base:
        made = proxy(base, strip=request.param)
        thread = threading.Thread(target=made.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{made.server_address[1]}/ward"
        service.hub.close()
        made.shutdown()
        thread.join()
        made.server_close()


def token(engine: Engine, wall, role: str = "admin") -> dict[str, str]:
    return {"Authorization": f"Bearer {create_token(engine, name='x', role=role, now=wall())[1]}"}


def test_everything_works_below(outside: str, engine: Engine, wall) -> None:
    mine = token(engine, wall)
    with httpx.Client(headers=mine, timeout=60) as client:
        page = client.get(f"{outside}/")
        assert "<title>ward</title>" in page.text
        assert client.get(f"{outside}/assets/index-1a2b.js").status_code == 200
        body = {"patient_ref": "P-9", "ward": "6A", "bed": "9"}
        made = client.post(f"{outside}{A}/stays", json=body)
        assert made.status_code == 201
        assert made.headers["location"] == f"/ward{A}/stays/{made.json()['id']}"
        origin = outside.removesuffix("/ward")
        assert client.get(origin + made.headers["location"]).json()["bed"] == "9"
        docs = client.get(f"{outside}/docs")
        for link in re.findall(r'href="([^#"]+)"', docs.text):
            assert client.get(str(docs.url.join(link))).status_code == 200, link
        problem_page = client.get(f"{outside}/problems/invalid")
        assert client.get(str(problem_page.url.join("../docs.css"))).status_code == 200
        assert client.get(f"{outside}/openapi.json").json()["servers"] == [{"url": "/ward"}]
        with client.stream("GET", f"{outside}{A}/events") as stream:
            assert next(stream.iter_lines()).startswith("event: snapshot")


def test_logging_in_below(outside: str, engine: Engine, wall) -> None:
    code = create_code(engine, name="screen", role="clinician", now=wall())
    with httpx.Client(timeout=60) as browser:
        led = browser.get(f"{outside}/login?code={code}")
        assert led.status_code == 303
        assert str(led.url.join(led.headers["location"])) == f"{outside}/"
        assert any(name.endswith(COOKIE) for name in led.cookies)
        cookies = "; ".join(f"{name}={value}" for name, value in led.cookies.items())
        assert "clinician" in browser.get(f"{outside}{A}/session", headers={"Cookie": cookies}).text


def test_guards_are_the_same_below(below: FastAPI, client) -> None:
    guest = TestClient(below)
    for path in (
        f"/ward{A}/stays",
        f"/ward/ward{A}/stays",
        f"/ward//ward{A}/stays",
        "/ward/metrics",
        "/wardx",
    ):
        assert guest.get(path).status_code == 401, path
    assert guest.get("/ward/healthz").status_code == 200
    assert guest.get("/healthz").status_code == 200
    led = guest.get("/ward", follow_redirects=False)
    assert (led.status_code, led.headers["location"]) == (308, "/ward/")
    assert problem(guest.get(f"/ward{A}/stays"))["instance"] == f"{A}/stays"
    assert guest.get("/ward/assets/index-1a2b.js").headers["cache-control"].startswith("public")


def test_without_a_sub_path_nothing_is_taken_off(app: FastAPI) -> None:
    assert TestClient(app).get("/ward/healthz").status_code == 401


@pytest.mark.parametrize(("trusted", "believed"), [("127.0.0.1", True), ("10.0.0.0/8", False), ("", False)])
def test_only_a_trusted_proxy_is_believed(app: FastAPI, engine: Engine, trusted: str, believed: bool) -> None:
    from ward.store.audit import read

    made = served(app)
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        log_level="error",
        proxy_headers=bool(trusted),
        forwarded_allow_ips=trusted,
    )
    made.server = uvicorn.Server(config)
    made.thread = threading.Thread(target=made.server.run)
    with made as base:
        told = {"X-Forwarded-For": "10.1.2.3", "X-Forwarded-Proto": "https"}
        answer = httpx.post(f"{base}{A}/session", json={"token": "ward_wrong"}, headers=told)
        assert ("strict-transport-security" in answer.headers) is believed
    with engine.connect() as connection:
        (line,) = read(connection)
    assert ('"from":"10.1.2.3"' in line.detail) is believed


@pytest.mark.parametrize("path", ["ward", "/ward/", "//ward", "/../ward", "/wa rd", "/ward?x", "/"])
def test_a_sub_path_that_is_none(path: str) -> None:
    with pytest.raises(InvalidError, match="root_path"):
        load_settings(environ={"WARD_ROOT_PATH": path})


def test_settings_of_a_proxy() -> None:
    given = {"WARD_ROOT_PATH": "/a/ward", "WARD_TRUSTED_PROXIES": " 10.0.0.1 , 10.2.0.0/16"}
    settings: Settings = load_settings(environ=given)[0]
    assert (settings.root_path, settings.trusted_proxies) == ("/a/ward", "10.0.0.1,10.2.0.0/16")
    with pytest.raises(InvalidError, match="trusted_proxies"):
        load_settings(environ={"WARD_TRUSTED_PROXIES": "*"})
