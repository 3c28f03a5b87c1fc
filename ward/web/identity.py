"""Secrets and who they stand for: tokens for programs, sessions for browsers, login codes for one click.

Secrets are 256 random bits, so a plain SHA-256 of them is enough to store; the secret itself is shown
once and kept nowhere. Times are the machine's, also where the ward's clock runs faster (demos).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable
from typing import Final, cast

from sqlalchemy import Engine
from starlette.datastructures import Headers
from starlette.requests import cookie_parser

from ward.errors import InvalidError, UnauthorizedError
from ward.signals import HOUR, MINUTE
from ward.store import access as store
from ward.web.access import COOKIE, Principal, wards_of
from ward.web.schemas.access import ROLES, Role

PREFIX: Final = "ward_"
SESSION_MS: Final = 12 * HOUR
"""One shift; a screen on a wall logs in again each shift, or uses a token of its own."""
CODE_MS: Final = 60 * MINUTE
TOUCH_MS: Final = 5 * MINUTE


def new_secret(prefix: str = "") -> str:
    return prefix + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def create_token(
    engine: Engine,
    *,
    name: str,
    role: str,
    wards: Iterable[str] | None = None,
    expires: int | None = None,
    now: int,
) -> tuple[store.Token, str]:
    """A new token and its secret, which is not kept. Raises InvalidError."""
    listed = None if wards is None else sorted(set(wards))
    if role not in ROLES:
        raise InvalidError(f"role {role!r}; allowed: {', '.join(ROLES)}", field="role")
    if role == "nurse" and not listed:
        raise InvalidError("a nurse needs at least one ward", field="wards")
    if expires is not None and expires <= now:
        raise InvalidError("a token cannot expire before it is made", field="expires_at")
    secret = new_secret(PREFIX)
    token = store.Token(secrets.token_hex(8), name, role, listed, digest(secret), now, expires)
    with engine.begin() as tx:
        store.add_token(tx, token)
    return token, secret


def create_code(
    engine: Engine,
    *,
    name: str,
    role: str,
    wards: Iterable[str] | None = None,
    now: int,
    lifetime: int = CODE_MS,
) -> str:
    """A code that logs one browser in, once: for ``/login?code=…``."""
    secret = new_secret()
    listed = None if wards is None else sorted(set(wards))
    with engine.begin() as tx:
        store.add_code(tx, store.LoginCode(digest(secret), name, role, listed, now + lifetime))
    return secret


class Identity:
    """Finds out who is asking. ``wall`` gives the machine's time in ms."""

    def __init__(self, engine: Engine, wall: Callable[[], int]) -> None:
        self.engine = engine
        self.wall = wall

    def identify(self, headers: Headers) -> Principal:
        """From a bearer token or, where none is sent, the session's cookie. Raises UnauthorizedError."""
        authorization = headers.get("authorization")
        if authorization is not None:
            scheme, _, secret = authorization.partition(" ")
            if scheme.lower() != "bearer":
                raise UnauthorizedError("the scheme of Authorization is Bearer")
            return self.of_token(secret.strip())
        cookie = cookie_parser(headers.get("cookie", "")).get(COOKIE)
        if not cookie:
            raise UnauthorizedError("log in first: there is neither a token nor a session")
        return self.of_session(cookie)

    def of_token(self, secret: str) -> Principal:
        with self.engine.connect() as connection:
            token = store.find_token(connection, digest(secret), self.wall())
        if token is None:
            raise UnauthorizedError("this token is wrong, has expired or was revoked")
        return Principal(
            name=token.name,
            role=cast(Role, token.role),
            wards=wards_of(token.role, token.wards),
            id=f"token:{token.id}",
            session=False,
            expires=token.expires,
        )

    def of_session(self, secret: str) -> Principal:
        now = self.wall()
        with self.engine.connect() as connection:
            session = store.find_session(connection, digest(secret), now)
        if session is None:
            raise UnauthorizedError("this session is over; log in again")
        if now - session.last_seen > TOUCH_MS:
            with self.engine.begin() as tx:
                store.touch_session(tx, session.hash, now)
        return _principal(session)

    def log_in(self, secret: str) -> tuple[Principal, str]:
        """A session for who holds a token: the principal and the cookie. Raises UnauthorizedError."""
        now = self.wall()
        with self.engine.begin() as tx:
            token = store.find_token(tx, digest(secret), now)
            if token is None:
                raise UnauthorizedError("this token is wrong, has expired or was revoked")
            expires = min(now + SESSION_MS, token.expires or now + SESSION_MS)
            cookie = new_secret()
            session = store.Session(
                digest(cookie), token.id, token.name, token.role, token.wards, now, now, expires
            )
            store.add_session(tx, session)
        return _principal(session), cookie

    def redeem(self, code: str) -> tuple[Principal, str]:
        """A session for a one-time code. Raises UnauthorizedError."""
        now = self.wall()
        with self.engine.begin() as tx:
            found = store.use_code(tx, digest(code), now)
            if found is None:
                raise UnauthorizedError("this link was used before or is too old; ask for a new one")
            cookie = new_secret()
            session = store.Session(
                digest(cookie), None, found.name, found.role, found.wards, now, now, now + SESSION_MS
            )
            store.add_session(tx, session)
        return _principal(session), cookie

    def log_out(self, cookie: str) -> None:
        with self.engine.begin() as tx:
            store.delete_session(tx, digest(cookie))


def _principal(session: store.Session) -> Principal:
    return Principal(
        name=session.name,
        role=cast(Role, session.role),
        wards=wards_of(session.role, session.wards),
        # A person keeps her identity over several sessions, so that a repeated request is known again.
        id=f"token:{session.token}" if session.token else f"session:{session.hash[:16]}",
        session=True,
        expires=session.expires,
    )
