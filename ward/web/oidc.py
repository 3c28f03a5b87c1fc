"""The hospital's own log-in: OpenID Connect, authorization code with PKCE, state and nonce.

The browser keeps one random secret for the time of the log-in, in a cookie; state, nonce and PKCE's verifier
are derived from it. So whoever brings an answer must be the browser that asked, and nothing is kept here.
What the ID token says is believed only after its signature (asymmetric algorithms alone), issuer, audience,
times and nonce were checked. Where nothing that it claims stands for a role, nobody comes in.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from urllib.parse import quote, urlencode

import httpx
import structlog
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet, import_key
from joserfc.jws import JWSRegistry
from starlette.requests import Request

from ward.signals import HOUR, SECOND
from ward.web.access import Principal
from ward.web.doors import NEAR, Grant, Oidc, is_trusted_address

log = structlog.get_logger(__name__)
Json = dict[str, Any]

ALGORITHMS: Final = (
    "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519".split()  # noqa: SIM905
)
"""Signed with a key that only the log-in has. Never none; nor HS…: then who knows our secret could sign."""
ASYMMETRIC: Final = frozenset({"RSA", "EC", "OKP"})
TIMEOUT_S: Final = 5.0
LARGEST: Final = 1 << 20
METADATA_MS: Final = HOUR
AGAIN_MS: Final = 60 * SECOND
"""How soon keys are asked for anew because a token names one that is not known, or after a failure."""
LEEWAY_S: Final = 60
AT_ONCE: Final = 8
"""Questions to it at the same time: anybody can have one asked, and the ward comes first."""
RANK: Final = {"nurse": 0, "clinician": 1, "admin": 2}


class SignInError(Exception):
    """Told to a person in her browser; what exactly was wrong goes to the log."""

    def __init__(self, status: int, words: str, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.words = words


def not_reached(why: str) -> SignInError:
    return SignInError(503, "the hospital's log-in cannot be reached; try again, or use a user name", why)


def refused(why: str) -> SignInError:
    return SignInError(401, "the hospital's log-in gave an answer that cannot be trusted; try again", why)


@dataclass(frozen=True, slots=True)
class Flow:
    """One log-in on its way, as the browser keeps it: the secret, and the session that it replaces."""

    secret: str
    before: str = ""

    @classmethod
    def begin(cls, before: str) -> Flow:
        return cls(secrets.token_urlsafe(32), before)

    @classmethod
    def of_cookie(cls, cookie: str) -> Flow:
        secret, _, before = cookie.partition(".")
        return cls(secret, before)

    @property
    def cookie(self) -> str:
        return f"{self.secret}.{self.before}"

    def derived(self, what: str) -> str:
        made = hmac.digest(self.secret.encode(), what.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(made).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class Person:
    """Who came in, and what she may. ``logins``: what she may be called, the best first."""

    subject: str
    name: str
    logins: tuple[str, ...]
    role: str
    wards: list[str] | None


def provider_of(request: Request) -> Provider | None:
    found: Provider | None = request.app.state.provider
    return found


class Provider:
    """One issuer. ``wall`` gives the machine's time in ms."""

    def __init__(self, given: Oidc, wall: Callable[[], int]) -> None:
        self.given = given
        self._wall = wall
        self._metadata: Json = {}
        self._metadata_at: int | None = None
        self._failed_at: int | None = None
        self._keys: KeySet | None = None
        self._keys_at = 0
        self._busy = 0

    async def authorize_url(self, flow: Flow, redirect_uri: str, *, again: bool) -> str:
        """Where to send the browser. ``again``: whoever sits there must prove it anew. Raises SignInError."""
        metadata = await self._discover()
        more = {"prompt": "login"} if again else {}
        url: str = prepare_grant_uri(
            metadata["authorization_endpoint"],
            self.given.client_id,
            "code",
            redirect_uri=redirect_uri,
            scope=self.given.scope,
            state=flow.derived("state"),
            nonce=flow.derived("nonce"),
            code_challenge=create_s256_code_challenge(flow.derived("verifier")),
            code_challenge_method="S256",
            **more,
        )
        return url

    async def person(self, flow: Flow, answer: Mapping[str, str], redirect_uri: str) -> Person:
        """Who came back with this answer. Raises SignInError."""
        if not hmac.compare_digest(answer.get("state", "").encode(), flow.derived("state").encode()):
            raise SignInError(401, "this log-in was not begun in this browser, or long ago", "state")
        if answer.get("iss", self.given.issuer) != self.given.issuer:
            raise refused("the answer is of another issuer")
        if "code" not in answer:
            raise SignInError(401, "the hospital's log-in did not let you in", answer.get("error", "no code"))
        tokens = await self._exchange(answer["code"], flow, redirect_uri)
        claims = await self._verified(tokens, flow)
        if not _values(claims, self.given.claim):
            claims = {**await self._userinfo(tokens, claims["sub"]), **claims}
        grant = self._grant(_values(claims, self.given.claim))
        wards = None if grant.wards is None else sorted(grant.wards)
        logins = [claims.get(name) for name in ("preferred_username", "email", "sub")]
        called = [text for text in logins if isinstance(text, str) and text.strip()]
        return Person(claims["sub"], str(claims.get("name") or called[0]), tuple(called), grant.role, wards)

    async def end_url(self, who: Principal) -> str | None:
        """Where the browser logs out of the hospital's log-in, too, if it came in by it and there is such."""
        if who.method != "oidc":
            return None
        try:
            metadata = await self._discover()
        except SignInError:
            return None
        ends = metadata.get("end_session_endpoint")
        if not isinstance(ends, str) or not is_trusted_address(ends):
            return None
        return f"{ends}{'&' if '?' in ends else '?'}{urlencode({'client_id': self.given.client_id})}"

    # ------------------------------------------------------------------ what it says

    def _grant(self, values: list[str]) -> Grant:
        """The role that may most, with the wards of all values that stand for it; nobody by default."""
        found = [self.given.grants[value] for value in values if value in self.given.grants]
        if not found:
            words = "the hospital's log-in knows you, but nobody has let you in here; ask whoever runs ward"
            raise SignInError(403, words, f"no value of {self.given.claim} stands for a role")
        role = max((grant.role for grant in found), key=RANK.__getitem__)
        wards = [grant.wards for grant in found if grant.role == role]
        return Grant(role, None if None in wards else frozenset().union(*(w for w in wards if w)))

    async def _verified(self, tokens: Json, flow: Flow) -> Json:
        id_token = tokens.get("id_token")
        if not isinstance(id_token, str):
            raise refused("there is no ID token")
        try:
            decoded = await self._decoded(id_token)
            claims = CodeIDToken(
                decoded.claims,
                decoded.header,
                {
                    "iss": {"essential": True, "value": self.given.issuer},
                    "aud": {"essential": True, "value": self.given.client_id},
                    "nonce": {"essential": True, "value": flow.derived("nonce")},
                },
                {
                    "client_id": self.given.client_id,
                    "nonce": flow.derived("nonce"),
                    "access_token": tokens.get("access_token"),
                },
            )
            claims.validate(now=self._wall() // 1000, leeway=LEEWAY_S)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise refused(f"ID token: {error}") from error
        if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255:
            raise refused("ID token: no subject")
        return dict(claims)

    async def _decoded(self, id_token: str) -> jwt.Token:
        registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        try:
            return jwt.decode(id_token, await self._known_keys(), registry=registry)
        except InvalidKeyIdError:
            if self._wall() - self._keys_at < AGAIN_MS:
                raise
        self._keys = None  # it may have changed its keys
        return jwt.decode(id_token, await self._known_keys(), registry=registry)

    async def _userinfo(self, tokens: Json, subject: str) -> Json:
        """What it tells beside the ID token, if it is of the same person."""
        url, access = (await self._discover()).get("userinfo_endpoint"), tokens.get("access_token")
        if not isinstance(url, str) or not isinstance(access, str):
            return {}
        said = await self._get(url, {"Authorization": f"Bearer {access}"})
        if said.get("sub") != subject:
            raise refused("userinfo is of somebody else")
        return said

    # ------------------------------------------------------------------ talking to it

    async def _discover(self) -> Json:
        now = self._wall()
        if self._metadata_at is not None and now - self._metadata_at < METADATA_MS:
            return self._metadata
        if self._failed_at is not None and now - self._failed_at < AGAIN_MS // 6:
            raise not_reached("it failed a moment ago")
        try:
            found = await self._get(f"{self.given.issuer.rstrip('/')}/.well-known/openid-configuration")
            self._require(found)
        except SignInError:
            self._failed_at = now
            raise
        self._metadata, self._metadata_at, self._failed_at = found, now, None
        return found

    def _require(self, metadata: Json) -> None:
        if metadata.get("issuer") != self.given.issuer:
            raise refused(f"its metadata is of the issuer {metadata.get('issuer')!r}")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            url = metadata.get(name)
            if not isinstance(url, str) or not is_trusted_address(url):
                raise refused(f"its {name} is not https")

    async def _known_keys(self) -> KeySet:
        if self._keys is None or self._wall() - self._keys_at > METADATA_MS:
            found = await self._get((await self._discover())["jwks_uri"])
            listed = found.get("keys")
            self._keys = KeySet([key for key in map(_key, listed if isinstance(listed, list) else ()) if key])
            self._keys_at = self._wall()
        return self._keys

    async def _exchange(self, code: str, flow: Flow, redirect_uri: str) -> Json:
        metadata = await self._discover()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": flow.derived("verifier"),
        }
        auth = None
        ways = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if self.given.client_secret is not None and "client_secret_basic" in ways:
            names = (self.given.client_id, self.given.client_secret)
            auth = httpx.BasicAuth(*(quote(name, safe="") for name in names))
        else:
            form["client_id"] = self.given.client_id
            if self.given.client_secret is not None:
                form["client_secret"] = self.given.client_secret
        return await self._ask("POST", metadata["token_endpoint"], data=form, auth=auth)

    async def _get(self, url: str, headers: dict[str, str] | None = None) -> Json:
        return await self._ask("GET", url, headers=headers)

    async def _ask(self, method: str, url: str, **given: Any) -> Json:
        """A JSON object. No redirects are followed: they could lead to an address that is not trusted."""
        near = httpx.URL(url).host in NEAR
        if self._busy >= AT_ONCE:
            raise not_reached("too many log in at once")
        self._busy += 1
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=not near, verify=_trusted()) as client:
                answer = await client.request(method, url, **given)
                said = answer.json() if len(answer.content) <= LARGEST else None
        except (httpx.HTTPError, ValueError) as error:
            raise not_reached(f"{type(error).__name__} from {url}") from error
        finally:
            self._busy -= 1
        if answer.status_code != 200 or not isinstance(said, dict):
            code = said.get("error") if isinstance(said, dict) else None
            why = f"{answer.status_code} {code} from {url}"
            raise refused(why) if answer.status_code < 500 else not_reached(why)
        return said


@cache
def _trusted() -> ssl.SSLContext:
    """Made once: reading all authorities takes the event loop 20 ms, and strangers decide how often."""
    return httpx.create_ssl_context()


def _key(found: Any) -> Any:
    """A key that may verify a signature; None for any other, of whatever kind."""
    if not isinstance(found, dict) or found.get("kty") not in ASYMMETRIC or found.get("use", "sig") != "sig":
        return None
    try:
        return import_key(found)
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def _values(claims: Mapping[str, Any], claim: str) -> list[str]:
    """The values of a claim; dots lead into objects (``realm_access.roles``)."""
    found: Any = claims.get(claim)
    if found is None:
        found = claims
        for part in claim.split("."):
            found = found.get(part) if isinstance(found, dict) else None
    listed = found if isinstance(found, list) else [found]
    return [value for value in listed if isinstance(value, str)]
