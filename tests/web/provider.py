"""A hospital's log-in of the tests' own, whose every answer can be bent, and a browser's way through it."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.web.conftest import Client, TestClient, Wall
from ward.web.doors import Doors, Oidc, parse_grants

GRANTS = "ward-6a=nurse:6A; ward-6b=nurse:6B; doctors=clinician; it=admin; surgeons=clinician:6B"
CLIENT, SECRET = "ward", "a secret with ü and %"


def given(issuer: str, **more: Any) -> Oidc:
    return Oidc(issuer, CLIENT, SECRET, parse_grants(GRANTS), **more)


class Provider:
    """Honest unless told otherwise: ``claims`` and ``header`` replace parts of the ID token (None: without
    it), ``sign`` makes it, ``metadata`` replaces parts of the discovery document."""

    def __init__(self, wall: Wall) -> None:
        self.wall = wall
        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self.keys = [self.key]
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.userinfo: dict[str, Any] = {}
        self.sign: Callable[[dict, dict], str] = lambda header, claims: jwt.encode(header, claims, self.key)
        self.asked: list[str] = []
        self.codes: dict[str, dict[str, str]] = {}
        self.exchanged: dict[str, str] = {}
        self.authorization = ""
        self.down = False
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None: ...

            def answer(self, status: int, body: object) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_GET(self) -> None:
                self.answer(*provider.get(urlsplit(self.path).path))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self.answer(*provider.token(self.headers.get("Authorization", ""), parse_qs(body)))

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)

    def get(self, path: str) -> tuple[int, object]:
        self.asked.append(path)
        if self.down:
            return 503, {}
        if path == "/jwks":
            return 200, {"keys": [key.as_dict(private=False) for key in self.keys]}
        if path == "/userinfo":
            return 200, self.userinfo
        names = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "end_session_endpoint")
        found = {name: f"{self.issuer}/{name.split('_')[0]}" for name in names}
        return 200, {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/jwks", **found, **self.metadata}

    def token(self, authorization: str, form: dict[str, list[str]]) -> tuple[int, object]:
        self.authorization = authorization
        self.exchanged = {name: values[0] for name, values in form.items()}
        asked = self.codes.pop(self.exchanged.get("code", ""), None)
        challenge = hashlib.sha256(self.exchanged.get("code_verifier", "").encode()).digest()
        if (
            asked is None
            or asked["code_challenge"] != base64.urlsafe_b64encode(challenge).decode().rstrip("=")
            or asked["redirect_uri"] != self.exchanged["redirect_uri"]
        ):
            return 400, {"error": "invalid_grant"}
        now = self.wall() // 1000
        claims = {
            "iss": self.issuer,
            "sub": "u-1",
            "aud": CLIENT,
            "exp": now + 300,
            "iat": now,
            "nonce": asked["nonce"],
            "name": "Nina Weiß",
            "preferred_username": "nina",
            "groups": ["staff", "ward-6a"],
            **self.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": "RS256", "kid": "one", **self.header}
        header = {name: value for name, value in header.items() if value is not None}
        return 200, {"access_token": "access", "token_type": "Bearer", "id_token": self.sign(header, claims)}

    def permit(self, url: str, **more: str) -> str:
        """What the person's browser does there: the query with which it is sent back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert asked["client_id"] == CLIENT
        code = f"code-{len(self.codes)}-{asked['state'][:4]}"
        self.codes[code] = asked
        return urlencode({"code": code, "state": asked["state"], **more})


@pytest.fixture
def provider(wall: Wall) -> Iterator[Provider]:
    made = Provider(wall)
    yield made
    made.close()


@pytest.fixture
def doors(provider: Provider) -> Doors:
    return Doors(oidc=given(provider.issuer))


@pytest.fixture
def guest(client: Client) -> TestClient:
    return client(follow_redirects=False)


def begin(guest: TestClient) -> str:
    answer = guest.get("/login/oidc")
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def come_in(guest: TestClient, provider: Provider) -> httpx.Response:
    return guest.get(f"/login/oidc/callback?{provider.permit(begin(guest))}")


def refused(answer: httpx.Response, words: str, status: int = 401) -> None:
    assert answer.status_code == status, answer.text
    assert words in answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert "ward_session" not in answer.headers.get("set-cookie", "")
