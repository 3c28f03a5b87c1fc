"""Secrets and who they stand for: tokens for programs, sessions for browsers, codes for one click.

Secrets are 256 random bits, so a plain SHA-256 of them is enough to store; the secret itself is shown
once and kept nowhere. Times are the machine's, also where the ward's clock runs faster (demos).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final, cast

from prometheus_client import Counter
from sqlalchemy import Connection, Engine
from starlette.datastructures import Headers
from starlette.requests import cookie_parser

from ward.errors import InvalidError, UnauthorizedError
from ward.signals import HOUR, MINUTE, SECOND
from ward.store import access as store
from ward.store.people import User
from ward.web.access import SCOPES, WARDED, Principal, capabilities_of, cookie_name, wards_of
from ward.web.doors import Doors
from ward.web.passwords import Passwords, normal
from ward.web.schemas.access import ROLES, Role

PREFIX: Final = "ward_"
CODE_MS: Final = 60 * MINUTE
BOARD_MS: Final = 12 * HOUR
"""When a session's time is over its board stays for a shift more, to look at: a screen that goes dark at the
change of shift would hide an alarm."""
KIOSK_MS: Final = 400 * 24 * HOUR
"""Browsers keep a cookie no longer; each load of the page begins it anew."""
TOUCH_MS: Final = 5 * MINUTE
ACTIVE_MS: Final = 30 * SECOND
"""How exactly it is known when somebody last did something; a tenth of the limit where that is less."""
WRONG: Final = "user name or password is wrong"

logins: Final = Counter("ward_logins_total", "Attempts to log in", ("method", "outcome"))


def new_secret(prefix: str = "") -> str:
    return prefix + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def login_key(login: str) -> str:
    """The same for what people take for the same name."""
    return normal(normal(login).casefold())


def create_token(
    engine: Engine,
    *,
    name: str,
    role: str,
    wards: Iterable[str] | None = None,
    scopes: Iterable[str] | None = None,
    expires: int | None = None,
    now: int,
) -> tuple[store.Token, str]:
    """A new token and its secret, which is not kept. Raises InvalidError."""
    listed = None if wards is None else sorted(set(wards))
    if role not in ROLES:
        raise InvalidError(f"role {role!r}; allowed: {', '.join(ROLES)}", field="role")
    if role in WARDED and not listed:
        raise InvalidError(f"a {role} needs at least one ward", field="wards", code="wards-needed")
    if expires is not None and expires <= now:
        raise InvalidError("a token cannot expire before it is made", field="expires_at", code="end-past")
    secret = new_secret(PREFIX)
    token = store.Token(
        id=secrets.token_hex(8),
        name=name,
        role=role,
        wards=listed,
        hash=digest(secret),
        created=now,
        expires=expires,
        scopes=_scopes(role, scopes),
    )
    with engine.begin() as tx:
        store.add_token(tx, token)
    return token, secret


def _scopes(role: str, scopes: Iterable[str] | None) -> list[str] | None:
    if scopes is None:
        return None
    listed = sorted(set(scopes))
    unknown = [scope for scope in listed if scope not in SCOPES]
    if role != "integration":
        raise InvalidError("scopes are of the role integration only", field="scopes")
    if unknown or not listed:
        wrong = f"there is no scope {unknown[0]!r}" if unknown else "a scope is missing"
        said = f"{wrong}; allowed: {', '.join(SCOPES)}"
        raise InvalidError(said, field="scopes", code="scope-missing")
    return listed


def create_code(
    engine: Engine,
    *,
    name: str,
    role: str,
    wards: Iterable[str] | None = None,
    now: int,
    lifetime: int = CODE_MS,
    reusable: bool = False,
) -> str:
    """A code that logs a browser in: for ``/login?code=…``. It works once, unless it is ``reusable``."""
    listed = None if wards is None else sorted(set(wards))
    secret = new_secret()
    code = store.LoginCode(digest(secret), name, role, listed, now + lifetime, reusable=reusable)
    with engine.begin() as tx:
        store.add_code(tx, code)
    return secret


def create_link(engine: Engine, token: str, now: int) -> str:
    """A code that logs a browser in once, with the token of this id. Raises NotFoundError, InvalidError."""
    with engine.begin() as tx:
        found = store.get_token(tx, token)
        if found.revoked is not None or (found.expires is not None and found.expires <= now):
            raise InvalidError("this token was revoked or has expired", code="token-over")
        secret = new_secret()
        expires = now + CODE_MS
        code = store.LoginCode(digest(secret), found.name, found.role, found.wards, expires, token=found.id)
        store.add_code(tx, code)
    return secret


@dataclass(frozen=True, slots=True)
class Browser:
    """Who asks to come in. ``cookie``: of the session it has; ``agent``: what it calls itself."""

    address: str = ""
    agent: str | None = None
    cookie: str | None = None


class Identity:
    """Finds out who is asking, and lets in. ``wall`` gives the machine's time in ms."""

    def __init__(
        self,
        engine: Engine,
        wall: Callable[[], int],
        doors: Doors | None = None,
        passwords: Passwords | None = None,
    ) -> None:
        self.engine = engine
        self.wall = wall
        self.doors = doors or Doors()
        self.passwords = passwords or Passwords()

    # ------------------------------------------------------------------ who is asking

    def identify(self, headers: Headers, *, secure: bool = False) -> Principal:
        """From a bearer token or, where none is sent, the session's cookie. Raises UnauthorizedError."""
        authorization = headers.get("authorization")
        if authorization is not None:
            scheme, _, secret = authorization.partition(" ")
            if scheme.lower() != "bearer":
                raise UnauthorizedError("the scheme of Authorization is Bearer")
            return self.of_token(secret.strip())
        cookie = cookie_of(headers, secure)
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
            capabilities=capabilities_of(token.scopes),
        )

    def of_session(self, secret: str) -> Principal:
        now = self.wall()
        with self.engine.connect() as connection:
            session = store.find_session(connection, digest(secret), now)
            token = store.get_token(connection, session.token) if session and session.token else None
        if session is None:
            raise UnauthorizedError("this session is over; log in again")
        if now - session.last_seen > TOUCH_MS:
            with self.engine.begin() as tx:
                store.touch_session(tx, session.hash, now)
        return self._principal(session, token, now)

    def acted(self, who: Principal) -> None:
        """Note that a person did something; what is limited stays so until she logs in."""
        now = self.wall()
        exact = min(ACTIVE_MS, self.doors.idle_ms // 10)
        if who.session and not who.limited and now - who.active > exact:
            with self.engine.begin() as tx:
                store.touch_active(tx, who.key, now)

    # ------------------------------------------------------------------ coming in

    def log_in(self, secret: str, browser: Browser | None = None) -> tuple[Principal, str]:
        """A session for who holds a token: the principal and the cookie. Raises UnauthorizedError."""
        now = self.wall()
        with self.engine.begin() as tx:
            token = store.find_token(tx, digest(secret), now)
            if token is not None:
                return self._begin(tx, browser, "token", token=token)
        logins.labels("token", "refused").inc()
        raise UnauthorizedError("this token is wrong, has expired or was revoked")

    def redeem(self, code: str, browser: Browser | None = None) -> tuple[Principal, str]:
        """A session for a one-time code. Raises UnauthorizedError."""
        now = self.wall()
        with self.engine.begin() as tx:
            found = store.use_code(tx, digest(code), now)
            token = store.get_token(tx, found.token) if found and found.token else None
            if found is not None and (token is None or token.revoked is None):
                return self._begin(tx, browser, "code", token=token, code=found)
        logins.labels("code", "refused").inc()
        raise UnauthorizedError("this link was used before or is too old; ask for a new one")

    def enter(
        self, tx: Connection, user: User, method: str, browser: Browser | None
    ) -> tuple[Principal, str]:
        """A session for a user who has proved who she is. Raises UnauthorizedError if she is disabled."""
        if user.disabled is not None:
            raise UnauthorizedError(WRONG)
        return self._begin(tx, browser, method, user=user)

    def log_out(self, cookie: str) -> None:
        with self.engine.begin() as tx:
            store.delete_session(tx, digest(cookie))

    def prolong(self, who: Principal) -> Principal:
        """A wall's session goes on for as long as it is used: anew at each load of its page."""
        expires = self.wall() + KIOSK_MS
        if who.role != "kiosk" or not who.session or (who.expires or 0) >= expires - KIOSK_MS // 2:
            return who
        with self.engine.begin() as tx:
            store.extend_session(tx, who.key, expires)
        return replace(who, expires=expires)

    # ------------------------------------------------------------------ inside

    def _begin(
        self,
        tx: Connection,
        browser: Browser | None,
        method: str,
        *,
        token: store.Token | None = None,
        code: store.LoginCode | None = None,
        user: User | None = None,
    ) -> tuple[Principal, str]:
        """A new session with a new secret; the one that the browser had before ends."""
        now = self.wall()
        whose = user or token or code
        assert whose is not None
        browser = browser or Browser()
        kept = KIOSK_MS if whose.role == "kiosk" else self.doors.session_ms + BOARD_MS
        ends = token.expires if token and token.expires else now + kept
        cookie = new_secret()
        session = store.Session(
            hash=digest(cookie),
            token=token.id if token else None,
            name=whose.name,
            role=whose.role,
            wards=whose.wards,
            created=now,
            last_seen=now,
            expires=min(now + kept, ends),
            user=user.id if user else None,
            active=now,
            method=method,
            agent=browser.agent,
        )
        if browser.cookie:
            store.delete_session(tx, digest(browser.cookie))
        store.add_session(tx, session)
        logins.labels(method, "done").inc()
        return self._principal(session, token, now), cookie

    def _principal(self, session: store.Session, token: store.Token | None, now: int) -> Principal:
        until = self._until(session)
        return Principal(
            name=session.name,
            role=cast(Role, session.role),
            wards=wards_of(session.role, session.wards),
            id=_actor(session),
            session=True,
            expires=session.expires,
            user=session.user,
            capabilities=capabilities_of(token.scopes) if token else None,
            limited=until is not None and now >= until,
            until=until,
            active=session.active,
            key=session.hash,
            method=session.method,
        )

    def _until(self, session: store.Session) -> int | None:
        """Until when one may act in it, if nobody does anything more. A wall has nothing to lose."""
        if session.role == "kiosk":
            return None
        ends = min(session.created + self.doors.session_ms, session.expires)
        return min(ends, session.active + self.doors.idle_ms) if self.doors.idle_ms else ends


def _actor(session: store.Session) -> str:
    """A person keeps her identity over several sessions, so that a repeated request is known again."""
    if session.user:
        return f"user:{session.user}"
    return f"token:{session.token}" if session.token else f"session:{session.id}"


def cookie_of(headers: Headers, secure: bool) -> str | None:
    return cookie_parser(headers.get("cookie", "")).get(cookie_name(secure))
