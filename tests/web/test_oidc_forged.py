"""ID tokens that are forged, expired or somebody else's: none of them lets anybody in."""

# ruff: noqa: F811 - fixtures are imported
from __future__ import annotations

import base64
import hmac
import json
import ssl
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from tests.web.conftest import TestClient
from tests.web.provider import (  # noqa: F401
    CLIENT,
    SECRET,
    Provider,
    begin,
    come_in,
    doors,
    guest,
    provider,
    refused,
)
from ward.store import people
from ward.web import oidc


def none_signed(header: dict, claims: dict, alg: str = "none") -> str:
    parts = [{**header, "alg": alg}, claims]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join(encoded) + "."


STRANGER = RSAKey.generate_key(2048, {"kid": "one"})


def with_hmac(secret: bytes) -> Callable[[dict, dict], str]:
    def sign(header: dict, claims: dict) -> str:
        text = none_signed({**header, "alg": "HS256"}, claims, alg="HS256")[:-1]
        signature = hmac.digest(secret, text.encode(), "sha256")
        return f"{text}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"

    return sign


def tampered(provider: Provider) -> Callable[[dict, dict], str]:
    def sign(header: dict, claims: dict) -> str:
        head, _, signature = jwt.encode(header, claims, provider.key).split(".")
        other = json.dumps({**claims, "groups": ["it"]}).encode()
        return f"{head}.{base64.urlsafe_b64encode(other).decode().rstrip('=')}.{signature}"

    return sign


FORGED: dict[str, Callable[[Provider], None]] = {
    "unsigned": lambda p: setattr(p, "sign", none_signed),
    "signed by a stranger": lambda p: setattr(p, "sign", lambda h, c: jwt.encode(h, c, STRANGER)),
    "signed with our secret": lambda p: setattr(p, "sign", with_hmac(SECRET.encode())),
    # HS256 keyed with the public key: the old confusion of algorithms.
    "signed with the public key": lambda p: setattr(p, "sign", with_hmac(p.key.as_pem(private=False))),
    "altered after signing": lambda p: setattr(p, "sign", tampered(p)),
    "cut in half": lambda p: setattr(p, "sign", lambda h, c: jwt.encode(h, c, p.key)[:200]),
    "not a token": lambda p: setattr(p, "sign", lambda h, c: "nonsense"),
    "no text": lambda p: setattr(p, "sign", lambda h, c: {"a": 1}),
    "unknown key": lambda p: p.header.update(kid="two"),
    "key in the header": lambda p: setattr(
        p,
        "sign",
        lambda h, c: jwt.encode({**h, "kid": "x", "jwk": STRANGER.as_dict(private=False)}, c, STRANGER),
    ),
    "expired": lambda p: p.claims.update(exp=p.wall() // 1000 - 61),
    "without an end": lambda p: p.claims.update(exp=None),
    "an end that is no number": lambda p: p.claims.update(exp="never"),
    "of the future": lambda p: p.claims.update(iat=p.wall() // 1000 + 61),
    "not yet valid": lambda p: p.claims.update(nbf=p.wall() // 1000 + 61),
    "for somebody else": lambda p: p.claims.update(aud="another"),
    "for nobody": lambda p: p.claims.update(aud=[]),
    "for several, given to another": lambda p: p.claims.update(aud=[CLIENT, "another"], azp="another"),
    "without an audience": lambda p: p.claims.update(aud=None),
    "of another issuer": lambda p: p.claims.update(iss="https://elsewhere.example"),
    "of an issuer with a slash more": lambda p: p.claims.update(iss=p.issuer + "/"),
    "for another log-in": lambda p: p.claims.update(nonce="another"),
    "for no log-in": lambda p: p.claims.update(nonce=None),
    "without a subject": lambda p: p.claims.update(sub=None),
    "with an empty subject": lambda p: p.claims.update(sub=""),
    "with a subject that is no text": lambda p: p.claims.update(sub=["u-1"]),
    "of another access token": lambda p: p.claims.update(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
}


@pytest.mark.parametrize("how", FORGED)
def test_a_forged_token_lets_nobody_in(how: str, guest: TestClient, provider: Provider, engine) -> None:
    FORGED[how](provider)
    refused(come_in(guest, provider), "cannot be trusted")
    with engine.connect() as connection:
        assert not people.has_users(connection)


def test_leeway_for_clocks_and_other_algorithms(guest: TestClient, provider: Provider) -> None:
    now = provider.wall() // 1000
    provider.claims.update(exp=now - 59, iat=now + 59)
    assert come_in(guest, provider).status_code == 303
    curve = ECKey.generate_key("P-256", {"kid": "curve"})
    provider.keys = [curve, provider.key]
    provider.wall.time += 60_000  # keys are asked for anew at most once a minute
    provider.claims.clear()
    provider.sign = lambda header, claims: jwt.encode({"alg": "ES256", "kid": "curve"}, claims, curve)
    assert come_in(guest, provider).status_code == 303


def test_keys_that_changed_are_asked_for_but_not_in_a_flood(guest: TestClient, provider: Provider) -> None:
    assert come_in(guest, provider).status_code == 303
    new = RSAKey.generate_key(2048, {"kid": "two"})
    provider.keys, provider.header = [new], {"kid": "two"}
    provider.sign = lambda header, claims: jwt.encode(header, claims, new)
    for _ in range(3):
        refused(come_in(guest, provider), "cannot be trusted")
    assert provider.asked.count("/jwks") == 1
    provider.wall.time += 60_000
    assert come_in(guest, provider).status_code == 303
    assert provider.asked.count("/jwks") == 2


def test_a_flood_of_answers_costs_the_ward_little(
    guest: TestClient, provider: Provider, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody can make up a log-in on its way; that it is none is known only after asking."""
    read = []
    made = ssl.create_default_context
    monkeypatch.setattr(
        ssl, "create_default_context", lambda *a, **given: read.append(1) or made(*a, **given)
    )
    oidc._trusted.cache_clear()
    query = provider.permit(begin(guest))
    monkeypatch.setattr(app.state.provider, "_busy", oidc.AT_ONCE)
    refused(guest.get(f"/login/oidc/callback?{query}"), "cannot be reached", 503)
    monkeypatch.setattr(app.state.provider, "_busy", 0)
    assert come_in(guest, provider).status_code == 303
    assert len(read) == 1
    assert app.state.provider._busy == 0
